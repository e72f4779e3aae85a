"""The one question that an agent is asked when its work is done: what a sentence of its own would help the next attempt about."""

from collections.abc import Sequence

from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.nearness import THE_TASK
from mcp_memory.learning.judging.reflection import asked_about
from mcp_memory.learning.telling.same_case import are_the_task
from mcp_memory.learning.telling.what_decided import what_decided
from mcp_memory.phrases.contrasts import first_success
from mcp_memory.phrases.reflection import question, unexplained
from mcp_memory.ports import Neighbours
from mcp_memory.verbs.earlier_attempts import is_noted, is_slip
from mcp_memory.verbs.engines import Engines

MAX_COMPARED = 8  # attempts that failed before the first success; of more it is not asked what decided
MIN_STEPS = 3  # of a run that did not succeed, from which its agent knows more than its steps say


def asked_of(engines: Engines, done: Episode, known: Sequence[Precedent], near: Neighbours | None) -> str | None:
    """Return what the agent of a completed episode is asked; None where it said why already, or where it is told what worked.

    Args:
        engines: What answers are made with.
        done: The episode, with its reflection.
        known: What attempts at its task are known to have done.
        near: Episodes like it, where they are known.
    """
    if done.reflection is None or done.outcome is None or done.outcome.lessons or any(row.worked for row in known):
        return None
    if said := asked_about(done.reflection, done.outcome.kind):
        return None if is_slip(engines, said) or is_noted(engines, done, said, near) else question(said)
    if done.success:
        return _of_the_first(engines, done, near)
    return unexplained(partly=done.partial) if _is_unexplained(done) else None


def _of_the_first(engines: Engines, done: Episode, near: Neighbours | None) -> str | None:
    """Return what is asked after the first success at a task that others failed at, where it did what none of them had done (blocking)."""
    with engines.views.read() as v:
        x = v.experience
        rows = [row for key, alike in near or () if alike >= THE_TASK and (row := x.row(key)) is not None]
        rows = [row for row, is_one in zip(rows, are_the_task(done.task, [x.trace(row).task for row in rows]), strict=True) if is_one]
        if not rows or len(rows) > MAX_COMPARED or x.success[rows].any():
            return None
        ids = [x.trace(row).id for row in rows]
    lost = [episode for episode in engines.store.get_episodes(ids) if episode is not None]
    decided = what_decided(done, lost)
    return first_success(len(rows) + 1, decided) if decided else None


def _is_unexplained(done: Episode) -> bool:
    """Return whether a run did not succeed and neither its steps nor its agent say why: where a step told it the end, it knows no more."""
    outcome, steps = done.outcome, done.steps
    if outcome is None or done.success or len(steps) < MIN_STEPS or any(step.failed for step in steps):
        return False
    return not (outcome.error or outcome.failed or outcome.summary.strip())
