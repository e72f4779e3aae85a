"""`mcp-memory serve`: one HTTP port for every remote agent."""

import argparse
import sys
from typing import TYPE_CHECKING

from mcp_memory.cli.opening import log_to_stderr
from mcp_memory.cli.options import add_common, settings_of

if TYPE_CHECKING:
    from mcp_memory.config import Config


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="the address to bind (default: 127.0.0.1; any other needs a token)")
    parser.add_argument("--port", type=int, help="the port (default: 8765)")
    parser.add_argument("--token-file", metavar="FILE", help="accept the tokens in this file, made by `mcp-memory token`")
    parser.add_argument("--tools", choices=("core", "full"), help="which tool list to show (default: full)")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    config = settings_of(
        args,
        in_folder=False,  # its clients work elsewhere
        server__host=args.host,
        server__port=args.port,
        server__token_file=args.token_file,
        server__tools=args.tools,
    )
    log_to_stderr(config.server.log_format)
    from mcp_memory.cli.found_sessions import unimported
    from mcp_memory.server.http import serve

    return serve(config, started=(lambda port: _say_where(config, port)) if sys.stderr.isatty() else None, look=unimported)


def _say_where(config: "Config", port: int) -> None:
    """Tell a person where the server listens, and what to do next."""
    server = config.server
    host = f"[{server.host}]" if ":" in server.host else server.host
    url = f"http://{host}:{port}"
    token = "with a token of the token file or MCP_MEMORY_TOKEN" if server.token or server.token_file else "no token is needed"
    print(
        f"mcp-memory listens on {url}/mcp ({token}); the memory is in {config.data_dir}.\n"
        f"Next: `mcp-memory install HOST --http` connects an agent; {url}/healthz says how it is. Ctrl-C ends it.",
        file=sys.stderr,
    )
