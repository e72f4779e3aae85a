"""Import and export of the interchange file: JSON Lines, one episode a line; see the tool contract in docs/interchange.md."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from mcp_memory.domain.episode import Episode, Json
from mcp_memory.domain.forming import episode_of_line
from mcp_memory.domain.query import Filter, Page, Sort
from mcp_memory.domain.reports import ImportReport
from mcp_memory.domain.requests import ContextFields, EpisodeLine, LineOutcome, Request, StepFields, fields_of
from mcp_memory.errors import InvalidInput
from mcp_memory.ports import Completion
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.judging import Importer
from mcp_memory.verbs.redacting import Redacting

BATCH_LINES = 100  # episodes of one transaction
EXPORT_PAGE = 100
_PARTS: Mapping[str, type[Request]] = {"context": ContextFields, "outcome": LineOutcome, "steps": StepFields}


@dataclass(slots=True)
class _Tally:
    added: int = 0
    skipped: int = 0
    open: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)


class Exchange:
    """Reading and writing whole episodes."""

    def __init__(self, engines: Engines, redacting: Redacting, imported: Callable[[], None]) -> None:
        self._e, self._redacting, self._imported = engines, redacting, imported

    async def read(self, lines: Iterable[str | bytes], progress: Callable[[int], None] | None, project: str = "") -> ImportReport:
        """Import the lines, a transaction per hundred; a bad line is reported and does not stop the others.

        Args:
            lines: The file's lines; empty ones are passed over.
            progress: Called with the number of lines read so far.
            project: Where lines go that name no project.
        """
        tally, number = _Tally(), 0
        source = iter(lines)
        while batch := await self._e.in_thread(lambda: list(islice(source, BATCH_LINES))):
            prepared = await self._e.in_thread(self._prepare, batch, number + 1, project, tally)
            number += len(batch)
            for item, added in zip(prepared, await self._e.store.import_episodes(prepared) if prepared else (), strict=True):
                tally.added += added
                tally.skipped += not added
                tally.open += added and isinstance(item, Episode)
            if progress:
                progress(number)
        self._imported()
        return ImportReport(tally.added, tally.skipped, tally.open, tuple(tally.errors), dict(tally.ignored))

    def _prepare(self, lines: Sequence[str | bytes], first: int, project: str, tally: _Tally) -> list[Completion | Episode]:
        self._e.current()
        parsed: list[tuple[int, Episode]] = []
        for number, line in enumerate(lines, first):
            if not line.strip():
                continue
            try:
                parsed.append((number, self._episode(json.loads(line), project, tally.ignored)))
            except (ValueError, TypeError, AttributeError, RecursionError) as error:
                tally.errors.append((number, getattr(error, "message", None) or f"not a JSON object of the interchange form: {error}"))
        known = self._known([episode for _, episode in parsed])
        items: list[Completion | Episode] = []
        importer = Importer(self._e)
        for _, episode in parsed:
            if (episode.project, episode.external_id) in known:
                tally.skipped += 1
            elif episode.outcome is None:
                items.append(episode)
            else:
                items.append(importer.complete(episode))
        return items

    def _known(self, episodes: Sequence[Episode]) -> set[tuple[str, str]]:
        """Return the (project, external id) pairs that are there already, as an external id or, after an export, as an id of ours."""
        known = set()
        for project in {e.project for e in episodes}:
            wanted = [e.external_id for e in episodes if e.project == project and e.external_id]
            found = self._e.store.find_external(project, wanted)
            own = self._e.store.get_episodes(wanted, steps=False)
            known |= {(project, x) for x, f, o in zip(wanted, found, own, strict=True) if f or (o and o.project == project)}
        return known

    def _episode(self, line: Any, project: str, ignored: Counter[str]) -> Episode:
        if not isinstance(line, dict):
            raise InvalidInput("the line is not a JSON object")
        asked = EpisodeLine.read(_known_fields(self._redacting.fields(line), ignored))
        return episode_of_line(asked, episode_id=self._e.new_id(), default_project=project or self._e.project, now_ms=self._e.clock())

    async def write(self, where: Filter) -> AsyncIterator[str]:
        """Yield the interchange lines of the episodes that match, oldest first."""
        cursor: str | None = None
        while True:
            page = await self._e.in_thread(self._page, where, cursor)
            async for line in self.lines_of(page.ids):
                yield line
            cursor = page.next_cursor
            if cursor is None:
                return

    async def lines_of(self, ids: Sequence[str]) -> AsyncIterator[str]:
        """Yield the interchange lines of these episodes, in order; missing ones are passed over."""
        for start in range(0, len(ids), EXPORT_PAGE):
            found = await self._e.in_thread(self._e.store.get_episodes, ids[start : start + EXPORT_PAGE])
            names = await self._e.in_thread(self._names, found)
            for episode in found:
                if episode is not None:
                    yield json.dumps(to_line(episode, names), ensure_ascii=False)

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


def _known_fields(line: Mapping[str, Any], ignored: Counter[str]) -> dict[str, Any]:
    """Return what a line says in fields that we know; the others are counted."""
    known = _without_unknown(line, EpisodeLine, ignored, "")
    for name, record in _PARTS.items():
        part = known.get(name)
        if isinstance(part, dict):
            known[name] = _without_unknown(part, record, ignored, f"{name}.")
        elif isinstance(part, list):
            known[name] = [
                _without_unknown(item, record, ignored, f"{name}[].") if isinstance(item, dict) and name == "steps" else item
                for item in part
            ]
    return known


def _without_unknown(found: Mapping[str, Any], record: type[Request], ignored: Counter[str], prefix: str) -> dict[str, Any]:
    fields = fields_of(record)
    for name in found.keys() - fields.keys():
        ignored[prefix + str(name)[:60]] += 1
    return {name: value for name, value in found.items() if name in fields and not (name.endswith("at_ms") and value == 0)}
