"""What a reader holds while it reads."""

from collections.abc import Callable

import numpy as np

from mcp_memory.domain.episode import Trace
from mcp_memory.ports import VectorIndex, VectorRow
from mcp_memory.views.catalog import Catalog
from mcp_memory.views.experience import Experience
from mcp_memory.views.votes import Cast, Votes
from mcp_memory.views.workspace import Workspace, without_shown

NewIndex = Callable[[int], VectorIndex]  # an empty index for vectors of a dimension


class View:
    """All views at one moment: nothing of it changes until the reader lets go of it. Its five parts know the same episodes.

    `vectors` holds an index for each space that has any vector, its keys being `Trace.seq`. `version` is another number after every
    change of what readers see, so that answers can be kept under it; it means nothing in another process. `seq` is the change
    sequence of the last change that could make an answer another one, which is any but the start of an episode.
    """

    def __init__(self) -> None:
        self.catalog = Catalog()
        self.experience = Experience()
        self.votes = Votes()
        self.workspace = Workspace()
        self.vectors: dict[str, VectorIndex] = {}
        self.version = 0
        self.seq = 0


class Updater:
    """The only writer of a `View`. Called under the lock of `Views`."""

    def __init__(self, view: View, new_index: NewIndex) -> None:
        self._view, self._new_index = view, new_index

    def put(self, traces: list[Trace]) -> None:
        """Add completed episodes; one that is there already is replaced. Its vectors stay unless its row number is another now.

        A new row number means another wording of the task, and so another vector.
        """
        v = self._view
        ids = [t.id for t in traces]
        kept = {t.seq for t in traces}
        gone = [seq for seq in map(v.catalog.seq_of, ids) if seq is not None and seq not in kept]
        v.workspace.add(traces)
        traces = [without_shown(trace) for trace in traces]  # the index has it now; keeping it twice would double the memory
        v.catalog.add(traces)
        v.experience.remove(ids)
        v.experience.add(traces)
        self._drop_vectors(gone)
        v.version += 1

    def remove(self, episode_ids: list[str]) -> None:
        """Forget episodes and their vectors; unknown ids are ignored."""
        v = self._view
        self._drop_vectors(v.catalog.remove(episode_ids))
        v.experience.remove(episode_ids)
        v.workspace.remove(episode_ids)
        v.version += 1

    def add_vectors(self, space: str, rows: list[VectorRow]) -> None:
        """Add stored embeddings of tasks; one that is there already is skipped."""
        v = self._view
        if space not in v.vectors:
            v.vectors[space] = self._new_index(len(rows[0].codes))
        index = v.vectors[space]
        new = [row for row in {r.seq: r for r in rows if r.part == 0}.values() if row.seq not in index]
        if new:
            codes = np.frombuffer(b"".join(r.codes for r in new), np.int8).reshape(len(new), -1)
            index.add([r.seq for r in new], codes, np.array([r.scale for r in new], np.float32))
            v.version += 1

    def add_votes(self, rows: list[Cast]) -> None:
        """Add votes in the order they were cast."""
        self._view.votes.add(rows)
        self._view.version += 1

    def forget_votes(self) -> None:
        """Forget all votes: they are going to be read again."""
        self._view.votes = Votes()
        self._view.version += 1

    def _drop_vectors(self, seqs: list[int]) -> None:
        for index in self._view.vectors.values():
            index.remove(seqs)
