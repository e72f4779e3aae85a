"""Edits of JSON with comments (JSONC) that leave every other byte as it was: comments, order, indentation, line ends, trailing commas.

The text is parsed into nodes that know their span; an edit is a splice of the text.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mcp_memory.errors import InvalidInput

_SKIP = re.compile(r"(?:[ \t\r\n\ufeff]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SCALAR = re.compile(r"[^\s,\]}/]+")
_INDENT = "  "


@dataclass(slots=True)
class Node:
    """A value and where it stands. Containers list their items as (key or None, where the item starts, value node)."""

    value: Any
    start: int
    end: int
    items: list[tuple[str | None, int, "Node"]] = field(default_factory=list)

    def item(self, key: str) -> "Node | None":
        return next((node for name, _, node in reversed(self.items) if name == key), None)


def parse(text: str) -> Node:
    """Return the root node. Raises InvalidInput with the line of what is not JSON."""
    position = _skip(text, 0)
    node = _value(text, position)
    if (rest := _skip(text, node.end)) != len(text):
        raise _error(text, rest)
    return node


def set_member(text: str, path: Sequence[str], value: Any) -> str:
    """Return *text* with the member at *path* set to *value*; objects on the way are made when absent."""
    text = text if text.strip("\ufeff \t\r\n") else "{}\n"
    node, missing = _descend(text, path)
    if not missing:
        return text[: node.start] + _render(text, value, _indent_at(text, node.start)) + text[node.end :]
    for key in reversed(missing[1:]):
        value = {key: value}
    return _insert(text, node, missing[0], value)


def append_item(text: str, path: Sequence[str], value: Any) -> str:
    """Return *text* with *value* at the end of the array at *path*, which is made when absent."""
    node, missing = _descend(text if text.strip() else "{}\n", path)
    if missing:
        return set_member(text, path, [value])
    if not isinstance(node.value, list):
        raise InvalidInput(f"`{'.'.join(path)}` is not an array")
    return _insert(text, node, None, value)


def remove_items(text: str, path: Sequence[str], unwanted: Callable[[str | None, Any], bool]) -> str:
    """Return *text* without the items of the container at *path* for which *unwanted*(key, value) holds; absent is no error."""
    while True:
        node, missing = _descend(text, path)
        index = next((i for i, (key, _, item) in enumerate(node.items) if unwanted(key, item.value)), None)
        if missing or index is None:
            return text
        text = _remove(text, node, index)


def prune(text: str, path: Sequence[str]) -> str:
    """Return *text* without the containers on *path* that are empty, the deepest first; absent is no error."""
    for depth in range(len(path), 0, -1):
        node, missing = _descend(text, path[:depth])
        if missing or node.value not in ({}, []):
            return text
        text = remove_items(text, path[: depth - 1], partial(_is_called, path[depth - 1]))
    return text


def _is_called(name: str, key: str | None, _: Any) -> bool:
    return key == name


def _descend(text: str, path: Sequence[str]) -> tuple[Node, list[str]]:
    """Return the deepest node on *path* and the keys that are missing below it."""
    node = parse(text)
    for depth, key in enumerate(path):
        if not isinstance(node.value, dict):
            raise InvalidInput(f"`{'.'.join(path[:depth]) or 'the file'}` is not an object")
        below = node.item(key)
        if below is None:
            return node, list(path[depth:])
        node = below
    return node, []


def _insert(text: str, node: Node, key: str | None, value: Any) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    if not node.items:
        inner = _indent_at(text, node.start) + _INDENT
        body = newline + inner + _member(text, key, value, inner)
        kept = text[node.start + 1 : node.end - 1].rstrip()  # a comment in an empty container stays
        return text[: node.start + 1] + kept + body + newline + inner[: -len(_INDENT)] + text[node.end - 1 :]
    _, start, last = node.items[-1]
    inner = _indent_at(text, start)
    after = _skip(text, last.end)
    comma = text[after] == ","
    place = after + 1 if comma else last.end
    one_line = newline not in text[node.start : start]
    joint = " " if one_line else newline + inner
    return text[:place] + ("" if comma else ",") + _trailing_comment(text, place, joint + _member(text, key, value, inner))


def _trailing_comment(text: str, place: int, inserted: str) -> str:
    """Return the text from *place* with *inserted*, put after a comment that stands on the same line."""
    comment = re.match(r"[ \t]*(//[^\r\n]*|/\*[^\r\n]*?\*/[ \t]*(?=[\r\n]))", text[place:])
    end = place + (comment.end() if comment else 0)
    return text[place:end] + inserted + text[end:]


def _remove(text: str, node: Node, index: int) -> str:
    """Return *text* without one item: with the comma after it, or, for the last, the comma before it; its own line goes with it."""
    _, start, item = node.items[index]
    left, right = text[:start], text[item.end :]
    after = _skip(text, item.end)
    if text[after] == ",":
        right = text[after + 1 :]
    elif index:
        comma = _skip(text, node.items[index - 1][2].end)
        left = text[:comma] + text[comma + 1 : start]
    if len(node.items) == 1 and not text[node.start + 1 : start].strip() and not text[after : node.end - 1].strip(", \t\r\n"):
        return text[: node.start + 1] + text[node.end - 1 :]
    left = left.rstrip(" \t")
    own_line = re.match(r"[ \t]*\r?\n", right)
    if left.endswith("\n") and own_line:
        return left + right[own_line.end() :]
    return left + right.lstrip(" ") if index == 0 else left + right


def _member(text: str, key: str | None, value: Any, indent: str) -> str:
    return (f"{json.dumps(key)}: " if key is not None else "") + _render(text, value, indent)


def _render(text: str, value: Any, indent: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    return (newline + indent).join(json.dumps(value, indent=_INDENT, ensure_ascii=False).split("\n"))


def _indent_at(text: str, position: int) -> str:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip())]


def _value(text: str, position: int) -> Node:
    opening = text[position : position + 1]
    if opening in ("{", "["):
        return _container(text, position, closing="}" if opening == "{" else "]")
    match = (_STRING if opening == '"' else _SCALAR).match(text, position)
    if not match:
        raise _error(text, position)
    try:
        return Node(json.loads(match.group(0), strict=False), position, match.end())
    except ValueError:
        raise _error(text, position) from None


def _container(text: str, start: int, closing: str) -> Node:
    items: list[tuple[str | None, int, Node]] = []
    position = _skip(text, start + 1)
    while text[position : position + 1] != closing:
        item_start, key = position, None
        if closing == "}":
            name = _value(text, position)
            key, position = str(name.value), _skip(text, name.end)
            if text[position : position + 1] != ":":
                raise _error(text, position)
            position = _skip(text, position + 1)
        node = _value(text, position)
        items.append((key, item_start, node))
        position = _skip(text, node.end)
        if text[position : position + 1] == ",":
            position = _skip(text, position + 1)
        elif text[position : position + 1] != closing:
            raise _error(text, position)
    value = {key: node.value for key, _, node in items} if closing == "}" else [node.value for _, _, node in items]
    return Node(value, start, position + 1, items)


def _skip(text: str, position: int) -> int:
    match = _SKIP.match(text, position)
    return match.end() if match else position


def _error(text: str, position: int) -> InvalidInput:
    line = text.count("\n", 0, position) + 1
    return InvalidInput(f"the file is not valid JSON at line {line}", hint="Mend the file, or add the server by hand; nothing was changed.")
