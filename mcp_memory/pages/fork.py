"""Fork: all attempts at one task beside the one that worked, what tells them apart, and what is made of it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread

from mcp_memory.domain.episode import EpisodeState
from mcp_memory.domain.forks import Did, Fork, ForkColumn, ForkRow
from mcp_memory.domain.metadata_keys import LESSON_FOR_AGENTS
from mcp_memory.domain.text import tidy_name
from mcp_memory.pages.calls import Answer, Call, GoTo, Page, Refused
from mcp_memory.pages.sessions import Notice, Undo
from mcp_memory.phrases.contrasts import certainty, contrast, lesson
from mcp_memory.rendering.marked_block import LESSONS, block_in, put, text_of
from mcp_memory.rendering.neutralise import unmarked

SUCCESS = "success"
AGENTS_FILE = "AGENTS.md"
HEADING = "## Lessons from earlier attempts"
BASE = "/ui/fork"


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """A column, narrow where it tells nothing."""

    column: ForkColumn
    alike: bool  # every attempt did this


@dataclass(frozen=True, slots=True)
class Counted:
    """How attempts ended before a lesson was put into AGENTS.md, and since."""

    before: tuple[int, int]  # how many worked, of how many
    since: tuple[int, int]


async def tasks(call: Call) -> Answer:
    """The tasks where attempts parted."""
    found = await call.dear("forks", lambda: call.memory.forked_tasks(project=call.session.project))
    return Page("forks.html", {"tasks": found})


async def show(call: Call) -> Answer:
    """The page of one task."""
    asked = await call.memory.get_episode(episode_id=call.path["episode_id"])
    if asked.episode.state is not EpisodeState.COMPLETED:
        return Page("fork_open.html", {"episode": asked.episode})
    fork = await call.memory.compare_attempts(episode_id=asked.episode.id)
    reference = await call.memory.get_episode(episode_id=fork.reference_id)
    return Page(
        "fork.html",
        {
            "fork": fork,
            "asked": asked.episode.id,
            "columns": shown_columns(fork),
            "left": _left(fork),
            "found": [(contrast(c), certainty(c), lesson(c)) for c in fork.contrasts],
            "lessons": reference.episode.outcome.lessons if reference.episode.outcome else (),
            "agents_file": _agents_file(call),
            "kept": fork.kept,
            "counted": _counted(fork, fork.kept.at_ms) if fork.kept else None,
        },
    )


def shown_columns(fork: Fork) -> list[ShownColumn]:
    """Return the columns, those marked that all attempts have in common."""
    return [ShownColumn(c, all(r.cells[i].did is Did.SAME for r in fork.rows)) for i, c in enumerate(fork.columns)]


def _left(fork: Fork) -> Mapping[int, Sequence[ForkRow]]:
    """Return by column the failed attempts that first did something else there; columns that most successes pass over do not count."""
    goods = sum(row.episode.outcome == SUCCESS for row in fork.rows)
    usual = [i for i, c in enumerate(fork.columns) if 2 * (c.good + 1) > goods]
    left: dict[int, list[ForkRow]] = {}
    for row in fork.rows[1:]:
        at = next((i for i in usual if row.cells[i].did is not Did.SAME), None)
        if row.episode.outcome != SUCCESS and at is not None:
            left.setdefault(at, []).append(row)
    return left


def _counted(fork: Fork, at_ms: int) -> Counted:
    before = [worked for ended, worked in fork.history if ended < at_ms]
    since = [worked for ended, worked in fork.history if ended >= at_ms]
    return Counted((sum(before), len(before)), (sum(since), len(since)))


async def keep(call: Call) -> Answer:
    """Add a sentence to the lessons of the attempt that worked: recalls of this task say it from now on."""
    text, episode_id = _sentence(call), call.path["episode_id"]
    found = (await call.memory.get_episode(episode_id=episode_id)).episode
    if found.outcome is None:
        raise Refused("this attempt is not completed", hint="Only a completed attempt has lessons.")
    await call.memory.complete_episode(episode_id=found.id, outcome=found.outcome.kind, lessons=[text])
    call.session.notice = Notice("Kept: who recalls this task is told so from now on.")
    return GoTo(f"{BASE}/{found.id}")


async def put_in(call: Call) -> Answer:
    """Put a sentence between our markers in the AGENTS.md of the repository the person works in."""
    text, path = unmarked(_sentence(call)), _agents_file(call)
    if path is None or call.session.folder is None:
        raise Refused("it is not known which repository you work in", hint="Run `mcp-memory ui` in its folder.")
    found = (await call.memory.get_episode(episode_id=call.path["episode_id"])).episode
    done = await _written(_with_line, path, call.session.folder, text)
    await call.memory.update_episode(
        episode_id=found.id, metadata={LESSON_FOR_AGENTS: {"text": text, "at_ms": time.time_ns() // 1_000_000}}
    )
    call.session.notice = Notice(
        f"{done}. From now on it is counted how attempts end.", Undo(f"{BASE}/{found.id}/agents/undo", {"text": text})
    )
    return GoTo(f"{BASE}/{found.id}")


async def take_out(call: Call) -> Answer:
    """Take a sentence out again; the file is as it was."""
    text, path = _sentence(call), _agents_file(call)
    if path is None or call.session.folder is None:
        raise Refused("it is not known which repository you work in", hint="Run `mcp-memory ui` in its folder.")
    found = (await call.memory.get_episode(episode_id=call.path["episode_id"])).episode
    done = await _written(_without_line, path, call.session.folder, text)
    await call.memory.update_episode(episode_id=found.id, metadata={LESSON_FOR_AGENTS: None})
    call.session.notice = Notice(f"{done}.")
    return GoTo(f"{BASE}/{found.id}")


async def _written(work: Callable[[Path, Path, str], str], path: Path, within: Path, text: str) -> str:
    try:
        return await anyio.to_thread.run_sync(work, path, within, text)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror or error}", hint="See to its rights, then try again.") from error


def _sentence(call: Call) -> str:
    text = tidy_name(call.form.get("text", ""))
    if not text:
        raise Refused("there is no sentence", hint="Write what the next attempt should know.")
    return text


def _agents_file(call: Call) -> Path | None:
    return call.session.folder / AGENTS_FILE if call.session.folder is not None else None


def _with_line(path: Path, within: Path, text: str) -> str:
    lines = _lines(path, within)
    return put(path, _block(dict.fromkeys([*lines, text])), LESSONS, within)


def _without_line(path: Path, within: Path, text: str) -> str:
    return put(path, _block([line for line in _lines(path, within) if line != text]), LESSONS, within)


def _lines(path: Path, within: Path) -> list[str]:
    block = block_in(text_of(path, within) or "", LESSONS)
    return [line.removeprefix("- ") for line in block.splitlines() if line.startswith("- ")]


def _block(lines: Mapping[str, None] | Sequence[str]) -> str:
    return "\n".join([HEADING, "", *(f"- {line}" for line in lines)]) if lines else ""
