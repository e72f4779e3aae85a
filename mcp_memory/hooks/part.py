"""The hooks as one part of a server: the route they come by, and who keeps the door of this machine."""

from collections.abc import Sequence

from starlette.routing import BaseRoute
from starlette.types import Scope

from mcp_memory.hooks import keeper
from mcp_memory.hooks.door import Audit, Door, MemoryOwner


class HookPart:
    """Answers hooks wherever its routes are served, and keeps the local door in the background."""

    def __init__(self, owner: MemoryOwner, log: Audit | None = None, *, always: bool = False) -> None:
        """*always*: open a door even where no hook has run yet; a server that an agent host starts waits for the first."""
        self._owner, self._door, self._always = owner, Door(owner, log), always

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The one that events come by."""
        return [self._door.route()]

    def admits(self, scope: Scope) -> bool:
        """Return False: who comes by the network needs what everybody needs; this machine's hooks have a door of their own."""
        return False

    def is_open(self, scope: Scope) -> bool:
        """Return False: every event is written."""
        return False

    def listening(self, url: str) -> None:
        """Nothing: hooks find the door in the data directory."""

    async def run(self) -> None:
        """Keep the local door and take in what waits, until cancelled."""
        await keeper.keep(self._door, self._owner, always=self._always)
