"""`mcp-memory hook EVENT`: hands the host's JSON on stdin to a server that has the memory open, and prints what the agent should be told.

Without a server the event is kept beside the memory (`spooling`). A hook must never get in the agent's way: whatever goes wrong is said
on stderr, and the exit status is 0. It runs with every step, so this file and what it imports are kept light.
"""

import os
import sys
import time

from mcp_memory.hooks import wire
from mcp_memory.hooks.kinds import EVENTS, PROMPTS, SHOWS
from mcp_memory.hooks.place import place_of, quick_place, read_arguments
from mcp_memory.hooks.processes import host_process

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
        if event not in EVENTS:  # of a newer version's settings, or an older one's
            raise ValueError(f"this version does not know the event {event!r}; nothing was done")
        place = quick_place(os.environ, options) or place_of(options)
        printed = answer(event, sys.stdin.buffer.read(), place)
        sys.stdout.buffer.write(printed)
        sys.stdout.buffer.flush()
    except Exception as error:
        print(f"mcp-memory hook {' '.join(argv[:1])}: {error}", file=sys.stderr)
    return 0


def answer(event: str, raw: bytes, place: "Place") -> bytes:
    """Return what to print for an event."""
    call_id, process = f"{time.time_ns():x}-{os.getpid():x}", host_process()
    headers = {wire.CALL_HEADER: call_id} | ({wire.HOST_HEADER: place.host} if place.host else {})
    local = headers | ({wire.PROCESS_HEADER: process} if process else {})
    status, body = _at_the_door(wire.Letter(event, raw, place.project, local, place.before), place)
    if not status and place.named is not None:
        from mcp_memory.hooks.spooling import project_of, redacted_body

        found = project_of(raw, place)  # the server may be on another machine, where the folder is not
        sent = redacted_body(raw) if place.redact else raw  # it may leave this machine
        letter = wire.Letter(event, sent, found.name if found else "", headers, found.before if found else ())
        status, body = _at_the_server(letter, place.named)
    if status == _DONE:
        return _printed(event, body, place.host)
    if status == _NOT_UNDERSTOOD:
        raise ValueError(body.decode("utf-8", "replace"))
    from mcp_memory.hooks.spooling import keep

    return keep(event, raw, call_id, place, process)


def _at_the_door(letter: wire.Letter, place: "Place") -> tuple[int, bytes]:
    """Return the status and the answer of the server that has this memory open; 0: there is none, or it cannot answer now."""
    try:
        status, body = wire.ask_door(place.folder, letter, wait_s=wire.OPENING_WAIT_S if letter.event in PROMPTS else 0.0)
    except PermissionError:
        if place.named is None:
            raise
        return 0, b""
    except OSError:
        return 0, b""
    return (status, body) if status in (_DONE, _NOT_UNDERSTOOD) else (0, b"")


def _at_the_server(letter: wire.Letter, address: wire.Address) -> tuple[int, bytes]:
    """Return the status and the answer of the server that the settings name; 0, and a word on stderr: it cannot answer now."""
    try:
        status, body = wire.ask_server(address, letter)
    except OSError as error:
        print(f"mcp-memory hook {letter.event}: the server on {address} does not answer: {error}", file=sys.stderr)
        return 0, b""
    if status in (_DONE, _NOT_UNDERSTOOD):
        return status, body
    reason = body.decode("utf-8", "replace").strip() or f"HTTP {status}"
    print(f"mcp-memory hook {letter.event}: the server on {address} refused: {reason}", file=sys.stderr)
    return 0, b""


def _printed(event: str, body: bytes, host: str) -> bytes:
    """Return what the host is told of an answer: the text for the agent, and nothing else that whoever answered may have said."""
    if not body or event not in SHOWS:
        return b""
    from mcp_memory.hooks.answers import context_in, shown

    name, text = context_in(body)
    return shown(event, name, text, host).encode()
