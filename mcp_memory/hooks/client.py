"""`mcp-memory hook EVENT`: hands the host's JSON on stdin to a server that has the memory open, and prints what the agent should be told.

Without a server the event is kept beside the memory (`spooling`). A hook must never get in the agent's way: whatever goes wrong is said
on stderr, and the exit status is 0. It runs with every step, so this file and what it imports are kept light.
"""

import gc
import os
import sys
import time

from mcp_memory.hooks import wire
from mcp_memory.hooks.kinds import EVENTS, PROMPTS, SHOWS
from mcp_memory.hooks.processes import host_process
from mcp_memory.hooks.settings import quick_settings, read_arguments, settings_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from mcp_memory.hooks.settings import HookSettings

_DONE, _NOT_UNDERSTOOD = 200, 400


def main(argv: "Sequence[str] | None" = None) -> "NoReturn":
    """Answer the event named on the command line, and end the process: what `install --hooks` writes into the host's settings.

    It ends at once: taking the interpreter apart, module by module, would take a sixth of the time.
    """
    gc.disable()  # the process is gone before there is anything to collect
    status = run(sys.argv[1:] if argv is None else argv)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def run(argv: "Sequence[str]") -> int:
    """Answer one event; return the exit status, which is 0."""
    try:
        event, options = read_arguments(argv)
        if event not in EVENTS:  # of a newer version's settings, or an older one's
            raise ValueError(f"this version does not know the event {event!r}; nothing was done")
        settings = quick_settings(os.environ, options) or settings_of(options)
        printed = answer(event, sys.stdin.buffer.read(), settings)
        sys.stdout.buffer.write(printed)
        sys.stdout.buffer.flush()
    except Exception as error:
        print(f"mcp-memory hook {' '.join(argv[:1])}: {error}", file=sys.stderr)
    return 0


def answer(event: str, raw: bytes, settings: "HookSettings") -> bytes:
    """Return what to print for an event."""
    call_id, process = f"{time.time_ns():x}-{os.getpid():x}", host_process()
    headers = {wire.CALL_HEADER: call_id} | ({wire.HOST_HEADER: settings.host} if settings.host else {})
    local = headers | ({wire.PROCESS_HEADER: process} if process else {})
    status, body = _at_the_door(wire.Letter(event, raw, settings.project, local, settings.before), settings)
    if not status and settings.named is not None:
        from mcp_memory.hooks.spooling import project_of, redacted_body

        found = project_of(raw, settings)  # the server may be on another machine, where the folder is not
        sent = redacted_body(raw) if settings.redact else raw  # it may leave this machine
        letter = wire.Letter(event, sent, found.name if found else "", headers, found.before if found else ())
        status, body = _at_the_server(letter, settings.named)
    if status == _DONE:
        return _printed(event, body, settings.host)
    if status == _NOT_UNDERSTOOD:
        raise ValueError(body.decode("utf-8", "replace"))
    from mcp_memory.hooks.spooling import keep

    return keep(event, raw, call_id, settings, process)


def _at_the_door(letter: wire.Letter, settings: "HookSettings") -> tuple[int, bytes]:
    """Return the status and the answer of the server that has this memory open; 0: there is none, or it cannot answer now."""
    try:
        waits = (wire.OPENING_WAIT_S, wire.STARTING_WAIT_S) if letter.event in PROMPTS else (0.0, 0.0)
        status, body = wire.ask_door(settings.folder, letter, wait_s=waits[0], starting_wait_s=waits[1])
    except PermissionError:
        if settings.named is None:
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
