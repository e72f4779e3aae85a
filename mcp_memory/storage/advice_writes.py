"""Vectors, recommendations, votes, checkpoints, corrections: grow-only rows. Each function runs inside one transaction."""

from collections.abc import Sequence

from mcp_memory.domain.curation import Correction, Handoff
from mcp_memory.domain.feedback import Feedback, Recommendation
from mcp_memory.domain.query import ChangeKind
from mcp_memory.domain.shared_facts import FactKind
from mcp_memory.errors import InvalidInput, NotFound
from mcp_memory.ports import VectorRow
from mcp_memory.storage.completion_writes import add_votes
from mcp_memory.storage.tables import Transaction


def put_vectors(tx: Transaction, space: str, rows: Sequence[VectorRow]) -> None:
    """Add embeddings of completed episodes; those of episodes that are gone meanwhile are dropped."""
    space_row = tx.value("space_row", space)
    if space_row is None:
        space_row = tx.insert("add_space", space)
    added = sum(tx.run("add_vector", space_row, row.part, row.scale, row.codes, row.episode_id) for row in rows)
    if added:
        tx.change(ChangeKind.VECTORS_ADDED, space)


def put_recommendation(tx: Transaction, recommendation: Recommendation) -> None:
    """Insert what was shown; that an episode was shown something goes when the episode has gone."""
    r = recommendation
    if r.episode_id and tx.one("tombstone", r.episode_id):
        return
    if tx.run("add_recommendation", r.id, str(r.kind), r.project, r.episode_id, r.at_ms, tx.codec.json(r.shown_ids)):
        tx.change(ChangeKind.RECOMMENDATION, r.id)
        tx.share(FactKind.RECOMMENDATION, r.episode_id or "", r.id)


def put_feedback(tx: Transaction, vote: Feedback) -> None:
    """Append a vote."""
    if not tx.one("recommendation_exists", vote.recommendation_id):
        raise NotFound(
            f"there is no recommendation {vote.recommendation_id!r}",
            hint="Use the `recommendation_id` that `recall`, `suggest_next_step` or `recommend_playbook` returned.",
        )
    if vote.episode_id:
        tx.refuse_deleted(vote.episode_id)
    add_votes(tx, [vote])


def put_checkpoint(tx: Transaction, checkpoint_id: str, episode_id: str, handoff: Handoff, at_ms: int) -> None:
    """Insert a checkpoint of an episode."""
    row, _ = tx.episode_row(episode_id)
    if tx.one("get_checkpoint", checkpoint_id):
        raise InvalidInput(f"there is a checkpoint {checkpoint_id!r} already")
    tx.run("add_checkpoint", checkpoint_id, row, tx.codec.json(handoff), at_ms)
    tx.change(ChangeKind.CHECKPOINT, checkpoint_id)
    tx.share(FactKind.CHECKPOINT, episode_id, checkpoint_id)


def put_correction(tx: Transaction, target_id: str, correction: Correction, at_ms: int) -> str:
    """Append a correction and return its id: the reading of the clock and whose it is, which no other correction has."""
    tx.refuse_deleted(target_id)
    reading, origin = tx.stamp()
    correction_id = f"cor_{reading:x}_{origin}"
    tx.run("add_correction", correction_id, target_id, tx.codec.json(correction), at_ms, reading, origin)
    tx.change(ChangeKind.CORRECTION, correction_id)
    tx.share(FactKind.CORRECTION, target_id, correction_id)
    return correction_id
