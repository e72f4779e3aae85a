"""Edits of a YAML file's list of servers that leave every other byte as it was: the parser tells what stands where, an edit is a splice."""

import json
from io import StringIO
from typing import Any

from mcp_memory.errors import InvalidInput

NEW_FILE = "name: Local Config\nversion: 1.0.0\nschema: v1\n"  # what Continue wants to find beside the servers
_BY_HAND = "Add the server by hand; nothing was changed."


def value(text: str) -> Any:
    """Return what the text says. Raises InvalidInput with the line of what is not YAML."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(StringIO(text))
    except YAMLError as error:
        raise _broken(error) from error


def put(text: str, key: str, name: str, entry: dict[str, Any]) -> str:
    """Return *text* with an item called *name* in the list at *key*: in the place of one of that name, else as the first."""
    text = text or NEW_FILE
    newline = "\r\n" if "\r\n" in text else "\n"
    item = {"name": name} | entry
    servers = _servers(text, key)
    if servers is None:
        return text + ("" if text.endswith("\n") else newline) + f"{key}:{newline}" + _block(item, "  ", newline)
    if _is_empty(servers):
        return _begun(text, key, servers, _block(item, "  ", newline), newline)
    start = servers.start_mark.index
    old = _item(servers, name)
    if servers.flow_style:
        if old is not None:
            return text[: old.start_mark.index] + json.dumps(item) + text[old.end_mark.index :]
        return text[: start + 1] + json.dumps(item) + ", " + text[start + 1 :]
    line = text.rfind("\n", 0, start) + 1
    indent = text[line:start]
    if old is None:
        return text[:line] + _block(item, indent, newline) + text[line:]
    first, end = _lines(text, old)
    return text[:first] + _block(item, indent, newline) + text[end:]


def take_out(text: str, key: str, name: str) -> str:
    """Return *text* without the item called *name*, and without the list when nothing else was in it; absent is no error."""
    servers = _servers(text, key)
    item = None if servers is None else _item(servers, name)
    if item is None:
        return text
    if servers.flow_style:
        raise InvalidInput(f"`{key}` is written on one line", hint="Take the server out by hand; nothing was changed.")
    first, end = _lines(text, item)
    if len(servers.value) == 1:
        first = text.rfind("\n", 0, _key_start(text, key)) + 1
    return text[:first] + text[end:]


def _begun(text: str, key: str, servers: Any, block: str, newline: str) -> str:
    """Return *text* with *block* below a key that has nothing yet: null, or an empty list."""
    start, end = servers.start_mark.index, servers.end_mark.index
    if text[start:end].strip():
        text = text[:start].rstrip(" ") + text[end:]
    line_end = text.find("\n", _key_start(text, key))
    head, rest = (text + newline, "") if line_end < 0 else (text[: line_end + 1], text[line_end + 1 :])
    return head + block + rest


def _item(servers: Any, name: str) -> Any:
    items = servers.value if isinstance(servers.value, list) else []
    return next((item for item in items if _name_of(item) == name), None)


def _lines(text: str, item: Any) -> tuple[int, int]:
    """Return where the lines of a block item begin and end."""
    end = text.find("\n", _last(item))
    return text.rfind("\n", 0, item.start_mark.index) + 1, len(text) if end < 0 else end + 1


def _block(item: dict[str, Any], indent: str, newline: str) -> str:
    """Return an item of a block list. Values are JSON, which is YAML."""
    lines = [f"{name}: {json.dumps(part, ensure_ascii=False)}" for name, part in item.items()]
    return "".join(f"{indent}{'- ' if not number else '  '}{line}{newline}" for number, line in enumerate(lines))


def _servers(text: str, key: str) -> Any:
    """Return the node at *key*, or None. Raises InvalidInput: not YAML, not a list."""
    pair = _pair(text, key)
    if pair is None:
        return None
    if not _is_empty(pair[1]) and not pair[1].tag.endswith(":seq"):
        raise InvalidInput(f"`{key}` is not a list", hint=_BY_HAND)
    return pair[1]


def _pair(text: str, key: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        root = YAML(typ="rt", pure=True).compose(StringIO(text))
    except YAMLError as error:
        raise _broken(error) from error
    if root is None:
        return None
    if not root.tag.endswith(":map") or root.flow_style:
        raise InvalidInput("the file is not a YAML mapping of lines", hint=_BY_HAND)
    return next((pair for pair in root.value if pair[0].value == key), None)


def _key_start(text: str, key: str) -> int:
    return int(_pair(text, key)[0].start_mark.index)


def _is_empty(node: Any) -> bool:
    return not node.value or bool(node.tag.endswith(":null"))


def _name_of(item: Any) -> str:
    pairs = item.value if item.tag.endswith(":map") else []
    return next((str(value.value) for key, value in pairs if key.value == "name"), "")


def _last(node: Any) -> int:
    """Return where the last scalar below *node* ends: a block's own end lies behind the comments that follow it."""
    if isinstance(node.value, list) and node.value and not node.flow_style:
        last = node.value[-1]
        return _last(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index) - (1 if getattr(node, "style", None) in ("|", ">") else 0)


def _broken(error: Any) -> InvalidInput:
    mark = getattr(error, "problem_mark", None)
    where = f" at line {mark.line + 1}" if mark else ""
    return InvalidInput(f"the file is not valid YAML{where}", hint="Mend the file, or add the server by hand; nothing was changed.")
