"""How the runs of a script that an attempt wrote went: the last that worked, how many others did, and what their output says. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mcp_memory.domain.commands import command_in, hides_exit, simple_commands, stopped_short
from mcp_memory.domain.episode import Step
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.documents import without_documents
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.telling.acts import told_as_call
from mcp_memory.phrases import scripts as phrases

MAX_SAID_CHARS = 100
MIN_SERIES = 3  # runs that differ in one word, from which they are told as one for each
RUNNER = re.compile(r"(?:\S*/)?(?:python[\d.]*|pypy3?|node|deno|ruby|perl|bash|sh|zsh|julia|Rscript|lua|php)$")
_PLAIN = re.compile(rf"(?:cd \S+ && )?(?:{RUNNER.pattern[:-1]} )?\S+(?: && echo .*)?$")  # the script alone, with nothing that it is given
_LOST = re.compile(
    r"(?<!no )(?<!0 )(?<!without )(?<!expected )\b(?:fail(?:ed|ure)s?|errors?|exception|could not|cannot|unable to|too low|unsuccessful"
    r"|not (?:achieved|reached|met|enough|found)|needs? (?:\w+ )?improvement)\b(?!: ?(?:0|none)\b)",
    re.I,
)
_OTHERWISE = re.compile(r"\b(?:(?:using|found|reusing) existing|already (?:exists?|there|done)|falling back|fallback)\b", re.I)
_LAST = 3  # lines of an output that say how it ended


@dataclass(frozen=True, slots=True)
class ScriptRuns:
    """The runs of a script after it was written."""

    last: int  # the step that ran it last and worked
    call: str  # as it was given
    series: int  # how many runs that worked differ from it in one word alone, itself among them
    failed: Step | None  # the run without that word that failed

    @classmethod
    def of(cls, steps: Sequence[Step], written: int, runs: Callable[[str], bool]) -> "ScriptRuns | None":
        """Return the runs after the step that wrote a script; None where none worked. *runs* says whether a simple command runs it."""
        calls = {i: call for i in range(written, len(steps)) if (call := _run_in(steps[i], runs))}
        worked = [
            i for i, call in calls.items() if not steps[i].failed and not hides_exit(call) and not stopped_short(call, steps[i].observation)
        ]
        if not worked:
            return None
        last = calls[worked[-1]]
        alike = {calls[i] for i in worked if _differ_in_one(last.split(), calls[i].split())} | {last}
        without = (steps[i] for i in reversed(calls) if steps[i].failed and _is_shorter(calls[i].split(), last.split()))
        return cls(worked[-1], last, len(alike), next(without, None) if len(alike) >= MIN_SERIES else None)

    def told(self, steps: Sequence[Step]) -> str:
        """Return the last run, of a series as one of so many, with what its output says went otherwise; "" for a call that says nothing."""
        step = steps[self.last]
        call, said = f"`{self.call}`" if "\n" in command_in(step.arguments).strip() else told_as_call(step), self.said(step)
        if self.series >= MIN_SERIES:
            failed = (told_as_call(self.failed), message_of(self.failed)) if self.failed else None
            return phrases.one_of_series(call, self.series, failed)
        return phrases.ran(call, said) if said or not _PLAIN.match(self.call) else ""

    @staticmethod
    def said(step: Step) -> str:
        """Return the line of a run's output that says that it failed, or did otherwise than the script's beginning reads; "" without."""
        found = _lost(step) or [line for line in _lines(step) if _OTHERWISE.search(line)]
        return shorten(found[0], MAX_SAID_CHARS) if found else ""

    def said_lost(self, steps: Sequence[Step]) -> bool:
        """Return whether the output of the last run says itself that the work failed."""
        return bool(_lost(steps[self.last]))


def _lines(step: Step) -> list[str]:
    return [line.strip() for line in step.observation.splitlines() if line.strip()]


def _lost(step: Step) -> list[str]:
    """Return the last lines of an output that say that the work failed."""
    return [line for line in _lines(step)[-_LAST:] if _LOST.search(line)]


def _run_in(step: Step, runs: Callable[[str], bool]) -> str:
    """Return the command of a step that runs a script: the whole of one line, of several lines the part that does; "" where none does."""
    command = without_documents(command_in(step.arguments)).strip()
    found = next((part for part in simple_commands(command) if runs(part) and "\n" not in part.strip() and " -c " not in part), "")
    return " ".join((found if "\n" in command else command).split()) if found else ""


def _differ_in_one(a: Sequence[str], b: Sequence[str]) -> bool:
    return len(a) == len(b) and sum(x != y for x, y in zip(a, b, strict=True)) == 1


def _is_shorter(a: Sequence[str], b: Sequence[str]) -> bool:
    """Return whether one call is another without one of its words."""
    return len(a) == len(b) - 1 and any([*b[:i], *b[i + 1 :]] == [*a] for i in range(len(b)))
