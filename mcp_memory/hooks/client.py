"""`mcp-memory hook EVENT`: hands the host's JSON on stdin to a server that has the memory open, and prints what the agent should be told.

Without a server the event is kept beside the memory (`spooling`). A hook must never get in the agent's way: whatever goes wrong is said
on stderr, and the exit status is 0. It runs with every step, so this file and what it imports are kept light.
"""

import os
import sys
import time

from mcp_memory.hooks import wire
from mcp_memory.hooks.place import place_of, quick_place, read_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcp_memory.hooks.place import Place

_DONE, _NOT_UNDERSTOOD = 200, 400


def main() -> None:
    """Answer the event named on the command line: what `install --hooks` writes into the host's settings."""
    sys.exit(run(sys.argv[1:]))


def run(argv: "Sequence[str]") -> int:
    """Answer one event; return the exit status, which is 0."""
    try:
        event, options = read_arguments(argv)
        place = quick_place(os.environ, options) or place_of(options)
        sys.stdout.buffer.write(answer(event, sys.stdin.buffer.read(), place))
        sys.stdout.buffer.flush()
    except Exception as error:
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
    from mcp_memory.hooks.spooling import keep

    return keep(event, raw, call_id, place)
