"""The hooks as one part of a server: the route they come by, who keeps the door, and whom it knows."""

from collections.abc import Sequence

from starlette.routing import BaseRoute
from starlette.types import Scope

from mcp_memory.hooks import keeper
from mcp_memory.hooks.door import Audit, Door, Host
from mcp_memory.hooks.wire import Address


class HookPart:
    """Answers hooks wherever its routes are served, and keeps the local door in the background."""

    def __init__(self, host: Host, log: Audit | None = None, served_at: tuple[str, int] | None = None) -> None:
        """*served_at* is the address of this machine where the routes are served, if they are."""
        self._host, self._door = host, Door(host, log)
        self._address = Address(*served_at) if served_at else None

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The one that events come by."""
        return [self._door.route()]

    def admits(self, scope: Scope) -> bool:
        """Return whether a request carries the key of the local door."""
        return self._door.opens(scope)

    async def run(self) -> None:
        """Keep the local door and take in what waits, until cancelled."""
        await keeper.keep(self._door, self._host, self._address)
