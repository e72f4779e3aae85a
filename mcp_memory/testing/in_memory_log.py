"""A SharedLog in dicts, and what it is on a disk: an image that can be put back, as when a server is restored."""

import copy
import itertools
import threading
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from mcp_memory.domain.shared_facts import WHILE_OPEN, Fact, FactKind, fact_id, owner_of, range_of, tombstone_id
from mcp_memory.ports import Batch, LogMark, LogPage

_draws = itertools.count(1)  # a nonce is never drawn twice, also where an older image was put back


@dataclass
class LogImage:
    """What a log holds."""

    epoch: str = ""
    facts: list[Fact] = field(default_factory=list)
    batches: list[tuple[str, int, str]] = field(default_factory=list)  # (origin, number, nonce), from batch 1
    last_seq: int = 0


class InMemoryLog:
    """See `ports.SharedLog`. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._image = LogImage()

    def ensure(self) -> None:
        """Give the log its epoch."""
        with self._lock:
            self._image.epoch = self._image.epoch or f"epoch-{next(_draws)}"

    def append(self, batch: Batch) -> bool:
        """Add the facts that are not there; return whether the batch before is there."""
        with self._lock:
            image = self._image
            there = not batch.follows or any(b[:2] == (batch.origin, batch.follows) for b in image.batches)
            for erased in batch.erased:
                image.facts = [f for f in image.facts if f.id != erased and not f.id.startswith(erased + "/")]
            for fact in batch.facts:
                self._add(fact)
            if batch.number is not None and not any(b[:2] == (batch.origin, batch.number) for b in image.batches):
                image.batches.append((batch.origin, batch.number, f"nonce-{next(_draws)}"))
            return there

    def _add(self, fact: Fact) -> None:
        image = self._image
        if fact.kind == FactKind.TOMBSTONE:
            low, high = range_of(fact.owner)
            image.facts = [f for f in image.facts if f.kind == FactKind.TOMBSTONE or not low <= f.id < high]
        elif any(self._has(id_) for id_ in (*(tombstone_id(owner) for owner in fact.owners), *fact.unless)):
            return
        if fact.kind == FactKind.EPISODE:
            image.facts = [f for f in image.facts if f.kind not in WHILE_OPEN or owner_of(f.id) != fact.owner]
        elif fact.kind in WHILE_OPEN and self._has(fact_id(FactKind.EPISODE, fact.owner)):
            return
        if not self._has(fact.id):
            image.last_seq += 1
            image.facts.append(replace(fact, seq=image.last_seq, others=(), unless=()))

    def _has(self, id_: str) -> bool:
        return any(fact.id == id_ for fact in self._image.facts)

    def read(self, mark: LogMark, origin: str, projects: Collection[str], limit: int) -> LogPage:
        """Return facts after the mark."""
        with self._lock:
            image = self._image
            facts = [f for f in image.facts if f.seq > mark.seq and (not projects or f.project in (*projects, "*"))][:limit]
            newest = image.batches[-1][2] if image.batches else ""
            at_mark = image.batches[mark.batch - 1][2] if 0 < mark.batch <= len(image.batches) else ""
            own = max((number for by, number, _ in image.batches if by == origin), default=0)
            return LogPage(tuple(facts), image.epoch, len(image.batches), newest, at_mark, own, image.last_seq)

    def newest_batch(self) -> tuple[int, str]:
        """Return number and nonce of the newest batch."""
        with self._lock:
            batches = self._image.batches
            return len(batches), batches[-1][2] if batches else ""

    def close(self) -> None:
        """Nothing is to be let go of."""

    def image(self) -> LogImage:
        """Return a copy of what the log holds."""
        with self._lock:
            return copy.deepcopy(self._image)

    def put_back(self, image: LogImage) -> None:
        """Let the log hold what it held when *image* was taken."""
        with self._lock:
            self._image = copy.deepcopy(image)
