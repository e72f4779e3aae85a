"""Update notifications: when an episode completes, whoever subscribed to a resource it changes hears of it, in both protocol eras."""

import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated, ServerEvent
from mcp.shared.exceptions import MCPError
from mcp_types import METHOD_NOT_FOUND, SubscribeRequestParams, UnsubscribeRequestParams

from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.errors import McpMemoryError
from mcp_memory.server import resources
from mcp_memory.server.auditing import caller_of, connection_of

if TYPE_CHECKING:
    from mcp_memory.server.memory_protocol import Memory

Context = ServerRequestContext[Any, Any]
MAX_SUBSCRIPTIONS = 1_000  # of the older era; the oldest goes when there are more
_MAX_WAITING = 256  # completions not yet announced; the oldest is dropped: a notification only says "look again"
logger = logging.getLogger(__name__)


class Updates:
    """Who listens for what, and the task that tells them."""

    def __init__(self) -> None:
        self._bus = _CountingBus()
        self.listen = ListenHandler(self._bus)
        self._subscribed: BoundedMap[tuple[str, str], ServerSession] = BoundedMap(MAX_SUBSCRIPTIONS)  # (uri, connection) of the older era
        self._waiting: deque[tuple[Memory, str]] = deque(maxlen=_MAX_WAITING)
        self._rung = anyio.Event()

    def follow(self, memory: "Memory") -> None:
        """Announce the completions of *memory* from now on."""

        def completed(episode_id: str) -> None:
            if self._subscribed or self._bus.listeners:
                self._waiting.append((memory, episode_id))
                self._rung.set()

        memory.on_completed(completed)

    async def run(self) -> None:
        """Announce what comes, until cancelled."""
        while True:
            await self._rung.wait()
            self._rung = anyio.Event()
            while self._waiting:
                for uri in await _changed(*self._waiting.popleft()):
                    await self._announce(uri)

    async def subscribe(self, ctx: Context, params: SubscribeRequestParams) -> dict[str, Any]:
        """Serve `resources/subscribe` (older era). Any address may be subscribed to, also of what does not exist yet."""
        require_unbound(ctx)
        key = (str(params.uri), connection_of(ctx))
        self._subscribed.put(key, ctx.session)
        return {}

    async def unsubscribe(self, ctx: Context, params: UnsubscribeRequestParams) -> dict[str, Any]:
        """Serve `resources/unsubscribe` (older era)."""
        self._subscribed.pop((str(params.uri), connection_of(ctx)))
        return {}

    async def _announce(self, uri: str) -> None:
        await self._bus.publish(ResourceUpdated(uri=uri))
        for key in [key for key in self._subscribed if key[0] == uri]:
            session = self._subscribed.get(key)
            if session is None:  # unsubscribed while another one was told
                continue
            try:
                await session.send_resource_updated(uri)
            except Exception as error:  # a connection that is gone must not silence the others
                logger.debug("subscription %s ended: %r", key, error)
                self._subscribed.pop(key)


def require_unbound(ctx: Context) -> None:
    """Raise MCPError for a token of some projects: when something changes says that others work."""
    if caller_of(ctx).bound:
        raise MCPError(code=METHOD_NOT_FOUND, message="A token for some projects hears of no changes: read again.")


async def _changed(memory: "Memory", episode_id: str) -> list[str]:
    """Return the addresses whose content a completion changed."""
    changed = [resources.uri("episode", episode_id), resources.RECENT, resources.PATTERNS, resources.STATUS]
    try:
        from mcp_memory.domain.requests import GetEpisode

        found = await memory.get_episode(GetEpisode(episode_id))
    except McpMemoryError as error:
        logger.debug("announcing %s: %s", episode_id, error.line())
        return changed
    episode = found.episode
    if episode.context.domain:
        changed.append(resources.uri("lessons", episode.context.domain))
    return [*changed, resources.uri("project", episode.project)]


class _CountingBus(InMemorySubscriptionBus):
    """The SDK's bus, and how many listen."""

    listeners = 0

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        unsubscribe = super().subscribe(listener)
        self.listeners += 1
        done = False

        def leave() -> None:
            nonlocal done
            unsubscribe()
            self.listeners -= 0 if done else 1
            done = True

        return leave
