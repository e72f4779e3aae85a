"""`mcp-memory serve`: one HTTP port for every remote agent."""

import argparse
from pathlib import Path

from mcp_memory.cli.opening import log_to_stderr
from mcp_memory.cli.options import add_common, settings_of
from mcp_memory.errors import ConfigError


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="the address to bind (default: 127.0.0.1; any other needs a token)")
    parser.add_argument("--port", type=int, help="the port (default: 8765)")
    parser.add_argument("--token-file", metavar="FILE", help="read the bearer token from a file (else MCP_MEMORY_TOKEN)")
    parser.add_argument("--tools", choices=("core", "full"), help="which tool list to show (default: full)")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    token = read_token(args.token_file) if args.token_file else None
    config = settings_of(args, server__host=args.host, server__port=args.port, server__token=token, server__tools=args.tools)
    log_to_stderr()
    from mcp_memory.server.http import serve

    return serve(config)


def read_token(path: str) -> str:
    """Return the token in a file, without surrounding space. Raises ConfigError: unreadable or empty."""
    try:
        token = Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the token file {path} cannot be read: {error}", hint="`mcp-memory token FILE` makes one.") from error
    if not token:
        raise ConfigError(f"the token file {path} is empty", hint="`mcp-memory token FILE` makes one.")
    return token
