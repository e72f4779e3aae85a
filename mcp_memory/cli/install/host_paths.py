"""Where hosts keep their files: patterns such as `CODEX/config.toml` to paths of this machine."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from mcp_memory.errors import ConfigError
from mcp_memory.user_data import expanded


def host_path(pattern: str) -> Path:
    """Return the path of a pattern, whose first part is `~` or one of `_FOLDERS`. Raises ConfigError: there is no home directory."""
    first, _, rest = pattern.partition("/")
    folder = home() if first == "~" else _FOLDERS[first]()
    return folder / rest if rest else folder


def home() -> Path:
    """Return the home directory. Raises ConfigError: there is none, or none that is absolute."""
    try:
        found = Path.home()
    except RuntimeError as error:
        raise ConfigError(
            "there is no home directory to find the hosts' files in", hint="Set HOME, or name a project: --project-dir."
        ) from error
    if not found.is_absolute():
        raise ConfigError(f"the home directory {str(found)!r} is not absolute", hint="Set HOME to an absolute path.")
    return found


def _named(variable: str, *default: str) -> Callable[[], Path]:
    """Return a finder of the folder that *variable* names, else of the one below the home directory."""

    def found() -> Path:
        given = _given(variable)
        return Path(expanded(given)) if given else home().joinpath(*default)

    return found


def _app() -> Path:
    """Return the applications' settings folder."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or home() / "AppData" / "Roaming")
    return home() / "Library" / "Application Support" if sys.platform == "darwin" else _xdg()


def _xdg() -> Path:
    """Return XDG_CONFIG_HOME, which counts only when it is absolute."""
    given = Path(os.environ.get("XDG_CONFIG_HOME") or "")
    return given if given.is_absolute() else home() / ".config"


def _claude_json() -> Path:
    """Return the folder of `.claude.json`: beside `~/.claude`, but inside the folder that CLAUDE_CONFIG_DIR names."""
    return _FOLDERS["CLAUDE"]() if _given("CLAUDE_CONFIG_DIR") else home()


def _gemini() -> Path:
    return _named("GEMINI_CLI_HOME")() / ".gemini"


def _cline() -> Path:
    """Return the servers' file of Cline's command line."""
    data = _named("CLINE_DATA_DIR")() if _given("CLINE_DATA_DIR") else _named("CLINE_DIR", ".cline")() / "data"
    return data / "settings" / "cline_mcp_settings.json"


def _given(variable: str) -> str:
    return os.environ.get(variable, "").strip()


_FOLDERS: dict[str, Callable[[], Path]] = {
    "APP": _app,
    "XDG": _xdg,
    "ZED": lambda: _app() / "Zed" if sys.platform == "win32" else _xdg() / "zed",
    "CLAUDE": _named("CLAUDE_CONFIG_DIR", ".claude"),
    "CLAUDE_JSON": _claude_json,
    "CODEX": _named("CODEX_HOME", ".codex"),
    "GEMINI": _gemini,
    "QWEN": _named("QWEN_HOME", ".qwen"),
    "COPILOT": _named("COPILOT_HOME", ".copilot"),
    "OPENCODE": lambda: _named("OPENCODE_CONFIG_DIR")() if _given("OPENCODE_CONFIG_DIR") else _xdg() / "opencode",
    "CLINE_MCP": lambda: _named("CLINE_MCP_SETTINGS_PATH")() if _given("CLINE_MCP_SETTINGS_PATH") else _cline(),
    "CONTINUE": _named("CONTINUE_GLOBAL_DIR", ".continue"),
}
