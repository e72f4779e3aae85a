"""A run: what the extractors see of an episode."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.fingerprints import exact_number, given_again, hidden_exits, target
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.learning.reading.signatures import MAX_SIGNATURE_CHARS, signature, telling_line
from mcp_memory.views.fixes import Calls

_SHELL_SYNTAX = re.compile(r"^(?:\S*/)?-?(?:ba|da|z|k|a)?sh: .*(?:syntax error|parse error|unexpected EOF|unmatched)", re.I | re.M)
_NOT_FOUND = re.compile(r"(?:command )?not found\b")
_CODE_WORDS = "import from def class return raise except assert elif yield async await lambda"
_CODE = re.compile(rf"(?:\d+:\d*\s*)*(?:(?:{'|'.join(_CODE_WORDS.split())})\s|[\w.]+ [-+*/|]?= |[\w.]+\(|[\"'][^\"']* )")


@dataclass(frozen=True, slots=True)
class Run:
    """Tools in order, which failed and how, in what context, and whether it succeeded."""

    keys: tuple[str, ...]
    failed: tuple[bool, ...]
    errors: Mapping[int, str]  # step index -> signature, of failed steps
    domain: str
    framework: str
    language: str
    task_type: str
    success: bool
    calls: Calls
    messages: Mapping[int, str] = field(default_factory=dict, compare=False)  # step index -> the real error, where the steps are at hand
    steps: Sequence[Step] = field(default=(), compare=False)  # where they are at hand

    @property
    def kind(self) -> str:
        """The kind of task, as narrow as the context says: `domain · framework`, else the task type."""
        return " · ".join(part for part in (self.domain, self.framework) if part) or self.task_type

    def collapsed(self) -> list[tuple[str, int]]:
        """Return (tool key, index of its first step) with repetitions in a row taken as one."""
        out, index = [], 0
        for key, group in groupby(self.keys):
            out.append((key, index))
            index += sum(1 for _ in group)
        return out


def error_signatures(episode: Episode) -> tuple[tuple[int, str], ...]:
    """Return (step index, signature) of every failed step."""
    return tuple(_signatures(episode.steps).items())


def _signatures(steps: Sequence[Step]) -> dict[int, str]:
    return {i: signature(error_text(s)) for i, s in enumerate(steps) if s.failed}


def error_text(step: Step) -> str:
    """Return what says most about the failure: a bare heading of a traceback says nothing, what the tool printed does."""
    error = (step.error or "").strip()
    heading = error.startswith("Traceback") and "\n" not in error
    return (step.observation if heading else error) or error or step.observation or str(step.status)


def message_of(step: Step) -> str:
    """Return the line of a failed step that tells what went wrong, as it was, at most 200 characters; empty for a blank one."""
    return telling_line(error_text(step))[:MAX_SIGNATURE_CHARS]


def calls_of_steps(steps: Sequence[Step], success: bool) -> Calls:
    """Return the calls of *steps*, of a run with that outcome; equal to those of its trace."""
    exact = tuple(map(exact_number, steps))
    keys, failed = tuple(s.key for s in steps), tuple(s.failed for s in steps)
    return Calls(
        keys, failed, exact, tuple(map(target, steps)), success, _signatures(steps), frozenset(hidden_exits(steps)), given_again(steps)
    )


def run_of_episode(episode: Episode) -> Run:
    """Return the run of a completed episode."""
    success = episode.success
    calls = calls_of_steps(episode.steps, success)
    return Run(
        keys=tuple(calls.keys),
        failed=tuple(calls.failed),
        errors=calls.errors,
        domain=episode.context.domain,
        framework=episode.context.framework,
        language=episode.context.language,
        task_type=str(episode.task_type),
        success=success,
        calls=calls,
        messages={i: message_of(s) for i, s in enumerate(episode.steps) if s.failed},
        steps=episode.steps,
    )


def is_mistyped(step: Step) -> bool:
    """Return whether a shell could not read what it was given, as code of a language typed there: no call that anybody can make."""
    if not step.failed or not is_shell(step.tool):
        return False
    said = step.error or step.observation
    return bool(_SHELL_SYNTAX.search(said) or (_NOT_FOUND.search(said) and _CODE.match(command_in(step.arguments))))
