"""Claude Code's hook settings: one command per event in `hooks` of settings.json. Ours are known by their command."""

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mcp_memory.cli.install.jsonc import append_item, parse, remove_items

_OURS = re.compile(r"""mcp[-_](episodic-)?memory(\.exe)?["']? hook |mcp_memory\.(cli\.)?hooks\.client""")  # in every command of ours
# event -> (argument of the command, matcher, seconds). The failure event goes with the success one.
EVENTS = {
    "SessionStart": ("session-start", "startup|clear|compact", 10),
    "UserPromptSubmit": ("user-prompt-submit", "", 10),
    "PostToolUse": ("post-tool-use", "*", 10),
    "PostToolUseFailure": ("post-tool-use", "*", 10),
    "Stop": ("stop", "", 15),
    "SessionEnd": ("session-end", "", 15),
}


def settings_file(project: Path | None) -> Path:
    """Return the settings file of the user or of a project."""
    return (project or Path.home()) / ".claude" / "settings.json"


def add_hooks(text: str, program: Sequence[str], options: Sequence[str] = ()) -> str:
    """Return the settings with our hooks, each once: the command is *program*, the event, *options*."""
    text = remove_hooks(text)
    for event, (argument, matcher, timeout_s) in EVENTS.items():
        entry: dict[str, Any] = {"matcher": matcher} if matcher else {}
        entry["hooks"] = [{"type": "command", **_handler([*program, argument, *options]), "timeout": timeout_s}]
        text = append_item(text, ("hooks", event), entry)
    return text


def _handler(command: list[str]) -> dict[str, Any]:
    """Return how the host runs a command: by a POSIX shell, on Windows directly, since PowerShell takes a quoted path for text."""
    if sys.platform == "win32":
        return {"command": command[0], "args": command[1:]}
    return {"command": shlex.join(command)}


def remove_hooks(text: str) -> str:
    """Return the settings without our hooks, and without arrays and objects that only they were in."""
    if not text.strip():
        return text
    for event in EVENTS:
        before = text
        text = remove_items(text, ("hooks", event), lambda _, entry: _is_ours(entry))
        if text != before and not _at(text, ("hooks", event)):
            text = _without(text, ("hooks",), event)
            if not _at(text, ("hooks",)):
                text = _without(text, (), "hooks")
    return text


def _without(text: str, path: Sequence[str], name: str) -> str:
    return remove_items(text, path, lambda key, _: key == name)


def _is_ours(entry: Any) -> bool:
    hooks = (entry.get("hooks") or []) if isinstance(entry, dict) else []
    return any(isinstance(hook, dict) and _OURS.search(" ".join(map(str, (hook.get("command"), *_args(hook))))) for hook in hooks)


def _args(hook: dict[str, Any]) -> list[Any]:
    args = hook.get("args")
    return args if isinstance(args, list) else []


def _at(text: str, path: Sequence[str]) -> Any:
    value = parse(text).value
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
