"""What an earlier version stored is indexed as this one does it: the traces that the views are made from, and the texts that are searched.

The version stands in each trace, and each batch is one transaction: a process that dies leaves the rest to the next one.
"""

import logging

from mcp_memory.domain.episode import Trace
from mcp_memory.errors import McpMemoryError
from mcp_memory.ports import Completion
from mcp_memory.verbs.engines import Engines

BATCH = 4  # episodes in one transaction: a caller's own write waits for it, some tens of milliseconds
logger = logging.getLogger(__name__)


class Reindexing:
    """Goes through the outdated episodes once, the newest first. Patterns and their evidence stay as they were learnt."""

    def __init__(self, engines: Engines) -> None:
        self._e = engines
        self._waiting: list[Trace] | None = None  # the oldest first; None: not looked for yet

    async def some(self) -> bool:
        """Index the next few again; False when there is nothing left to do."""
        if self._waiting is None:
            self._waiting = await self._e.in_thread(self._outdated)
        batch, self._waiting = self._waiting[-BATCH:], self._waiting[:-BATCH]
        if not batch:
            return False
        try:
            await self._e.store.reindex(await self._e.in_thread(self._made_again, batch))
        except McpMemoryError as error:  # a damaged record, a full disk: what was indexed before still serves
            logger.warning("indexing again: %s", error.line())
        return True

    def _outdated(self) -> list[Trace]:
        with self._e.views.read() as v:
            found = [trace for trace in v.catalog.traces.values() if self._e.learning.is_outdated(trace)]
        return sorted(found, key=lambda trace: trace.seq)

    def _made_again(self, batch: list[Trace]) -> list[Completion]:
        e = self._e
        made = []
        for trace, episode in zip(batch, e.store.get_episodes([trace.id for trace in batch]), strict=True):
            if episode is not None:
                extraction = e.learning.extract_again(episode, trace)
                text = e.retrieval.index_text(episode)
                made.append(Completion(episode, text, errors=extraction.errors, digest=extraction.digest))
        return made
