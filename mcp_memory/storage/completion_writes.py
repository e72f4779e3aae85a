"""What a completion writes besides the episode's row: trace, searchable text, evidence, votes. Runs inside its transaction."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mcp_memory.domain.edits import TASK
from mcp_memory.domain.episode import trace_of
from mcp_memory.domain.feedback import Feedback
from mcp_memory.domain.query import ChangeKind
from mcp_memory.domain.segmenting import indexed_words
from mcp_memory.domain.shared_facts import FactKind
from mcp_memory.ports import Completion, IndexText
from mcp_memory.storage.codec import load_json, load_trace
from mcp_memory.storage.evidence_writes import add_evidence
from mcp_memory.storage.tables import Transaction


def index_completed(tx: Transaction, completed: Sequence[tuple[int, Completion]]) -> None:
    """Write trace, text and evidence of episodes whose rows are there, then give their thread neighbours the new surroundings."""
    for row, completion in completed:
        trace = trace_of(completion.episode, completion.errors, completion.digest, 0)
        seq = tx.insert("add_trace", row, trace.project, trace.id, tx.codec.trace(trace))
        add_text(tx, row, seq, as_indexed(completion.index_text))
    add_evidence(tx, [(row, completion.episode, completion.observations) for row, completion in completed])
    rows = {row for row, _ in completed}
    refresh_surroundings(tx, {other for row in rows for other in thread_rows(tx, row)} - rows)


def rewrite_trace(tx: Transaction, row: int, **fields: Any) -> None:
    """Give some fields of a completed episode's trace other values; nothing where the episode has none yet."""
    if found := tx.sound("trace_of", row):
        seq, body = found[0]
        tx.run("replace_trace", tx.codec.trace(replace(load_trace(body, seq), **fields)), seq)


def reindex(tx: Transaction, completions: Sequence[Completion]) -> None:
    """Give completed episodes the trace and the text of these completions; one that was edited since it was read is left as it is."""
    for completion in completions:
        episode = completion.episode
        current = tx.episode(episode.id, steps=False)
        if current is None or current.change_seq != episode.change_seq:
            continue
        row, _ = tx.episode_row(episode.id)
        for seq, _ in tx.sound("trace_of", row):
            tx.run("replace_trace", tx.codec.trace(trace_of(episode, completion.errors, completion.digest, seq)), seq)
            if (old := remove_text(tx, seq)) is not None:
                add_text(tx, row, seq, replace(as_indexed(completion.index_text), surroundings=old.surroundings))
        tx.change(ChangeKind.EPISODE_UPDATED, episode.id)


def add_text(tx: Transaction, row: int, seq: int, text: IndexText) -> None:
    """Index the text of a completed episode, as `as_indexed` made it; its surroundings are completed with its thread neighbours' tasks."""
    columns = (text.task, text.steps, text.notes, _surroundings(tx, row, text.surroundings))
    tx.run("add_text", seq, *columns)
    tx.run("add_index_text", seq, text.surroundings, tx.codec.json(columns))


def as_indexed(text: IndexText) -> IndexText:
    """Return *text* with its unspaced words as the index has them."""
    return IndexText(*map(indexed_words, (text.task, text.steps, text.notes, text.surroundings)))


def remove_text(tx: Transaction, seq: int) -> IndexText | None:
    """Take an episode out of the index and return its text as it was indexed, with its own surroundings; None when it has none."""
    found = tx.sound("get_index_text", seq)
    if not found:
        return None
    own, body = found[0]
    columns = load_json(body)
    tx.run("remove_text", seq, *columns)
    tx.run("remove_index_text", seq)
    return IndexText(columns[0], columns[1], columns[2], own)


def refresh_surroundings(tx: Transaction, rows: set[int]) -> None:
    """Index completed episodes again whose neighbours changed."""
    for row in sorted(rows):
        found = tx.one("trace_of", row)
        if found is None:
            continue
        text = tx.sound("get_index_text", found[0])
        if not text:
            continue
        own, body = text[0]
        old = load_json(body)
        new = (*old[:3], _surroundings(tx, row, own))
        if new[3] != old[3]:
            tx.run("remove_text", found[0], *old)
            tx.run("add_text", found[0], *new)
            tx.run("replace_index_text", tx.codec.json(new), found[0])


def thread_rows(tx: Transaction, row: int) -> list[int]:
    """Return the rows of the completed episodes right before and after one in its thread."""
    return [other for other, _, _, _ in tx.all("thread_neighbours", row)]


def add_votes(tx: Transaction, votes: Sequence[Feedback]) -> None:
    """Append votes; one on a recommendation that was deleted meanwhile is dropped with it."""
    for vote in votes:
        if add_vote(tx, vote):
            tx.change(ChangeKind.FEEDBACK, vote.id)
            shown_to = tx.value("shown_to", vote.recommendation_id)
            tx.share(FactKind.FEEDBACK, shown_to or vote.episode_id or "", vote.id)


def add_vote(tx: Transaction, vote: Feedback) -> bool:
    """Append one vote and return whether it was new and its recommendation exists."""
    used = tx.codec.json(vote.used_ids)
    values = (vote.id, str(vote.verdict), used, vote.rating, vote.note, int(vote.implicit), vote.at_ms, vote.episode_id)
    return tx.run("add_feedback", *values, vote.recommendation_id) > 0


def _surroundings(tx: Transaction, row: int, own: str) -> str:
    tasks = [own] if own else []
    for other, task, edited, _ in tx.all("thread_neighbours", row):
        edits: dict[str, bytes] = dict(tx.sound("get_edits", other)) if edited else {}
        tasks.append(indexed_words(load_json(edits[TASK]) if TASK in edits else task))
    return "\n".join(tasks)
