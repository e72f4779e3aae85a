"""Import and export of the interchange file: JSON Lines, one episode a line; see the tool contract in docs/interchange.md."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mcp_memory.domain import limits, parsing
from mcp_memory.domain.episode import Episode, EpisodeState, Json, Step
from mcp_memory.domain.identity import imported_id
from mcp_memory.domain.query import Filter, Page, Sort
from mcp_memory.domain.reports import ImportReport
from mcp_memory.errors import InvalidInput
from mcp_memory.ports import Completion
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.incoming import in_milliseconds, names_of, next_lines, parsed_json, project_of
from mcp_memory.verbs.judging import Importer
from mcp_memory.verbs.redacting import Redacting

EXPORT_PAGE = 100
_TOP = {
    "external_id", "task", "task_type", "project", "agent", "context", "started_at_ms", "ended_at_ms", "steps", "outcome", "metadata",
    "follows", "parent", "same_as",
}  # fmt: skip
_CONTEXT = {"domain", "language", "framework", "complexity", "tags"}
_STEP = {"tool", "action", "arguments", "observation", "status", "error", "duration_ms", "tokens", "at_ms"}
_OUTCOME = {"kind", "summary", "lessons", "artifacts", "completed", "failed", "error"}


@dataclass(slots=True)
class _Tally:
    added: int = 0
    skipped: int = 0
    open: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    converted: Counter[str] = field(default_factory=Counter)


class Exchange:
    """Reading and writing whole episodes."""

    def __init__(self, engines: Engines, redacting: Redacting, imported: Callable[[], None]) -> None:
        self._e, self._redacting, self._imported = engines, redacting, imported

    async def read(
        self, lines: Iterable[str | bytes], progress: Callable[[int], None] | None, project: str = "", *, dry_run: bool = False
    ) -> ImportReport:
        """Import the lines, a transaction per hundred; a bad line is reported and does not stop the others.

        Args:
            lines: The file's lines; empty ones are passed over.
            progress: Called with the number of lines read so far.
            project: Where lines go that name no project.
            dry_run: Count what would be added, and add nothing.
        """
        tally, number = _Tally(), 0
        source = iter(lines)
        while batch := await self._e.in_thread(next_lines, source):
            prepared = await self._e.in_thread(self._prepare, batch, number + 1, project, tally)
            number += len(batch)
            if dry_run:
                tally.added += len(prepared)
                continue
            for item, added in zip(prepared, await self._e.store.import_episodes(prepared) if prepared else (), strict=True):
                tally.added += added
                tally.skipped += not added
                tally.open += added and isinstance(item, Episode)
            if progress:
                progress(number)
        if not dry_run:
            self._imported()
        return ImportReport(tally.added, tally.skipped, tally.open, tuple(sorted(tally.errors)), dict(tally.ignored), dict(tally.converted))

    def _prepare(self, lines: Sequence[str | bytes], first: int, project: str, tally: _Tally) -> list[Completion | Episode]:
        self._e.current()
        read = [(number, value) for number, line in enumerate(lines, first) if (value := _object(number, line, tally)) is not None]
        # Redaction takes longer than all else, so what is here already is passed over before it: a second import is quick.
        names = [(project_of(value) or project or self._e.project, names_of(value)) for _, value in read]
        known, parsed = self._known(names), list[Episode]()
        for (number, value), (of_project, ids) in zip(read, names, strict=True):
            if any((of_project, name) in known for name in ids):
                tally.skipped += 1
                continue
            try:
                line = self._redacting.fields(in_milliseconds(value, tally.converted))
                parsed.append(self._episode(line, project, tally.ignored))
            except OverflowError:
                tally.errors.append((number, "a number is too large"))
            except (ValueError, TypeError, AttributeError, RecursionError) as error:
                tally.errors.append((number, _reason(error)))
        known = self._known([(episode.project, (episode.external_id,) if episode.external_id else ()) for episode in parsed])
        importer = Importer(self._e)
        new = [episode for episode in parsed if (episode.project, episode.external_id) not in known]
        tally.skipped += len(parsed) - len(new)
        return [episode if episode.outcome is None else importer.complete(episode) for episode in new]

    def _known(self, named: Sequence[tuple[str, Sequence[str]]]) -> set[tuple[str, str]]:
        """Return the (project, name) pairs that are there already: an external id, or an id of ours.

        An id of ours is one after an export, or an episode that the agent logged itself; one without steps, begun and forgotten, is not
        the work that the line has.
        """
        known = set()
        for project in {project for project, names in named if names}:
            wanted = [name for of_project, names in named if of_project == project for name in names]
            found = self._e.store.find_external(project, wanted)
            own = self._e.store.get_episodes(wanted, steps=False)
            known |= {
                (project, name)
                for name, external, episode in zip(wanted, found, own, strict=True)
                if external or (episode and episode.project == project and (episode.step_count or episode.outcome))
            }
        return known

    def _episode(self, line: dict[str, Any], project: str, ignored: Counter[str]) -> Episode:
        _count_unknown(ignored, line, _TOP, "")
        context = dict(line.get("context") or {})
        _count_unknown(ignored, context, _CONTEXT, "context.")
        now_ms = self._e.clock()
        started_at_ms = parsing.optional_whole("started_at_ms", line.get("started_at_ms")) or now_ms
        raw = {"project": project, **{k: v for k, v in line.items() if v is not None}, **context}
        episode = parsing.episode(self._e.new_id(), raw | {"parent_id": None}, default_project=self._e.project, now_ms=started_at_ms)
        steps = [self._step(s, i, started_at_ms, ignored) for i, s in enumerate(line.get("steps") or ())]
        if len(steps) > limits.MAX_STEPS_PER_EPISODE:
            raise InvalidInput(f"`steps` has {len(steps):,} items; the limit is {limits.MAX_STEPS_PER_EPISODE:,}")
        external_id, follows, parent = (
            parsing.identifier(name, line[name]) if line.get(name) is not None else None for name in ("external_id", "follows", "parent")
        )
        episode_id = imported_id(episode.project, external_id) if external_id else episode.id
        episode = replace(
            episode, id=episode_id, steps=tuple(steps), step_count=len(steps), external_id=external_id, follows=follows, parent_id=parent
        )
        raw_outcome = line.get("outcome")
        if raw_outcome is None:
            return episode
        _count_unknown(ignored, raw_outcome, _OUTCOME, "outcome.")
        ended_at_ms = parsing.optional_whole("ended_at_ms", line.get("ended_at_ms")) or max(started_at_ms, *(s.at_ms for s in steps), 0)
        return replace(
            episode,
            outcome=parsing.outcome(raw_outcome, kind_field="kind"),
            state=EpisodeState.COMPLETED,
            ended_at_ms=max(ended_at_ms, started_at_ms),
        )

    def _step(self, raw: Any, index: int, started_at_ms: int, ignored: Counter[str]) -> Step:
        if not isinstance(raw, dict):
            raise InvalidInput(f"`steps[{index}]` is not an object")
        _count_unknown(ignored, raw, _STEP, "steps[].")
        known = {k: v for k, v in raw.items() if v is not None and not (k == "at_ms" and not v)}
        return replace(parsing.step(known, now_ms=started_at_ms, prefix=f"steps[{index}]."), index=index)

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


def _object(number: int, line: str | bytes, tally: _Tally) -> dict[str, Any] | None:
    """Return the object on a line; None where there is nothing, or a problem, which goes to *tally*."""
    if not line.strip():
        return None
    try:
        value = parsed_json(line)
        if not isinstance(value, dict):
            raise InvalidInput("the line is not a JSON object")
        project_of(value)
        names_of(value)
        return value
    except OverflowError:
        tally.errors.append((number, "a number is too large"))
    except (ValueError, RecursionError) as error:
        tally.errors.append((number, _reason(error)))
    return None


def _reason(error: Exception) -> str:
    return getattr(error, "message", None) or f"not a JSON object of the interchange form: {error}"


def to_line(episode: Episode, names: Mapping[str, str]) -> dict[str, Json]:
    """Return *episode* in the interchange form."""
    context, outcome = episode.context, episode.outcome
    line: dict[str, Json] = {
        "external_id": episode.external_id or episode.id,
        "task": episode.task,
        "task_type": episode.task_type,
        "project": episode.project,
        "agent": episode.agent,
        "context": {
            "domain": context.domain,
            "language": context.language,
            "framework": context.framework,
            "complexity": context.complexity,
            "tags": list(context.tags),
        },
        "started_at_ms": episode.started_at_ms,
        "ended_at_ms": episode.ended_at_ms,
        "steps": [{name: getattr(s, name) for name in sorted(_STEP)} for s in episode.steps],
        "outcome": None
        if outcome is None
        else {
            "kind": outcome.kind,
            "summary": outcome.summary,
            "lessons": list(outcome.lessons),
            "artifacts": list(outcome.artifacts),
            "completed": list(outcome.completed),
            "failed": list(outcome.failed),
            "error": outcome.error,
        },
        "metadata": dict(episode.metadata),
    }
    if episode.follows:
        line["follows"] = names.get(episode.follows, episode.follows)
    if episode.parent_id:
        line["parent"] = names.get(episode.parent_id, episode.parent_id)
    return line


def _count_unknown(ignored: Counter[str], found: Any, known: set[str], prefix: str) -> None:
    if not isinstance(found, dict):
        raise InvalidInput(f"`{prefix.rstrip('.') or 'line'}` is not an object")
    for name in found.keys() - known:
        ignored[prefix + str(name)[:60]] += 1
