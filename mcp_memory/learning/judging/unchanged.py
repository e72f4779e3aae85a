"""Whether an attempt at a change ended without one: nothing was written but what the run made to try something out. Pure."""

import re
from collections.abc import Sequence

from mcp_memory.domain import facts
from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Episode, Trace, Use
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.learning.judging.comparison import CHANGED, OFTEN, SELDOM
from mcp_memory.learning.reading.changes import is_scratch
from mcp_memory.learning.reading.file_uses import files_of, same_file, touches_in
from mcp_memory.learning.reading.run import message_of

MAX_SCRATCH, MAX_NAMED = 3, 2  # files that are named: of its own, and of those it looked at
MAX_MESSAGE = 120
_MIN_SIMILAR = 2  # successes at other tasks that tell what this kind of task takes
# What writes files that no argument names: a script, or a later command of a line.
_WRITES_UNSEEN = re.compile(
    r"\.write(?:_text|_bytes|lines)?\(|\bsed -i|\bperl -\w*i|\bpatch\b|\bgit (?:apply|am|merge|cherry-pick|checkout|restore|stash)"
    r"|\bawk -i|>>|\b(?:tee|mv|cp|ed)\s"
)


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
    written = {file.path for file in files if file.use is not Use.READ}
    for touch in (touch for found in touches_in(episode.steps) for touch in found):
        written.update(touch.patched)
        if touch.use is not Use.READ:
            written.update(full for _, full in touch.paths)
    made = [file.path for file in files if file.use is Use.MADE] if share is not None and share >= OFTEN else []
    if not all(is_scratch(path) or any(same_file(path, own) for own in made) for path in written):
        return []
    beside = any(file.use is Use.READ and not is_scratch(file.path) for file in files)
    called_for = (bool(written) and beside) if share is None or SELDOM < share < OFTEN else share >= OFTEN
    if not called_for or _may_write_unseen(episode):
        return []
    names = sorted({path.rsplit("/", 1)[-1] for path in written})
    read = [file.path for file in files if file.use is Use.READ and not is_scratch(file.path)]
    refused = [step for step in episode.steps if step.failed and not is_shell(step.tool) and role_of(step.key) is Role.ACTS]
    message = message_of(refused[-1])[:MAX_MESSAGE] if refused else ""
    return [facts.Unchanged(tuple(names[:MAX_SCRATCH]), tuple(read[:MAX_NAMED]), len(refused), message)]


def _share_of_changing(same: Sequence[Trace], similar: Sequence[Trace]) -> float | None:
    """Return how many of the successes changed files that were there before, in [0, 1]; None where too few tell."""
    known = [t for t in same if t.digest] or [t for t in similar if t.digest]
    if not known or (not any(t.digest for t in same) and len(known) < _MIN_SIMILAR):
        return None
    return sum(bool(t.digest.get(CHANGED)) for t in known) / len(known)


def _may_write_unseen(episode: Episode) -> bool:
    texts = (text for step in episode.steps if not step.failed for text in (command_in(step.arguments), *step.arguments.values()))
    return any(isinstance(text, str) and _WRITES_UNSEEN.search(text) is not None for text in texts)
