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
    """Return *text* with an item called *name* as the first of the list at *key*, in place of one of that name."""
    text = take_out(text, key, name) or NEW_FILE
    newline = "\r\n" if "\r\n" in text else "\n"
    item = {"name": name} | entry
    servers = _servers(text, key)
    if servers is None:
        text += "" if text.endswith("\n") else newline
        return text + f"{key}:{newline}" + _block(item, "  ", newline)
    start, end = servers.start_mark, servers.end_mark
    if _is_empty(servers):
        line_start = text.rfind("\n", 0, start.index) + 1
        before = text[: start.index].rstrip() if text[line_start : start.index].strip() else text[: start.index]
        rest = text[end.index :] if servers.tag.endswith(":seq") else text[start.index :]
        return before + newline + _block(item, "  ", newline).rstrip("\r\n") + (rest if rest[:1] in "\r\n" else newline + rest)
    if servers.flow_style:
        return text[: start.index + 1] + json.dumps(item) + ", " + text[start.index + 1 :]
    place = text.rfind("\n", 0, start.index) + 1
    return text[:place] + _block(item, text[place : start.index], newline) + text[place:]


def take_out(text: str, key: str, name: str) -> str:
    """Return *text* without the item called *name*, and without the list when nothing else was in it; absent is no error."""
    servers = _servers(text, key)
    items = servers.value if servers is not None and isinstance(servers.value, list) else []
    index = next((index for index, item in enumerate(items) if _name_of(item) == name), None)
    if servers is None or index is None:
        return text
    if servers.flow_style:
        raise InvalidInput(f"`{key}` is written on one line", hint="Take the server out by hand; nothing was changed.")
    first = _key_start(text, key) if len(items) == 1 else items[index].start_mark.index
    start = text.rfind("\n", 0, first) + 1
    end = text.find("\n", _last(items[index]))
    return text[:start] + (text[end + 1 :] if end >= 0 else "")


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
    return not node.value


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
