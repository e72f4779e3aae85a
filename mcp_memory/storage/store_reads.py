"""The reading half of `SqliteStore`: synchronous, short, safe from any thread; each read sees every commit made before it began."""

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from mcp_memory.domain.backups import Checked
from mcp_memory.domain.curation import Correction, Handoff, Link, StoredCheckpoint
from mcp_memory.domain.episode import Episode, Trace
from mcp_memory.domain.feedback import Feedback, Recommendation
from mcp_memory.domain.pattern import Evidence, Pattern
from mcp_memory.domain.query import ANY_PROJECT, Change, Filter, Page, Sort, TextQuery
from mcp_memory.domain.sources import Quarantine
from mcp_memory.errors import CorruptRecord
from mcp_memory.ports import PatternTally, TextHit, VectorRow
from mcp_memory.storage import learning_reads
from mcp_memory.storage.codec import load_as, load_trace
from mcp_memory.storage.connection import Connection, open_reader, translated
from mcp_memory.storage.hot_tier import HotTier
from mcp_memory.storage.inspection import count_rows, distinct_values, problems
from mcp_memory.storage.listing import list_episodes
from mcp_memory.storage.migrations import require_schema
from mcp_memory.storage.quarantine_writes import quarantines
from mcp_memory.storage.queries import QUERIES
from mcp_memory.storage.read_pool import ReadPool
from mcp_memory.storage.tables import Tables
from mcp_memory.storage.text_expression import begun, expression, quoted

_hit = partial(tuple.__new__, TextHit)  # hundreds each recall: the class's own `__new__` takes three times as long


class StoreReads:
    """All reads of the `Store` port over one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.worded: Callable[[list[Pattern], Sequence[str]], list[Pattern]] = lambda found, words: found  # as whoever asks may read them
        self._hot: HotTier | None = None
        self._readers = ReadPool(lambda: open_reader(path))
        self._watch_lock = threading.Lock()
        self._watch: Connection = open_reader(path)  # never in a transaction: always sees the latest
        self._watched_version = -1
        self._watched_seq = 0
        self._vectors_from: dict[str, int] = {}  # per space: below this trace seq every episode has its vector

    def get_episodes(self, ids: Sequence[str], *, steps: bool = True) -> list[Episode | None]:
        if self._hot is None or not steps:  # one short row each: as fast as a copy, and the copies are whole episodes
            return self._stored(ids, steps=steps)
        found = self._hot.get(ids)
        if missing := [i for i in ids if i not in found]:
            fresh = [e for e in self._stored(missing, steps=True) if e is not None]
            self._hot.keep(fresh)
            found |= {e.id: e for e in fresh}
        return [found.get(i) for i in ids]

    def _stored(self, ids: Sequence[str], *, steps: bool) -> list[Episode | None]:
        with self._readers.reader() as connection:
            connection.execute("BEGIN")  # one snapshot: an episode and its steps must fit together
            tables = Tables(connection)
            return [tables.episode(episode_id, steps=steps) for episode_id in ids]

    def _readable(self, ids: Sequence[str]) -> list[Episode | CorruptRecord | None]:
        """Return the records, in the place of a damaged one what is wrong with it."""
        with self._readers.reader() as connection:
            connection.execute("BEGIN")
            tables = Tables(connection)
            return [_record_or_fault(tables, episode_id) for episode_id in ids]

    def check_copies(self, *, repair: bool = False) -> Checked:
        return Checked(()) if self._hot is None else self._hot.check(self._readable, repair=repair)

    def find_external(self, project: str, external_ids: Sequence[str]) -> list[str | None]:
        with self._readers.reader() as connection:
            tables = Tables(connection)
            return [tables.value("episode_by_external", project, external_id) for external_id in external_ids]

    def ids_starting(self, prefix: str, limit: int) -> list[str]:
        beyond = prefix + "\U0010ffff"
        found: list[str] = []
        with self._readers.reader() as connection:
            for table in ("episode", "pattern", "recommendation", "checkpoint"):
                sql = f"SELECT id FROM {table} WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
                found += [row[0] for row in connection.execute(sql, (prefix, beyond, limit))]
        return sorted(found)[:limit]

    def list_episodes(self, where: Filter, *, sort: Sort, limit: int, cursor: str | None, text: TextQuery | None = None) -> Page:
        with self._readers.reader() as connection:
            connection.execute("BEGIN")
            return list_episodes(Tables(connection), where, sort, limit, cursor, text)

    def search_text(self, query: TextQuery, *, project: str, limit: int) -> list[TextHit]:
        match = expression(query)
        if match is None:
            return []
        with self._readers.reader() as connection:
            tables = Tables(connection)
            if project == ANY_PROJECT:
                rows = tables.all("search_all", *query.weights, match, limit)
            else:
                rows = tables.all("search_project", *query.weights, match, project, limit)
        return [_hit((seq, episode_id, -score)) for seq, episode_id, score in rows]

    def term_counts(self, terms: Sequence[str], *, beginnings: bool = False) -> list[int]:
        with self._readers.reader() as connection:
            tables = Tables(connection)
            asked = begun if beginnings else quoted
            return [tables.value("count_matches", asked(term)) for term in terms]

    def change_seq(self) -> int:
        with self._watch_lock, translated():
            version = self._watch.execute("PRAGMA data_version").fetchone()[0]
            if version != self._watched_version:
                self._watched_seq = self._watch.execute(QUERIES["last_change"]).fetchone()[0]
                self._watched_version = version
            return self._watched_seq

    def changes_after(self, seq: int, limit: int = 10_000) -> list[Change]:
        with self._readers.reader() as connection:
            return [Change(*row) for row in Tables(connection).all("changes_after", seq, limit)]

    def facts_after(self, seq: int, limit: int = 10_000) -> list[Change]:
        with self._readers.reader() as connection:
            return [Change(*row) for row in Tables(connection).all("facts_after", seq, limit)]

    def traces(self, *, after_seq: int = 0, ids: Sequence[str] | None = None, limit: int = 10_000) -> list[Trace]:
        with self._readers.reader() as connection:
            tables = Tables(connection)
            if ids is None:
                rows = tables.sound("traces_after", after_seq, limit)
            else:
                rows = sorted(row for id_ in dict.fromkeys(ids) for row in tables.sound("trace_of_id", id_) if row[0] > after_seq)[:limit]
        return [load_trace(body, seq) for seq, body in rows]

    def vectors(self, space: str, *, after_rowid: int = 0, limit: int = 50_000) -> tuple[list[VectorRow], int]:
        with self._readers.reader() as connection:
            tables = Tables(connection)
            rows = tables.sound("vectors_after", tables.value("space_row", space), after_rowid, limit)
        return [VectorRow(*row[1:]) for row in rows], rows[-1][0] if rows else after_rowid

    def missing_vectors(self, space: str, limit: int) -> list[str]:
        with self._readers.reader() as connection:
            connection.execute("BEGIN")
            tables = Tables(connection)
            last: int = tables.value("last_trace")
            rows = tables.all("missing_vectors", self._vectors_from.get(space, 0), tables.value("space_row", space), limit)
        if len(rows) < limit:  # the scan reached the oldest: the next one can start where this one found the first gap
            self._vectors_from[space] = rows[-1][0] if rows else last + 1
        return [episode_id for _, episode_id in rows]

    def patterns(
        self,
        *,
        ids: Sequence[str] | None = None,
        project: str = ANY_PROJECT,
        kind: str = "",
        min_support: int = 1,
        words: Sequence[str] = (),
        limit: int = 1000,
    ) -> list[Pattern]:
        with self._readers.reader() as connection:
            return self.worded(learning_reads.patterns(Tables(connection), ids, project, kind, min_support, words, limit), words)

    def pattern_tallies(self, episode_ids: Sequence[str], *, project: str = ANY_PROJECT, kinds: Sequence[str] = ()) -> list[PatternTally]:
        with self._readers.reader() as connection:
            return learning_reads.tallies(Tables(connection), episode_ids, project, kinds)

    def evidence(self, pattern_ids: Sequence[str], *, limit_each: int = 50, details: bool = True) -> dict[str, list[Evidence]]:
        with self._readers.reader() as connection:
            return learning_reads.evidence(Tables(connection), pattern_ids, limit_each, details)

    def episode_patterns(self, episode_ids: Sequence[str]) -> dict[str, list[str]]:
        with self._readers.reader() as connection:
            tables = Tables(connection)
            return {id_: [row[0] for row in tables.all("patterns_of_episode", id_)] for id_ in episode_ids}

    def recommendations(self, *, ids: Sequence[str] | None = None, episode_id: str | None = None) -> list[Recommendation]:
        with self._readers.reader() as connection:
            return learning_reads.recommendations(Tables(connection), ids, episode_id)

    def feedback(self, *, project: str = ANY_PROJECT, after_rowid: int = 0) -> tuple[list[tuple[Feedback, Recommendation]], int]:
        with self._readers.reader() as connection:
            return learning_reads.feedback(Tables(connection), project, after_rowid)

    def corrections(self, target_ids: Sequence[str] | None = None) -> dict[str, Correction]:
        with self._readers.reader() as connection:
            return learning_reads.corrections(Tables(connection), target_ids)

    def quarantines(self) -> list[Quarantine]:
        with self._readers.reader() as connection:
            return quarantines(Tables(connection))

    def quarantined_episodes(self) -> set[str]:
        with self._readers.reader() as connection:
            return {row[0] for row in Tables(connection).all("quarantined_ids")}

    def links(self, episode_ids: Sequence[str]) -> dict[str, Link]:
        with self._readers.reader() as connection:
            tables = Tables(connection)
            return {row[0]: Link(*row[1:5]) for id_ in episode_ids for row in tables.sound("links_touching", id_)}

    def checkpoint(self, checkpoint_id: str) -> tuple[str, Handoff] | None:
        with self._readers.reader() as connection:
            found = Tables(connection).sound("get_checkpoint", checkpoint_id)
        return (found[0][0], load_as(found[0][1], Handoff)) if found else None

    def latest_checkpoint(self, episode_id: str) -> str | None:
        with self._readers.reader() as connection:
            found: str | None = Tables(connection).value("latest_checkpoint", episode_id)
            return found

    def checkpoints(self, episode_ids: Sequence[str]) -> list[StoredCheckpoint]:
        with self._readers.reader() as connection:
            rows = [row for id_ in episode_ids for row in Tables(connection).sound("checkpoints_of", id_)]
        return [StoredCheckpoint(id_, episode_id, load_as(content, Handoff), at_ms) for id_, episode_id, content, at_ms in rows]

    def edited_episodes(self) -> dict[str, int]:
        """Return the edited and the deleted episodes with the change that made a copy of them stale."""
        with self._readers.reader() as connection:
            return dict(Tables(connection).all("edited_episodes"))

    def counts(self, *projects: str) -> Mapping[str, int]:
        with self._readers.reader() as connection:
            return count_rows(Tables(connection), projects)

    def distinct(self, column: str, prefix: str, limit: int) -> list[str]:
        with self._readers.reader() as connection:
            return distinct_values(Tables(connection), column, prefix, limit)

    def check(self) -> list[str]:
        with self._readers.reader() as connection:
            connection.execute("BEGIN")  # one snapshot: what is compared must be of one moment
            try:
                require_schema(connection)
            except CorruptRecord as error:
                return [error.message]
            return problems(Tables(connection))

    def _copies_of_damaged(self) -> list[Episode]:
        return [] if self._hot is None else self._hot.copies_of_damaged(self._readable)

    def _close_readers(self) -> None:
        self._readers.close()
        with self._watch_lock:
            self._watch.close()


def _record_or_fault(tables: Tables, episode_id: str) -> Episode | CorruptRecord | None:
    try:
        with translated():
            return tables.episode(episode_id, steps=True)
    except CorruptRecord as error:
        return error
