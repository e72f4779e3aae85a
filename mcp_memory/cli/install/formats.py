"""One way to edit the hosts' files, whatever they are written in: a format is found by the file's name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_memory.cli.install import jsonc, toml_text, yaml_text


@dataclass(frozen=True, slots=True)
class Format:
    """How to read a file and edit its servers; each edit returns the new text and keeps what it does not concern."""

    value: Callable[[str], Any]  # what the text says, {} or None when it is empty
    put: Callable[[str, str, str, dict[str, Any]], str]  # (text, key of the servers, name, entry)
    take_out: Callable[[str, str, str], str]  # (text, key of the servers, name); a holder that is empty then goes, too


def format_of(path: Path) -> Format:
    """Return the format of a file."""
    if path.suffix == ".toml":
        return Format(toml_text.value, toml_text.put, toml_text.take_out)
    if path.suffix in (".yaml", ".yml"):
        return Format(yaml_text.value, yaml_text.put, yaml_text.take_out)
    return JSON


def _put(text: str, key: str, name: str, entry: dict[str, Any]) -> str:
    return jsonc.set_member(text, (key, name), entry)


def _take_out(text: str, key: str, name: str) -> str:
    without = jsonc.remove_items(text, (key,), lambda found, _: found == name) if text.strip() else text
    return jsonc.prune(without, (key,)) if without != text else text


JSON = Format(lambda text: jsonc.parse(text).value if text.strip("\ufeff \t\r\n") else {}, _put, _take_out)
