"""Evidence rows and the counts over them, kept in one transaction."""

import json
from collections.abc import Iterable, Sequence

from mcp_memory.domain.episode import Episode
from mcp_memory.domain.pattern import Observation
from mcp_memory.storage.tables import Row, Transaction


def add_evidence(tx: Transaction, row: int, episode: Episode, observations: Sequence[Observation]) -> None:
    """Store what one episode says about its patterns; new patterns are created. Of a quarantined source, nothing is counted."""
    at_ms = episode.ended_at_ms or episode.started_at_ms
    by_pattern: dict[str, list[Observation]] = {}
    for observation in observations:
        by_pattern.setdefault(observation.pattern_id, []).append(observation)
    known: dict[str, int] = dict(tx.all("pattern_rows", json.dumps(list(by_pattern))))
    evidence: list[Row] = []
    counts: list[Row] = []
    for pattern_id, seen in by_pattern.items():
        first = seen[0]
        pattern_row = known.get(pattern_id)
        if pattern_row is None:
            content = tx.codec.json(first.content)
            pattern_row = tx.insert("add_pattern", pattern_id, str(first.kind), first.description, episode.context.domain, content)
        for ordinal, one in enumerate(seen):
            detail = tx.codec.json(one.detail) if one.detail else None
            evidence.append((pattern_row, row, ordinal, int(one.success), one.weight, at_ms, detail))
        successes = sum(one.success for one in seen)
        counts.append((pattern_row, episode.project, successes, len(seen) - successes, at_ms, at_ms))
    tx.many("add_evidence", sorted(evidence, key=lambda r: r[:3]))  # in key order: neighbours go to one page
    if not tx.one("is_quarantined_episode", row):
        tx.many("count_evidence", sorted(counts))


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
