"""What a run measured of what its task asks for, and on what: an accuracy, a score, a coverage. Pure.

A figure tells how far a run came only where what it was measured on is what the task asks for: of several models the last one that was
tried need not be the one that was handed in.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Step
from mcp_memory.learning.reading.documents import without_documents

MAX_LINES = 200  # of one answer, from its end
_NUMBER = r"(?:[01]?\.\d+|\d{1,3}(?:\.\d+)?\s?%)"  # a share, as a decimal or in per cent
_SHARE = re.compile(r"\.\d|\d\s?%")
_GOAL = re.compile(
    r"(?:at least|at most|more than|less than|above|below|over|under|exceed\w*|reach\w*|achiev\w*|minimum|maximum|[<>≥≤]=?)"
    rf"\D{{0,25}}{_NUMBER}"
    rf"|{_NUMBER}(?: \w+)? or (?:more|less|better|higher|above|below)",
    re.I,
)
_LOW = re.compile(r"at most|less|below|under|maximum|[<≤]", re.I)  # in a goal that a figure is to stay under
_NAMES = r"accuracy|precision|recall|f1|f-score|score|auc|P@\d+|coverage|similarity|agreement"
_FIGURE = re.compile(rf"(?<!\w)((?:[A-Za-z]\w* ){{0,2}}(?:{_NAMES})[\w-]*)[\s:=]{{1,8}}({_NUMBER})(?![\w.]*\d)", re.I)
_ASKED = re.compile(r"\b(?:sav|writ|stor|call|nam|output|produc|creat|generat|put|deliver|as|to|into)\w*\b[^.!?\n]{0,60}$", re.I)

_FILE = re.compile(r"(?<![\w.:/-])(?:[\w.-]+/)*([\w-]+\.[A-Za-z]\w{0,7})\b")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its name, the step that was answered it, and what it was measured on."""

    said: str
    step: int
    on: str = ""  # a file that the task asks for; "" where the call names none
    maker: int | None = None  # the call that made that file before it was measured
    is_best: bool = False  # of several that were measured by other calls
    is_old: bool = False  # the file may have been written again after that


def measured(task: str, steps: Sequence[Step]) -> Figure | None:
    """Return the figure that tells how far a run came, where its task names one to be reached; None where none was measured.

    That is the last one of a call that names the file that the task asks for; where no call does, the best, which is of its own call.

    >>> calls = ("fit -o tide", "score tide.bin", "fit -o other", "score other.bin")
    >>> answers = ("", "Accuracy: 0.6", "", "Accuracy: 0.374, 12 MB")
    >>> steps = [Step("bash", arguments={"command": call}, observation=said) for call, said in zip(calls, answers)]
    >>> measured("Train a model with at least 0.62 accuracy and save it as tide.bin", steps)
    Figure(said='Accuracy 0.6', step=1, on='tide.bin', maker=0, is_best=False, is_old=False)
    >>> measured("Train a model with at least 0.62 accuracy", steps).step, measured("Train a model", steps)
    (1, None)
    """
    goal = _GOAL.search(task) if _SHARE.search(task) else None  # few tasks have a number of this form: looking for it alone is cheap
    found = [(i, figure) for i, step in enumerate(steps) if goal and (figure := _figure(step))]
    if not goal or not found:
        return None
    for asked in _asked(task):
        for i, figure in reversed(found):
            if _named(asked, steps[i]):
                makers = _makers(steps, asked)
                made = max((k for k in makers if k < i), default=None)
                return Figure(" ".join(figure), i, asked, made, is_old=any(k > i for k in makers))
    best = max(found, key=lambda one: (_value(one[1][1]), one[0])) if not _LOW.search(goal[0]) else found[-1]
    return Figure(" ".join(best[1]), best[0], is_best=len({_value(figure[1]) for _, figure in found}) > 1 and not _LOW.search(goal[0]))


def _figure(step: Step) -> tuple[str, str] | None:
    """Return the last figure of an answer, with its name."""
    for line in reversed(step.observation.splitlines()[-MAX_LINES:] if not step.failed else []):
        if found := _FIGURE.search(line):
            return found[1], found[2]
    return None


def _value(figure: str) -> float:
    return float(figure.rstrip("% ")) / (100 if "%" in figure else 1)


def _asked(task: str) -> list[str]:
    """Return the files that a task says are to be made."""
    return [found[1] for found in _FILE.finditer(task) if _ASKED.search(task[: found.start()])]


def _call(step: Step) -> str:
    return without_documents(command_in(step.arguments))


def _named(name: str, step: Step) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", _call(step)) is not None


def _makers(steps: Sequence[Step], name: str) -> list[int]:
    """Return the calls that give a file's name, or what stands before its ending, as what to write to."""
    stem = name.rpartition(".")[0]
    writes = re.compile(rf"(?:>\s*|\s(?:-o|--?out\w*|--?save\w*)[= ])\S*?(?<![\w.-]){re.escape(stem)}(?:\.\w+)?(?=[\s;&|]|$)")
    return [i for i, step in enumerate(steps) if writes.search(_call(step))]
