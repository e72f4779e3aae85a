"""Our commands among a host's hooks, as `domain/hosts.py` lays them out. Ours are known by their command."""

import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mcp_memory.cli.install.host_paths import host_path
from mcp_memory.cli.install.jsonc import append_item, parse, prune, remove_items, set_member
from mcp_memory.domain.hosts import GROUPS, LIST, SHELLS, HookEvent, HookHost
from mcp_memory.errors import InvalidInput

# in every command of ours
_OURS = re.compile(r"""mcp[-_](episodic-)?memory(\.exe|@[\w.]+)?["']? hook |mcp_memory\.(cli\.)?hooks\.client""")
PLUGIN = "episodic-memory@"  # what the key of our plugin begins with in Claude Code's settings
_VERSION = 1  # of the files that carry one


def hooks_file(host: HookHost, project: Path | None) -> Path:
    """Return the file of the user's or of a project's hooks. Raises ConfigError: there is no home directory."""
    return project / host.project_file if project else host_path(host.user_file)


def add_hooks(text: str, host: HookHost, program: Sequence[str], options: Sequence[str] = ()) -> str:
    """Return the text with our hooks, each once: the command is *program*, the event, `--host`, *options*.

    Raises InvalidInput: a plugin of ours has them already, or the host is told to run none.
    """
    value = _value(text)
    if any(str(name).startswith(PLUGIN) and on for name, on in _dict(value.get("enabledPlugins")).items()):
        raise InvalidInput(
            "the episodic-memory plugin has these hooks already", hint="Every step would be recorded twice: keep one of them."
        )
    text = remove_hooks(text, host)
    if host.shape != GROUPS and "version" not in _value(text):
        text = set_member(text, ("version",), _VERSION)
    for event in host.ready:
        command = [*program, event.argument, "--host", host.name, *options]
        text = append_item(text, ("hooks", event.name), _entry(host, event, command))
    return text


def remove_hooks(text: str, host: HookHost) -> str:
    """Return the text without our hooks, and without arrays and objects that only they were in."""
    for event in _dict(_value(text).get("hooks")):
        without = text
        for entry in [entry for entry in _list(_dict(_value(text).get("hooks")).get(event)) if _is_ours(entry)]:
            without = remove_items(without, ("hooks", event), partial(_is_same, entry))
            if others := [hook for hook in _list(entry.get("hooks")) if not _is_ours(hook)]:  # a person put theirs beside ours
                without = append_item(without, ("hooks", event), entry | {"hooks": others})
        if without != text:
            text = prune(without, ("hooks", event))
    if host.shape != GROUPS and _value(text) == {"version": _VERSION}:
        text = remove_items(text, (), lambda key, _: key == "version")
    return text


def are_off(text: str, host: HookHost) -> bool:
    """Return whether the file tells the host to run no hooks at all."""
    path, off = host.off
    value: Any = _value(text)
    for key in path:
        value = _dict(value).get(key)
    return bool(path) and value is off


def _is_same(entry: Any, _: str | None, other: Any) -> bool:
    return bool(other == entry)


def _entry(host: HookHost, event: HookEvent, command: list[str]) -> dict[str, Any]:
    timeout = event.timeout_s * host.timeout_unit
    matcher = {"matcher": event.matcher} if event.matcher else {}
    if host.shape == LIST:
        return {"command": _line(command)} | matcher | {"timeout": timeout}
    if host.shape == SHELLS:
        shells = {"bash": shlex.join(command), "powershell": "& " + " ".join(map(_powershell, command))}
        return {"type": "command"} | matcher | shells | {"timeoutSec": timeout}
    if sys.platform == "win32" and host.name == "claude-code":  # directly: PowerShell takes a quoted path for text
        handler: dict[str, Any] = {"command": command[0], "args": command[1:]}
    else:
        handler = {"command": _line(command)}
    return matcher | {"hooks": [{"type": "command", **handler, "timeout": timeout}]}


def _line(command: list[str]) -> str:
    return subprocess.list2cmdline(command) if sys.platform == "win32" else shlex.join(command)


def _powershell(argument: str) -> str:
    return argument if re.fullmatch(r"[\w./-]+", argument) else "'" + argument.replace("'", "''") + "'"


def _is_ours(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return False
    words = [entry.get(name) for name in ("command", "bash", "powershell")] + _list(entry.get("args"))
    return bool(_OURS.search(" ".join(str(word) for word in words if word) + " ")) or any(map(_is_ours, _list(entry.get("hooks"))))


def _value(text: str) -> dict[str, Any]:
    return _dict(parse(text).value) if text.strip("\ufeff \t\r\n") else {}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
