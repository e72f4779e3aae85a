"""What a batch deletes and adds, the same for every log. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from mcp_memory.domain.shared_facts import WHILE_OPEN, Fact, FactKind, fact_id, range_of, tombstone_id
from mcp_memory.ports import Batch

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """Deletions come first. A range is from an id, inclusive, to another, exclusive."""

    deleted: Sequence[tuple[str, str]]  # ranges, but for tombstones
    closed: Sequence[tuple[str, str]]  # ranges, of what was told while an episode was open
    erased: Sequence[str]  # ids, with those that go on from them
    added: Sequence[tuple[Fact, tuple[str, ...]]]  # with the ids of which none may be in the log


def plan(batch: Batch) -> Plan:
    """Return what *batch* comes to, as if its facts were added one after the other."""
    dead = {fact.owner for fact in batch.facts if fact.kind == FactKind.TOMBSTONE}
    done = {fact.owner for fact in batch.facts if fact.kind == FactKind.EPISODE}
    added = [
        (fact, _blockers(fact))
        for fact in batch.facts
        if fact.kind == FactKind.TOMBSTONE or not (dead.intersection(fact.owners) or (fact.kind in WHILE_OPEN and fact.owner in done))
    ]
    return Plan([range_of(owner) for owner in sorted(dead)], [range_of(owner) for owner in sorted(done - dead)], batch.erased, added)


def _blockers(fact: Fact) -> tuple[str, ...]:
    if fact.kind == FactKind.TOMBSTONE:
        return ()
    found = (*(tombstone_id(owner) for owner in fact.owners), *fact.unless)
    return (*found, fact_id(FactKind.EPISODE, fact.owner)) if fact.kind in WHILE_OPEN else found
