"""`mcp-memory hook EVENT`: reads the host's JSON on stdin, prints what the agent should be told.

A hook must never get in the agent's way: whatever goes wrong is said on stderr and the exit status is 0. It runs with every step,
so this file and what it imports are kept light.
"""

import json
import os
import sys
import time

from mcp_memory.cli.main import HOOK_EVENTS
from mcp_memory.cli.options import add_common, settings_of
from mcp_memory.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from mcp_memory.cli.hooks.quick import Place
    from mcp_memory.config import Config


def options(parser: "argparse.ArgumentParser") -> None:
    parser.add_argument("event", choices=HOOK_EVENTS, help="the event; its JSON comes on stdin")
    parser.add_argument("--token-file", metavar="FILE", help="a file with the bearer token for the resident server (else MCP_MEMORY_TOKEN)")
    add_common(parser)


def run(args: "argparse.Namespace") -> int:
    """Answer an event with the settings of the command line."""

    def config() -> "Config":
        return settings_of(args, server__token=read_token(args.token_file) if args.token_file else None)

    return _guarded(args.event, lambda: answer(args.event, _place_of(config()), config))


def quick(event: str) -> int:
    """Answer an event whose command line has nothing but its name: the settings come from the environment."""

    def config() -> "Config":
        from mcp_memory.config import load_config

        return load_config()

    def quickly() -> str:
        from mcp_memory.cli.hooks.quick import quick_place

        return answer(event, quick_place(os.environ) or _place_of(config()), config)

    return _guarded(event, quickly)


def answer(event: str, place: "Place", config: "Callable[[], Config]") -> str:
    """Do what the event on stdin asks for and return what to print."""
    from mcp_memory.cli.hooks.events import shown
    from mcp_memory.cli.hooks.ledger import drop
    from mcp_memory.cli.hooks.link import HttpLink, OwnLink
    from mcp_memory.cli.hooks.turns import Hooks

    told = json.load(sys.stdin)
    if not isinstance(told, dict):
        raise TypeError("the event is not a JSON object")
    server = HttpLink(place.host, place.port, place.token)
    folder = os.path.join(place.data_dir, "hooks")
    hooks = Hooks(folder, place.project, server if server.answers() else None, lambda: OwnLink(config()))
    text = getattr(hooks, event.replace("-", "_"))(told)
    if event == "session-end":
        drop(folder, str(told.get("session_id") or "unknown"), time.time())
    return shown(str(told.get("hook_event_name") or HOOK_EVENTS[event]), text)


def read_token(path: str) -> str:
    """Return the token in a file, without surrounding space. Raises ConfigError: unreadable or empty."""
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            token = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the token file {path} cannot be read: {error}") from error
    if not token:
        raise ConfigError(f"the token file {path} is empty")
    return token


def _guarded(event: str, work: "Callable[[], str]") -> int:
    try:
        print(work(), end="")
    except Exception as error:
        print(f"mcp-memory hook {event}: {error}", file=sys.stderr)
    return 0


def _place_of(config: "Config") -> "Place":
    from mcp_memory.cli.hooks.quick import Place

    server = config.server
    return Place(str(config.data_dir), server.host, server.port, server.project, server.token)
