"""Where this program keeps its data by default. Imports next to nothing: the hooks start with every step an agent makes."""

import os
import sys


def user_data_dir() -> str:
    """Return the platform's user data directory for this program."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Application Support")
    else:
        base = os.environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    return os.path.join(base, "mcp-memory")
