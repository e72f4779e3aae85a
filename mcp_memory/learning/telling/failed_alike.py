"""What attempts that failed at tasks like one have in common, where no attempt at it worked and none tells by itself. Pure.

They may have been at other cases: what they called is told by the names of its arguments, and the error that stopped several of them, or
one again and again.
"""

from collections.abc import Collection, Sequence

from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.nearness import SAME_TASK
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.reading.signatures import signature
from mcp_memory.learning.telling.deeds import called, ended
from mcp_memory.learning.telling.points import Recalled
from mcp_memory.phrases import points as phrases

MIN_ATTEMPTS, MIN_TIMES = 2, 3  # attempts that met an error, or times that one attempt met it and never got past it
NOT_THE_CASE = 0.99  # likeness that is told of a task in the same words that is of another case


def failed_alike(task: str, attempts: Recalled, run: Episode | None = None) -> tuple[Precedent, ...]:
    """Return what most of the attempts did, or how they ended without doing anything, and the error that stood in their way.

    Nothing where fewer than two of them have it in common, unless there is but one.

    Args:
        task: The task asked about.
        attempts: All that failed at it, with how alike their tasks are; none of them in a shell, whose commands are told otherwise.
        run: The run that asks: that others did less is no news to one that has done more.
    """
    if not attempts or any(is_shell(step.tool) for episode, _ in attempts for step in episode.steps):
        return ()
    common, same = max((_in_common(task, attempts, counted=counted) for counted in (True, False)), key=lambda found: len(found[1]))
    if run and _did_more(run, common):
        common, same = (), []
    times = len(same) if len(same) >= min(MIN_ATTEMPTS, len(attempts)) else 0
    error = _error(attempts, same if times else [episode.id for episode, _ in attempts])
    did = (*(common if times else ()), *([error] if error else ()))
    if not did:
        return ()
    first = same[0] if times else attempts[0][0].id
    alike = min(NOT_THE_CASE, round(max(similarity for _, similarity in attempts), 2))
    return (Precedent(False, did, "", times, len(attempts) if times else 0, first, alike),)


def _in_common(task: str, attempts: Recalled, *, counted: bool) -> tuple[tuple[str, ...], list[str]]:
    """Return what most of the attempts did, or how they ended, and which of them; *counted*: with how often they made a call."""
    found: dict[tuple[str, ...], list[str]] = {}
    for episode, _ in attempts:
        if said := tuple(called(episode, task, counted=counted)) or tuple(ended(episode, SAME_TASK)):
            found.setdefault(said, []).append(episode.id)
    return max(found.items(), key=lambda item: len(item[1]), default=((), []))


def _did_more(run: Episode, common: Sequence[str]) -> bool:
    """Return whether a run did something, or looked something up, where what failures have in common is that they did not."""
    done = {role_of(step.key) for step in run.steps if not step.failed}
    idle = any(line.startswith(phrases.NOTHING_CHANGED) for line in common)
    return (Role.ACTS in done and idle) or (not done.isdisjoint((Role.ACTS, Role.LOOKS)) and phrases.only("", "", ()) in common)


def _error(attempts: Recalled, told: Collection[str]) -> str:
    """Return the error of a call that did something which most attempts met, else the one that one of them never got past; "" for none.

    *told* are those of which is said what they did: the error of another one is told as another's.
    """
    met: dict[tuple[str, str], list[tuple[Episode, list[int]]]] = {}
    for episode, _ in attempts:
        by_error: dict[tuple[str, str], list[int]] = {}
        for i, step in enumerate(episode.steps):
            if step.failed and role_of(step.key) is Role.ACTS and (sig := signature(message_of(step))):
                by_error.setdefault((step.key, sig), []).append(i)
        for error, where in by_error.items():
            met.setdefault(error, []).append((episode, where))
    (key, _), found = max(met.items(), key=lambda item: len(item[1]), default=(("", ""), []))
    if len(found) >= MIN_ATTEMPTS and 2 * len(found) > len(attempts):
        episode, where = found[0]
        past = sum(_went_through(one.steps, key, at) for one, at in found)
        return phrases.met(key, message_of(episode.steps[where[-1]]), len(found), len(attempts), past)
    stuck = [(key, episode, where) for (key, _), ones in met.items() for episode, where in ones if _never_past(episode.steps, key, where)]
    key, episode, where = max(stuck, key=lambda one: len(one[2]), default=("", attempts[0][0], []))
    if not where:
        return ""
    return phrases.met_again(key, message_of(episode.steps[where[-1]]), len(where), is_another=episode.id not in told)


def _never_past(steps: Sequence[Step], key: str, where: Sequence[int]) -> bool:
    """Return whether a call failed so several times and went through no more."""
    return len(where) >= MIN_TIMES and not _went_through(steps, key, where)


def _went_through(steps: Sequence[Step], key: str, where: Sequence[int]) -> bool:
    return any(step.key == key and not step.failed for step in steps[where[-1] + 1 :])
