"""Where settings come from. `load_config` is the only place that reads the environment.

Order: defaults, then the TOML file, then `MCP_MEMORY_<SECTION>__<KEY>` (and the short names in `ALIASES`), then command-line flags.
An unknown key or section is a ConfigError: typing errors must not be silent. In the environment other programs have names as well
(Kubernetes sets `<SERVICE>_PORT=tcp://…` for a service called mcp-memory): what cannot be a setting of ours is left alone, with a notice.
"""

import logging
import os
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from mcp_memory import setting_names
from mcp_memory.config import NAMES, SECTIONS, Config
from mcp_memory.errors import ConfigError
from mcp_memory.projects import project_at
from mcp_memory.remote_config import ENV_TEAM_KEY, ENV_TOKEN, ENV_URL, RemoteConfig, configured, remotes_of

PREFIX = "MCP_MEMORY_"
WORKING_DIRECTORY = "working directory"  # the origin of a project that is taken from it
ALIASES = {  # short environment names a user is likely to type
    "DATA_DIR": "storage.data_dir",
    "PROJECT": "server.project",
    "TOKEN": "server.token",
    "HOST": "server.host",
    "PORT": "server.port",
    "TOOLS": "server.tools",
}
_SERVICE_ADDRESS = ("tcp://", "udp://", "sctp://")  # what Kubernetes puts into `<SERVICE>_PORT`
_NOT_SETTINGS = {
    "CONFIG",
    ENV_URL.removeprefix(PREFIX),
    ENV_TOKEN.removeprefix(PREFIX),
    ENV_TEAM_KEY.removeprefix(PREFIX),
}  # what is read elsewhere; CONFIG names the TOML file
logger = logging.getLogger(__name__)


def load_config(
    env: Mapping[str, str] | None = None,
    file: str | os.PathLike[str] | None = None,
    flags: Mapping[str, Any] | None = None,
    folder: str = "",
) -> Config:
    """Return the effective settings.

    Args:
        env: The environment; `os.environ` when None.
        file: A TOML file with the sections above; when None, `MCP_MEMORY_CONFIG` may name one.
        flags: Values from the command line by dotted name (`storage.data_dir`); None values are ignored.
        folder: Where the work is done, when that is known: its project is the one used, unless one is named.

    Raises:
        ConfigError: An unknown section, key or environment name, or a value of the wrong type.
    """
    env = os.environ if env is None else env
    values: dict[str, tuple[Any, str]] = {}
    remotes: list[RemoteConfig] = []
    notes: list[str] = []
    path = file or env.get(PREFIX + "CONFIG")
    if path:
        document = _document(Path(path))
        remotes = remotes_of(document.pop("remote", []), str(path), env)
        of_file, notes = _from_file(document, str(path))
        values |= of_file
    values |= _from_env(env)
    values |= {name: (value, "command line") for name, value in (flags or {}).items() if value is not None}
    project_before: tuple[str, ...] = ()
    told = ((env.get("CLAUDE_PROJECT_DIR", ""), "CLAUDE_PROJECT_DIR"), (folder, WORKING_DIRECTORY))
    for place, origin in told:
        if not values.get("server.project", ("", ""))[0] and (found := project_at(place)) is not None:
            values["server.project"], project_before = (found.name, origin), found.before
    config = Config(project_before=project_before, notes=tuple(notes), origins={name: origin for name, (_, origin) in values.items()})
    for name, (value, origin) in values.items():
        section, _, key = name.partition(".")
        current = getattr(config, section)
        typed = _typed(get_type_hints(SECTIONS[section])[key], value, f"{name} (from {origin})")
        config = replace(config, **{section: replace(current, **{key: typed})})
    return replace(config, remotes=configured(remotes, config.data_dir, env))


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"the settings file {path} cannot be read: {error}") from error


def _from_file(document: Mapping[str, Any], path: str) -> tuple[dict[str, tuple[Any, str]], list[str]]:
    """Return the values of a file with their origin, and notes on sections of other names."""
    values: dict[str, tuple[Any, str]] = {}
    notes = []
    for section, body in document.items():
        if section in SECTIONS and isinstance(body, dict):
            values |= {_known(f"{section}.{key}", path): (value, path) for key, value in body.items()}
        elif section in setting_names.PLAN and isinstance(body, dict):
            for name, value, note in setting_names.translated(section, body, NAMES):
                values |= {name: (value, path)} if name else {}
                notes.append(note)
        else:
            close = setting_names.meant(section, [*SECTIONS, *setting_names.PLAN])
            also = f"Did you mean [{close}]? " if close else ""
            raise ConfigError(f"{path}: unknown section [{section}]", hint=f"{also}Sections are {', '.join(SECTIONS)}.")
    return values, notes


def _from_env(env: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    values = {}
    for name, value in env.items():
        short = name.removeprefix(PREFIX)
        if short == name or short in _NOT_SETTINGS or not value:
            continue
        dotted = ALIASES.get(short) or short.lower().replace("__", ".", 1)
        if dotted.partition(".")[0] not in SECTIONS or (short in ALIASES and value.startswith(_SERVICE_ADDRESS)):
            logger.warning("the environment's %s is no setting of this program and is left alone", name)
            continue
        values[_known(dotted, name)] = (value, name)
    return values


def _known(dotted: str, origin: str) -> str:
    if dotted not in NAMES:
        close = setting_names.meant(dotted, NAMES)
        hint = f"Did you mean {close}?" if close else "`mcp-memory config` lists all."
        raise ConfigError(f"unknown setting {dotted!r} (from {origin})", hint=hint)
    return dotted


def _typed(kind: Any, value: Any, what: str) -> Any:
    """Return *value* as *kind*: str, int, float, bool or a Literal of strings. Raises ConfigError."""
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise ConfigError(f"{what} must be one of {', '.join(get_args(kind))}, not {value!r}")
        return value
    try:
        if kind is bool:
            return value if isinstance(value, bool) else {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]
        if kind in (int, float) and isinstance(value, bool):
            raise ValueError
        return kind(value)
    except (KeyError, ValueError, TypeError) as error:
        raise ConfigError(f"{what} must be {kind.__name__}, not {value!r}") from error
