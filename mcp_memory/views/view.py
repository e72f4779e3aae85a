"""What a reader holds while it reads; the one lock, the one way in, and what keeps the views equal to the store.

Every process follows the change feed of its file, so the commits of other processes are seen before anything is answered from memory.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from mcp_memory.domain.episode import Trace
from mcp_memory.domain.identifiers import SHOWN
from mcp_memory.domain.query import Change, ChangeKind
from mcp_memory.ports import Store, VectorIndex, VectorRow
from mcp_memory.views.catalog import Catalog
from mcp_memory.views.experience import Experience
from mcp_memory.views.votes import Cast, Votes
from mcp_memory.views.workspace import Workspace

_PAGE = 5_000  # traces or vectors read at once: a few tens of megabytes
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
        traces = [_without_shown(trace) for trace in traces]  # the index has it now; keeping it twice would double the memory
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


class Views:
    """Owns the views. Readers take turns with each other and with what updates them; all methods block, so call them from threads."""

    def __init__(self, store: Store, new_index: NewIndex, spaces: Callable[[], Sequence[str]]) -> None:
        """Start empty. `spaces` names the embedding spaces whose vectors are kept."""
        self._store, self._spaces = store, spaces
        self._lock = threading.Lock()
        self._holder: int | None = None  # the thread that has the lock
        self._view = View()
        self._update = Updater(self._view, new_index)
        self._followed_seq = 0
        self._feedback_rowid = 0
        self._vector_rowids: dict[str, int] = {}
        self._quarantined: set[str] = set()  # episodes that the store leaves out of what is read here
        self._loaded = threading.Event()

    @property
    def episodes(self) -> int:
        """How many completed episodes there are, at this moment or the one before: nobody is waited for."""
        return len(self._view.catalog)

    @contextmanager
    def read(self) -> Iterator[View]:
        """Give the views to this thread alone, until the block ends. Read what is short inside: everybody else waits.

        Raises RuntimeError when this thread reads already: it would wait for itself.
        """
        with self._held():
            yield self._view

    @contextmanager
    def _held(self) -> Iterator[None]:
        me = threading.get_ident()
        if self._holder == me:
            raise RuntimeError("this thread has the views already")
        with self._lock:
            self._holder = me
            try:
                yield
            finally:
                self._holder = None

    def load(self) -> None:
        """Fill the views from the store, a page at a time, so that a reader can get in between. Call once."""
        seq = self._store.change_seq()
        self._quarantined = self._store.quarantined_episodes()
        after_seq = 0
        while traces := self._store.traces(after_seq=after_seq, limit=_PAGE):
            with self._held():
                self._update.put(traces)
            after_seq = traces[-1].seq
        with self._held():
            self._read_vectors()
            self._read_votes()
            self._followed_seq = self._view.seq = seq
        self._loaded.set()

    def wait_loaded(self, timeout_ms: int) -> bool:
        """Wait until `load` has finished; False when it has not within the time."""
        return self._loaded.wait(timeout_ms / 1000)

    def catch_up(self) -> None:
        """Apply every change committed since the last look, by any process. Microseconds when there is none; nothing before `load`."""
        if self._store.change_seq() == self._followed_seq or not self._loaded.is_set():
            return
        with self._held():
            while changes := self._store.changes_after(self._followed_seq):
                self._apply(changes)
                self._followed_seq = changes[-1].seq
                self._view.seq = max((c.seq for c in changes if c.kind != ChangeKind.EPISODE_STARTED), default=self._view.seq)

    def _apply(self, changes: Sequence[Change]) -> None:
        """Read again what the changes name, and nothing else."""
        ids: dict[str, list[str]] = {}
        for change in changes:
            ids.setdefault(change.kind, []).append(change.entity_id)
        if deleted := ids.get(ChangeKind.EPISODE_DELETED):
            self._update.remove(deleted)
        wanted = list(dict.fromkeys(ids.get(ChangeKind.EPISODE_COMPLETED, []) + ids.get(ChangeKind.EPISODE_UPDATED, [])))
        if wanted:
            traces = self._store.traces(ids=wanted, limit=len(wanted))
            self._update.put(traces)
            self._quarantined |= set(wanted) - {trace.id for trace in traces}
        if ChangeKind.VECTORS_ADDED in ids:
            self._read_vectors()
        if ChangeKind.QUARANTINE in ids:
            self._follow_quarantine()
        elif ChangeKind.FEEDBACK in ids:
            self._read_votes()

    def _follow_quarantine(self) -> None:
        """Take out what is quarantined now, and take in again what is no longer."""
        quarantined = self._store.quarantined_episodes()
        self._update.remove(list(quarantined))
        if released := list(self._quarantined - quarantined):
            for start in range(0, len(released), _PAGE):
                self._update.put(self._store.traces(ids=released[start : start + _PAGE], limit=_PAGE))
            self._vector_rowids.clear()  # theirs stand among the others'; those that are here are passed over
            self._read_vectors()
        self._quarantined = quarantined
        self._update.forget_votes()
        self._feedback_rowid = 0
        self._read_votes()

    def _read_vectors(self) -> None:
        """Read the vectors that are new. Rows are numbered for ever, so those of a reworded task come after all that were read."""
        for space in self._spaces():
            while True:
                rows, rowid = self._store.vectors(space, after_rowid=self._vector_rowids.get(space, 0), limit=_PAGE)
                if not rows:
                    break
                self._update.add_vectors(space, rows)
                self._vector_rowids[space] = rowid

    def _read_votes(self) -> None:
        rows, self._feedback_rowid = self._store.feedback(after_rowid=self._feedback_rowid)
        if rows:
            self._update.add_votes(rows)


def _without_shown(trace: Trace) -> Trace:
    """Return the trace without what its episode showed."""
    return replace(trace, digest={k: v for k, v in trace.digest.items() if k != SHOWN}) if SHOWN in trace.digest else trace
