"""Where the server may listen, and what it takes to do so."""

import logging

from mcp_memory.config import ServerConfig
from mcp_memory.domain.addresses import is_loopback
from mcp_memory.errors import ConfigError

logger = logging.getLogger(__name__)


def require_safe_bind(config: ServerConfig, *, authenticated: bool) -> None:
    """Refuse to serve a network without authentication; say so when the tokens would travel in clear text.

    Raises:
        ConfigError: The address is not a loopback one and nobody would be asked for a token.
    """
    if is_loopback(config.host):
        return
    if not authenticated:
        raise ConfigError(
            f"refusing to listen on {config.host} without a bearer token",
            hint="Set MCP_MEMORY_TOKEN, server.token_file (`mcp-memory token` makes one) or server.oauth_issuer, or bind 127.0.0.1.",
        )
    if not config.public_url.startswith("https://"):
        logger.warning(
            "listening on %s without TLS: put a proxy that ends TLS in front, and set server.public_url to its address", config.host
        )
