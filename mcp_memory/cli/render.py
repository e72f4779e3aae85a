"""Answers as text for people and as JSON for programs. Stored text is neutralised either way: it must not repaint a terminal."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

PIPE_WIDTH = 200  # columns of a table that is not printed on a terminal


def print_json(value: Any) -> None:
    """Print *value*, an answer record or plain data, as one JSON document with the field names of the MCP contract."""
    from mcp_memory.rendering.render import answer, plain

    data = answer(value) if is_dataclass(value) else plain(value)
    print(json.dumps(data, ensure_ascii=False, indent=2))


def iso(at_ms: int) -> str:
    """Return epoch milliseconds as ISO 8601 UTC, to the second."""
    from mcp_memory.rendering.render import iso

    return iso(at_ms)[:19] + "Z"


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under column names, fitted to the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell(value)) for value in row))
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
    with console.capture() as printed:
        console.print(table)
    print("\n".join(line.rstrip() for line in printed.get().splitlines()))


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


def one_line(text: str, max_chars: int = 160) -> str:
    """Return stored text on one line, with an ellipsis where it is longer than *max_chars*."""
    line = " ".join(safe(text).split())
    return line if len(line) <= max_chars else line[: max_chars - 1] + "…"


def why(parts: Mapping[str, float]) -> str:
    """Return the components of a score, the large ones first, zeros left out."""
    return " ".join(f"{name} {value:+.2f}" for name, value in sorted(parts.items(), key=lambda item: -abs(item[1])) if abs(value) >= 0.005)


def note_degraded(degraded: Sequence[str]) -> None:
    """Say on stderr in which lesser state an answer was made."""
    for reason in degraded:
        print(f"note: {reason}", file=sys.stderr)
