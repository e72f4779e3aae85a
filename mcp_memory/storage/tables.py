"""Named statements on one connection, and the rows of an episode as an `Episode`. Both the writer and the readers work with these."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mcp_memory.domain import hlc
from mcp_memory.domain.edits import apply_edits
from mcp_memory.domain.episode import Complexity, Context, Episode, EpisodeState, TaskType
from mcp_memory.domain.query import RECORDED_ONLY, ChangeKind
from mcp_memory.domain.shared_facts import FactKind, fact_id
from mcp_memory.errors import CorruptRecord, NotFound
from mcp_memory.storage.codec import Codec, load_closing, load_json, load_opening, load_step
from mcp_memory.storage.connection import Connection
from mcp_memory.storage.queries import QUERIES
from mcp_memory.storage.records import Closing

Row = tuple[Any, ...]
ERASED = "-"  # before the id of a fact in the outbox: it is to be deleted


def sound_row(row: Row) -> Row:
    """Return *row* without its last column, which says whether it has its checksum. Raises CorruptRecord when not."""
    if not row[-1]:
        raise CorruptRecord("a stored row does not have its checksum: a byte of memory.db has changed")
    return row[:-1]


class Tables:
    """A connection that is asked by statement name."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self, name: str, *values: Any) -> list[Row]:
        """Return every row of the named statement."""
        return self._connection.execute(QUERIES[name], values).fetchall()

    def one(self, name: str, *values: Any) -> Row | None:
        """Return its first row, or None."""
        row: Row | None = self._connection.execute(QUERIES[name], values).fetchone()
        return row

    def value(self, name: str, *values: Any) -> Any:
        """Return its first row's first column, or None where there is no row."""
        row = self._connection.execute(QUERIES[name], values).fetchone()
        return row[0] if row else None

    def rows(self, sql: str, values: list[Any]) -> list[Row]:
        """Return every row of a statement that was built for the occasion."""
        return self._connection.execute(sql, values).fetchall()

    def each(self, sql: str) -> Iterator[Row]:
        """Yield the rows of a statement that was built for the occasion, one at a time."""
        yield from self._connection.execute(sql)

    def script(self, *statements: str) -> None:
        """Run statements that concern temporary tables only."""
        for statement in statements:
            self._connection.execute(statement)

    def fill(self, sql: str, rows: Iterable[Row]) -> None:
        """Run an INSERT into a temporary table for every row."""
        self._connection.executemany(sql, rows)

    def sound(self, name: str, *values: Any) -> list[Row]:
        """Return every row of a statement whose last column says that the row has its checksum, without that. Raises CorruptRecord."""
        return [sound_row(row) for row in self._connection.execute(QUERIES[name], values)]

    def episode(self, episode_id: str, *, steps: bool) -> Episode | None:
        """Return the episode with its edits applied, or None."""
        row = self.one("get_episode", episode_id)
        return None if row is None else self._episode(sound_row(row), steps, edits=True)

    def original(self, episode_id: str, *, steps: bool) -> Episode | None:
        """Return the episode as it was before its edits and as every machine has it, or None."""
        row = self.one("get_episode", episode_id)
        return None if row is None else replace(self._episode(sound_row(row), steps, edits=False), change_seq=0)

    def _episode(self, row: Row, steps: bool, *, edits: bool) -> Episode:
        (
            episode_row, id_, project, state, outcome_kind, reward_score, task_type, domain, language, framework, complexity, agent,
            started_at_ms, ended_at_ms, step_count, edited, change_seq, external_id, parent_id, follows, task, opening, closing,
        ) = row  # fmt: skip
        tags, metadata = load_opening(opening)
        found = tuple(load_step(body, index) for index, body in self.sound("get_steps", episode_row)) if steps else ()
        if state == EpisodeState.COMPLETED and steps and len(found) != step_count:
            raise CorruptRecord(f"of the {step_count} steps of episode {id_!r} {len(found)} are there")
        if state == EpisodeState.OPEN:
            step_count = len(found) if steps else self.value("step_count", episode_row)
        closed = Closing() if closing is None else load_closing(closing, outcome_kind, reward_score)
        episode = Episode(
            id=id_,
            project=project,
            task=task,
            task_type=TaskType(task_type),
            context=Context(domain, language, framework, Complexity(complexity), tags),
            agent=agent,
            started_at_ms=started_at_ms,
            ended_at_ms=ended_at_ms,
            state=EpisodeState(state),
            steps=found,
            step_count=step_count,
            metadata=metadata,
            parent_id=parent_id,
            external_id=external_id,
            follows=follows,
            change_seq=change_seq,
            **closed._asdict(),
        )
        if edited and edits:
            episode = apply_edits(episode, [(field, load_json(value)) for field, value in self.sound("get_edits", episode_row)])
        return episode


class Transaction(Tables):
    """The writer's side: statements that change rows, inside the batcher's transaction."""

    __slots__ = ("_applies", "_is_shared", "codec", "now_ms")

    def __init__(self, connection: Connection, codec: Codec, now_ms: int, *, applies: bool = False) -> None:
        """With *applies* it writes what came from a shared log, which is not told again."""
        super().__init__(connection)
        self.codec, self.now_ms, self._applies = codec, now_ms, applies
        self._is_shared: bool | None = None  # not looked yet

    def run(self, name: str, *values: Any) -> int:
        """Run the named statement and return how many rows it changed."""
        return self._connection.execute(QUERIES[name], values).rowcount

    def insert(self, name: str, *values: Any) -> int:
        """Run the named INSERT and return the new row's number."""
        row = self._connection.execute(QUERIES[name], values).lastrowid
        assert row is not None
        return row

    def many(self, name: str, rows: list[Row]) -> None:
        """Run the named statement for every row."""
        self._connection.executemany(QUERIES[name], rows)

    def delete(self, sql: str, values: Sequence[Any] | Mapping[str, Any]) -> int:
        """Run a DELETE and return how many rows went."""
        return self._connection.execute(sql, values).rowcount

    def change(self, kind: ChangeKind, entity_id: str) -> int:
        """Append to the change feed and return the new change sequence."""
        return self.insert("add_change", str(kind), entity_id, self.now_ms, int(kind not in RECORDED_ONLY))

    def share(self, kind: FactKind, owner: str, *rest: object) -> None:
        """Let the shared logs, where there are any, be told of a fact that this transaction makes true."""
        if not self._applies and self._told():
            self.run("add_outgoing", fact_id(kind, owner, *rest))

    def tell(self, kind: FactKind, owner: str, *rest: object) -> None:
        """As `share`, also where that follows from what came from a log."""
        self.run("add_outgoing", fact_id(kind, owner, *rest))

    def erase(self, kind: FactKind, owner: str, *rest: object) -> None:
        """Let a fact, and those whose ids go on from its id, be deleted from the shared logs."""
        if self._told():
            self.run("add_outgoing", ERASED + fact_id(kind, owner, *rest))

    def _told(self) -> bool:
        """Whether there is a shared log: asked once a transaction, which names thirty facts and more."""
        if self._is_shared is None:
            self._is_shared = self.one("any_remote") is not None
        return self._is_shared

    def stamp(self) -> tuple[int, str]:
        """Return the next reading of the hybrid logical clock, and whose it is: this replica's id."""
        replica_id, last = self.all("replica")[0]
        reading = hlc.following(last, self.now_ms)
        self.run("advance_clock", reading)
        return reading, replica_id

    def episode_row(self, episode_id: str) -> tuple[int, str]:
        """Return the row number and state of an episode. Raises NotFound."""
        found = self._row_of("episode_state", episode_id)
        return found[0], found[1]

    def appending_to(self, episode_id: str) -> tuple[int, str, int, bool]:
        """Return the row number and state of an episode, how many steps it has, and whether another replica numbers them.

        The same statement tells whether there is a shared log, so that `share` need not ask. Raises NotFound.
        """
        found = self._row_of("appending_to", episode_id)
        self._is_shared = bool(found[4])
        return found[0], found[1], found[2], bool(found[3])

    def starting(self, episode_id: str) -> tuple[bool, bool]:
        """Return whether there is an episode of that id, and whether there was one that was deleted; as above, for `share`."""
        is_there, was_deleted, is_shared = self.all("starting", episode_id)[0]
        self._is_shared = bool(is_shared)
        return bool(is_there), bool(was_deleted)

    def _row_of(self, name: str, episode_id: str) -> Row:
        found = self.one(name, episode_id)
        if found is None:
            self.refuse_deleted(episode_id)
            raise NotFound(f"there is no episode {episode_id!r}")
        return found

    def refuse_deleted(self, episode_id: str) -> None:
        """Raise NotFound when the episode was deleted: what comes late must not bring it back."""
        if self.one("tombstone", episode_id):
            raise NotFound(f"episode {episode_id!r} was deleted")
