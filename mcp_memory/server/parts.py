"""What is served over HTTP beside MCP, in parts: each brings its routes, what it does in the background, and whom it lets in by itself."""

from collections.abc import Sequence
from typing import Protocol

from starlette.routing import BaseRoute
from starlette.types import Scope

from mcp_memory.hooks.part import HookPart
from mcp_memory.hooks.sessions import state_of
from mcp_memory.hooks.wire import folder_of
from mcp_memory.pages.calls import Look
from mcp_memory.pages.part import PagesPart
from mcp_memory.server.auditing import AuditLog
from mcp_memory.server.lifecycle import MemoryHost


class HttpPart(Protocol):
    """One part of the HTTP server. The guard stands before its routes as before all others."""

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Its routes; paths of other parts are not among them."""
        ...

    def admits(self, scope: Scope) -> bool:
        """Return whether a request carries a proof of its own and needs no token. Host and Origin are checked in any case."""
        ...

    def is_open(self, scope: Scope) -> bool:
        """Return whether a request may be answered without any proof, since the answer tells nothing. Its connection stays a stranger's."""
        ...

    def listening(self, url: str) -> None:
        """Hear where the server listens, once it does."""
        ...

    async def run(self) -> None:
        """Do what it does in the background; runs beside the server until cancelled, and no error of it may end the server."""
        ...


def parts_of(host: MemoryHost, log: AuditLog | None, look: Look | None = None) -> list[HttpPart]:
    """Return the parts that `serve` has beside MCP. *look* finds the sessions of agent hosts on this machine, for the pages."""
    hooks = folder_of(host.config.data_dir)
    return [HookPart(host, log, always=True), PagesPart(host, log, look, lambda: state_of(hooks))]
