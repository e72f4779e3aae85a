"""Who keeps the door of this machine, and what waits behind it.

Every server opens one, in the folder of the hooks: the first one there keeps it, the others look every few seconds whether it still
answers. All of them take what waits in the spools, one at a time. Nothing that goes wrong here ends the server.
"""

import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import anyio
import anyio.to_thread
import uvicorn
from anyio.abc import TaskGroup, TaskStatus
from starlette.applications import Starlette

from mcp_memory.errors import McpMemoryError
from mcp_memory.hooks import sessions, signs, spool, wire
from mcp_memory.hooks.door import Door, MemoryOwner

LOOK_EVERY_S = 2.0  # how long a door may stay closed after its keeper died; until then the hooks spool
DRAIN_BUDGET_S = 1.0  # of taking what waits, before the door is looked after again
logger = logging.getLogger(__name__)


async def keep(door: Door, owner: MemoryOwner, *, always: bool = False) -> None:
    """Keep the door, while nobody else does; runs until cancelled. Not *always*: once hooks are used on this data directory."""
    keeper = _Keeper(door, always=always)
    async with anyio.create_task_group() as group:
        try:
            while True:
                await keeper.look(group, is_open=owner.state == "ready")
                await anyio.sleep(LOOK_EVERY_S)
        finally:
            keeper.leave()


class _Keeper:
    def __init__(self, door: Door, *, always: bool) -> None:
        self._always = always
        self._door, self._path = door, os.path.join(door.folder, wire.SOCKET)
        self._mine = 0  # the inode of our socket
        self._trouble = ""  # said already
        self._settled = False

    async def look(self, group: TaskGroup, *, is_open: bool) -> None:
        """Take the door when nobody answers at it; then, with the memory open, take what waits."""
        folder = self._door.folder
        try:
            if not self._always and not wire.is_used(folder):
                return
            spool.make_private(folder)
            if not self._is_mine() and hasattr(socket, "AF_UNIX") and not await anyio.to_thread.run_sync(wire.answers, folder):
                self._mine = await group.start(self._listen)
            if is_open:
                await self._take_what_waits()
            self._trouble = ""
        except (McpMemoryError, OSError) as error:
            if str(error) != self._trouble:  # once, not every two seconds
                logger.warning("the hooks in %s have to wait: %s", folder, error)
            self._trouble = str(error)
        except Exception:
            if self._trouble != "unknown":
                logger.exception("the hooks in %s have to wait", folder)
            self._trouble = "unknown"

    def leave(self) -> None:
        """Take our door away."""
        if self._is_mine():
            with suppress(OSError):
                os.unlink(self._path)

    async def _take_what_waits(self) -> None:
        hooks = await self._door.hooks()
        await hooks.drain(DRAIN_BUDGET_S)
        if not self._settled:
            self._settled = True
            sessions.remove_stale(self._door.folder, time.time())
            await hooks.settle_dead()

    def _is_mine(self) -> bool:
        try:
            return os.stat(self._path).st_ino == self._mine
        except OSError:
            return False

    async def _listen(self, *, task_status: TaskStatus[int]) -> None:
        """Serve the door alone, on a socket that takes the old one's place in one step."""
        folder = self._door.folder
        part = f"door-{os.getpid()}.part"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            with suppress(FileNotFoundError):
                os.unlink(os.path.join(folder, part))
            with wire.SocketPath(folder, part) as path:
                listener.bind(path)
            os.chmod(os.path.join(folder, part), 0o600)
            listener.listen(128)
            listener.setblocking(False)
            inode = os.stat(os.path.join(folder, part)).st_ino
            os.replace(os.path.join(folder, part), self._path)
            signs.note_open(folder)
            app = Starlette(routes=[self._door.route()])
            server = _DoorServer(uvicorn.Config(app, log_config=None, access_log=False, server_header=False, ws="none", lifespan="off"))
            async with anyio.create_task_group() as group:
                group.start_soon(_serve_until_stopped, server, listener)
                task_status.started(inode)
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
