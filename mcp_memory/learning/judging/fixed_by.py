"""Which of the steps between a failure and the call that worked made it get past its error, told by what the error names. Pure."""

from collections.abc import Sequence

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Step
from mcp_memory.domain.step_roles import Role, role_of, runs_tests
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.reading.signatures import quoted_in
from mcp_memory.views.fixes import Fix


def fixed_by(steps: Sequence[Step], fix: Fix) -> int:
    """Return which step made a failed call get past its very error: of several things done the one that names what the error names.

    Errors of one kind follow each other, one missing package after another: only what was done before the next of them is looked at. Where
    nothing names it, the step stays that was last before the call worked: what only made another error of the first is no fix.

    >>> def missing(name): return Step("run", arguments={"command": "run"}, status="error", error=f"No module named '{name}'")
    >>> def install(name): return Step("bash", "pip install", {"command": f"pip install {name}"})
    >>> steps = [missing("a_b"), install("a-b"), missing("json5"), install("json5"), install("babel")]
    >>> steps.append(Step("run", arguments={"command": "run"}))
    >>> from mcp_memory.views.fixes import Came
    >>> [fixed_by(steps, Fix(i, "run", "", "", 0, 0, Came.FIXED, 4, 5)) for i in (0, 2)]
    [1, 3]
    """
    failed = steps[fix.index]
    message = message_of(failed)
    again = (k for k in range(fix.index + 1, fix.worked_at) if steps[k].is_same_call(failed))
    until = next((k for k in again if not steps[k].failed or message_of(steps[k]) != message), fix.worked_at)
    named = [_plain(word) for word in quoted_in(message) if word]
    done = (k for k in range(until - 1, fix.index, -1) if _acted(steps[k]))
    return next((k for k in done if any(word in _plain(command_in(steps[k].arguments)) for word in named)), fix.by)


def past_error(steps: Sequence[Step], failed: int, by: int) -> int:
    """Return which step got a failed call past its very error: the last that did something before the call said anything else.

    That is *by*, after which it worked, where it said nothing else before; -1 where nothing was done before it did.

    >>> def make(error): return Step("bash", "make", {"command": "make"}, status="error" if error else "ok", error=error)
    >>> edit = Step("edit", arguments={"path": "a.py"})
    >>> steps = [make("no such file"), edit, make("must be binary"), edit, make(None)]
    >>> past_error(steps, 0, 3), past_error(steps, 2, 3)
    (1, 3)
    """
    message, call = message_of(steps[failed]), steps[failed]
    other = (k for k in range(failed + 1, by) if steps[k].is_same_call(call) and (not steps[k].failed or message_of(steps[k]) != message))
    if (said := next(other, -1)) < 0:
        return by
    return next((k for k in range(said - 1, failed, -1) if _acted(steps[k])), -1)


def _acted(step: Step) -> bool:
    return not step.failed and role_of(step.key) is Role.ACTS and not runs_tests(step.key)


def _plain(text: str) -> str:
    return text.casefold().replace("_", "-")
