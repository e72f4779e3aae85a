"""The settings the hooks need, read without the settings' own machinery, which would cost more than the whole hook."""

import os

from mcp_memory.places import user_data_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = {"DATA_DIR", "PROJECT", "TOKEN", "HOST", "PORT"}
_PREFIX = "MCP_MEMORY_"


class Place:
    """Where the memory is, and where a resident server would answer."""

    __slots__ = ("data_dir", "host", "port", "project", "token")

    def __init__(self, data_dir: str, host: str, port: int, project: str, token: str) -> None:
        self.data_dir, self.host, self.port, self.project, self.token = data_dir, host, port, project, token


def quick_place(env: "Mapping[str, str]") -> Place | None:
    """Return the place when the environment has none but the short names, else None: `load_config` must read the rest.

    A test holds it to what `load_config` returns.
    """
    given = {name[len(_PREFIX) :]: value for name, value in env.items() if name.startswith(_PREFIX)}
    if not given.keys() <= _NAMES or not given.get("PORT", "0").isdecimal():
        return None
    data_dir = os.path.abspath(os.path.expanduser(given["DATA_DIR"])) if given.get("DATA_DIR") else user_data_dir()
    folder = env.get("CLAUDE_PROJECT_DIR", "")
    project = given.get("PROJECT", os.path.basename(os.path.normpath(folder)) or "default" if folder else "")
    return Place(data_dir, given.get("HOST", "127.0.0.1"), int(given.get("PORT", 8765)), project, given.get("TOKEN", ""))
