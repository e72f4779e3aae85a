"""Commands that went through where others of the same program, about the same things, did not. Pure."""

import re
from collections.abc import Iterator, Sequence

from mcp_memory.domain.commands import command_in, program_of, stopped_short
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.learning.advice.acts import MAX_CALL_CHARS

_OPERAND = re.compile(r"(?<![\w.=/-])[A-Za-z][\w.-]{2,}")
_UNLESS = re.compile(r"\s*\|\|.*", re.S)  # what is done where a command fails
_RUNS_CODE = re.compile(r"(?:python|node|ruby|perl|bash|sh)\b")  # which says nothing of what is run


def is_past(run: Episode | None, failed: Step) -> bool:
    """Return whether a run has got past what a call of another one never did: its program went through for one of the same things."""
    return run is not None and bool(next(_went_through(run.steps, failed), "") or _runs(run.steps, failed))


def in_another(attempts: Sequence[Episode], failed: Step) -> str:
    """Return the shortest command of other attempts that went through where *failed* did not, "" where none did."""
    found = [command for episode in attempts for command in _went_through(episode.steps, failed)]
    return min(found, key=len, default="")


def _went_through(steps: Sequence[Step], failed: Step) -> Iterator[str]:
    """Yield the commands of the failed one's program that went through and name one of its things."""
    program, wanted = program_of(command_in(failed.arguments)), operands(failed)
    if not program or _RUNS_CODE.match(program):
        return
    for step in steps:
        command = command_in(step.arguments).strip()
        said = _UNLESS.sub("", command)
        if step.failed or not is_shell(step.tool) or "\n" in said or len(said) > MAX_CALL_CHARS or program_of(said) != program:
            continue
        if not stopped_short(command, step.observation) and not wanted.isdisjoint(operands(step)):
            yield said


def _runs(steps: Sequence[Step], failed: Step) -> bool:
    """Return whether one of the things that a call was to bring is a program which has run."""
    wanted = operands(failed)
    return any(not step.failed and program_of(command_in(step.arguments)).partition(" ")[0] in wanted for step in steps)


def operands(step: Step) -> frozenset[str]:
    """Return the words of a command that name what it is about: neither its program nor its options.

    >>> sorted(operands(Step("bash", arguments={"command": "timeout 60 pip install --no-deps notebook || echo failed"})))
    ['notebook']
    """
    command = _UNLESS.sub("", command_in(step.arguments))
    program = frozenset(program_of(command).split())
    return frozenset(_OPERAND.findall(command)) - program - {"timeout", "sudo", "nohup"}
