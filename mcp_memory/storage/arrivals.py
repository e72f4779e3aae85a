"""What came from a shared log, decoded before the transaction that applies it, so that the writer is not held up by it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mcp_memory.domain.edits import OUTCOME
from mcp_memory.domain.episode import Episode, EpisodeState
from mcp_memory.domain.shared_facts import Fact, FactKind, parts_of, range_of
from mcp_memory.errors import CorruptRecord
from mcp_memory.ports import Completion
from mcp_memory.storage.codec import load_episode, load_json, load_step
from mcp_memory.storage.fact_reads import IN_PARTS, WHOLE, parked_facts
from mcp_memory.storage.tables import Tables

Derive = Callable[[Episode], Completion]
_OF_NAMED_VALUES = frozenset(FactKind) - {FactKind.EPISODE, FactKind.OPEN, FactKind.STEP, FactKind.PART, FactKind.PROBE}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A fact and what it tells: of a whole episode that, else the names and values of its body. A step stays as it is.

    Without a completion, a completed episode is known here just so. `readable` is False where a later program wrote it, and of what was
    damaged on its way.
    """

    fact: Fact
    episode: Episode | None = None
    completion: Completion | None = None
    told: Mapping[str, Any] = field(default_factory=dict)
    readable: bool = True


def told_by(fact: Fact) -> Arrival:
    """Return what a fact tells that is not of a whole episode."""
    try:
        if fact.kind == FactKind.STEP:
            load_step(fact.body[1:], 0)
        elif fact.kind in _OF_NAMED_VALUES:
            told = load_json(fact.body[1:])
            return Arrival(fact, told=told, readable=isinstance(told, dict))
    except CorruptRecord:  # damaged on its way, or of a later program: kept for one that can tell
        return Arrival(fact, readable=False)
    return Arrival(fact)


class Decoder:
    """Decodes facts in the order of the log, ahead of those that are being applied."""

    def __init__(self, derive: Derive) -> None:
        self._derive = derive
        self._parts: dict[str, Fact] = {}  # may not be in the store yet

    def arrivals(self, tables: Tables, facts: Sequence[Fact]) -> list[Arrival]:
        """Return what the facts tell; what is derived of a completed episode is made here. *tables*: as they are by now."""
        return [self._arrival(tables, fact) for fact in facts]

    def _arrival(self, tables: Tables, fact: Fact) -> Arrival:
        if fact.kind == FactKind.PART:
            self._parts[fact.id] = fact
            return Arrival(fact)
        if fact.body[:1] not in (bytes((WHOLE,)), bytes((IN_PARTS,))):
            return Arrival(fact, readable=False)
        if fact.kind not in (FactKind.EPISODE, FactKind.OPEN):
            return told_by(fact)
        try:
            episode = load_episode(self._whole(tables, fact))
        except CorruptRecord:  # a form of a later program, or damaged on the way: kept for one that can tell
            return Arrival(fact, readable=False)
        if fact.kind == FactKind.OPEN or is_known(tables, episode):
            return Arrival(fact, episode)
        return Arrival(fact, episode, self._derive(episode))

    def _whole(self, tables: Tables, fact: Fact) -> bytes:
        payload = fact.body[1:]
        if fact.body[0] == WHOLE:
            return payload
        told = load_json(payload)
        low, high = range_of(fact.owner)
        stored = parked_facts(tables.all("parked_parts", low, high))
        parts = {part.id: part for part in (*stored, *self._parts.values()) if parts_of(part.id)[2][0] == told["digest"]}
        if len(parts) != told["parts"]:
            raise CorruptRecord(f"{told['parts'] - len(parts)} parts of {fact.id} are missing")
        return b"".join(parts[id_].body[1:] for id_ in sorted(parts))


def is_known(tables: Tables, told: Episode) -> bool:
    """Whether *told* is the record of a completed episode that is here; one that is damaged here is not known.

    Who has an external id is settled by each machine alike, and a label is laid over what the record says of the outcome.
    """
    row = tables.one("episode_state", told.id)
    if row is None or row[1] != EpisodeState.COMPLETED:
        return False
    try:
        known = tables.original(told.id, steps=True)
    except CorruptRecord:
        return False
    if known is None or known.outcome is None or told.outcome is None:
        return False
    if any(field == OUTCOME for field, _ in tables.sound("get_edits", row[0])):
        known = replace(known, outcome=replace(known.outcome, kind=told.outcome.kind), reward=told.reward)
    return replace(known, external_id=None) == replace(told, external_id=None, change_seq=0)
