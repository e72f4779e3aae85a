"""Where each agent host keeps its sessions on this machine, its own environment variables honoured."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mcp_memory.cli.transcripts.formats import transcript_files
from mcp_memory.user_data import expanded

Environment = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HostSessions:
    """The session files found in one host's folder."""

    host: str
    folder: Path
    files: tuple[Path, ...]


def folders_of(host: str, environment: Environment | None = None) -> list[Path]:
    """Return the folders in which a host keeps its sessions, there or not; none for a format that is no host's."""
    environment = os.environ if environment is None else environment
    return _FOLDERS[host](environment) if host in _FOLDERS else []


def sessions_here(environment: Environment | None = None) -> list[HostSessions]:
    """Return what every host has on this machine."""
    found = []
    for host in _FOLDERS:
        for folder in folders_of(host, environment):
            if folder.is_dir() and (files := tuple(transcript_files(host, folder))):
                found.append(HostSessions(host, folder, files))
    return found


def _home(environment: Environment) -> Path:
    return Path(expanded(environment.get("HOME") or environment.get("USERPROFILE") or "~"))


def _at(environment: Environment, variable: str, default: str) -> Path:
    """Return the folder a variable names, else one below HOME."""
    named = environment.get(variable, "").strip()
    return Path(expanded(named)) if named else _home(environment) / default


def _claude_code(environment: Environment) -> list[Path]:
    return [_at(environment, "CLAUDE_CONFIG_DIR", ".claude") / "projects"]


def _codex(environment: Environment) -> list[Path]:
    home = _at(environment, "CODEX_HOME", ".codex")
    return [home / "sessions", home / "archived_sessions"]


def _gemini(environment: Environment) -> list[Path]:
    return [_at(environment, "GEMINI_CLI_HOME", "") / ".gemini" / "tmp"]


def _qwen(environment: Environment) -> list[Path]:
    home = "QWEN_RUNTIME_DIR" if environment.get("QWEN_RUNTIME_DIR", "").strip() else "QWEN_HOME"
    return [_at(environment, home, ".qwen") / "projects"]


def _copilot(environment: Environment) -> list[Path]:
    return [_at(environment, "COPILOT_HOME", ".copilot") / "session-state"]


def _opencode(environment: Environment) -> list[Path]:
    return [_at(environment, "XDG_DATA_HOME", ".local/share") / "opencode"]


def _cline(environment: Environment) -> list[Path]:
    if environment.get("CLINE_SESSION_DATA_DIR", "").strip():
        return [_at(environment, "CLINE_SESSION_DATA_DIR", "")]
    if environment.get("CLINE_DATA_DIR", "").strip():
        return [_at(environment, "CLINE_DATA_DIR", "") / "sessions"]
    return [_at(environment, "CLINE_DIR", ".cline") / "data" / "sessions"]


def _continue(environment: Environment) -> list[Path]:
    return [_at(environment, "CONTINUE_GLOBAL_DIR", ".continue") / "sessions"]


_FOLDERS: dict[str, Callable[[Environment], list[Path]]] = {
    "claude-code": _claude_code,
    "codex": _codex,
    "gemini": _gemini,
    "qwen": _qwen,
    "copilot": _copilot,
    "opencode": _opencode,
    "cline": _cline,
    "continue": _continue,
}
HOSTS = tuple(_FOLDERS)
