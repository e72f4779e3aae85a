"""Which project the client of a call works in: what hosts tell of their workspace (`roots`), else what hooks of this machine tell.

A project that the settings name goes first, then the folder the host gave in CLAUDE_PROJECT_DIR; what is found here goes before the
working directory of this process, which over HTTP says nothing.
"""

import logging
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname
from weakref import WeakKeyDictionary

import anyio
from mcp.server.context import ServerRequestContext
from mcp.shared.message import ServerMessageMetadata
from mcp_types import ListRootsRequest, ListRootsResult

from mcp_memory.config import Config
from mcp_memory.config_sources import WORKING_DIRECTORY
from mcp_memory.domain.addresses import is_loopback
from mcp_memory.projects import Project, project_at, project_named_by

if TYPE_CHECKING:
    from mcp_memory.server.memory_protocol import Memory

ROOTS_WAIT_S = 1.0  # of a client that says it has roots, once a session
Context = ServerRequestContext[Any, Any]
logger = logging.getLogger(__name__)


class Workspace:
    """Finds the project of each session; asks it once."""

    def __init__(self, config: Config, *, is_shared: bool) -> None:
        self._is_open = config.origins.get("server.project", WORKING_DIRECTORY) == WORKING_DIRECTORY
        self._is_shared = is_shared
        self._is_here = not is_shared or is_loopback(config.server.host)
        self._known: WeakKeyDictionary[Any, Project | None] = WeakKeyDictionary()

    async def project(self, ctx: Context, memory: "Memory") -> str:
        """Return the namespace of the client's project; "" where it tells of none."""
        if not self._is_open:
            return ""
        connection = getattr(ctx.session, "_connection", ctx.session)
        if connection not in self._known:
            self._known[connection] = await self._asked(ctx)
        found = self._known[connection]
        if found is not None:
            return await memory.project_named(found)
        return memory.heard_project if self._is_shared and self._is_here else ""

    async def _asked(self, ctx: Context) -> Project | None:
        session = ctx.session
        capabilities = session.client_capabilities
        if capabilities is None or capabilities.roots is None or not session.can_send_request:
            return None
        try:
            with anyio.fail_after(ROOTS_WAIT_S):  # deprecated, and what today's hosts have
                asked = ServerMessageMetadata(related_request_id=ctx.request_id)
                roots = (await session.send_request(ListRootsRequest(), ListRootsResult, metadata=asked)).roots
        except Exception as error:  # a client's fault must not cost its agent the call
            logger.info("the client did not tell its roots: %r", error)
            return None
        folders = [folder for root in roots if (folder := folder_of(str(root.uri)))]
        found = [project for folder in folders if (project := self._project_of(folder)) is not None]
        return found[0] if found else None

    def _project_of(self, folder: str) -> Project | None:
        return project_at(folder) if self._is_here and os.path.isdir(folder) else project_named_by(folder)


def folder_of(uri: str) -> str:
    """Return the folder that a file URI names, "" for any other URI."""
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return ""
    return url2pathname(parts.path) if os.name == "nt" else unquote(parts.path)
