"""What the first success at a task did that no attempt before it had done. Pure."""

from collections.abc import Sequence

from mcp_memory.domain.episode import Episode
from mcp_memory.learning.reading.file_uses import same_file
from mcp_memory.learning.telling.acts import acts_but_tests, own_names, runs_own, told_as_call
from mcp_memory.learning.telling.changes_told import Left, is_beside
from mcp_memory.learning.telling.deeds import answer
from mcp_memory.phrases import contrasts as phrases


def what_decided(won: Episode, lost: Sequence[Episode]) -> str:
    """Return what a success did that none of those that failed before it did, "" where nothing tells them apart.

    A change of a file, else the last call of a tool or a command; an answer tells itself.
    """
    mine, theirs = Left.of(won), [Left.of(episode) for episode in lost]
    if mine.files:
        if any(mine.made.is_same(other.made) for other in theirs):
            return ""
        changed = [change.path for other in theirs for change in other.files]
        paths = [change.path for change in mine.files if not is_beside(change.path) and not any(same_file(change.path, p) for p in changed)]
        return phrases.alone_changed(paths[0]) if paths else phrases.CHANGED_OTHERWISE if changed else ""
    if any(other.files for other in theirs) or (won.steps and answer(won.steps[-1])):
        return ""
    made, own = {told_as_call(step) for episode in lost for step in episode.steps if not step.failed}, own_names(won)
    calls = [told_as_call(won.steps[i]) for i in acts_but_tests(won) if not runs_own(won.steps[i], own)]
    new = [call for call in calls if call not in made]
    return phrases.alone_did(new[-1]) if new else ""
