"""Writes to one episode before and at its completion, and whole episodes from outside. Each function runs inside one transaction."""

from collections.abc import Sequence
from dataclasses import replace

from mcp_memory.domain import limits
from mcp_memory.domain.episode import Episode, EpisodeState, Step
from mcp_memory.domain.query import ChangeKind
from mcp_memory.domain.segmenting import indexed_words
from mcp_memory.domain.shared_facts import FactKind
from mcp_memory.domain.sources import sources_of
from mcp_memory.errors import Conflict, EpisodeClosed, InvalidInput, NotFound
from mcp_memory.ports import Completion
from mcp_memory.storage.completion_writes import add_votes, index_completed, rewrite_trace
from mcp_memory.storage.link_writes import link_new_episode
from mcp_memory.storage.quarantine_writes import note_new_episode
from mcp_memory.storage.tables import Transaction


def start_episode(tx: Transaction, episode: Episode) -> None:
    """Insert an open episode."""
    is_there, was_deleted = tx.starting(episode.id)
    if is_there:
        raise InvalidInput(f"there is an episode {episode.id!r} already")
    if was_deleted:
        raise InvalidInput(f"episode {episode.id!r} was deleted", hint="Start one with another id.")
    if episode.external_id and tx.one("episode_by_external", episode.project, episode.external_id):
        raise InvalidInput(f"there is an episode with external_id {episode.external_id!r} already")
    for name, other in (("parent_id", episode.parent_id), ("follows", episode.follows)):
        if other and not tx.one("episode_exists", other):
            raise NotFound(f"`{name}` names no episode: {other!r}")
    insert_episode(tx, episode if episode.state is EpisodeState.OPEN else replace(episode, state=EpisodeState.OPEN))
    link_new_episode(tx, episode)
    tx.share(FactKind.OPEN, episode.id)


def append_steps(tx: Transaction, episode_id: str, steps: Sequence[Step]) -> int:
    """Append to an open episode and return the first new index, which is the number of steps there were."""
    row, state, first, is_away = tx.appending_to(episode_id)
    _require_open(episode_id, state, is_away=is_away)
    if first + len(steps) > limits.MAX_STEPS_PER_EPISODE:
        raise InvalidInput(
            f"the episode would have {first + len(steps):,} steps; the limit is {limits.MAX_STEPS_PER_EPISODE:,}",
            hint="Complete this episode and start another one for the rest.",
        )
    add_steps(tx, row, first, steps)
    for index in range(first, first + len(steps)):
        tx.share(FactKind.STEP, episode_id, index)
    return first


def complete_episode(tx: Transaction, completion: Completion) -> None:
    """Close an open episode, with all that its completion writes."""
    judged = completion.episode
    row, state = tx.episode_row(judged.id)
    _require_open(judged.id, state, is_away=tx.one("home_of", row) is not None)
    steps: int = tx.value("step_count", row)
    if steps != judged.step_count:
        raise Conflict(f"episode {judged.id!r} has {steps} steps; {judged.step_count} were judged")
    current = tx.episode(judged.id, steps=False)
    assert current is not None
    seq = tx.change(ChangeKind.EPISODE_COMPLETED, judged.id)
    assert judged.outcome is not None
    score = judged.reward.score if judged.reward else None
    closing = tx.codec.closing(judged)
    tx.run("close_episode", str(judged.outcome.kind), score, judged.ended_at_ms, steps, seq, closing, row)
    tx.run("sum_episode", row)
    tx.run("remove_unfinished_text", row)
    # Task, tags and metadata as they are now: an edit may have come between the judgement and this transaction.
    judged = replace(judged, task=current.task, context=current.context, metadata=current.metadata, follows=current.follows)
    index_completed(tx, [(row, replace(completion, episode=judged))])
    tx.share(FactKind.EPISODE, judged.id)
    add_votes(tx, completion.feedback)


def import_episodes(tx: Transaction, items: Sequence[Completion | Episode]) -> list[bool]:
    """Insert whole episodes, in any order of who follows whom; False for each that is there already or was deleted."""
    added: list[tuple[int, Completion | Episode] | None] = []
    for item in items:
        episode = item.episode if isinstance(item, Completion) else item
        if episode.external_id and tx.one("episode_by_external", episode.project, episode.external_id):
            added.append(None)
            continue
        if tx.one("tombstone", episode.id):
            added.append(None)
            continue
        if tx.one("episode_exists", episode.id):
            raise InvalidInput(f"there is an episode {episode.id!r} already")
        state = EpisodeState.COMPLETED if isinstance(item, Completion) else EpisodeState.OPEN
        row = insert_episode(tx, replace(episode, state=state, step_count=len(episode.steps), parent_id=None, follows=None))
        add_steps(tx, row, 0, episode.steps)
        added.append((row, item))
    fresh = [x for x in added if x is not None]
    completed = []
    for row, item in fresh:
        episode = _connect(tx, row, item.episode if isinstance(item, Completion) else item)
        if isinstance(item, Completion):
            completed.append((row, replace(item, episode=episode)))
        _share_imported(tx, episode, completed=isinstance(item, Completion))
    index_completed(tx, completed)
    for _, completion in completed:
        add_votes(tx, completion.feedback)
    return [x is not None for x in added]


def abandon_episodes(tx: Transaction, ids: Sequence[str], at_ms: int) -> int:
    """Mark the open ones of *ids* abandoned and return how many that were."""
    count = 0
    for episode_id in ids:
        found = tx.one("episode_state", episode_id)
        if found is not None and found[1] == EpisodeState.OPEN:
            seq = tx.change(ChangeKind.EPISODE_ABANDONED, episode_id)
            tx.run("abandon_episode", at_ms, tx.value("step_count", found[0]), seq, found[0])
            tx.run("sum_episode", found[0])
            tx.share(FactKind.ABANDON, episode_id)
            count += 1
    return count


def _require_open(episode_id: str, state: str, *, is_away: bool) -> None:
    if state == EpisodeState.COMPLETED:
        raise EpisodeClosed(f"episode {episode_id!r} is already completed")
    if state != EpisodeState.OPEN:
        raise EpisodeClosed(f"episode {episode_id!r} is {state}")
    if is_away:
        raise EpisodeClosed(
            f"episode {episode_id!r} is open on another machine",
            hint="`resume_episode` takes it over, or gives a new one that goes on from it.",
        )


def _share_imported(tx: Transaction, episode: Episode, *, completed: bool) -> None:
    if completed:
        tx.share(FactKind.EPISODE, episode.id)
        return
    tx.share(FactKind.OPEN, episode.id)
    for index in range(len(episode.steps)):
        tx.share(FactKind.STEP, episode.id, index)


def insert_episode(tx: Transaction, episode: Episode) -> int:
    """Insert the row, tags and (unless completed) searchable task of a new episode; return the row number."""
    context, outcome, completed = episode.context, episode.outcome, episode.state is EpisodeState.COMPLETED
    seq = tx.change(ChangeKind.EPISODE_COMPLETED if completed else ChangeKind.EPISODE_STARTED, episode.id)
    row = tx.insert(
        "add_episode",
        episode.id, episode.project, str(episode.state), str(outcome.kind) if completed and outcome else None,
        episode.reward.score if completed and episode.reward else None, str(episode.task_type), context.domain, context.language,
        context.framework, str(context.complexity), episode.agent, episode.started_at_ms, episode.ended_at_ms if completed else None,
        episode.step_count if completed else 0, seq, episode.external_id, episode.parent_id, episode.follows, None, episode.task,
        tx.codec.opening(episode), tx.codec.closing(episode) if completed else None,
    )  # fmt: skip
    note_new_episode(tx, row, sources_of(episode.agent, episode.metadata))
    for tag in context.tags:
        tx.run("add_tag", tag, row)
    if not completed:
        tx.run("add_unfinished_text", row, indexed_words(episode.task))
    return row


def add_steps(tx: Transaction, row: int, first: int, steps: Sequence[Step]) -> None:
    """Write steps from index *first* on."""
    if len(steps) == 1:  # the usual case; executemany prepares twice as much
        tx.run("add_step", row, first, tx.codec.step(steps[0]))
    else:
        tx.many("add_step", [(row, first + i, tx.codec.step(step)) for i, step in enumerate(steps)])


def _connect(tx: Transaction, row: int, episode: Episode) -> Episode:
    """Resolve what an imported episode refers to, and who was waiting for it; references may be external ids or our own."""
    follows = _resolve(tx, episode, episode.follows)
    parent = _resolve(tx, episode, episode.parent_id)
    waits_for = episode.follows if follows is None and episode.follows not in (episode.id, episode.external_id) else None
    tx.run("set_references", parent or episode.parent_id, follows, waits_for, row)
    tx.run("sum_episode", row)
    link_new_episode(tx, replace(episode, parent_id=parent, follows=follows))
    if episode.external_id:
        for (waiting,) in tx.all("resolve_follows", episode.project, episode.external_id):
            now_follows(tx, waiting, episode.id)
    return replace(episode, follows=follows, parent_id=parent or episode.parent_id)


def now_follows(tx: Transaction, row: int, follows: str) -> None:
    """Let an episode that was imported before the one it follows point to it, in its copies too."""
    episode_id = tx.value("episode_id", row)
    tx.share(FactKind.THREAD, episode_id)
    tx.run("set_follows", follows, row)
    tx.run("touch_episode", tx.change(ChangeKind.EPISODE_UPDATED, episode_id), row)
    tx.run("sum_episode", row)
    rewrite_trace(tx, row, follows=follows)
    found = tx.episode(episode_id, steps=False)
    assert found is not None
    link_new_episode(tx, replace(found, parent_id=None))


def _resolve(tx: Transaction, episode: Episode, reference: str | None) -> str | None:
    if not reference:
        return None
    found: str | None = tx.value("episode_by_external", episode.project, reference)
    if found is None and tx.one("episode_exists", reference):
        found = reference
    return None if found == episode.id else found
