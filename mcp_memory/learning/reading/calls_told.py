"""A call in a few words, cut so that each of its arguments still says something. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Step
from mcp_memory.domain.text import shorten, shorten_middle

MIN_VALUE_CHARS = 24  # of an argument that is cut: less names nothing
_CHANGING_FOLDER = re.compile(r"^\s*cd\s+\S+\s*(?:&&|;)\s*")
_DOCUMENT = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?([^\n]*)\n.*", re.S)


def call_told(step: Step, max_chars: int, arguments: Mapping[str, Any] | None = None) -> str:
    """Return what a step called: the command, or the tool with its arguments.

    Args:
        step: The step.
        max_chars: Of the arguments; each of them is cut in its middle before any is left out.
        arguments: What to show instead of the step's own.

    >>> call_told(Step("bash", arguments={"command": "cd /app && pip install yaml"}), 60)
    '`pip install yaml`'
    >>> call_told(Step("search", arguments={"arg": "Opry Mills"}), 60), call_told(Step("submit"), 60)
    ('search “Opry Mills”', 'submit')
    >>> call_told(Step("edit", arguments={"path": "src/cart.py", "text": "x = 1;" * 30, "line": 7}), 60)
    'edit path=src/cart.py text=x = 1;x = 1;x = 1;x … 1;x = 1; line=7'
    """
    arguments = step.arguments if arguments is None else arguments
    if command := command_in(arguments):
        return f"`{shorten_middle(_line(command), max_chars)}`"
    said = {name: " ".join(str(value).split()) for name, value in arguments.items() if str(value).strip()}
    if len(said) == 1:
        return f"{step.key} “{shorten_middle(next(iter(said.values())).strip(chr(34)), max_chars)}”"
    return " ".join([step.key, *(f"{name}={value}" for name, value in _fitted(said, max_chars).items())])


def _line(command: str) -> str:
    """Return a command on one line, without the folder it changes to and the text it is fed."""
    shown = _DOCUMENT.sub(r"<<\1\2 …", _CHANGING_FOLDER.sub("", command.strip()))
    return " ".join(shown.split())


def _fitted(said: Mapping[str, str], max_chars: int) -> dict[str, str]:
    """Return the values cut so that all fit: the longest first, down to what still names something."""
    room = max_chars - sum(len(name) + 2 for name in said)
    most = max(map(len, said.values()), default=0)
    while most > MIN_VALUE_CHARS and sum(min(len(value), most) for value in said.values()) > room:
        most -= 1
    return {name: shorten_middle(value, most) for name, value in said.items()}


def call_changed(before: Mapping[str, Any], after: Mapping[str, Any], max_chars: int) -> tuple[str, str] | None:
    """Return the arguments of a call that worked and of one that failed, only those that differ, cut around where they do; None without.

    >>> call_changed({"to": "ana", "amount": 274, "note": "hi"}, {"to": "ana", "amount": 628, "note": "hi"}, 60)
    ('amount=628', 'amount=274')
    >>> call_changed({"q": "Gator Country guitarist"}, {"q": "Gator Country"}, 60)
    ('q=Gator Country', 'q=Gator Country guitarist')
    """
    names = [name for name in dict.fromkeys([*after, *before]) if str(after.get(name, "")) != str(before.get(name, ""))]
    if not names:
        return None
    room = max(MIN_VALUE_CHARS, max_chars // len(names) // 2)
    now, then = zip(*(_around(str(after.get(name, "")), str(before.get(name, "")), room) for name in names), strict=True)
    return tuple(" ".join(f"{name}={value}" for name, value in zip(names, side, strict=True)) for side in (now, then))  # type: ignore[return-value]


def _around(a: str, b: str, max_chars: int) -> tuple[str, str]:
    """Return two values cut around where they begin to differ."""
    a, b = " ".join(a.split()), " ".join(b.split())
    if max(len(a), len(b)) <= max_chars:
        return a, b
    same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    start = max(0, same - max_chars // 3)
    return tuple(("…" if start else "") + shorten(value[start:], max_chars) for value in (a, b))  # type: ignore[return-value]
