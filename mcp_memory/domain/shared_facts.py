"""What one memory tells another: facts that never change, and their ids, which every machine makes alike. Pure.

An id is the owner (most often an episode), the kind and what tells facts of one kind apart: `OWNER/KIND/REST`. So a range of ids is all
that was told of one episode.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

SEPARATOR, _AFTER_SEPARATOR = "/", "0"


class FactKind(enum.StrEnum):
    """What a fact tells; what each body holds is written in `storage/fact_reads.py`."""

    OPEN = "open"
    STEP = "step"
    EPISODE = "episode"  # all of a completed one: what was told of it while it was open is no longer needed
    PART = "part"  # of a record too large for one fact
    THREAD = "thread"  # what an episode follows, where that came later
    ABANDON = "abandon"
    CLAIM = "claim"  # who numbers the steps of an open one from here on
    EDIT = "edit"
    LINK = "link"
    RECOMMENDATION = "recommendation"
    FEEDBACK = "feedback"
    CORRECTION = "correction"
    CHECKPOINT = "checkpoint"
    QUARANTINE = "quarantine"
    TOMBSTONE = "tombstone"
    PROBE = "probe"  # of `doctor --remote`; nobody keeps it


WHILE_OPEN = frozenset({FactKind.OPEN, FactKind.STEP, FactKind.ABANDON, FactKind.CLAIM})


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry of a shared log. `kind` is a text, for a later version may know more of them."""

    id: str
    project: str
    kind: str
    hlc: int  # reading of the writer's hybrid logical clock, or the time of what happened in its form
    origin: str  # the replica that wrote it
    body: bytes
    seq: int = 0  # its place in the log; 0 before it has one
    others: tuple[str, ...] = ()  # further owners without which it means nothing; known to the writer only
    unless: tuple[str, ...] = ()  # ids of facts beside which it has no place, in a log that has them before; known to the writer only

    @property
    def owner(self) -> str:
        """What the fact is of: the id of an episode or of a pattern, "" where it is of none."""
        return owner_of(self.id)

    @property
    def owners(self) -> tuple[str, ...]:
        """All whose tombstone makes the fact void."""
        return tuple(dict.fromkeys((self.owner, *self.others)))


def fact_id(kind: str, owner: str, *rest: object) -> str:
    """Return the id of a fact.

    >>> fact_id(FactKind.STEP, "a/b", 3)
    'a%2Fb/step/3'
    """
    return SEPARATOR.join([_escaped(owner), kind, *map(str, rest)])


def parts_of(id_: str) -> tuple[str, str, Sequence[str]]:
    """Return owner, kind and the rest of a fact's id.

    >>> parts_of("a%2Fb/step/3")
    ('a/b', 'step', ['3'])
    """
    owner, kind, *rest = id_.split(SEPARATOR)
    return _plain(owner), kind, rest


def owner_of(id_: str) -> str:
    """Return the owner in a fact's id."""
    return _plain(id_.partition(SEPARATOR)[0])


def range_of(owner: str) -> tuple[str, str]:
    """Return the bounds, inclusive and exclusive, of the ids of all facts of *owner*.

    >>> range_of("e1")
    ('e1/', 'e10')
    """
    return _escaped(owner) + SEPARATOR, _escaped(owner) + _AFTER_SEPARATOR


def tombstone_id(owner: str) -> str:
    """Return the id of the fact that says that *owner* was deleted."""
    return fact_id(FactKind.TOMBSTONE, owner)


def _escaped(owner: str) -> str:
    return owner.replace("%", "%25").replace(SEPARATOR, "%2F")


def _plain(owner: str) -> str:
    return owner.replace("%2F", SEPARATOR).replace("%25", "%")
