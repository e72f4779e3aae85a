"""Which of several errors that refused an edit is the edit's own: a linter lists what was wrong with the file before, too. Pure."""

import re

from mcp_memory.domain.episode import Step
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.reading.signatures import quoted_in

_LISTED = re.compile(r"^\s*[-*]\s+(\S.*\S)\s*$", re.M)
_SHOWN = re.compile(r"^(?:-{5,}|\[File: |\s*\d+:)", re.M)  # from which on the file stands there, not errors
MAX_HEAD_CHARS = 4_000
_WORD = re.compile(r"\w+")


def refused_for(step: Step) -> str:
    """Return the error that an edit was refused for: of those listed the first that names something in its text, else what it says first.

    >>> said = "Refused\\n\\nERRORS:\\n- F821 undefined name 'Old'\\n- F821 undefined name 'Eq'\\n\\n[File: a.py (9)]\\n1: - x"
    >>> refused_for(Step("edit", arguments={"text": "if isinstance(eq, Eq):"}, observation=said, error="F821 undefined name 'Old'"))
    "F821 undefined name 'Eq'"
    >>> refused_for(Step("edit", arguments={"text": "x ="}, observation="- E999 SyntaxError", error="E999 SyntaxError"))
    'E999 SyntaxError'
    """
    head = step.observation[:MAX_HEAD_CHARS]
    shown = _SHOWN.search(head)
    listed = list(dict.fromkeys(_LISTED.findall(head[: shown.start()] if shown else head)))
    written = frozenset(_WORD.findall(" ".join(value for value in step.arguments.values() if isinstance(value, str))))
    own = (said for said in listed if (names := quoted_in(said)) and written.issuperset(names))
    first = next(own, "") if len(listed) > 1 and quoted_in(listed[0]) else ""
    return first or message_of(step)
