"""`mcp-memory hook EVENT`: hands the host's JSON on stdin to a server that has the memory open, and prints what the agent should be told.

Without a server the event is kept beside the memory (`spooling`). A hook must never get in the agent's way: whatever goes wrong is said
on stderr, and the exit status is 0. It runs with every step, so this file and what it imports are kept light.
"""

import os
import sys
import time

from mcp_memory.cli.hooks.place import place_of, quick_place
from mcp_memory.server.hooks import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcp_memory.cli.hooks.place import Place

_DONE, _NOT_UNDERSTOOD = 200, 400


def main() -> None:
    """Answer the event named on the command line: what `install --hooks` writes into the host's settings."""
    sys.exit(run(sys.argv[1:]))


def run(argv: "Sequence[str]") -> int:
    """Answer one event; return the exit status, which is 0."""
    try:
        place, event = _read(argv)
        sys.stdout.buffer.write(answer(event, sys.stdin.buffer.read(), place))
        sys.stdout.buffer.flush()
    except (Exception, SystemExit) as error:  # SystemExit: argparse ends with 2, which a host takes for a veto
        print(f"mcp-memory hook {' '.join(argv[:1])}: {error}", file=sys.stderr)
    return 0


def answer(event: str, raw: bytes, place: "Place") -> bytes:
    """Return what to print for an event."""
    call_id = f"{time.time_ns():x}-{os.getpid():x}"
    door = wire.read_door(place.folder)
    for address in (door, place.named):
        if address is None:
            continue
        try:
            status, body = wire.ask(address, event, raw, call_id=call_id, project=place.project)
        except OSError as error:
            if address is not door:
                print(f"mcp-memory hook {event}: the server on {address.host}:{address.port} does not answer: {error}", file=sys.stderr)
            continue
        if status == _DONE:
            return body
        if status == _NOT_UNDERSTOOD:
            raise ValueError(body.decode("utf-8", "replace"))
        if address is not door:
            reason = body.decode("utf-8", "replace").strip() or f"HTTP {status}"
            print(f"mcp-memory hook {event}: the server on {address.host}:{address.port} refused: {reason}", file=sys.stderr)
    from mcp_memory.cli.hooks.spooling import keep

    return keep(event, raw, call_id, place)


def _read(argv: "Sequence[str]") -> "tuple[Place, str]":
    """Return the place and the event. The usual command lines are read here: argparse alone would take as long as the whole hook."""
    event, options = argv[0], list(argv[1:])
    given = dict(zip(options[::2], options[1::2]))
    given.pop("--host", None)  # every payload that is installed today has Claude Code's fields (`domain/hosts.py`)
    if len(options) % 2 == 0 and given.keys() <= {"--data-dir", "--project"} and (place := quick_place(os.environ, given)):
        return place, event
    from mcp_memory.cli.main import parser_of

    args = parser_of("hook").parse_args(argv)
    return place_of(args), event
