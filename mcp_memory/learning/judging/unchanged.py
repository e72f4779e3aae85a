"""Whether an attempt at a change ended without one: nothing was written but what the run made to try something out. Pure."""

from collections.abc import Collection, Sequence

from mcp_memory.domain import facts
from mcp_memory.domain.episode import Episode, Step, Trace, Use
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.learning.judging.comparison import CHANGED, OFTEN, SELDOM
from mcp_memory.learning.reading.changes import is_scratch
from mcp_memory.learning.reading.edits import FILE_HEAD
from mcp_memory.learning.reading.file_uses import files_of, same_file, touches_in, touches_of
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.reading.written_files import may_write_unseen, opened_files, written_files

MAX_SCRATCH, MAX_NAMED = 3, 2  # files that are named: of its own, and of those it looked at
MAX_MESSAGE = 120
_MIN_SIMILAR = 2  # successes at other tasks that tell what this kind of task takes


def unchanged(episode: Episode, same: Sequence[Trace], similar: Sequence[Trace]) -> list[facts.Fact]:
    """Return that *episode* changed no file but its own scratch, where a change was called for.

    That is where most of the successful attempts changed files, or, where they do not tell, where the run wrote scratch files beside
    files that it read.

    Args:
        episode: A closed episode with its steps.
        same: Earlier successful attempts at the same task.
        similar: Those, and the successful ones at tasks of the same kind.
    """
    if episode.outcome is None or episode.success or not episode.steps:
        return []
    share = _share_of_changing(same, similar)
    files = files_of(episode)
    touches = touches_in(episode.steps)
    written = written_files(episode, touches)
    made = [file.path for file in files if file.use is Use.MADE] if share is not None and share >= OFTEN else []
    if not all(is_scratch(path) or any(same_file(path, own) for own in made) for path in written):
        return []
    read = opened_files(episode, touches)
    called_for = (bool(written) and bool(read)) if share is None or SELDOM < share < OFTEN else share >= OFTEN
    if not called_for or may_write_unseen(episode):
        return []
    names = sorted({path.rsplit("/", 1)[-1] for path in written})
    refused = _refused(episode.steps, written)
    message = message_of(refused[-1])[:MAX_MESSAGE] if refused else ""
    return [facts.Unchanged(tuple(names[:MAX_SCRATCH]), tuple(read[:MAX_NAMED]), len(refused), message)]


def _refused(steps: Sequence[Step], written: Collection[str]) -> list[Step]:
    """Return the changes that were refused, but those of the run's own files and those of a file not named that later went through."""
    refused = []
    for i, step in enumerate(steps):
        if not step.failed or is_shell(step.tool) or role_of(step.key) is not Role.ACTS:
            continue
        head = FILE_HEAD.search(step.observation)
        paths = [head[1]] if head else [full for touch in touches_of(step) for _, full in touch.paths]
        if all(is_scratch(path) or any(same_file(path, own) for own in written) for path in paths) if paths else _went_through(steps, i):
            continue
        refused.append(step)
    return refused


def _went_through(steps: Sequence[Step], i: int) -> bool:
    return any(later.key == steps[i].key and not later.failed for later in steps[i + 1 :])


def _share_of_changing(same: Sequence[Trace], similar: Sequence[Trace]) -> float | None:
    """Return how many of the successes changed files that were there before, in [0, 1]; None where too few tell."""
    known = [t for t in same if t.digest] or [t for t in similar if t.digest]
    if not known or (not any(t.digest for t in same) and len(known) < _MIN_SIMILAR):
        return None
    return sum(bool(t.digest.get(CHANGED)) for t in known) / len(known)
