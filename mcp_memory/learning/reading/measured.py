"""What a run measured last of what its task asks for: an accuracy, a score, a coverage. Pure."""

import re
from collections.abc import Sequence

from mcp_memory.domain.episode import Step

MAX_LINES = 200  # of one answer, from its end
_NUMBER = r"(?:[01]?\.\d+|\d{1,3}(?:\.\d+)?\s?%)"  # a share, as a decimal or in per cent
_SHARE = re.compile(r"\.\d|\d\s?%")
_GOAL = re.compile(
    r"(?:at least|at most|more than|less than|above|below|over|under|exceed\w*|reach\w*|achiev\w*|minimum|maximum|[<>≥≤]=?)"
    rf"\D{{0,25}}{_NUMBER}"
    rf"|{_NUMBER}(?: \w+)? or (?:more|less|better|higher|above|below)",
    re.I,
)
_NAMES = r"accuracy|precision|recall|f1|f-score|score|auc|P@\d+|coverage|similarity|agreement"
_FIGURE = re.compile(rf"(?<!\w)((?:[A-Za-z]\w* ){{0,2}}(?:{_NAMES})[\w-]*)[\s:=]{{1,8}}({_NUMBER})(?![\w.]*\d)", re.I)


def measured(task: str, steps: Sequence[Step]) -> str:
    """Return the last figure that a run was answered, with its name, where its task names one to be reached; "" without.

    >>> answers = ["epoch 1\\nTest accuracy: 0.31", "N 200\\nTest accuracy: 0.374, 12 MB", "done"]
    >>> steps = [Step("bash", observation=said) for said in answers]
    >>> measured("Train a model with at least 0.62 accuracy", steps), measured("Train a model", steps)
    ('Test accuracy 0.374', '')
    """
    if not _SHARE.search(task) or not _GOAL.search(task):  # few tasks have a number of this form: looking for it alone is cheap
        return ""
    for step in reversed(steps):
        for line in reversed(step.observation.splitlines()[-MAX_LINES:] if not step.failed else []):
            if found := _FIGURE.search(line):
                return f"{found[1]} {found[2]}"
    return ""
