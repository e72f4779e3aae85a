"""Facts of a reflection as sentences. Pure."""

from collections.abc import Callable
from functools import singledispatch
from typing import Any

from mcp_memory.domain import facts
from mcp_memory.domain.text import shorten
from mcp_memory.phrases.words import counted, numbers, quoted

MAX_CHARS = 400  # of one sentence
_REPORTED_CHARS = 200


def sentence(said: facts.Said) -> str:
    """Return a fact as one sentence of at most 400 characters; a text that is no fact comes back as it is, on one line.

    >>> sentence(facts.Standing("No module named 'x'", "bash:pytest", (3,)))
    "`No module named 'x'` in bash:pytest was left standing (step 3)."
    """
    return shorten(" ".join((said if isinstance(said, str) else _of(said)).split()), MAX_CHARS)


def question(said: facts.Fact) -> str:
    """Return what an agent is asked about a failure that was or was not answered.

    >>> question(facts.Standing("No module named 'x'", "bash:pytest", (3,)))
    "Step 3 failed (`No module named 'x'`) and nothing later answered it: say in one sentence what should be tried next time."
    """
    match said:
        case facts.Overcome():
            after = f" after {said.change} (step {said.by}){_others(said)}" if said.by != said.worked_at else ""
            how = f"step {said.worked_at} worked{after}"
            return f"{_failed(said.failures, said.error)}, {how}: say in one sentence why, for next time."
        case facts.GotOn():
            return (
                f"{_failed(said.failures, said.error)}, step {said.by} ({said.change}) did the job instead: "
                "say in one sentence why, for next time."
            )
        case facts.Standing():
            return (
                f"{_failed(said.failures, said.error)} and nothing later answered it: say in one sentence what should be tried next time."
            )
        case facts.TestsFailed():
            return (
                f"The last test run failed ({said.failed} of {said.total} tests, step {said.step}): "
                "say in one sentence what is still wrong, for next time."
            )
        case facts.Rejected():
            return f"The last answer was a rejection ({_rejection(said)}): say in one sentence what was wrong, for next time."
    raise TypeError(f"nothing is asked about {type(said).__name__}")


def unexplained(*, partly: bool) -> str:
    """Return what an agent is asked about a run that did not succeed though no step of it failed.

    >>> unexplained(partly=True)
    'It succeeded in part, and no step says what is missing: say that in one sentence, for next time.'
    """
    came, what = ("It succeeded in part", "what is missing") if partly else ("It did not succeed", "why")
    return f"{came}, and no step says {what}: say that in one sentence, for next time."


def _others(said: facts.Overcome) -> str:
    """Return that the change was not the only one.

    >>> _others(facts.Overcome("KeyError", "make", (1,), 2, "edit a.py", 7, (4, 5)))
    ' and the changes of steps 4-5'
    """
    return f" and the change{'s' if len(said.others) > 1 else ''} of {numbers(said.others)}" if said.others else ""


def _failed(steps: tuple[int, ...], error: str) -> str:
    return f"{numbers(steps).capitalize()} failed ({quoted(error)})"


def _rejection(fact: facts.Rejected) -> str:
    return f"step {fact.step}: {quoted(fact.answer)}" if fact.answer else f"step {fact.step}"


@singledispatch
def _of(fact: Any) -> str:
    raise TypeError(f"no sentence is known for {type(fact).__name__}")


_says: Callable[..., Any] = _of.register


@_says
def _(fact: facts.Reported) -> str:
    return f"{'Completed' if fact.done else 'Not done'} (as reported): {shorten('; '.join(fact.items), _REPORTED_CHARS)}."


@_says
def _(fact: facts.TestsPassed) -> str:
    return f"The last test run passed: {fact.passed} tests ({numbers([fact.step])})."


@_says
def _(fact: facts.TestsFailed) -> str:
    return f"{_the(fact.claimed)} last test run failed: {fact.failed} of {fact.total} tests (step {fact.step})."


@_says
def _(fact: facts.Rejected) -> str:
    return f"{_the(fact.claimed)} last answer was a rejection ({_rejection(fact)})."


@_says
def _(fact: facts.Overcome) -> str:
    what = f"{quoted(fact.error)} in {fact.key} ({numbers(fact.failures)})"
    if fact.by == fact.worked_at:
        return f"{what} was fixed by {fact.change} (step {fact.by})."
    return f"{what} was fixed by {fact.change} (step {fact.by}){_others(fact)}: it worked at step {fact.worked_at}."


@_says
def _(fact: facts.GotOn) -> str:
    return f"{quoted(fact.error)} in {fact.key} ({numbers(fact.failures)}): got on with {fact.change} (step {fact.by}) instead."


@_says
def _(fact: facts.Standing) -> str:
    call = f", last tried: {fact.call}" if fact.call else ""
    return f"{quoted(fact.error)} in {fact.key} was left standing ({numbers(fact.failures)}{call})."


@_says
def _(fact: facts.Unlogged) -> str:
    return "No steps were logged, so there is nothing to learn from how it was done."


@_says
def _(fact: facts.Repeated) -> str:
    return f"Asked again what had been answered already, with the same answer ({numbers(fact.steps)})."


@_says
def _(fact: facts.Reverted) -> str:
    return f"Took work back ({numbers(fact.steps)})."


@_says
def _(fact: facts.Skipped) -> str:
    when = f" before {fact.before}" if fact.before else ""
    return f"The successful attempts ran {fact.key}{when} ({fact.did} of {fact.attempts}); this one did not ({_span(fact.steps)})."


@_says
def _(fact: facts.OtherFile) -> str:
    path = shorten(fact.path, 100)
    return f"The successful attempts changed {path} ({fact.did} of {fact.attempts}); this one did not ({_span(fact.steps)})."


@_says
def _(fact: facts.Unchanged) -> str:
    own = f" but its own ({', '.join(fact.scratch)})" if fact.scratch else ""
    looked = f"; it had looked at {' and '.join(fact.read)}" if fact.read else ""
    failed = f"; {counted(fact.refusals, 'change')} it tried failed (last: {quoted(fact.refused)})" if fact.refusals else ""
    return f"Ended without a change to any file{own}{looked}{failed}."


@_says
def _(fact: facts.Length) -> str:
    return f"Took {fact.steps} steps ({_span(fact.steps)}); the {fact.attempts} earlier successes took {fact.usual:g} (median)."


@_says
def _(fact: facts.KnownError) -> str:
    met = counted(fact.attempts, "earlier attempt")
    return f"{quoted(fact.error)} (step {fact.step}) was met by {met} too; {fact.won} of them succeeded."


@_says
def _(fact: facts.Record) -> str:
    return f"{fact.won} of {counted(fact.attempts, 'earlier attempt')} at this task succeeded."


@_says
def _(fact: facts.BestAttempt) -> str:
    return f"An earlier attempt did better ({fact.episode_id}, reward {fact.reward:.2f}): `get_episode` shows how."


def _the(claimed: bool) -> str:
    return "Reported as a success, but the" if claimed else "The"


def _span(steps: int) -> str:
    return numbers(range(steps))
