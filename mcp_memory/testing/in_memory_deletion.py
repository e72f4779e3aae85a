"""Deleting episodes from the in-memory store, with all that hangs on them."""

from collections import Counter
from collections.abc import Mapping, Sequence

from mcp_memory.domain.episode import imported_id
from mcp_memory.domain.query import ChangeKind
from mcp_memory.testing.records import Record, Records

COUNTED = ("episodes", "steps", "vectors", "evidence", "patterns", "links", "checkpoints", "feedback", "recommendations", "corrections")


def delete_records(records: Records, ids: Sequence[str]) -> Mapping[str, int]:
    """Delete the episodes that are there and return counts by kind."""
    counts: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
    neighbours: dict[str, Record] = {}
    for episode_id in dict.fromkeys(ids):
        record = records.episodes.get(episode_id)
        if record is None:
            continue
        neighbours |= {other.base.id: other for other in records.neighbours(record)}
        records.completed_text.remove(record.seq)
        records.unfinished_text.remove(record.row)
        counts["steps"] += len(record.base.steps)
        counts["episodes"] += 1
        _delete_dependents(records, episode_id, counts)
        del records.episodes[episode_id]
        records.tombstones.add(episode_id)
        if record.base.external_id:
            records.tombstones.add(imported_id(record.base.project, record.base.external_id))
        records.change(ChangeKind.EPISODE_DELETED, episode_id)
    for other in neighbours.values():
        if other.base.id in records.episodes:
            records.index(other)
    return dict(counts)


def _delete_dependents(records: Records, episode_id: str, counts: Counter[str]) -> None:
    for space, rows in records.vectors.items():
        kept = [(n, v) for n, v in rows if v.episode_id != episode_id]
        counts["vectors"] += len(rows) - len(kept)
        records.vectors[space] = kept
    counts["evidence"] += records.remove_evidence(episode_id)
    counts["patterns"] += records.drop_unsupported()
    gone = {r.id for r in records.recommendations.values() if r.episode_id == episode_id}
    votes = [(n, v) for n, v in records.feedback if v.episode_id != episode_id and v.recommendation_id not in gone]
    counts["feedback"] += len(records.feedback) - len(votes)
    records.feedback = votes
    records.recommendations = {k: v for k, v in records.recommendations.items() if k not in gone}
    counts["recommendations"] += len(gone)
    links = {k: v for k, v in records.links.items() if episode_id not in (v.from_id, v.to_id)}
    counts["links"] += len(records.links) - len(links)
    records.links = links
    checkpoints = {k: v for k, v in records.checkpoints.items() if v.episode_id != episode_id}
    counts["checkpoints"] += len(records.checkpoints) - len(checkpoints)
    records.checkpoints = checkpoints
    corrections = [c for c in records.corrections if c[0] != episode_id]
    counts["corrections"] += len(records.corrections) - len(corrections)
    records.corrections = corrections
