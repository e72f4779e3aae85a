"""Applying facts of a shared log. Each may come again, and in any order that a log may have after it went back: the outcome is the same.

The log decides: what it has under an id replaces what is here under it. Runs inside one transaction, with its place in the log.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_memory.domain.edits import OUTCOME
from mcp_memory.domain.episode import EpisodeState
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.domain.query import ChangeKind
from mcp_memory.domain.shared_facts import WHILE_OPEN, Fact, FactKind, parts_of, range_of
from mcp_memory.domain.sources import Quarantine, Source, SourceKind
from mcp_memory.storage import (
    advice_writes,
    arriving_episodes,
    claim_writes,
    completion_writes,
    curation_writes,
    episode_writes,
    link_writes,
    quarantine_writes,
)
from mcp_memory.storage.arrivals import Arrival, Derive
from mcp_memory.storage.arriving_episodes import Placed
from mcp_memory.storage.codec import load_json
from mcp_memory.storage.fact_reads import parked_fact
from mcp_memory.storage.tables import Transaction

LATER = ""  # what a fact waits for that only a later version of the program understands


class Waits(Exception):
    """A fact rests on something that has not come yet."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Applied:
    """What one transaction applied: how many facts, and the ids of the episodes that they deleted."""

    facts: int
    deleted: Sequence[str]


def apply_facts(tx: Transaction, arrivals: Sequence[Arrival], derive: Derive, is_enough: Callable[[], bool]) -> Applied:
    """Apply facts in the order of the log, and those that waited for them, until it is enough; at least one.

    *derive* is asked only where an edit says that a completed episode ended otherwise; what arrives complete comes with what it derived.
    """
    page, done = _Page(tx, derive), 0
    for done, arrival in enumerate(arrivals, 1):  # noqa: B007 - how many there were
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
            self.deleted += _bury(tx, fact)
        elif (fact.owner and tx.one("tombstone", fact.owner)) or fact.kind == FactKind.PROBE:
            return
        elif fact.kind == FactKind.PART:
            _park(tx, fact, f"parts of {fact.owner}")
        elif not arrival.readable or (fact.kind not in _HANDLERS and arrival.episode is None):
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
        told = {} if fact.kind == FactKind.STEP else load_json(fact.body[1:])
        for key in _HANDLERS[fact.kind](tx, fact, told):
            self._release(key)
        if fact.kind == FactKind.EDIT and OUTCOME in told["fields"]:
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
        for row in self._tx.sound("parked_for", key):
            fact = parked_fact(row)
            self._tx.run("unpark", fact.id)
            self.apply(Arrival(fact))


def _park(tx: Transaction, fact: Fact, key: str) -> None:
    tx.run("park", fact.id, key, fact.project, fact.kind, fact.hlc, fact.origin, fact.body)


def _unpark_finished(tx: Transaction, owner: str) -> None:
    """Let go of what was told of an episode while it was open, and of the parts it came in."""
    for row in tx.sound("parked_of", *range_of(owner)):
        fact = parked_fact(row)
        if fact.kind in WHILE_OPEN or fact.kind == FactKind.PART:
            tx.run("unpark", fact.id)


def _bury(tx: Transaction, fact: Fact) -> list[str]:
    owner, told = fact.owner, load_json(fact.body[1:])
    tx.run("unpark_all", *range_of(owner))
    for row in tx.sound("parked_for", f"episode {owner}"):  # filed under another episode, but it goes with this one
        other, kind, rest = parts_of(row[0])
        tx.run("unpark", row[0])
        tx.erase(FactKind(kind), other, *rest)
    there = bool(tx.one("episode_exists", owner))
    if there:
        curation_writes.delete_episodes(tx, [owner], told["reason"], told["at_ms"])
    else:
        curation_writes.delete_what_names(tx, owner)
    tx.run("add_tombstone", owner, told["reason"], tx.value("last_change"), told["at_ms"], fact.project)
    return [owner] if there else []


def _require(tx: Transaction, episode_id: str) -> tuple[int, str]:
    """Return the row and the state of an episode. Raises Waits where it has not come yet."""
    found = tx.one("episode_state", episode_id)
    if found is None:
        raise Waits(f"episode {episode_id}")
    return found[0], found[1]


def _step(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    owner, index, body = fact.owner, int(parts_of(fact.id)[2][0]), fact.body[1:]
    row, state = _require(tx, owner)
    if state == EpisodeState.COMPLETED:
        return ()
    count: int = tx.value("step_count", row)
    if index > count:
        raise Waits(f"step {index} of {owner}")
    if index < count:
        if tx.sound("step_body", row, index) != [(body,)]:
            if tx.one("home_of", row):
                tx.run("replace_step", row, index, body)
            else:
                claim_writes.keep_own(tx, row, index)
                tx.run("add_step", row, index, body)
                claim_writes.recount_steps(tx, row)
        claim_writes.heard_step(tx, row, index)
        return ()
    tx.run("add_step", row, index, body)
    claim_writes.heard_step(tx, row, index)
    if state == EpisodeState.ABANDONED:
        claim_writes.recount_steps(tx, row)
    return (f"step {index + 1} of {owner}",)


def _abandon(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    row, state = _require(tx, fact.owner)
    if state == EpisodeState.COMPLETED:
        return ()
    if state == EpisodeState.OPEN:
        if tx.value("step_count", row) < told["steps"]:
            raise Waits(f"step {told['steps']} of {fact.owner}")
        episode_writes.abandon_episodes(tx, [fact.owner], told["at_ms"])
    elif tx.run("ended_at", told["at_ms"], row):
        tx.run("sum_episode", row)
    claim_writes.heard_abandoned(tx, row)
    return ()


def _claim(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    row, state = _require(tx, fact.owner)
    if state != EpisodeState.COMPLETED:
        claim_writes.grant(tx, row, int(parts_of(fact.id)[2][0]), fact.origin, told["at_ms"])
    return ()


def _thread(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    row, _ = _require(tx, fact.owner)
    found = tx.original(fact.owner, steps=False)
    if found is not None and found.follows is None and not tx.one("tombstone", told["follows"]):
        _require(tx, told["follows"])
        episode_writes.now_follows(tx, row, told["follows"])
    return ()


def _edit(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    _require(tx, fact.owner)
    curation_writes.merge_edits(tx, fact.owner, told["fields"], told["at_ms"], (fact.hlc, fact.origin))
    return ()


def _link(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    found = parts_of(fact.id)[2]
    if tx.one("tombstone", told["to"]):
        tx.erase(FactKind.LINK, fact.owner, *found)
        return ()
    from_row, to_row = _require(tx, fact.owner)[0], _require(tx, told["to"])[0]
    values = (found[0], from_row, to_row, told["type"], told["note"], int(told["removed"]), told["at_ms"])
    link_writes.merge_link(tx, values, (fact.hlc, fact.origin))
    return ()


def _recommendation(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    id_ = parts_of(fact.id)[2][0]
    shown = tuple(told["shown"])
    advice_writes.put_recommendation(
        tx, Recommendation(id_, RecommendationKind(told["kind"]), told["project"], told["episode"], shown, told["at_ms"])
    )
    return (f"recommendation {id_}",)


def _feedback(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    id_, episode = parts_of(fact.id)[2][0], told["episode"]
    if episode and tx.one("tombstone", episode):
        tx.erase(FactKind.FEEDBACK, fact.owner, id_)
        return ()
    if not tx.one("recommendation_exists", told["on"]):
        raise Waits(f"recommendation {told['on']}")
    verdict, used, implicit = Verdict(told["verdict"]), tuple(told["used"]), bool(told["implicit"])
    vote = Feedback(id_, told["on"], verdict, used, told["rating"], told["note"], implicit, told["at_ms"], episode)
    completion_writes.add_votes(tx, [vote])
    return ()


def _correction(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    id_ = parts_of(fact.id)[2][0]
    if tx.run("add_correction", id_, fact.owner, tx.codec.json(told["content"]), told["at_ms"], fact.hlc, fact.origin):
        tx.change(ChangeKind.CORRECTION, id_)
    return ()


def _checkpoint(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    row, _ = _require(tx, fact.owner)
    id_ = parts_of(fact.id)[2][0]
    if tx.run("add_checkpoint", id_, row, tx.codec.json(told["content"]), told["at_ms"]):
        tx.change(ChangeKind.CHECKPOINT, id_)
    return ()


def _quarantine(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    kind, _, name = fact.owner.partition("/")
    given = Quarantine(Source(SourceKind(kind), name), told["reason"], told["by"], told["at_ms"])
    quarantine_writes.merge_quarantine(tx, given, (fact.hlc, fact.origin), active=told["active"])
    return ()


# Each returns the keys of what waited for what it wrote.
_HANDLERS: Mapping[str, Callable[[Transaction, Fact, Mapping[str, Any]], Sequence[str]]] = {
    FactKind.STEP: _step,
    FactKind.ABANDON: _abandon,
    FactKind.CLAIM: _claim,
    FactKind.THREAD: _thread,
    FactKind.EDIT: _edit,
    FactKind.LINK: _link,
    FactKind.RECOMMENDATION: _recommendation,
    FactKind.FEEDBACK: _feedback,
    FactKind.CORRECTION: _correction,
    FactKind.CHECKPOINT: _checkpoint,
    FactKind.QUARANTINE: _quarantine,
}
