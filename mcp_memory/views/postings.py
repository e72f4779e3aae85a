"""Postings: in which file which episode showed a word. They lie in segments sorted by word, of sizes that grow geometrically, so that
adding an episode costs little and asking a few binary searches.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mcp_memory.views.columns import Bools, Ints

MAX_READ = 128  # newest postings of one word, in each segment: BM25 makes little of more
Postings = npt.NDArray[np.uint32]  # (3, n): word, file, episode


class Segments:
    """The postings of one project."""

    def __init__(self) -> None:
        self._segments: list[Postings] = []

    @property
    def size(self) -> int:
        """How many postings there are."""
        return sum(segment.shape[1] for segment in self._segments)

    def push(self, parts: Sequence[Postings]) -> None:
        """Append postings; a segment is merged with the one before it while that is less than twice as large."""
        new = np.concatenate(parts, axis=1)
        while self._segments and self._segments[-1].shape[1] < 2 * new.shape[1]:
            new = np.concatenate([self._segments.pop(), new], axis=1)
        self._segments.append(new[:, np.argsort(new[0], kind="stable")])

    def keep(self, alive: Bools) -> None:
        """Leave out the postings of episodes that are not *alive*, which says so of each by its number."""
        kept = [segment[:, alive[segment[2]]] for segment in self._segments]
        self._segments = []
        self.push(kept)

    def look_up(self, words: npt.NDArray[np.uint32]) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """Return the newest postings of *words*: place in *words*, file, episode; and of each word how many there are, and are here."""
        parts: list[Postings] = []
        total, read = np.zeros(len(words), np.int64), np.zeros(len(words), np.int64)
        for segment in self._segments:
            first, last = np.searchsorted(segment[0], words, "left"), np.searchsorted(segment[0], words, "right")
            total += last - first
            counts = np.minimum(last - first, MAX_READ)
            read += counts
            rows = np.arange(int(counts.sum())) + np.repeat(last - np.cumsum(counts), counts)
            parts.append(np.stack([np.repeat(np.arange(len(words)), counts), segment[1, rows], segment[2, rows]]))
        at, files, episodes = np.concatenate(parts, axis=1)
        return at, files, episodes, total, read
