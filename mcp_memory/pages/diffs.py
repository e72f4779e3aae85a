"""What a step changed, as a diff, from its own arguments. Pure."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_memory.domain.edit_arguments import PAIRS, WHOLE, edited_parts
from mcp_memory.domain.episode import Step

MAX_LINES = 80  # of one diff
_CONTEXT = 2
_NEW_TEXTS = (*WHOLE, "text", "new_source")
_PATCH = ("*** Begin Patch", "--- ", "diff --git ")


@dataclass(frozen=True, slots=True)
class Diff:
    """`lines` are (kind, text): `add`, `del`, `same` or `head`; `more` lines are left out."""

    path: str
    lines: Sequence[tuple[str, str]]
    more: int = 0


def diffs_of(step: Step) -> list[Diff]:
    """Return the changes that a step's arguments describe; none of a step that failed."""
    if step.failed:
        return []
    found = ((path, lines) for path, part in edited_parts(step.arguments) for lines in _all(part, path) if lines)
    return [Diff(path, lines[:MAX_LINES], max(0, len(lines) - MAX_LINES)) for path, lines in found]


def _all(arguments: Mapping[str, Any], path: str) -> Iterator[list[tuple[str, str]]]:
    for old, new in PAIRS:
        before, after = arguments.get(old), arguments.get(new)
        if isinstance(before, str) and isinstance(after, str) and before != after:
            yield _between(before, after)
            return
    patches = [value for value in arguments.values() if isinstance(value, str) and value.lstrip().startswith(_PATCH)]
    yield from (_patch(text) for text in patches)
    whole = next((arguments[name] for name in _NEW_TEXTS if isinstance(arguments.get(name), str)), None)
    if whole is not None and (path or "text" in arguments) and not patches:
        yield [("add", line) for line in whole.splitlines()]


def _between(before: str, after: str) -> list[tuple[str, str]]:
    lines = difflib.unified_diff(before.splitlines()[:1000], after.splitlines()[:1000], lineterm="", n=_CONTEXT)
    return [_kind(line) for line in lines if not line.startswith(("---", "+++", "@@"))]


def _patch(text: str) -> list[tuple[str, str]]:
    return [("head", line) if line.startswith(("***", "---", "+++", "@@", "diff ")) else _kind(line) for line in text.splitlines()]


def _kind(line: str) -> tuple[str, str]:
    return {"+": "add", "-": "del"}.get(line[:1], "same"), line[1:] if line[:1] in "+- " else line
