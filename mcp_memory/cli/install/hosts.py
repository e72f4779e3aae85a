"""The agent hosts: where each keeps its configuration, under which key, and in which form an entry is written.

Forms as the hosts document them, November 2026.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_memory.errors import InvalidInput

HTTP_TOKEN = "MCP_MEMORY_TOKEN"  # the name of the variable


@dataclass(frozen=True, slots=True)
class Launch:
    """How the host starts the server, or where it finds it."""

    command: tuple[str, ...] = ()
    url: str = ""
    with_token: bool = False

    @property
    def is_http(self) -> bool:
        return bool(self.url)


@dataclass(frozen=True, slots=True)
class Host:
    """One agent host."""

    name: str
    key: str  # the object that holds the servers
    user_file: str  # see `_place`
    project_file: str = ""  # "" where the host has none
    url_field: str = "url"  # "" where the file cannot name a remote server
    typed: bool = False  # entries carry a `type`
    token_form: str = ""  # how a header refers to an environment variable; "" where it cannot

    def file(self, project: Path | None) -> Path:
        """Return the file to edit. Raises InvalidInput: the host has no project file."""
        if project is None:
            return _place(self.user_file)
        if not self.project_file:
            raise InvalidInput(f"{self.name} has no per-project file", hint="Leave out --project-dir.")
        return project / self.project_file

    def entry(self, launch: Launch) -> dict[str, Any]:
        """Return the host's entry for the server. Raises InvalidInput: the host cannot do that."""
        if not launch.is_http:
            kind: dict[str, Any] = {"type": "stdio"} if self.typed else {}
            return kind | {"command": launch.command[0], "args": list(launch.command[1:])}
        if not self.url_field:
            raise InvalidInput(f"{self.name} reads only local servers from its file", hint="Install without --http.")
        entry: dict[str, Any] = ({"type": "http"} if self.typed else {}) | {self.url_field: launch.url}
        if launch.with_token:
            if not self.token_form:
                raise InvalidInput(f"{self.name} cannot take the token from the environment", hint="Add the header to its file by hand.")
            entry["headers"] = {"Authorization": f"Bearer {self.token_form}"}
        return entry

    def extras(self, launch: Launch) -> Mapping[str, dict[str, Any]]:
        """Return items for arrays beside the servers, by the array's name: VS Code asks for a token by an input."""
        if self.name == "vscode" and launch.with_token:
            prompt = {"type": "promptString", "id": "mcp-memory-token", "description": "Bearer token of mcp-memory", "password": True}
            return {"inputs": prompt}
        return {}


HOSTS = {
    host.name: host
    for host in (
        Host("claude-code", "mcpServers", "~/.claude.json", ".mcp.json", typed=True, token_form=f"${{{HTTP_TOKEN}}}"),
        Host("claude-desktop", "mcpServers", "APP/Claude/claude_desktop_config.json", url_field=""),
        Host("cursor", "mcpServers", "~/.cursor/mcp.json", ".cursor/mcp.json", token_form=f"${{env:{HTTP_TOKEN}}}"),
        Host("vscode", "servers", "APP/Code/User/mcp.json", ".vscode/mcp.json", typed=True, token_form="${input:mcp-memory-token}"),
        Host("windsurf", "mcpServers", "~/.codeium/windsurf/mcp_config.json", url_field="serverUrl", token_form=f"${{env:{HTTP_TOKEN}}}"),
        Host("zed", "context_servers", "ZED/settings.json", ".zed/settings.json"),
    )
}


def _place(pattern: str) -> Path:
    """Return a user file: `~` is the home directory, APP the applications' settings folder, ZED Zed's own."""
    home = Path.home()
    if sys.platform == "win32":
        app = Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        app = home / "Library" / "Application Support"
    else:
        app = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    first, _, rest = pattern.partition("/")
    if first == "ZED":
        return (app / "Zed" if sys.platform == "win32" else Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "zed") / rest
    return {"~": home, "APP": app}[first] / rest
