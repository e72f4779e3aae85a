"""What an attempt left changed of files that were there before it, as it is told. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from threading import Lock

from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.identifiers import distinct_words
from mcp_memory.learning.reading.change_lines import change_line
from mcp_memory.learning.reading.change_places import bare
from mcp_memory.learning.reading.left_changed import FileChange, left_changed
from mcp_memory.learning.reading.same_change import ChangeMade
from mcp_memory.learning.telling.acts import TEST_FILE
from mcp_memory.views.experience import Experience

MAX_CHANGE_CHARS, MAX_FILES = 640, 2
MAX_ERROR_CHARS = 400  # of one error whose words are looked for
MAX_KNOWN = 5_000  # episodes whose changes are kept, some 2 KB each
BESIDE = re.compile(rf"{TEST_FILE}|\.(?:md|rst|txt|adoc)$|(?:^|/)(?:docs?|changelog)/", re.I)  # of code
_TEXT = re.compile(r"\.(?:md|rst|txt|adoc)$", re.I)
NOTHING_SHARED: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Deed:
    """A change of a file that tells what was done: the step, and the file with the lines that differ."""

    step: int
    text: str


@dataclass(frozen=True, slots=True)
class Left:
    """What a run left changed: the code, or where it changed none its tests, else its texts."""

    files: tuple[FileChange, ...]
    words: frozenset[str]  # of its task and its errors
    won: bool
    made: ChangeMade

    @classmethod
    def of(cls, episode: Episode) -> "Left":
        """Read it off an episode with its steps, once. A millisecond."""
        return episode.once(cls._read)

    @classmethod
    def _read(cls, episode: Episode) -> "Left":
        met = (step.error or "" for step in episode.steps if step.failed)
        words = frozenset(distinct_words(" ".join((episode.task, *(error[:MAX_ERROR_CHARS] for error in met)))))
        changed = left_changed(episode)
        code = [change for change in changed if not is_beside(change.path)]
        left = tuple(code or [c for c in changed if not _TEXT.search(c.path)] or changed)
        return cls(left, words, episode.success, ChangeMade.of(left))

    def told(self, shared: frozenset[str] = NOTHING_SHARED, max_chars: int = MAX_CHANGE_CHARS) -> tuple[Deed, ...]:
        """Return the lines nearest the task and its errors, of at most two files; of a success whose lines tell nothing, the files alone.

        Args:
            shared: Lines that attempts which ended otherwise left, too, as `lines` gives them: they come last.
            max_chars: Of what is told of one file.
        """
        told = [Deed(change.step, line) for change in self.files if (line := change_line(change, self.words, max_chars, shared))]
        if shared:  # of several files the one comes first that the others left alone
            told.sort(key=lambda deed: all(self._is_shared(c, shared) for c in self.files if c.step == deed.step))
        if not told and self.won:
            told = [Deed(change.step, change.path) for change in self.files]
        return tuple(told)[:MAX_FILES]

    def is_told_by(self, other: "Left") -> bool:
        """Return whether who reads what another run left knows this: the same; of a failure, also a part, or a message in other words."""
        if other.made.is_same(self.made):
            return True
        return not self.won and (other.made.is_nearly(self.made) or (bool(self.made.lines) and self.made.lines < other.made.lines))

    @property
    def is_beside(self) -> bool:
        """Whether a run that failed changed nothing but tests, or texts."""
        return not self.won and bool(self.files) and all(is_beside(change.path) for change in self.files)

    @property
    def lines(self) -> frozenset[str]:
        """The lines that went and came, bare."""
        return frozenset(line for change in self.files for line in _lines_of(change))

    @staticmethod
    def _is_shared(change: FileChange, shared: Collection[str]) -> bool:
        return all(line in shared for line in _lines_of(change))


def _lines_of(change: FileChange) -> Collection[str]:
    return {said for hunk in change.hunks for line in (*hunk.removed, *hunk.added) if (said := bare(line))}


def changes(episode: Episode, max_chars: int = MAX_CHANGE_CHARS) -> tuple[Deed, ...]:
    """Return what the run left changed of files that were there before it, as `Left.told` tells it."""
    return Left.of(episode).told(max_chars=max_chars)


def is_beside(path: str) -> bool:
    """Return whether a file is beside the code: a test, a text."""
    return BESIDE.search(path) is not None


class ToldChanges:
    """What the episodes of an `Experience` changed, each read once until it is edited or labelled. Safe for concurrent use."""

    def __init__(self, experience: Experience) -> None:
        self._known: BoundedMap[tuple[str, int], Left] = BoundedMap(MAX_KNOWN)  # by episode and its last change
        self._lock = Lock()

    def of(self, episode: Episode) -> Left:
        """Return what an episode left changed."""
        key = (episode.id, episode.change_seq)
        with self._lock:
            if (known := self._known.get(key)) is not None:
                return known
        found = Left.of(episode)
        with self._lock:
            self._known.put(key, found)
        return found
