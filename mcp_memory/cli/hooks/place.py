"""The settings a hook needs, read without the settings' own machinery, which would cost more than the whole hook."""

import os

from mcp_memory.places import user_data_dir
from mcp_memory.server.hooks.wire import Address

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

_NAMES = {"DATA_DIR", "PROJECT", "TOKEN", "HOST", "PORT"}
_PREFIX = "MCP_MEMORY_"
_NETWORK = ("HOST", "PORT", "TOKEN")


class Place:
    """Where the memory is. `named` is a server the settings name, to ask when no door stands open in the data directory."""

    __slots__ = ("data_dir", "named", "project", "redact")

    def __init__(self, data_dir: str, project: str, named: Address | None, *, redact: bool = True) -> None:
        self.data_dir, self.project, self.named, self.redact = data_dir, project, named, redact

    @property
    def folder(self) -> str:
        """Where the hooks keep their files: beside `memory.db`."""
        return os.path.join(self.data_dir, "hooks")


def quick_place(env: "Mapping[str, str]", options: "Mapping[str, str]") -> Place | None:
    """Return the place when the environment has none but the short names, else None: `load_config` must read the rest.

    A test holds it to what `load_config` returns.
    """
    given = {name[len(_PREFIX) :]: value for name, value in env.items() if name.startswith(_PREFIX)}
    if not given.keys() <= _NAMES or not given.get("PORT", "0").isdecimal():
        return None
    given |= {option[2:].upper().replace("-", "_"): value for option, value in options.items()}
    data_dir = os.path.abspath(os.path.expanduser(given["DATA_DIR"])) if given.get("DATA_DIR") else user_data_dir()
    folder = env.get("CLAUDE_PROJECT_DIR", "")
    project = given.get("PROJECT", os.path.basename(os.path.normpath(folder)) or "default" if folder else "")
    address = Address(given.get("HOST", "127.0.0.1"), int(given.get("PORT", 8765)), token=given.get("TOKEN", ""))
    return Place(data_dir, project, address if any(given.get(name) for name in _NETWORK) else None)


def place_of(args: "argparse.Namespace") -> Place:
    """Return the place the command line and all settings name. Raises ConfigError."""
    from mcp_memory.cli.commands.hook import read_token
    from mcp_memory.cli.options import settings_of

    config = settings_of(args, server__token=read_token(args.token_file) if args.token_file else None)
    server = config.server
    named = any(f"server.{name.lower()}" in config.origins for name in _NETWORK)
    address = Address(server.host, server.port, token=server.token) if named else None
    return Place(str(config.data_dir), server.project, address, redact=server.redact)
