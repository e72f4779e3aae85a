"""Evidence rows and the counts over them, kept in one transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mcp_memory.domain.episode import Episode
from mcp_memory.domain.pattern import Observation
from mcp_memory.storage.tables import Row, Transaction

MAX_MS = 2**63 - 1


Told = tuple[int, Episode, Sequence[Observation]]  # the row of an episode, the episode, what it says


def add_evidence(tx: Transaction, told: Sequence[Told]) -> None:
    """Store what episodes say about their patterns; new patterns are created. Of a quarantined source, nothing is counted."""
    by_pattern = [_by_pattern(observations) for _, _, observations in told]
    known = _pattern_rows(tx, told, by_pattern)
    evidence: list[Row] = []
    counts: dict[tuple[int, str], _Count] = {}
    for (row, episode, _), seen_of in zip(told, by_pattern, strict=True):
        at_ms = episode.ended_at_ms or episode.started_at_ms
        counted = not tx.one("is_quarantined_episode", row)
        for pattern_id, seen in seen_of.items():
            pattern_row = known[pattern_id]
            for ordinal, one in enumerate(seen):
                detail = tx.codec.json(one.detail) if one.detail else None
                evidence.append((pattern_row, row, ordinal, int(one.success), one.weight, at_ms, detail))
            if counted:
                key = (pattern_row, episode.project)
                counts[key] = counts.get(key, _Count()).with_episode(sum(one.success for one in seen), len(seen), at_ms)
    tx.many("add_evidence", sorted(evidence, key=lambda r: r[:3]))  # in key order: neighbours go to one page
    if counts:
        tx.many("count_evidence", [(*key, *count) for key, count in sorted(counts.items())])


class _Count(NamedTuple):
    """What is added to the count of a pattern in a project; the columns of `count_evidence` after its key."""

    support: int = 0
    successes: int = 0
    failures: int = 0
    first_at_ms: int = MAX_MS
    last_at_ms: int = 0

    def with_episode(self, successes: int, seen: int, at_ms: int) -> "_Count":
        support, before, failures, first_at_ms, last_at_ms = self
        return _Count(support + 1, before + successes, failures + seen - successes, min(first_at_ms, at_ms), max(last_at_ms, at_ms))


def _by_pattern(observations: Sequence[Observation]) -> dict[str, list[Observation]]:
    found: dict[str, list[Observation]] = {}
    for observation in observations:
        found.setdefault(observation.pattern_id, []).append(observation)
    return found


def _pattern_rows(tx: Transaction, told: Sequence[Told], by_pattern: Sequence[Mapping[str, Sequence[Observation]]]) -> dict[str, int]:
    """Return the row of every pattern; one that is new is described as whoever says it first does."""
    first: dict[str, tuple[Observation, str]] = {}
    for (_, episode, _), seen_of in zip(told, by_pattern, strict=True):
        for pattern_id, seen in seen_of.items():
            first.setdefault(pattern_id, (seen[0], episode.context.domain))
    rows: dict[str, int] = dict(tx.all("pattern_rows", json.dumps(list(first))))
    for pattern_id, (one, domain) in first.items():
        if pattern_id not in rows:
            rows[pattern_id] = tx.insert("add_pattern", pattern_id, str(one.kind), one.description, domain, tx.codec.json(one.content))
    return rows


def remove_evidence(tx: Transaction, row: int) -> tuple[int, set[int]]:
    """Delete one episode's evidence; return how many rows went and which patterns must be recounted."""
    touched = tx.all("evidence_rows_of_episode", row)
    for pattern_row, _ in touched:
        tx.run("remove_evidence", pattern_row, row)
    return sum(count for _, count in touched), {pattern_row for pattern_row, _ in touched}


def recount(tx: Transaction, patterns: Iterable[tuple[int, str]]) -> int:
    """Count the (pattern, project) pairs again and drop patterns left without evidence; return how many were dropped."""
    dropped = 0
    for pattern_row, project in sorted(patterns):
        tx.run("clear_count", pattern_row, project)
        tx.run("recount", pattern_row, project)
        dropped += tx.run("drop_unsupported", pattern_row)
    return dropped
