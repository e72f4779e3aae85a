"""Who keeps the door, and what waits behind it.

`serve` answers on its own port; a stdio server, which has none, opens one on the loopback address. The first one there writes the
door file, the others look every few seconds whether it still answers. All of them take what waits in the spools.
"""

import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import anyio.to_thread
import uvicorn
from anyio.abc import TaskGroup, TaskStatus
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_memory.errors import McpMemoryError
from mcp_memory.hooks import ledger, wire
from mcp_memory.hooks.door import Door, Host
from mcp_memory.hooks.wire import Address

LOOK_EVERY_S = 2.0  # how long a door may stay closed after its keeper died; until then the hooks spool
CLOSE_DEADLINE_S = 1.0  # for events that are being answered at the end
_LOOPBACK = "127.0.0.1"
logger = logging.getLogger(__name__)


async def keep(door: Door, host: Host, address: Address | None = None) -> None:
    """Keep the door, while nobody else does, as soon as the memory is open; runs until cancelled.

    Args:
        address: Where this process answers already. None: a port is opened, once hooks are used on this data directory.
    """
    opened = anyio.Event()
    host.on_open(lambda _: opened.set())
    await opened.wait()
    ledger.remove_stale(door.folder, time.time())
    async with anyio.create_task_group() as group:
        try:
            while True:
                if host.state == "ready" and (address is not None or door.is_used()):
                    address = await _look(door, address, group)
                await anyio.sleep(LOOK_EVERY_S)
        finally:
            if _is_ours(door, wire.read_door(door.folder)):
                os.unlink(os.path.join(door.folder, wire.DOOR_FILE))


async def _look(door: Door, address: Address | None, group: TaskGroup) -> Address | None:
    """Take the door when nobody answers at it, then take what waits; return where this process answers."""
    try:
        present = wire.read_door(door.folder)
        if not _is_ours(door, present) and (present is None or not await anyio.to_thread.run_sync(_answers, present)):
            if address is None:
                address = await group.start(_listen, door)
            os.makedirs(door.folder, mode=0o700, exist_ok=True)
            wire.write_door(door.folder, Address(address.host, address.port, door.key))
        await (await door.hooks()).drain()
    except (McpMemoryError, OSError) as error:
        logger.warning("the hooks in %s have to wait: %s", door.folder, error)
    return address


def _is_ours(door: Door, present: Address | None) -> bool:
    return present is not None and door.knows(present.key)


def _answers(address: Address) -> bool:
    try:
        return wire.ask(address, wire.PING, b"")[0] == 200
    except OSError:
        return False


async def _listen(door: Door, *, task_status: TaskStatus[Address]) -> None:
    """Serve the door alone, on a port of the loopback address that the system chooses."""
    with socket.create_server((_LOOPBACK, 0)) as listener:
        listener.setblocking(False)
        app = _KeyOnly(Starlette(routes=[door.route()]), door)
        server = _DoorServer(uvicorn.Config(app, log_config=None, access_log=False, server_header=False, ws="none", lifespan="off"))
        async with anyio.create_task_group() as group:
            group.start_soon(_serve_until_stopped, server, listener)
            task_status.started(Address(_LOOPBACK, listener.getsockname()[1]))
            try:
                await anyio.sleep_forever()
            finally:
                server.should_exit = True


async def _serve_until_stopped(server: "_DoorServer", listener: socket.socket) -> None:
    with anyio.CancelScope(shield=True):  # it ends by `should_exit`, so that sockets are closed and answers given
        await server.serve(sockets=[listener])


class _DoorServer(uvicorn.Server):
    """Leaves the signals to the process it is a part of."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _KeyOnly:
    """ASGI middleware: lets in who knows the key of the door file."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._door.opens(scope):
            await self._app(scope, receive, send)
        else:
            await PlainTextResponse("This door is for the hooks of this machine.\n", 403)(scope, receive, send)
