"""Bearer tokens: who may use the HTTP server. Tokens may be given as they are or hashed, so that no file has to hold one."""

import hashlib
import hmac
import ipaddress
import re
from dataclasses import dataclass

from mcp_memory.config import ServerConfig
from mcp_memory.errors import ConfigError

_HASHED = re.compile(r"(?:(?P<name>[\w.@-]{1,64})=)?sha256:(?P<digest>[0-9a-f]{64})")
_MIN_TOKEN_CHARS = 16


@dataclass(frozen=True, slots=True)
class Tokens:
    """The accepted tokens, as SHA-256 digests with the names of who holds them."""

    holders: tuple[tuple[bytes, str], ...]

    def holder(self, token: str) -> str | None:
        """Return who holds *token*, or None. Takes the same time whichever it is."""
        digest, found = hashlib.sha256(token.encode()).digest(), None
        for accepted, name in self.holders:
            if hmac.compare_digest(accepted, digest):
                found = name
        return found

    def __bool__(self) -> bool:
        return bool(self.holders)


def read_tokens(setting: str) -> Tokens:
    """Return the tokens of a setting: entries separated by commas or white space.

    An entry is a token, `sha256:<hex>` of one, or `<name>=sha256:<hex>`.

    Raises:
        ConfigError: A token is too short to be safe.
    """
    holders = []
    for number, entry in enumerate(re.split(r"[,\s]+", setting.strip()) if setting.strip() else (), start=1):
        hashed = _HASHED.fullmatch(entry)
        if hashed:
            holders.append((bytes.fromhex(hashed["digest"]), hashed["name"] or f"token-{number}"))
            continue
        if len(entry) < _MIN_TOKEN_CHARS:
            hint = "`mcp-memory token` makes a good one."
            raise ConfigError(f"the bearer token must have at least {_MIN_TOKEN_CHARS} characters", hint=hint)
        holders.append((hashlib.sha256(entry.encode()).digest(), f"token-{number}"))
    return Tokens(tuple(holders))


def is_loopback(host: str) -> bool:
    """Whether binding to *host* keeps the server on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_safe_bind(config: ServerConfig, tokens: Tokens) -> None:
    """Refuse to serve a network without a token. Raises ConfigError."""
    if not tokens and not is_loopback(config.host):
        raise ConfigError(
            f"refusing to listen on {config.host} without a bearer token",
            hint="Set MCP_MEMORY_TOKEN (`mcp-memory token` makes one), or bind 127.0.0.1.",
        )
