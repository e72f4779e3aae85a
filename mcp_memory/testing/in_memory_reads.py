"""The reading half of the in-memory store."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mcp_memory.domain.backups import Checked
from mcp_memory.domain.curation import Correction, Handoff, Link, StoredCheckpoint
from mcp_memory.domain.episode import Episode, Trace
from mcp_memory.domain.feedback import Feedback, Recommendation
from mcp_memory.domain.pattern import Evidence, Pattern
from mcp_memory.domain.query import ANY_PROJECT, RECORDED_ONLY, Change, Filter, Page, Sort, TextQuery
from mcp_memory.domain.sources import Quarantine
from mcp_memory.domain.status import StoreInfo
from mcp_memory.errors import InvalidInput
from mcp_memory.ports import PatternTally, TextHit, VectorRow
from mcp_memory.testing.in_memory_listing import list_episodes
from mcp_memory.testing.records import Records

_COLUMNS = ("project", "domain", "language", "framework", "agent")


class InMemoryReads:
    """All reads of `ports.Store`."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def get_episodes(self, ids: Sequence[str], *, steps: bool = True) -> list[Episode | None]:
        with self._records.lock:
            found = [self._records.episodes.get(id_) for id_ in ids]
            return [None if r is None else r.episode if steps else replace(r.episode, steps=()) for r in found]

    def find_external(self, project: str, external_ids: Sequence[str]) -> list[str | None]:
        with self._records.lock:
            return [self._records.external(project, external_id) for external_id in external_ids]

    def ids_starting(self, prefix: str, limit: int) -> list[str]:
        r = self._records
        with r.lock:
            ids = (i for table in (r.episodes, r.patterns, r.recommendations, r.checkpoints) for i in table if i.startswith(prefix))
            return sorted(ids)[:limit]

    def list_episodes(self, where: Filter, *, sort: Sort, limit: int, cursor: str | None, text: TextQuery | None = None) -> Page:
        with self._records.lock:
            return list_episodes(self._records, where, sort, limit, cursor, text, self.change_seq())

    def search_text(self, query: TextQuery, *, project: str, limit: int) -> list[TextHit]:
        with self._records.lock:
            by_seq = {r.seq: r.base for r in self._records.episodes.values() if r.seq and project in (r.base.project, ANY_PROJECT)}
            hits = self._records.completed_text.search(query)
            found = [TextHit(seq, by_seq[seq].id, score) for seq, score in hits if seq in by_seq]
            return [hit for hit in found if not self._records.is_quarantined(hit.episode_id)][:limit]

    def term_counts(self, terms: Sequence[str], *, beginnings: bool = False) -> list[int]:
        return self._records.completed_text.counts(terms, beginnings=beginnings)

    def change_seq(self) -> int:
        return next((c.seq for c in reversed(self._records.changes) if c.kind not in RECORDED_ONLY), 0)

    def changes_after(self, seq: int, limit: int = 10_000) -> list[Change]:
        return [c for c in self._records.changes[seq:] if c.kind not in RECORDED_ONLY][:limit]

    def facts_after(self, seq: int, limit: int = 10_000) -> list[Change]:
        return self._records.changes[seq : seq + limit]

    def traces(self, *, after_seq: int = 0, ids: Sequence[str] | None = None, limit: int = 10_000) -> list[Trace]:
        with self._records.lock:
            records = [r for r in self._records.episodes.values() if r.seq > after_seq and (ids is None or r.base.id in ids)]
            shown = [r for r in records if not self._records.is_quarantined(r.base.id)]
            return [r.trace for r in sorted(shown, key=lambda r: r.seq)][:limit]

    def vectors(self, space: str, *, after_rowid: int = 0, limit: int = 50_000) -> tuple[list[VectorRow], int]:
        with self._records.lock:
            rows = [(n, v) for n, v in self._records.vectors.get(space, ()) if n > after_rowid]
            rows = [row for row in rows if not self._records.is_quarantined(row[1].episode_id)][:limit]
        return [v for _, v in rows], rows[-1][0] if rows else after_rowid

    def missing_vectors(self, space: str, limit: int) -> list[str]:
        with self._records.lock:
            there = {v.episode_id for _, v in self._records.vectors.get(space, ()) if v.part == 0}
            missing = [r for r in self._records.episodes.values() if r.seq and r.base.id not in there]
            return [r.base.id for r in sorted(missing, key=lambda r: -r.seq)][:limit]

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
        with self._records.lock:
            wanted = self._records.patterns if ids is None else [i for i in dict.fromkeys(ids) if i in self._records.patterns]
            found = [p for i in wanted if (p := self._pattern(i, project)) is not None]
        found = [p for p in found if p.support >= min_support and kind in ("", p.kind)]
        if words and ids is None:
            held = {p.id: sum(word in p.description.lower() for word in words) for p in found}
            found = sorted((p for p in found if held[p.id]), key=lambda p: (-held[p.id], -p.support, p.id))[:limit]
        return sorted(found, key=lambda p: (-p.support, p.id))[:limit]

    def pattern_tallies(self, episode_ids: Sequence[str], *, project: str = ANY_PROJECT, kinds: Sequence[str] = ()) -> list[PatternTally]:
        found = []
        for episode_id, pattern_ids in self.episode_patterns(list(dict.fromkeys(episode_ids))).items():
            for pattern in sorted(self.patterns(ids=pattern_ids, project=project, limit=len(pattern_ids)), key=lambda p: p.id):
                if not kinds or pattern.kind in kinds:
                    found.append(PatternTally(episode_id, pattern.id, pattern.kind, pattern.successes, pattern.failures))
        return found

    def evidence(self, pattern_ids: Sequence[str], *, limit_each: int = 50, details: bool = True) -> dict[str, list[Evidence]]:
        with self._records.lock:
            rows = {i: self._counted(i) for i in pattern_ids if self._counted(i)}
        found = {i: [e for _, _, e in sorted(r, key=lambda x: -x[0])][:limit_each] for i, r in rows.items()}
        return found if details else {i: [replace(e, detail={}) for e in each] for i, each in found.items()}

    def episode_patterns(self, episode_ids: Sequence[str]) -> dict[str, list[str]]:
        with self._records.lock:
            return {
                id_: sorted(p for p, rows in self._records.evidence.items() if any(e.episode_id == id_ for _, _, e in rows))
                for id_ in episode_ids
            }

    def recommendations(self, *, ids: Sequence[str] | None = None, episode_id: str | None = None) -> list[Recommendation]:
        with self._records.lock:
            known = self._records.recommendations
            found = list(known.values()) if ids is None else [known[i] for i in ids if i in known]
        return [r for r in found if (ids is not None and episode_id is None) or r.episode_id == episode_id]

    def feedback(self, *, project: str = ANY_PROJECT, after_rowid: int = 0) -> tuple[list[tuple[Feedback, Recommendation]], int]:
        with self._records.lock:
            rows = [(n, v, self._records.recommendations[v.recommendation_id]) for n, v in self._records.feedback if n > after_rowid]
        rows = [row for row in rows if project in (row[2].project, ANY_PROJECT)]
        rows = [row for row in rows if not self._records.is_quarantined(row[1].episode_id or row[2].episode_id)]
        return [(v, r) for _, v, r in rows], rows[-1][0] if rows else after_rowid

    def corrections(self, target_ids: Sequence[str] | None = None) -> dict[str, Correction]:
        silenced = self._records.silenced()
        known = [(t, c) for t, c in self._records.corrections if c.by not in silenced]
        return {t: c for t, c in known if target_ids is None or t in target_ids}

    def quarantines(self) -> list[Quarantine]:
        return sorted(self._records.quarantines.values(), key=lambda q: (q.source.kind, q.source.name))

    def quarantined_episodes(self) -> set[str]:
        with self._records.lock:
            return {i for i in self._records.episodes if self._records.is_quarantined(i)}

    def links(self, episode_ids: Sequence[str]) -> dict[str, Link]:
        with self._records.lock:
            return {id_: x for id_, x in self._records.links.items() if x.from_id in episode_ids or x.to_id in episode_ids}

    def checkpoint(self, checkpoint_id: str) -> tuple[str, Handoff] | None:
        found = self._records.checkpoints.get(checkpoint_id)
        return (found.episode_id, found.handoff) if found else None

    def latest_checkpoint(self, episode_id: str) -> str | None:
        found = self.checkpoints([episode_id])
        return found[-1].id if found else None

    def checkpoints(self, episode_ids: Sequence[str]) -> list[StoredCheckpoint]:
        stored = self._records.checkpoints.values()
        return [x for id_ in episode_ids for x in sorted(stored, key=lambda x: x.at_ms) if x.episode_id == id_]

    def counts(self, *projects: str) -> Mapping[str, int]:
        def seen(project: str) -> bool:
            return not projects or project in projects

        with self._records.lock:
            r = self._records
            episodes = [x.base for x in r.episodes.values() if seen(x.base.project)]
            ids = {e.id for e in episodes}
            shown = {x.id for x in r.recommendations.values() if seen(x.project)}
            evidence = {p: [e for _, where, e in self._counted(p) if seen(where)] for p in r.evidence}
            return {
                "episodes": len(episodes),
                **{state: sum(e.state == state for e in episodes) for state in ("open", "completed", "abandoned")},
                "steps": sum(len(e.steps) for e in episodes),
                "evidence": sum(len(rows) for rows in evidence.values()),
                "patterns": sum(any(seen(w) for _, w, _ in r.evidence[p]) for p in evidence),
                "vectors": sum(v.episode_id in ids for rows in r.vectors.values() for _, v in rows),
                "recommendations": len(shown),
                "feedback": sum(v.recommendation_id in shown for _, v in r.feedback),
                "links": sum(x.from_id in ids for x in r.links.values()),
                "checkpoints": sum(x.episode_id in ids for x in r.checkpoints.values()),
            }

    def distinct(self, column: str, prefix: str, limit: int) -> list[str]:
        if column not in _COLUMNS:
            raise InvalidInput(f"`column` must be one of {', '.join(_COLUMNS)}, not {column!r}")
        with self._records.lock:
            bases = [r.base for r in self._records.episodes.values()]
        values = {getattr(e if column in ("project", "agent") else e.context, column) for e in bases}
        return sorted(v for v in values if v and v.startswith(prefix))[:limit]

    def check(self) -> list[str]:
        return []

    def check_copies(self, *, repair: bool = False) -> Checked:
        return Checked(())

    def info(self) -> StoreInfo:
        """Return the fields of the durable store's `info`, as far as they mean something here."""
        return StoreInfo(
            path=":memory:",
            size_bytes=0,
            schema_version=0,
            replica_id="memory",
            synchronous="OFF",
            journal_mode="memory",
            queue_depth=0,
            compression_ratio=None,
            file_system="",
            notices=("nothing is kept: this store lives in memory",),
        )

    def _counted(self, pattern_id: str) -> list[tuple[int, str, Evidence]]:
        """Return the evidence that does not come from a quarantined source."""
        return [row for row in self._records.evidence.get(pattern_id, ()) if not self._records.is_quarantined(row[2].episode_id)]

    def _pattern(self, pattern_id: str, project: str) -> Pattern | None:
        rows = [(where, e) for _, where, e in self._counted(pattern_id) if project in (where, ANY_PROJECT)]
        if not rows:
            return None
        p, projects, times = self._records.patterns[pattern_id], {where for where, _ in rows}, [e.at_ms for _, e in rows]
        successes = sum(e.success for _, e in rows)
        return Pattern(
            id=pattern_id,
            kind=p.kind,
            project=projects.pop() if len(projects) == 1 else ANY_PROJECT,
            content=p.content,
            description=p.description,
            domain=p.domain,
            support=len({e.episode_id for _, e in rows}),
            successes=successes,
            failures=len(rows) - successes,
            first_at_ms=min(times),
            last_at_ms=max(times),
        )
