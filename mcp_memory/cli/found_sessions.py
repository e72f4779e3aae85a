"""What `mcp-memory import` finds on this machine when nothing is named: said, counted, and imported only when somebody agrees."""

import argparse
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.reading import Reader, Transcript
from mcp_memory.cli.transcripts.hosts import HOSTS, HostSessions, folders_of, sessions_here
from mcp_memory.domain.activity import FoundSessions

if TYPE_CHECKING:
    from mcp_memory.memory import EpisodicMemory


@dataclass(frozen=True, slots=True)
class Survey:
    """What one host's folder has for the memory."""

    found: HostSessions
    sessions: int  # that led to a tool call
    tasks: int
    new: int  # tasks the memory does not have


class _Counted(Transcript):
    """A file of which only the sessions are counted."""

    def __init__(self, name: str, reader: Reader, kind: str, sessions: set[Any]) -> None:
        super().__init__(name, reader, kind)
        self._sessions = sessions

    def note(self, episode: dict[str, Any]) -> None:
        self._sessions.add(episode["metadata"].get("session_id"))


def chosen(args: argparse.Namespace) -> list[tuple[str | None, str]] | None:
    """Say what there is, and return the files to import: None when there is nothing new, or nobody agreed.

    What is found goes to stdout, or to stderr where --json wants that for itself.
    """
    here, out = sessions_here(), sys.stderr if args.json else sys.stdout
    if not here:
        places = "\n".join(f"  {host}: {', '.join(map(str, folders_of(host)))}" for host in HOSTS)
        print(f"No sessions of agent hosts here. Looked for:\n{places}\nName a file, or - for stdin.", file=out)
        return None
    surveys = with_memory(args, lambda memory: _survey(memory, here, project=args.project or "", quiet=args.quiet))
    for survey in surveys:
        print(_line(survey), file=out)
    new = sum(survey.new for survey in surveys)
    if not new:
        print("Nothing is new.", file=out)
        return None
    if not args.yes and not _agreed(new, out):
        print("Nothing was imported.", file=out)
        return None
    return [(survey.found.host, str(path)) for survey in surveys if survey.new for path in survey.found.files]


async def unimported(memory: "EpisodicMemory") -> list[FoundSessions]:
    """Return the hosts whose sessions on this machine hold tasks that the memory does not have. Reads every session."""
    surveys = await _survey(memory, sessions_here(), project="", quiet=True)
    return [FoundSessions(s.found.host, str(s.found.folder), s.sessions, s.new) for s in surveys if s.new]


async def _survey(memory: "EpisodicMemory", here: list[HostSessions], *, project: str, quiet: bool) -> list[Survey]:
    surveys = []
    with Reader(quiet=quiet, doing="looking") as reader:
        reader.expect(str(path) for found in here for path in found.files)
        for found in here:
            sessions: set[Any] = set()
            tasks = new = 0
            for path in found.files:
                report = await memory.import_lines(_Counted(str(path), reader, found.host, sessions).lines(), project=project, dry_run=True)
                tasks += report.added + report.skipped
                new += report.added
            surveys.append(Survey(found, len(sessions), tasks, new))
    return surveys


def _line(survey: Survey) -> str:
    sessions, tasks = _counted(survey.sessions, "session"), _counted(survey.tasks, "task")
    return f"{survey.found.host}: {survey.found.folder}: {sessions} with {tasks}, {survey.new} new"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _agreed(new: int, out: TextIO) -> bool:
    """Ask whether to import; without a person at the terminal nobody agrees."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        print(f"Run it again with --yes to import {_counted(new, 'new task')}.", file=out)
        return False
    print(f"Import {_counted(new, 'new task')}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
