"""Edits of TOML that keep comments, order and spelling, by tomlkit."""

import re
from typing import Any

from mcp_memory.errors import InvalidInput


def value(text: str) -> dict[str, Any]:
    """Return what the text says. Raises InvalidInput with the line of what is not TOML."""
    found: dict[str, Any] = _parsed(text).unwrap()
    return found


def put(text: str, key: str, name: str, entry: dict[str, Any]) -> str:
    """Return *text* with the table `[key.name]`."""
    import tomlkit
    from tomlkit.items import InlineTable

    if key not in _parsed(text) and text.strip():
        text = text.rstrip("\r\n") + "\n\n"  # a blank line before the new table
    document = _parsed(text)
    is_first = key not in document
    tables = document.setdefault(key, tomlkit.table(is_super_table=True))
    if not isinstance(tables, dict):
        raise InvalidInput(f"`{key}` is not a table")
    table = tomlkit.inline_table() if isinstance(tables, InlineTable) else tomlkit.table()
    table.update(entry)
    if not is_first and name not in tables and not isinstance(tables, InlineTable):
        table.add(tomlkit.nl())  # other tables follow
    tables[name] = table
    edited = _like(text, tomlkit.dumps(document))
    if value(edited)[key][name] != entry:
        raise InvalidInput(f"`{key}` is written in a way that cannot be added to", hint="Add the server by hand; nothing was changed.")
    return edited


def take_out(text: str, key: str, name: str) -> str:
    """Return *text* without `[key.name]`, and without *key* when nothing else was in it; absent is no error."""
    import tomlkit

    document = _parsed(text)
    tables = document.get(key)
    if not isinstance(tables, dict) or name not in tables:
        return text
    del tables[name]
    if not tables:
        del document[key]
    return _like(text, tomlkit.dumps(document))


def _parsed(text: str) -> Any:
    """Return the document, which two readers understand: tomlkit alone passes over characters at which a host's reader stops."""
    import tomllib

    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        tomllib.loads(text)
        return tomlkit.parse(text)
    except (tomllib.TOMLDecodeError, TOMLKitError) as error:
        hint = "Mend the file, or add the server by hand; nothing was changed."
        raise InvalidInput(f"the file is not valid TOML: {error}", hint=hint) from error


def _like(text: str, edited: str) -> str:
    """Return *edited* with the line ends of *text*."""
    return re.sub(r"(?<!\r)\n", "\r\n", edited) if "\r\n" in text else edited
