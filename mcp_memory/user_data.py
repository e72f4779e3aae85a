"""Where this program keeps its data by default. Imports next to nothing: the hooks start with every step an agent makes."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mcp_memory.errors import ConfigError


def expanded(path: str | os.PathLike[str]) -> str:
    """Return a path that a person or an environment named, absolute, `~` and `~name` as their home directories.

    Raises ConfigError: there is no such home. Left as it is, it would become a folder called `~name` wherever the program stands.
    """
    found = os.path.expanduser(os.fspath(path))
    if found.startswith("~"):
        raise _refused(f"there is no home directory for {os.fspath(path)!r}", "Write the path in full.")
    return os.path.abspath(found)


def user_data_dir() -> str:
    """Return the platform's user data directory for this program. Raises ConfigError: there is no home directory to put it in."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(_home(), "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join(_home(), "Library", "Application Support")
    else:
        given = os.environ.get("XDG_DATA_HOME", "")  # a relative one does not count, as its specification says
        base = given if os.path.isabs(given) else os.path.join(_home(), ".local", "share")
    return os.path.join(base, "mcp-memory")


def _home() -> str:
    home = os.path.expanduser("~")
    if not os.path.isabs(home):  # without HOME and a passwd entry `~` stays as it is, and would become a folder of that name
        raise _refused("there is no home directory to keep the memory in", "Set HOME, or name a directory: --data-dir.")
    return home


def _refused(message: str, hint: str) -> "ConfigError":
    from mcp_memory.errors import ConfigError

    return ConfigError(message, hint=hint)
