"""Episodes that another machine began or completed: their rows, and what is derived from them here. Runs inside one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from mcp_memory.domain.episode import Episode, EpisodeState
from mcp_memory.domain.query import ChangeKind
from mcp_memory.errors import CorruptRecord
from mcp_memory.ports import Completion
from mcp_memory.storage.arrivals import is_known
from mcp_memory.storage.claim_writes import keep_own
from mcp_memory.storage.completion_writes import index_completed, remove_text
from mcp_memory.storage.episode_writes import add_steps, insert_episode
from mcp_memory.storage.evidence_writes import recount, remove_evidence
from mcp_memory.storage.link_writes import link_new_episode
from mcp_memory.storage.tables import Transaction


@dataclass(frozen=True, slots=True)
class Placed:
    """A completed episode that has its row; `indexed` is what is to be derived from it there, None where that is done."""

    told: Episode
    row: int
    indexed: Completion | None


def begin(tx: Transaction, episode: Episode, origin: str) -> None:
    """Insert an open episode whose steps *origin* numbers, where it is not here."""
    if not tx.one("episode_exists", episode.id):
        row = insert_episode(tx, replace(_with_free_external(tx, episode), state=EpisodeState.OPEN))
        if origin != tx.value("replica"):
            tx.run("set_home", row, origin)
        _link(tx, episode)


def place(tx: Transaction, completion: Completion) -> Placed:
    """Write the rows of a completed episode as the log has it; `index` comes next."""
    episode = completion.episode
    if is_known(tx, episode):  # another page, or this machine itself, was faster
        return Placed(episode, tx.episode_row(episode.id)[0], None)
    known, is_sound = _known(tx, episode)
    episode = _with_free_external(tx, episode)
    if known is None:
        row = insert_episode(tx, episode)
        add_steps(tx, row, 0, episode.steps)
        return Placed(episode, row, replace(completion, episode=episode))
    row, state = tx.episode_row(episode.id)
    if is_sound:  # whoever has steps that the record has not keeps them: who told them may have been put off before
        same = (n for n, (own, told) in enumerate(zip_longest(known.steps, episode.steps)) if own != told)
        keep_own(tx, row, next(same, len(known.steps)))
    _strip(tx, row, known)
    _rewrite(tx, row, episode, ChangeKind.EPISODE_UPDATED if state == EpisodeState.COMPLETED else ChangeKind.EPISODE_COMPLETED)
    current = tx.episode(episode.id, steps=True)
    assert current is not None
    return Placed(episode, row, _as_edited(completion, episode, current))


def _known(tx: Transaction, told: Episode) -> tuple[Episode | None, bool]:
    """Return the episode as it is here, and whether it is sound; in the place of a damaged record what the log has, which mends it."""
    try:
        return tx.original(told.id, steps=True), True
    except CorruptRecord:
        return told, False


def index(tx: Transaction, placed: Sequence[Placed]) -> None:
    """Derive what is derived from episodes that have their rows, and make the links that follow from them."""
    index_completed(tx, [(each.row, each.indexed) for each in placed if each.indexed is not None])
    for each in placed:
        if each.indexed is not None:
            _link(tx, each.told)


def _as_edited(completion: Completion, told: Episode, current: Episode) -> Completion:
    """Return *completion* with what edits that came before it make of task, tags and notes."""
    assert told.outcome is not None
    assert current.outcome is not None
    more = [text for text in current.outcome.lessons if text not in told.outcome.lessons]
    text = completion.index_text
    text = replace(text, task=current.task, notes="\n".join([text.notes, *more]))
    return replace(completion, episode=current, index_text=text)


def _strip(tx: Transaction, row: int, known: Episode) -> None:
    """Take away what was derived from an episode as it was known until now."""
    tx.run("remove_unfinished_text", row)
    tx.run("remove_steps", row)
    tx.run("at_home", row)
    trace = tx.one("trace_of", row)
    if trace is not None:
        remove_text(tx, trace[0])
        tx.delete("DELETE FROM vector WHERE seq = ?", (trace[0],))
        tx.delete("DELETE FROM trace WHERE seq = ?", (trace[0],))
    _, patterns = remove_evidence(tx, row)
    recount(tx, {(pattern, known.project) for pattern in patterns})


def _rewrite(tx: Transaction, row: int, episode: Episode, kind: ChangeKind) -> None:
    context, outcome = episode.context, episode.outcome
    assert outcome is not None
    seq = tx.change(kind, episode.id)
    tx.run(
        "rewrite_episode", row, episode.project, str(EpisodeState.COMPLETED), str(outcome.kind),
        episode.reward.score if episode.reward else None, str(episode.task_type), context.domain, context.language, context.framework,
        str(context.complexity), episode.agent, episode.started_at_ms, episode.ended_at_ms, episode.step_count, seq, episode.external_id,
        episode.parent_id, episode.follows, episode.task, tx.codec.opening(episode), tx.codec.closing(episode),
    )  # fmt: skip
    if kind is ChangeKind.EPISODE_UPDATED:
        tx.run("touch_episode", seq, row)
    tx.run("sum_episode", row)
    add_steps(tx, row, 0, episode.steps)
    tx.run("clear_tags", row)
    current = tx.episode(episode.id, steps=False)
    assert current is not None
    for tag in current.context.tags:
        tx.run("add_tag", tag, row)


def _with_free_external(tx: Transaction, episode: Episode) -> Episode:
    """Settle which of two episodes that were begun under one external id has it: on every machine the one with the lesser id."""
    if not episode.external_id:
        return episode
    other = tx.value("episode_by_external", episode.project, episode.external_id)
    if other is None or other == episode.id:
        return episode
    if other < episode.id:
        return replace(episode, external_id=None)
    row, _ = tx.episode_row(other)
    tx.run("drop_external", other)
    tx.run("sum_episode", row)
    return episode


def _link(tx: Transaction, episode: Episode) -> None:
    """Make the links that follow from the episode itself and from those that were waiting for it, as far as their ends are here."""
    followers = [tx.original(row[0], steps=False) for row in tx.all("followers_of", episode.id)]
    for found in (episode, *followers):
        assert found is not None
        ends = {end: end if end and tx.one("episode_exists", end) else None for end in (found.parent_id, found.follows)}
        link_new_episode(tx, replace(found, parent_id=ends[found.parent_id], follows=ends[found.follows]))
