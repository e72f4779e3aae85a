"""The settings a hook needs, read without the settings' own machinery, which would cost more than the whole hook."""

from mcp_memory.hooks.wire import Address, folder_of
from mcp_memory.projects import project_at
from mcp_memory.user_data import expanded, user_data_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAMES = {"DATA_DIR", "PROJECT", "TOKEN", "HOST", "PORT"}
_PREFIX = "MCP_MEMORY_"
_NETWORK = ("HOST", "PORT", "TOKEN")
_QUICK_OPTIONS = {"--data-dir", "--project", "--host"}
OPTIONS = ("--data-dir", "--project", "--config", "--token-file", "--host")


class HookSettings:
    """Where the memory is. `named` is a server the settings name, to ask when no door stands open in the data directory."""

    __slots__ = ("before", "data_dir", "host", "named", "project", "redact")

    def __init__(
        self, data_dir: str, project: str, named: Address | None, *, redact: bool = True, host: str = "", before: "Sequence[str]" = ()
    ) -> None:
        self.data_dir, self.project, self.named, self.redact = data_dir, project, named, redact
        self.before = tuple(before)  # names under which earlier versions kept the project
        self.host = host  # the agent host whose hook it is, as `install` wrote it

    @property
    def folder(self) -> str:
        """Where the hooks keep their files: beside `memory.db`."""
        return folder_of(self.data_dir)


def quick_settings(env: "Mapping[str, str]", options: "Mapping[str, str]") -> HookSettings | None:
    """Return the settings when the environment has none but the short names, else None: `load_config` must read the rest.

    A test holds it to what `load_config` returns.
    """
    given = {name[len(_PREFIX) :]: value for name, value in env.items() if name.startswith(_PREFIX) and value}
    if not given.keys() <= _NAMES or not given.get("PORT", "0").isdecimal() or not options.keys() <= _QUICK_OPTIONS:
        return None
    given |= {option[2:].upper().replace("-", "_"): value for option, value in options.items() if option != "--host"}
    data_dir = expanded(given["DATA_DIR"]) if given.get("DATA_DIR") else user_data_dir()
    found = project_at(env.get("CLAUDE_PROJECT_DIR", "")) if "PROJECT" not in given else None
    project = found.name if found else given.get("PROJECT", "")
    address = Address(given.get("HOST", "127.0.0.1"), int(given.get("PORT", 8765)), token=given.get("TOKEN", ""))
    named = address if any(given.get(name) for name in _NETWORK) else None
    return HookSettings(data_dir, project, named, host=options.get("--host", ""), before=found.before if found else ())


def read_arguments(argv: "Sequence[str]") -> "tuple[str, dict[str, str]]":
    """Return the event and the options of a command line. `argparse` would take as long as the whole hook. Raises ValueError."""
    events, options = [], {}
    rest = iter(argv)
    for word in rest:
        name, has_value, value = word.partition("=")
        if not word.startswith("-"):
            events.append(word)
        elif name in OPTIONS:
            options[name] = value if has_value else next(rest, "")
        else:
            raise ValueError(f"there is no option {name}; it takes {', '.join(OPTIONS)}")
    if len(events) != 1:
        raise ValueError("name one event")
    return events[0], options


def settings_of(options: "Mapping[str, str]") -> HookSettings:
    """Return what the options and all settings name. Raises ConfigError."""
    from mcp_memory.config_sources import load_config

    token = read_token(options["--token-file"]) if "--token-file" in options else None
    flags = {"storage.data_dir": options.get("--data-dir"), "server.project": options.get("--project"), "server.token": token}
    config = load_config(file=options.get("--config"), flags=flags)
    server = config.server
    named = any(f"server.{name.lower()}" in config.origins for name in _NETWORK)
    address = Address(server.host, server.port, token=server.token) if named else None
    return HookSettings(
        str(config.data_dir), server.project, address, redact=server.redact, host=options.get("--host", ""), before=config.project_before
    )


def read_token(path: str) -> str:
    """Return the token in a file, without surrounding space. Raises ConfigError: unreadable or empty."""
    from mcp_memory.errors import ConfigError

    try:
        with open(expanded(path), encoding="utf-8") as file:
            token = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the token file {path} cannot be read: {error}") from error
    if not token:
        raise ConfigError(f"the token file {path} is empty")
    return token
