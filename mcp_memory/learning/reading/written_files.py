"""Which files a run wrote and which it had before it, read off its steps, and whether it may have written others. Pure."""

import re
from collections.abc import Sequence

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Episode, Use
from mcp_memory.learning.reading.changes import is_scratch
from mcp_memory.learning.reading.file_uses import Touch, files_of, same_file, words_of

_FINDING = frozenset(["find", "glob", "list", "ls"])  # in the names of tools that print names
# What writes files that no argument names: a script, or a later command of a line.
_WRITES_UNSEEN = re.compile(
    r"\.write(?:_text|_bytes|lines)?\(|\bsed -i|\bperl -\w*i|\bpatch\b|\bgit (?:apply|am|merge|cherry-pick|checkout|restore|stash)"
    r"|\bawk -i|>>|\b(?:tee|mv|cp|ed)\s"
)


def written_files(episode: Episode, touches: Sequence[Sequence[Touch]]) -> set[str]:
    """Return the files that a run wrote, those it made among them; *touches* is what `touches_in` gives for its steps."""
    written = {file.path for file in files_of(episode) if file.use is not Use.READ}
    for touch in (touch for found in touches for touch in found):
        written.update(touch.patched)
        if touch.use is not Use.READ:
            written.update(full for _, full in touch.paths)
    return written


def opened_files(episode: Episode, touches: Sequence[Sequence[Touch]]) -> list[str]:
    """Return the files that a run only read, those it worked on most first, but what it made to try something out.

    Only those that a call which worked was about: what one looked for is a name, and what it found was not opened by that.
    """
    opened = {
        full
        for step, found in zip(episode.steps, touches, strict=True)
        if not step.failed and _FINDING.isdisjoint(words_of(step.key))
        for touch in found
        if not touch.is_search
        for _, full in touch.paths
    }
    read = (file.path for file in files_of(episode) if file.use is Use.READ and not is_scratch(file.path))
    return [path for path in read if any(same_file(path, other) for other in opened)]


def may_write_unseen(episode: Episode) -> bool:
    """Return whether a call that worked may have written files that nothing names."""
    texts = (text for step in episode.steps if not step.failed for text in (command_in(step.arguments), *step.arguments.values()))
    return any(isinstance(text, str) and _WRITES_UNSEEN.search(text) is not None for text in texts)
