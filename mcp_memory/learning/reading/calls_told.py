"""A call in a few words, cut so that each of its arguments still says something. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Step
from mcp_memory.domain.text import shorten, shorten_middle

MIN_VALUE_CHARS = 24  # of an argument that is cut: less names nothing
MAX_TEXT_CHARS = 120  # of one text among several values
MIN_ITEMS = 2  # of a list, from which one is left out whole before any is cut
_CHANGING_FOLDER = re.compile(r"^\s*cd\s+\S+\s*(?:&&|;)\s*")
_DOCUMENT = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?([^\n]*)\n.*", re.S)


def call_told(step: Step, max_chars: int, arguments: Mapping[str, Any] | None = None, *, folder: bool = False) -> str:
    """Return what a step called: the command, or the tool with its arguments.

    Args:
        step: The step.
        max_chars: Of the arguments; each of them is cut in its middle before any is left out.
        arguments: What to show instead of the step's own.
        folder: Whether a command is told with the folder it changes to first.

    >>> call_told(Step("bash", arguments={"command": "cd /app && pip install yaml"}), 60)
    '`pip install yaml`'
    >>> call_told(Step("search", arguments={"arg": "Opry Mills"}), 60), call_told(Step("submit"), 60)
    ('search “Opry Mills”', 'submit')
    >>> call_told(Step("agent", "Asked Maria for the figure"), 60)
    'agent “Asked Maria for the figure”'
    >>> call_told(Step("list_contacts", arguments={"page_size": 100}), 60)
    'list_contacts page_size=100'
    >>> call_told(Step("edit", arguments={"path": "src/cart.py", "text": "x = 1;" * 30, "line": 7}), 60)
    'edit path=src/cart.py text=x = 1;x = 1;x = 1;x … 1;x = 1; line=7'
    >>> call_told(Step("book", arguments={"to": "OSL", "seats": [{"row": 7}, {"row": 8}, {"row": 9}]}), 40)
    'book to=OSL seats=[{"row": 7}, … 2 more]'
    """
    arguments = step.arguments if arguments is None else arguments
    if step.description:
        return f"{step.key} “{shorten_middle(step.description, max_chars)}”"
    if command := command_in(arguments):
        return f"`{shorten_middle(_line(command, folder=folder), max_chars)}`"
    said = {name: value for name, value in arguments.items() if str(value).strip()}
    if len(said) == 1 and isinstance(next(iter(said.values())), str):
        return f"{step.key} “{_value(next(iter(said.values())), max_chars)}”"
    return " ".join([step.key, *(f"{name}={value}" for name, value in _fitted(said, max_chars).items())])


def call_by_names(step: Step, known: Mapping[str, Any], max_chars: int = MIN_VALUE_CHARS) -> str:
    """Return what a step called where its values are of another case: the tool with the names of its arguments, and the *known* values.

    Each value is cut in its middle to *max_chars*.

    >>> call_by_names(Step("book", arguments={"user": "mia_li_3668", "cabin": "economy"}), {"cabin": "economy"})
    'book(user, cabin=economy)'
    """
    said = (f"{name}={_value(known[name], max_chars)}" if name in known else name for name in step.arguments)
    return f"{step.key}({', '.join(said)})"


def _line(command: str, *, folder: bool) -> str:
    """Return a command on one line, without the text it is fed, and where it is not wanted the folder it changes to."""
    shown = _DOCUMENT.sub(r"<<\1\2 …", command.strip() if folder else _CHANGING_FOLDER.sub("", command.strip()))
    return " ".join(shown.split())


def _fitted(said: Mapping[str, Any], max_chars: int) -> dict[str, str]:
    """Return the values cut so that all fit: the longest first, down to what still names something."""
    room = max_chars - sum(len(name) + 2 for name in said)
    lengths = [min(len(_plain(value)), MAX_TEXT_CHARS if isinstance(value, str) else max_chars) for value in said.values()]
    most = max(lengths, default=0)
    while most > MIN_VALUE_CHARS and sum(min(length, most) for length in lengths) > room:
        most -= 1
    return {name: _value(value, min(most, MAX_TEXT_CHARS) if isinstance(value, str) else most) for name, value in said.items()}


def _plain(value: Any) -> str:
    """Return a value on one line, a list or an object as JSON."""
    return " ".join((json.dumps(value, ensure_ascii=False) if isinstance(value, list | tuple | Mapping) else str(value)).split())


def _value(value: Any, max_chars: int) -> str:
    """Return a value within *max_chars*; a list with as many whole items as there is room for, at least its first."""
    whole = _plain(value)
    if len(whole) <= max_chars or not isinstance(value, list | tuple) or len(value) < MIN_ITEMS:
        return shorten_middle(whole, max_chars)
    kept = next((n for n in range(len(value) - 1, 1, -1) if len(_some(value, n)) <= max_chars), 1)
    return _some(value, kept)


def _some(value: Sequence[Any], kept: int) -> str:
    return f"[{', '.join(map(_plain, value[:kept]))}, … {len(value) - kept} more]"


def call_changed(before: Mapping[str, Any], after: Mapping[str, Any], max_chars: int) -> tuple[str, str] | None:
    """Return the arguments of a call that worked and of one that failed, only those that differ, cut around where they do; None without.

    >>> call_changed({"to": "ana", "amount": 274, "note": "hi"}, {"to": "ana", "amount": 628, "note": "hi"}, 60)
    ('amount=628', 'amount=274')
    >>> call_changed({"q": "Gator Country guitarist"}, {"q": "Gator Country"}, 60)
    ('q=Gator Country', 'q=Gator Country guitarist')
    >>> call_changed({"legs": [{"no": "A1"}, {"no": "B2"}]}, {"legs": [{"no": "A1"}, {"no": "C3"}]}, 60)
    ('legs: {"no": "C3"}', 'legs: {"no": "B2"}')
    >>> call_changed({"text": "import os\\nrun(os)"}, {"text": "import os\\nos.sync()\\nrun(os)"}, 60)
    ('text with “os.sync()”', 'text without it')
    >>> call_changed({"text": "    return os"}, {"text": "return os"}, 60)
    ('text indented by 0', 'text indented by 4')
    >>> call_changed({"text": "if x:\\n  go(x)"}, {"text": "if x:\\n    go(x)"}, 60)
    ('text with “go(x)” indented by 4', 'text with it indented by 2')
    >>> call_changed({"plan": "P1"}, {"plan": "P1", "confirm": True}, 60)
    ('confirm=True', 'no confirm')
    """
    names = [name for name in dict.fromkeys([*after, *before]) if str(after.get(name, "")) != str(before.get(name, ""))]
    if not names:
        return None
    room = max(MIN_VALUE_CHARS, max_chars // len(names) // 2)
    pairs = [(name, pair) for name in names if any(pair := _differing(name, after.get(name, ""), before.get(name, ""), room))]
    if not pairs:
        return None
    now, then = ([pair[i] if name in given else f"no {name}" for name, pair in pairs] for i, given in enumerate((after, before)))
    return " ".join(now), " ".join(then)


def _differing(name: str, a: Any, b: Any, max_chars: int) -> tuple[str, str]:
    """Return two values of an argument, of lists the items that only one has, cut around where they begin to differ."""
    if isinstance(a, list) and isinstance(b, list):
        only_a, only_b = ([item for item in x if item not in y] for x, y in ((a, b), (b, a)))
        if only_a and only_b:
            return tuple(f"{name}: {', '.join(map(_plain, items))}" for items in (only_a, only_b))  # type: ignore[return-value]
    if isinstance(a, str) and isinstance(b, str) and "\n" in a.strip() and (new := _new_lines(a, b)):
        return f"{name} with “{shorten_middle(new, 2 * max_chars)}”", f"{name} without it"
    if isinstance(a, str) and isinstance(b, str) and a.split() == b.split():
        return _indented(name, a, b)
    now, then = _around(_plain(a), _plain(b), max_chars)
    return f"{name}={now}", f"{name}={then}"


def _indented(name: str, a: str, b: str) -> tuple[str, str]:
    """Return how far the first line that is indented otherwise is, and was; blanks elsewhere are no difference."""
    lines, others = ([line for line in text.splitlines() if line.strip()] for text in (a, b))
    for i, (line, other) in enumerate(zip(lines, others, strict=False)):
        now, then = (len(one) - len(one.lstrip(" ")) for one in (line, other))
        if now != then and line.strip() == other.strip():
            which, it = (f"{name} with “{shorten(line.strip(), MIN_VALUE_CHARS)}”", f"{name} with it") if i else (name, name)
            return f"{which} indented by {now}", f"{it} indented by {then}"
    return "", ""


def _new_lines(a: str, b: str) -> str:
    """Return the lines that a text has besides all of another's, "" where it has none or lacks one."""
    lines, others = ([line.strip() for line in text.splitlines() if line.strip()] for text in (a, b))
    return " ⏎ ".join(line for line in lines if line not in others) if all(line in lines for line in others) else ""


def _around(a: str, b: str, max_chars: int) -> tuple[str, str]:
    """Return two values cut around where they begin to differ."""
    if max(len(a), len(b)) <= max_chars:
        return a, b
    same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    start = max(0, same - max_chars // 3)
    return tuple(("…" if start else "") + shorten(value[start:], max_chars) for value in (a, b))  # type: ignore[return-value]
