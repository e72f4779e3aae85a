"""`mcp-memory ui`: the pages for people, in a browser. Finds the server of this memory, or serves until Ctrl-C."""

import argparse
import sys
from typing import TYPE_CHECKING

from mcp_memory.cli.opening import log_to_stderr
from mcp_memory.cli.options import add_common, settings_of, working_directory

if TYPE_CHECKING:
    from mcp_memory.config import Config
    from mcp_memory.pages.entering import Server

ANSWER_S = 2.0  # how long a server that announced itself may take to say that it is there


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, help="the port, where a server is started (default: a free one)")
    parser.add_argument(
        "--import", dest="imports", action="store_true", help="first import what agent hosts on this machine have kept of their sessions"
    )
    parser.add_argument("--no-open", action="store_true", help="print the link only, do not open a browser")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    from mcp_memory.pages import entering

    if args.imports:
        _import_found(args)
    config = settings_of(args)
    found = entering.announced(config.data_dir)
    if found is not None and _is_there(found):
        return _show(config, found, opens=not args.no_open)
    served = settings_of(args, server__port=args.port, server__host="127.0.0.1")
    log_to_stderr(config.server.log_format)
    from mcp_memory.server.http import serve

    def started(port: int) -> None:
        server = entering.announced(config.data_dir)
        if server is not None:
            _show(config, server, opens=not args.no_open)
            print("Ctrl-C ends it.", file=sys.stderr)

    from mcp_memory.cli.found_sessions import unimported

    return serve(served, started=started, look=unimported)


def _import_found(args: argparse.Namespace) -> None:
    """Import all sessions that are found. What cannot be read was said, and is no reason not to show the rest."""
    from mcp_memory.cli.commands import import_

    import_.run(argparse.Namespace(**vars(args), files=[], source=None, yes=True, quiet=False, json=False))


def _show(config: "Config", server: "Server", *, opens: bool) -> int:
    """Print a link, and open it in the person's browser where there is one."""
    from mcp_memory.projects import root_of

    link = server.link(folder=root_of(working_directory()), project="" if config.project == "default" else config.project)
    print(link, flush=True)
    if opens:
        import webbrowser

        if webbrowser.open(link):
            print("opened in your browser; the link works once, for two minutes", file=sys.stderr)
    return 0


def _is_there(server: "Server") -> bool:
    import httpx2

    try:
        return httpx2.get(f"{server.url}/healthz", timeout=ANSWER_S, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False
