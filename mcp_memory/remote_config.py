"""The settings of shared logs: `[[remote]]` of a settings file, `MCP_MEMORY_REMOTE_URL`, and what `mcp-memory remote add` noted.

A token is never in a file: `token_env` names where in the environment it is, `keyring` says that the platform's keyring has it.
"""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from mcp_memory import private
from mcp_memory.errors import ConfigError

ENV_URL, ENV_TOKEN = "MCP_MEMORY_REMOTE_URL", "MCP_MEMORY_REMOTE_TOKEN"
ENV_TEAM_KEY = "MCP_MEMORY_TEAM_KEY"  # of all remotes
NOTED_FILE = "remotes.toml"  # in the data directory
SCHEMES = ("libsql", "https", "http", "postgresql", "postgres")
KEYS = ("url", "token_env", "keyring", "projects", "ack")  # of a table
Ack = Literal["local", "remote"]
_SECRET = re.compile(r"(?<=://)[^/?#@\s]*@|\?.*$")


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """One shared log."""

    url: str  # libsql://, https:// and http:// for libSQL (Turso, sqld), postgresql:// for PostgreSQL
    token_env: str = ""  # the environment's name for the token, of PostgreSQL for the password
    keyring: bool = False  # the platform's keyring has it, by the address (`mcp-memory remote add URL --keyring`)
    projects: tuple[str, ...] = ()  # only these leave the machine and come to it; empty: all
    ack: Ack = "local"  # remote: a write waits, for two seconds at most, until the log has it
    origin: str = field(default="", compare=False)  # where the setting came from
    token: str = field(default="", compare=False, repr=False)
    team_key: str = field(default="", compare=False, repr=False)  # seals what is sent (`replication/team_key.py`); empty: nothing does

    @property
    def address(self) -> str:
        """The address without what is secret in it: what is shown and stored."""
        return public_address(self.url)


def public_address(url: str) -> str:
    """Return an address without user, password and query.

    >>> public_address("postgresql://u:p@db.example.org/memory?sslmode=require")
    'postgresql://db.example.org/memory'
    """
    return _SECRET.sub("", url)


def remotes_of(tables: Any, origin: str, env: Mapping[str, str]) -> list[RemoteConfig]:
    """Return the remotes of a file's `[[remote]]` tables. Raises ConfigError."""
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigError(f"{origin}: write `[[remote]]`, in two brackets, for each shared log")
    return [_remote(table, origin, env) for table in tables]


def configured(in_file: Sequence[RemoteConfig], data_dir: Path, env: Mapping[str, str]) -> tuple[RemoteConfig, ...]:
    """Return all remotes, each address once: of the settings file, of the environment, and those noted in the data directory."""
    found = list(in_file)
    if url := env.get(ENV_URL):
        found.append(_remote({"url": url, "token_env": ENV_TOKEN}, ENV_URL, env))
    noted = data_dir / NOTED_FILE
    if os.path.exists(noted):  # unlike a Path it says no where a name is too long to be one
        found += remotes_of(read_tables(noted), str(noted), env)
    by_address = {remote.address: remote for remote in reversed(found)}
    return tuple(reversed(by_address.values()))


def read_tables(path: Path) -> list[dict[str, Any]]:
    """Return the tables of a file of remotes. Raises ConfigError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    tables = document.get("remote", [])
    return tables if isinstance(tables, list) else []


def _remote(table: Mapping[str, Any], origin: str, env: Mapping[str, str]) -> RemoteConfig:
    if unknown := set(table) - set(KEYS):
        raise ConfigError(f"unknown setting remote.{min(unknown)} (from {origin})", hint=f"A remote has {', '.join(KEYS)}.")
    url, projects, ack = table.get("url"), table.get("projects", []), table.get("ack", "local")
    if not isinstance(url, str) or url.partition("://")[0] not in SCHEMES:
        raise ConfigError(f"remote.url (from {origin}) must begin with {', '.join(s + '://' for s in SCHEMES)}")
    if not isinstance(projects, list) or not all(isinstance(name, str) and name for name in projects):
        raise ConfigError(f"remote.projects (from {origin}) must be a list of names")
    if ack not in get_args(Ack):
        raise ConfigError(f"remote.ack (from {origin}) must be one of {', '.join(get_args(Ack))}, not {ack!r}")
    token_env = table.get("token_env", "")
    if not isinstance(token_env, str):
        raise ConfigError(f"remote.token_env (from {origin}) must be the name of an environment variable")
    keyring = table.get("keyring", False)
    if not isinstance(keyring, bool):
        raise ConfigError(f"remote.keyring (from {origin}) must be true or false")
    if keyring and token_env:
        raise ConfigError(f"the remote {public_address(url)} (from {origin}) has both token_env and keyring", hint="Name one of them.")
    token = env.get(token_env, "") if token_env else ""
    return RemoteConfig(url, token_env, keyring, tuple(projects), ack, origin, token, env.get(ENV_TEAM_KEY, "").strip())


def note(data_dir: Path, remote: RemoteConfig) -> None:
    """Keep a remote for everything that uses the data directory; one of its address is replaced."""
    others = [table for table in _noted(data_dir) if public_address(str(table.get("url"))) != remote.address]
    table: dict[str, Any] = {"url": remote.url, "projects": list(remote.projects), "ack": remote.ack}
    table |= {"keyring": True} if remote.keyring else {"token_env": remote.token_env}  # an earlier version knows no keyring
    _write(data_dir, [*others, table])


def take_out(data_dir: Path, address: str) -> bool:
    """Forget a noted remote and return whether there was one."""
    noted = _noted(data_dir)
    left = [table for table in noted if public_address(str(table.get("url"))) != address]
    if len(left) < len(noted):
        _write(data_dir, left)
    return len(left) < len(noted)


def _noted(data_dir: Path) -> list[dict[str, Any]]:
    path = data_dir / NOTED_FILE
    return read_tables(path) if path.exists() else []


def _write(data_dir: Path, tables: Sequence[Mapping[str, Any]]) -> None:
    import tomlkit

    private.make_folder(data_dir, ours=True)
    part = data_dir / f"{NOTED_FILE}.part"
    with open(private.create(part), "w", encoding="utf-8") as file:
        file.write(tomlkit.dumps({"remote": list(tables)}))
    part.replace(data_dir / NOTED_FILE)
