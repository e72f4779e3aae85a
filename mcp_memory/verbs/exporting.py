"""Export of the interchange file: JSON Lines, an episode or a record beside it a line; the contract is docs/interchange.md."""

import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from mcp_memory.domain.episode import Episode, Json
from mcp_memory.domain.query import Filter, Page, Sort
from mcp_memory.domain.requests import ContextFields, LineOutcome, StepFields, fields_of
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.outgoing_records import OutgoingRecords

EXPORT_PAGE = 100


class Exporting:
    """Writing whole episodes."""

    def __init__(self, engines: Engines) -> None:
        self._e = engines

    async def write(self, where: Filter) -> AsyncIterator[str]:
        """Yield the interchange lines of the episodes that match, oldest first, those of quarantined sources too; then those of what lies
        over and between them.
        """
        where = replace(where, quarantined=True)
        cursor, projects = None, dict[str, str]()
        while True:
            page = await self._e.in_thread(self._page, where, cursor)
            async for episode, line in self._written(page.ids):
                projects[episode.id] = sys.intern(episode.project)
                yield line
            cursor = page.next_cursor
            if cursor is None:
                break
        records = OutgoingRecords(self._e, projects).lines()
        while told_together := await self._e.in_thread(lambda: tuple(islice(records, EXPORT_PAGE))):
            for told in told_together:
                yield json.dumps(told, ensure_ascii=False)

    async def lines_of(self, ids: Sequence[str]) -> AsyncIterator[str]:
        """Yield the interchange lines of these episodes alone, in order; missing ones are passed over."""
        async for _, line in self._written(ids):
            yield line

    async def _written(self, ids: Sequence[str]) -> AsyncIterator[tuple[Episode, str]]:
        for start in range(0, len(ids), EXPORT_PAGE):
            found = await self._e.in_thread(self._e.store.get_episodes, ids[start : start + EXPORT_PAGE])
            names = await self._e.in_thread(self._names, found)
            for episode in found:
                if episode is not None:
                    yield episode, json.dumps(to_line(episode, names), ensure_ascii=False)

    def _page(self, where: Filter, cursor: str | None) -> Page:
        return self._e.store.list_episodes(where, sort=Sort.OLDEST, limit=EXPORT_PAGE, cursor=cursor)

    def _names(self, episodes: Sequence[Episode | None]) -> Mapping[str, str]:
        """Return the exported name (external id, else id) of every episode the given ones refer to."""
        ids = [i for e in episodes if e is not None for i in (e.follows, e.parent_id) if i]
        return {e.id: e.external_id or e.id for e in self._e.store.get_episodes(ids, steps=False) if e is not None}


def to_line(episode: Episode, names: Mapping[str, str]) -> dict[str, Json]:
    """Return *episode* in the interchange form."""
    context, outcome = episode.context, episode.outcome
    line: dict[str, Json] = {
        "external_id": episode.external_id or episode.id,
        "task": episode.task,
        "task_type": episode.task_type,
        "project": episode.project,
        "agent": episode.agent,
        "context": {name: _plain(getattr(context, name)) for name in fields_of(ContextFields)},
        "started_at_ms": episode.started_at_ms,
        "ended_at_ms": episode.ended_at_ms,
        "steps": [{name: getattr(s, name) for name in sorted(fields_of(StepFields))} for s in episode.steps],
        "outcome": None if outcome is None else {name: _plain(getattr(outcome, name)) for name in fields_of(LineOutcome)},
        "metadata": dict(episode.metadata),
    }
    if episode.follows:
        line["follows"] = names.get(episode.follows, episode.follows)
    if episode.parent_id:
        line["parent"] = names.get(episode.parent_id, episode.parent_id)
    return line


def _plain(value: Any) -> Json:
    return list(value) if isinstance(value, tuple) else value
