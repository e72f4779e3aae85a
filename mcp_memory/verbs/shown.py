"""What was shown: noted without keeping the reader waiting, and known to whoever votes on it a moment later."""

import anyio

from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.domain.feedback import Recommendation
from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.errors import NotFound
from mcp_memory.verbs.engines import AFTER_ANSWER_S, Engines, calling

_KEPT_IDS = 10_000  # shown lately by this process; an older id must be of the episode's own project to be voted on


class Shown:
    """The recommendations of this process on their way into the store, and those that are there. Use in the event loop."""

    def __init__(self, engines: Engines) -> None:
        self._e = engines
        self._queued: dict[str, tuple[str | None, anyio.Event]] = {}  # to which episode, and set when it is written or cannot be
        self._lately: BoundedMap[tuple[str, str], None] = BoundedMap(_KEPT_IDS)  # (client, id)

    def note(self, recommendation: Recommendation) -> None:
        """Queue what was shown. Not awaited: reading must not cost a commit."""
        written = anyio.Event()
        self._queued[recommendation.id] = recommendation.episode_id, written
        for key in recommendation.shown_ids:
            self._lately.put((calling.get().client, key), None)

        async def write() -> None:
            try:
                await anyio.sleep(AFTER_ANSWER_S)
                await self._e.store.put_recommendation(recommendation)
            finally:
                self._queued.pop(recommendation.id, None)
                written.set()

        self._e.start_soon(write)

    async def of(self, recommendation_id: str) -> Recommendation:
        """Return what was shown under an id; waits for the write of one that is still queued.

        Raises:
            NotFound: Nothing was shown under it.
        """
        if (queued := self._queued.get(recommendation_id)) is not None:
            await queued[1].wait()
        found = await self._e.in_thread(lambda: self._e.store.recommendations(ids=[recommendation_id]))
        if not found:
            raise NotFound(
                f"there is no recommendation {recommendation_id!r}",
                hint="Use the `recommendation_id` that `recall`, `suggest_next_step` or `recommend_playbook` returned.",
            )
        return found[0]

    async def written(self, episode_id: str) -> None:
        """Wait for the writes of what was shown to an episode: its completion counts what came of it."""
        for to, written in list(self._queued.values()):
            if to == episode_id:
                await written.wait()

    def in_reach(self, key: str, of_project: str, project: str) -> bool:
        """Whether who works in *project* may vote on *key* of *of_project*: its own, or shown lately to this client."""
        return project in (of_project, ANY_PROJECT) or (calling.get().client, key) in self._lately
