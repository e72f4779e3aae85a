"""Import of the interchange file: JSON Lines, an episode or a record beside it a line; the contract is docs/interchange.md."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mcp_memory.domain.episode import Episode, imported_id
from mcp_memory.domain.forming import episode_of_line
from mcp_memory.domain.reports import ImportReport
from mcp_memory.domain.requests import ContextFields, EpisodeLine, LineOutcome, Request, StepFields
from mcp_memory.errors import InvalidInput, NotFound
from mcp_memory.ports import Completion
from mcp_memory.projects import Project
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.incoming import earlier_names, in_milliseconds, known_fields, names_of, next_lines, parsed_json, project_of
from mcp_memory.verbs.incoming_records import IncomingRecords, is_record
from mcp_memory.verbs.judging import Importer
from mcp_memory.verbs.redacting import Redacting

_PARTS: Mapping[str, type[Request]] = {"context": ContextFields, "outcome": LineOutcome, "steps": StepFields}


@dataclass(slots=True)
class _Tally:
    added: int = 0
    skipped: int = 0
    open: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    converted: Counter[str] = field(default_factory=Counter)
    records: int = 0
    records_skipped: int = 0


class Importing:
    """Reading whole episodes."""

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
            dry_run: Count the episodes that would be added, and add nothing.
        """
        tally, number, records = _Tally(), 0, IncomingRecords(self._e, self._redacting, project or self._e.project)
        source = iter(lines)
        while batch := await self._e.in_thread(next_lines, source):
            read = await self._e.in_thread(_objects, batch, number + 1, tally)
            episodes = [(at, value) for at, value in read if not is_record(value)]
            for _, value in episodes:
                await self._keep_together(value, dry_run=dry_run)
            prepared = await self._e.in_thread(self._prepare, episodes, project, tally)
            number += len(batch)
            if dry_run:
                tally.added += len(prepared)
                continue
            for item, added in zip(prepared, await self._e.store.import_episodes(prepared) if prepared else (), strict=True):
                tally.added += added
                tally.skipped += not added
                tally.open += added and isinstance(item, Episode)
            for at, value in read:
                if is_record(value):
                    await _keep(records, at, value, tally)
            if progress:
                progress(number)
        if not dry_run:
            self._imported()
        return ImportReport(
            tally.added, tally.skipped, tally.open, tuple(sorted(tally.errors)), dict(tally.ignored), dict(tally.converted),
            tally.records, tally.records_skipped,
        )  # fmt: skip

    async def _keep_together(self, line: dict[str, Any], *, dry_run: bool) -> None:
        """Let a line go where its project is kept."""
        if before := earlier_names(line):
            line["project"] = await self._e.projects.kept_as(Project(project_of(line), before), dry_run=dry_run)

    def _prepare(self, read: Sequence[tuple[int, dict[str, Any]]], project: str, tally: _Tally) -> list[Completion | Episode]:
        self._e.current()
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

    def _episode(self, line: Any, project: str, ignored: Counter[str]) -> Episode:
        asked = EpisodeLine.read(_fields(line, ignored))
        episode = episode_of_line(asked, episode_id=self._e.new_id(), default_project=project or self._e.project, now_ms=self._e.clock())
        return replace(episode, id=imported_id(episode.project, episode.external_id)) if episode.external_id else episode


async def _keep(records: IncomingRecords, number: int, line: Mapping[str, Any], tally: _Tally) -> None:
    try:
        added = await records.keep(line, tally.ignored)
    except (NotFound, ValueError, TypeError, RecursionError, OverflowError) as error:
        tally.errors.append((number, _reason(error)))
    else:
        tally.records += added
        tally.records_skipped += not added


def _objects(lines: Sequence[str | bytes], first: int, tally: _Tally) -> list[tuple[int, dict[str, Any]]]:
    """Return the objects on the lines with their lines' numbers; problems go to *tally*."""
    return [(number, value) for number, line in enumerate(lines, first) if (value := _object(number, line, tally)) is not None]


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
        earlier_names(value)
        return value
    except OverflowError:
        tally.errors.append((number, "a number is too large"))
    except (ValueError, RecursionError) as error:
        tally.errors.append((number, _reason(error)))
    return None


def _reason(error: Exception) -> str:
    return getattr(error, "message", None) or f"not a JSON object of the interchange form: {error}"


def _fields(line: Mapping[str, Any], ignored: Counter[str]) -> dict[str, Any]:
    """Return what a line says in fields that we know; the others are counted."""
    known = known_fields(line, EpisodeLine, ignored, "")
    for name, record in _PARTS.items():
        part = known.get(name)
        if isinstance(part, dict):
            known[name] = known_fields(part, record, ignored, f"{name}.")
        elif isinstance(part, list):
            known[name] = [
                known_fields(item, record, ignored, f"{name}[].") if isinstance(item, dict) and name == "steps" else item for item in part
            ]
    return known
