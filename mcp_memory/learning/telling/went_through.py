"""Commands that went through where others of the same program, about the same things, did not: or another installer's. Pure."""

import re
from collections.abc import Iterator, Sequence

from mcp_memory.domain.commands import command_in, program_of, stopped_short
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.learning.reading.signatures import quoted_in
from mcp_memory.learning.telling.acts import MAX_CALL_CHARS

SOON = 6  # steps after a message within which a command is its answer
_OPERAND = re.compile(r"(?<![\w.=/-])[A-Za-z][\w.-]{2,}")
_UNLESS = re.compile(r"\s*\|\|.*", re.S)  # what is done where a command fails
_PARTS, _INSTALLS = re.compile(r"\s*(?:&&|;)\s*"), frozenset({"install", "add"})
_RUNS_CODE = re.compile(r"(?:python|node|ruby|perl|bash|sh)\b")  # which says nothing of what is run


def is_past(run: Episode | None, failed: Step) -> bool:
    """Return whether a run has got past what a call of another one never did: its program went through for one of the same things."""
    return run is not None and bool(next(_went_through(run.steps, failed), "") or _runs(run.steps, failed))


def in_another(attempts: Sequence[Episode], failed: Step) -> str:
    """Return the shortest command of other attempts that went through where *failed* did not, "" where none did."""
    found = [command for episode in attempts for command in _went_through(episode.steps, failed)]
    return min(found, key=len, default="")


def brought(episode: Episode, message: str) -> tuple[int, str] | None:
    """Return the step of an episode that was shown a *message* and what then brought what it names: a command after which it was gone.

    None where nothing did. The message may stand in what a command printed that did not fail.
    """
    steps, names = episode.steps, frozenset(map(_plain, quoted_in(message)))
    shown = [i for i, step in enumerate(steps) if names and message in " ".join(f"{step.error or ''} {step.observation}".split())]
    for i in range(shown[-1] + 1, min(len(steps), shown[-1] + 1 + SOON)) if shown else ():
        command = command_in(steps[i].arguments).strip()
        said = _UNLESS.sub("", command)
        if steps[i].failed or not is_shell(steps[i].tool) or "\n" in said or len(said) > MAX_CALL_CHARS:
            continue
        does = role_of(steps[i].key) is Role.ACTS and not _RUNS_CODE.match(program_of(said))
        if does and not stopped_short(command, steps[i].observation) and not names.isdisjoint(map(_plain, operands(steps[i]))):
            return shown[-1], said
    return None


def _plain(name: str) -> str:
    return name.replace("_", "-").casefold()


def _went_through(steps: Sequence[Step], failed: Step) -> Iterator[str]:
    """Yield the commands of the failed one's program that went through and name one of its things; of one that installs, any that does."""
    program, wanted = program_of(command_in(failed.arguments)), operands(failed)
    if not program or _RUNS_CODE.match(program):
        return
    for step in steps:
        command = command_in(step.arguments).strip()
        said = _UNLESS.sub("", command)
        if step.failed or not is_shell(step.tool) or "\n" in said or len(said) > MAX_CALL_CHARS or not _is_for(program, said):
            continue
        if not stopped_short(command, step.observation) and not wanted.isdisjoint(operands(step)):
            yield said


def _is_for(program: str, command: str) -> bool:
    """Return whether a command is for what a program is for: it is of that program, or a part of it installs as that does."""
    if program_of(command) == program:
        return True
    return _installs(program) and any(_installs(program_of(part)) for part in _PARTS.split(command))


def _installs(program: str) -> bool:
    return program.rpartition(" ")[2] in _INSTALLS


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
