"""Applying facts of a shared log. Each may come again, and in any order that a log may have after it went back: the outcome is the same.

The log decides: what it has under an id replaces what is here under it. Runs inside one transaction, with its place in the log.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_memory.domain.edits import OUTCOME
from mcp_memory.domain.episode import EpisodeState
from mcp_memory.domain.shared_facts import WHILE_OPEN, Fact, FactKind, parts_of, range_of
from mcp_memory.storage import (
    arriving_episodes,
    curation_writes,
)
from mcp_memory.storage.arrivals import Arrival, Derive, told_by
from mcp_memory.storage.arriving_episodes import Placed
from mcp_memory.storage.fact_effects import EFFECTS, Waits
from mcp_memory.storage.fact_reads import parked_facts
from mcp_memory.storage.tables import Transaction

LATER = ""  # what a fact waits for that only a later version of the program understands
_WITHOUT_EFFECT = frozenset([FactKind.TOMBSTONE, FactKind.PART, FactKind.PROBE])  # which have ways of their own


@dataclass(frozen=True, slots=True)
class Applied:
    """What one transaction applied: how many facts, and the ids of the episodes that they deleted."""

    facts: int
    deleted: Sequence[str]


def is_for_later(arrival: Arrival) -> bool:
    """Whether only a later version of the program understands the fact: it has to wait for that."""
    kind = arrival.fact.kind
    return not arrival.readable or (arrival.episode is None and kind not in EFFECTS and kind not in _WITHOUT_EFFECT)


def apply_facts(
    tx: Transaction, arrivals: Sequence[Arrival], is_enough: Callable[[], bool], *, derive: Derive, parked: bool = False
) -> Applied:
    """Apply facts in the order of the log, and those that waited for them, until it is enough; at least one.

    *derive* is asked only where an edit says that a completed episode ended otherwise; what arrives complete comes with what it derived.
    With *parked* the facts are parked ones, and no longer are: one that is not there any more was deleted meanwhile, and stays so.
    """
    page, done = _Page(tx, derive), 0
    for done, arrival in enumerate(arrivals, 1):  # noqa: B007 - how many there were
        if not parked or tx.run("unpark", arrival.fact.id):
            page.apply(arrival)
        if is_enough():
            break
    page.settle()
    if done:
        seen = max(arrival.fact.hlc for arrival in arrivals[:done])
        if seen > tx.all("replica")[0][1]:
            tx.run("advance_clock", seen)
    return Applied(done, page.deleted)


class _Page:
    """Facts that are applied together. Completed episodes that follow upon one another are indexed together: `settle` after the last."""

    def __init__(self, tx: Transaction, derive: Derive) -> None:
        self._tx, self._derive = tx, derive
        self._placed: list[Placed] = []
        self.deleted: list[str] = []

    def apply(self, arrival: Arrival) -> None:
        """Apply a fact, or park it."""
        tx, fact = self._tx, arrival.fact
        if arrival.completion is None:
            self.settle()
        if fact.kind == FactKind.TOMBSTONE and arrival.readable:
            self.deleted += _bury(tx, fact, arrival.told)
        elif (fact.owner and tx.one("tombstone", fact.owner)) or fact.kind == FactKind.PROBE:
            return
        elif fact.kind == FactKind.PART:
            _park(tx, fact, f"parts of {fact.owner}")
        elif is_for_later(arrival):
            _park(tx, fact, LATER)
        else:
            try:
                self._tell(arrival)
            except Waits as waits:
                _park(tx, fact, waits.key)

    def _tell(self, arrival: Arrival) -> None:
        tx, fact = self._tx, arrival.fact
        if arrival.completion is not None:
            self._placed.append(arriving_episodes.place(tx, arrival.completion))
            return
        if arrival.episode is not None:
            if fact.kind == FactKind.OPEN:
                arriving_episodes.begin(tx, arrival.episode, fact.origin)
            self._arrived(fact.owner, completed=fact.kind == FactKind.EPISODE)
            return
        for key in EFFECTS[fact.kind](tx, fact, arrival.told):
            self._release(key)
        if fact.kind == FactKind.EDIT and OUTCOME in arrival.told["fields"]:
            self._label(fact.owner)

    def settle(self) -> None:
        """Index the completed episodes that have their rows, and apply what waited for them."""
        placed, self._placed = self._placed, []
        arriving_episodes.index(self._tx, placed)
        for each in placed:
            self._arrived(each.told.id, completed=True)

    def _arrived(self, owner: str, *, completed: bool) -> None:
        self._release(f"episode {owner}")
        if completed:
            _unpark_finished(self._tx, owner)
        self._label(owner)

    def _label(self, owner: str) -> None:
        """Derive again what rests on how an episode ended, where an edit says otherwise than its record."""
        row, state = self._tx.episode_row(owner)
        if state == EpisodeState.COMPLETED and any(field == OUTCOME for field, _ in self._tx.sound("get_edits", row)):
            current = self._tx.episode(owner, steps=True)
            assert current is not None
            curation_writes.rest_on_outcome(self._tx, self._derive(current))

    def _release(self, key: str) -> None:
        for fact in parked_facts(self._tx.all("parked_for", key)):
            self._tx.run("unpark", fact.id)
            self.apply(told_by(fact))


def _park(tx: Transaction, fact: Fact, key: str) -> None:
    tx.run("park", fact.id, key, fact.project, fact.kind, fact.hlc, fact.origin, fact.body)


def _unpark_finished(tx: Transaction, owner: str) -> None:
    """Let go of what was told of an episode while it was open, and of the parts it came in."""
    for fact in parked_facts(tx.all("parked_of", *range_of(owner))):
        if fact.kind in WHILE_OPEN or fact.kind == FactKind.PART:
            tx.run("unpark", fact.id)


def _bury(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> list[str]:
    owner = fact.owner
    tx.run("unpark_all", *range_of(owner))
    filed = tx.all("parked_for", f"episode {owner}")  # under another episode, but these go with this one, the damaged ones as well
    for parked in parked_facts(filed):
        other, kind, rest = parts_of(parked.id)
        tx.erase(FactKind(kind), other, *rest)
    for row in filed:
        tx.run("unpark", row[0])
    there = bool(tx.one("episode_exists", owner))
    if there:
        curation_writes.delete_episodes(tx, [owner], told["reason"], told["at_ms"])
    else:
        curation_writes.delete_what_names(tx, owner)
    tx.run("add_tombstone", owner, told["reason"], tx.value("last_change"), told["at_ms"], fact.project)
    return [owner] if there else []
