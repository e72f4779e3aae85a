"""The one lock, the one way in, and what keeps the views equal to the store.

Every process follows the change feed of its file, so the commits of other processes are seen before anything is answered from memory.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from mcp_memory.domain.query import Change, ChangeKind
from mcp_memory.ports import Store
from mcp_memory.views.view import NewIndex, Updater, View

_PAGE = 5_000  # traces or vectors read at once: a few tens of megabytes


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
