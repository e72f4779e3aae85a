"""A token is looked at again while its request is open: a stream that outlives it ends."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_memory.errors import ProviderUnavailable

EVERY_S = 2.0
Verify = Callable[[str], Awaitable[object | None]]
logger = logging.getLogger(__name__)


class Rechecking:
    """The open requests with their tokens. Requests shorter than EVERY_S cost a timer and nothing else."""

    def __init__(self, verify: Verify, every_s: float = EVERY_S) -> None:
        self._verify, self._every_s = verify, every_s
        self._open: dict[anyio.CancelScope, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    async def run(self, app: ASGIApp, token: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; end it when its token is no longer good."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        with anyio.CancelScope() as until_revoked:
            self._open[until_revoked] = token
            self._set_timer()
            try:
                await app(scope, receive, watched)
            finally:
                del self._open[until_revoked]
                if not self._open and self._timer is not None:
                    self._timer.cancel()
                    self._timer = None
        if until_revoked.cancelled_caught:
            logger.warning("an open request was ended: its token is no longer known")
            if not started:
                await send({"type": "http.response.start", "status": 401, "headers": [(b"www-authenticate", b"Bearer")]})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _set_timer(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._every_s, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._task = asyncio.get_running_loop().create_task(self._check())

    async def _check(self) -> None:
        for token in set(self._open.values()):
            try:
                good = await self._verify(token) is not None
            except ProviderUnavailable:
                good = True  # our trouble: it was good when the request came
            for scope in [scope for scope, its in self._open.items() if its == token and not good]:
                scope.cancel()
        if self._open:
            self._set_timer()
