"""Evidence rows and the counts over them, kept in one transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

from mcp_memory.domain.episode import Episode
from mcp_memory.domain.pattern import Observation
from mcp_memory.storage.tables import Row, Transaction

MAX_MS = 2**63 - 1
_KEY = itemgetter(0, 1, 2)  # the evidence table's


Told = tuple[int, Episode, Sequence[Observation]]  # the row of an episode, the episode, what it says


def add_evidence(tx: Transaction, told: Sequence[Told]) -> None:
    """Store what episodes say about their patterns; new patterns are created. Of a quarantined source, nothing is counted."""
    by_pattern = [_by_pattern(observations) for _, _, observations in told]
    known = _pattern_rows(tx, told, by_pattern)
    evidence: list[Row] = []
    counts: dict[tuple[int, str], list[int]] = {}
    for (row, episode, _), seen_of in zip(told, by_pattern, strict=True):
        at_ms, project = episode.ended_at_ms or episode.started_at_ms, episode.project
        counted = not tx.one("is_quarantined_episode", row)
        for pattern_id, seen in seen_of.items():
            pattern_row, successes = known[pattern_id], 0
            for ordinal, one in enumerate(seen):
                detail, success = tx.codec.json(one.detail) if one.detail else None, int(one.success)
                successes += success
                evidence.append((pattern_row, row, ordinal, success, one.weight, at_ms, detail))
            if counted:
                _count(counts.setdefault((pattern_row, project), [0, 0, 0, MAX_MS, 0]), successes, len(seen), at_ms)
    tx.many("add_evidence", sorted(evidence, key=_KEY))  # in key order: neighbours go to one page
    if counts:
        tx.many("count_evidence", [(*key, *count) for key, count in sorted(counts.items())])


def _count(count: list[int], successes: int, seen: int, at_ms: int) -> None:
    """Add an episode to the count of a pattern in a project: the columns of `count_evidence` after its key."""
    count[0] += 1
    count[1] += successes
    count[2] += seen - successes
    count[3], count[4] = min(count[3], at_ms), max(count[4], at_ms)


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
