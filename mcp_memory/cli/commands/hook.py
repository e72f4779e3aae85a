"""`mcp-memory hook EVENT`: reads the host's JSON on stdin, prints what the agent should be told.

A hook must never get in the agent's way: whatever goes wrong is said on stderr and the exit status is 0.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from mcp_memory.cli.options import add_common, settings_of
from mcp_memory.errors import ConfigError

EVENTS = {
    "session-start": "SessionStart",
    "user-prompt-submit": "UserPromptSubmit",
    "post-tool-use": "PostToolUse",
    "stop": "Stop",
    "session-end": "SessionEnd",
}


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("event", choices=EVENTS, help="the event; its JSON comes on stdin")
    parser.add_argument("--token-file", metavar="FILE", help="a file with the bearer token for the resident server (else MCP_MEMORY_TOKEN)")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    try:
        event = json.load(sys.stdin)
        if not isinstance(event, dict):
            raise TypeError("the event is not a JSON object")
        print(answer(args, event), end="")
    except Exception as error:
        print(f"mcp-memory hook {args.event}: {error}", file=sys.stderr)
    return 0


def answer(args: argparse.Namespace, event: dict[str, object]) -> str:
    """Do what the event asks for and return what to print."""
    from mcp_memory.cli.hooks.events import shown
    from mcp_memory.cli.hooks.ledger import drop
    from mcp_memory.cli.hooks.link import HttpLink, OwnLink
    from mcp_memory.cli.hooks.turns import Hooks

    token = read_token(args.token_file) if args.token_file else None
    config = settings_of(args, server__token=token)
    server = HttpLink(config.server.host, config.server.port, config.server.token)
    folder = config.data_dir / "hooks"
    hooks = Hooks(folder, config.server.project, server if server.answers() else None, lambda: OwnLink(config))
    text = getattr(hooks, args.event.replace("-", "_"))(event)
    if args.event == "session-end":
        drop(folder, str(event.get("session_id") or "unknown"), time.time())
    return shown(str(event.get("hook_event_name") or EVENTS[args.event]), text)


def read_token(path: str) -> str:
    """Return the token in a file, without surrounding space. Raises ConfigError: unreadable or empty."""
    try:
        token = Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the token file {path} cannot be read: {error}") from error
    if not token:
        raise ConfigError(f"the token file {path} is empty")
    return token
