"""The form in which each host writes an entry for a server."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

HTTP_TOKEN = "MCP_MEMORY_TOKEN"  # the name of the variable
START_TIMEOUT_S = 60  # a first `uvx` fetches the package; Codex gives up after 10 by default


@dataclass(frozen=True, slots=True)
class Launch:
    """How the host starts the server, or where it finds it."""

    command: tuple[str, ...] = ()
    url: str = ""
    with_token: bool = False

    @property
    def is_http(self) -> bool:
        return bool(self.url)

    def headers(self, token_form: str) -> dict[str, Any]:
        """Return the member with the token's header, or none; *token_form* is how the host refers to an environment variable."""
        return {"headers": {"Authorization": f"Bearer {token_form}"}} if self.with_token else {}


Form = Callable[[Launch, str], dict[str, Any]]  # (launch, token form) -> entry


def _stdio(launch: Launch) -> dict[str, Any]:
    return {"command": launch.command[0], "args": list(launch.command[1:])}


def plain(url_field: str = "url") -> Form:
    """Return the form of most hosts: a command with arguments, or an address."""
    return lambda launch, token: {url_field: launch.url} | launch.headers(token) if launch.is_http else _stdio(launch)


def typed(local: str = "stdio", remote: str = "http", **more: Any) -> Form:
    """Return the form in which a `type` tells a local server from a remote one, and *more* members stand in each."""

    def entry(launch: Launch, token: str) -> dict[str, Any]:
        if launch.is_http:
            return {"type": remote, "url": launch.url} | launch.headers(token) | more
        return ({"type": local} if local else {}) | _stdio(launch) | more

    return entry


def opencode(launch: Launch, token: str) -> dict[str, Any]:
    """Return the entry in opencode's form."""
    if launch.is_http:
        return {"type": "remote", "url": launch.url} | launch.headers(token) | {"enabled": True}
    return {"type": "local", "command": list(launch.command), "enabled": True}


def codex(launch: Launch, _: str) -> dict[str, Any]:
    """Return the entry in Codex's form: the token is a variable's name, and the first start may take its time."""
    if launch.is_http:
        return {"url": launch.url} | ({"bearer_token_env_var": HTTP_TOKEN} if launch.with_token else {})
    return _stdio(launch) | {"startup_timeout_sec": START_TIMEOUT_S}


def continue_yaml(launch: Launch, token: str) -> dict[str, Any]:
    """Return the entry in Continue's form."""
    if launch.is_http:
        headers = launch.headers(token)
        return {"type": "streamable-http", "url": launch.url} | ({"requestOptions": headers} if headers else {})
    return {"type": "stdio"} | _stdio(launch)
