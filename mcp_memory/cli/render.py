"""Answers as text for people and as JSON for programs. Stored text is neutralised either way: it must not repaint a terminal."""

import json
import os
import shutil
import sys
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

GAP = 2  # columns between columns
PROJECT_WIDTH = 24  # of a project's name in a table; less where the table has little room
MIN_LAST_WIDTH = 24  # of a table's last column, before optional ones are left out
STYLES = {"bold": "1", "dim": "2", "good": "32", "bad": "31", "middling": "33"}
COLOURS = {
    "success": "good",
    "failure": "bad",
    "partial": "middling",
    "open": "dim",
    "abandoned": "dim",
    "ok": "good",
    "FAIL": "bad",
    "note": "middling",
}


def print_json(value: Any) -> None:
    """Print *value*, an answer record or plain data, as one JSON document with the field names of the MCP contract."""
    from mcp_memory.rendering.render import answer, plain

    data = answer(value) if is_dataclass(value) else plain(value)
    print(json.dumps(data, ensure_ascii=False, indent=2))


def iso(at_ms: int) -> str:
    """Return epoch milliseconds as ISO 8601 UTC, to the second."""
    from mcp_memory.rendering.render import iso

    return iso(at_ms)[:19] + "Z"


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, optional: Sequence[str] = ()) -> None:
    """Print rows under column names. On a terminal the last column is cut where it does not fit, all others are whole; in a pipe none is.

    *optional* columns are left out, the first named first, where the last would have less than MIN_LAST_WIDTH.
    """
    cells = [[cell(value) for value in row] for row in rows]
    shown = list(range(len(columns)))
    width = terminal_width()
    widths = [max([cell_width(name), *(cell_width(row[n]) for row in cells)]) for n, name in enumerate(columns)]
    for name in optional:
        if width is None or width - sum(widths[n] + GAP for n in shown[:-1]) >= min(MIN_LAST_WIDTH, widths[-1]):
            break
        shown.remove(columns.index(name))
    last = None if width is None else max(1, width - sum(widths[n] + GAP for n in shown[:-1]))
    print(paint(_row([columns[n] for n in shown], [widths[n] for n in shown[:-1]], last), "bold"))
    for row in cells:
        print(_row([row[n] for n in shown], [widths[n] for n in shown[:-1]], last, colours=True))


def print_place(shown: int, total: int, cursor: str | None, *, more_than_total: bool = False) -> None:
    """Print how much of a list was shown, and how to see more: on a line of its own, where it can be copied whole."""
    print(f"{shown} of {'more than ' if more_than_total else ''}{total}" + ("; more with" if cursor else ""))
    if cursor:
        print(f"--cursor {cursor}")


def print_pairs(rows: Sequence[tuple[str, Any]]) -> None:
    """Print names and values in two columns. On a terminal a value that does not fit goes on below itself."""
    width = max(cell_width(name) for name, _ in rows) + GAP
    for name, value in rows:
        tell(name + " " * (width - cell_width(name)) + cell(value), " " * width)


def _row(cells: Sequence[str], widths: Sequence[int], last: int | None, *, colours: bool = False) -> str:
    padded = [(paint(text, COLOURS.get(text, "")) if colours else text) + " " * (n - cell_width(text)) for text, n in zip(cells, widths)]
    final = cells[-1] if last is None else cut(cells[-1], last)
    return (" " * GAP).join([*padded, final]).rstrip()


def terminal_width() -> int | None:
    """Return the columns of the terminal that stdout is; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def cell_width(text: str) -> int:
    """Return how many columns a text takes: a wide character two, a combining one none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def cut(text: str, width: int) -> str:
    """Return a text of at most *width* columns, with an ellipsis where something is left out."""
    if cell_width(text) <= width:
        return text
    while text and cell_width(text) > width - 1:
        text = text[:-1]
    return text + "…"


def paint(text: str, style: str) -> str:
    """Return a text in a style of STYLES where stdout is a terminal that shows colours, and nobody set NO_COLOR; else as it is."""
    if not style or not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m"


def tell(text: str, indent: str = "", *, style: str = "", mark: str = "", dim_to: int = 0) -> None:
    """Print a line; on a terminal, broken between words, with *indent* before what follows.

    *mark*: the style of its first word. *dim_to*: how many of its first characters are dim.
    """
    width = terminal_width()
    lines = (
        [text]
        if width is None or cell_width(text) <= width
        else textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)
    )
    if mark:
        first, space, rest = lines[0].partition(" ")
        lines[0] = paint(first, mark) + space + rest
    if dim_to:
        lines[0] = paint(lines[0][:dim_to], "dim") + lines[0][dim_to:]
    for line in lines:
        print(paint(line, style))


def print_field(name: str, value: Any, indent: str = "") -> None:
    """Print a stored value in full under its name, without a program's brackets and quotes: long or many-lined text below the name."""
    text = safe(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)) if not isinstance(value, Mapping) else ""
    lines = text.splitlines() or [""]
    if len(lines) == 1 and lines[0]:
        tell(f"{indent}{name}: {lines[0]}", indent + "  ", dim_to=len(indent + name) + 1)
    else:
        print(f"{indent}{paint(name + ':', 'dim')}")
    if isinstance(value, Mapping):
        for key, item in value.items():
            print_field(one_line(str(key)), item, indent + "  ")
    elif len(lines) > 1:
        for line in lines:
            print(f"{indent}  {line}")


def cell(value: Any) -> str:
    """Return one value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(one_line, map(str, value)))
    return one_line(str(value))


def safe(text: str) -> str:
    """Return stored text without characters that act on the terminal."""
    from mcp_memory.rendering.neutralise import neutral

    return neutral(text)


def escaped(line: str) -> str:
    r"""Return a line of JSON with what a terminal would obey as escapes: the same JSON, harmless to look at.

    >>> escaped('"a\x9b1m\u202e"')
    '"a\\u009b1m\\u202e"'
    """
    return "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) in ("Cc", "Cf") and ord(c) < 0x10000 else c for c in line)


def one_line(text: str, max_chars: int = 160) -> str:
    """Return stored text on one line, with an ellipsis where it is longer than *max_chars*."""
    from mcp_memory.rendering.on_one_line import cut

    return cut(text, max_chars)


def why(parts: Mapping[str, float]) -> str:
    """Return the components of a score, the large ones first, zeros left out."""
    return " ".join(f"{name} {value:+.2f}" for name, value in sorted(parts.items(), key=lambda item: -abs(item[1])) if abs(value) >= 0.005)


def project_names(projects: Sequence[str]) -> dict[str, str]:
    """Return what to call each project beside the others: its short name, or all of it where two have the same."""
    from mcp_memory.projects import display_name

    short = {project: display_name(project) for project in set(projects)}
    several = Counter(short.values())
    width = min(PROJECT_WIDTH, (terminal_width() or 1000) // 5)
    return {project: cut(name if several[name] == 1 else project, width) for project, name in short.items()}


def note_degraded(degraded: Sequence[str]) -> None:
    """Say on stderr in which lesser state an answer was made."""
    for reason in degraded:
        print(f"note: {reason}", file=sys.stderr)
