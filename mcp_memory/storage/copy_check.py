"""The hot tier against the durable one: every copy's sum, and every copy that would be told against the record it is of.

A copy that an edit made stale, or that another version of the program wrote, is a miss and no fault. Nor is the copy of a record that
is damaged: it is all that is left of that, so it is named and kept.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from mcp_memory.domain.episode import Episode
from mcp_memory.errors import CorruptRecord
from mcp_memory.ports import Cache, CacheEntry
from mcp_memory.storage.codec import load_episode

COMPARED_AT_ONCE = 100
MAX_NAMED = 10
Stored = Callable[[Sequence[str]], list[Episode | CorruptRecord | None]]  # reads durable records, the damaged ones as what is wrong


@dataclass(slots=True)
class WrongCopies:
    """What is wrong with the copies, by what it is."""

    spoiled: list[CacheEntry] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    all_that_is_left: list[str] = field(default_factory=list)  # sound, of damaged records

    def __bool__(self) -> bool:
        return bool(self.spoiled or self.different or self.forgotten)

    def left(self) -> tuple[str, ...]:
        """Return a sentence about the copies that are better than their records; no repair of copies changes that."""
        if not self.all_that_is_left:
            return ()
        count, named = len(self.all_that_is_left), ", ".join(self.all_that_is_left[:MAX_NAMED])
        more = f" and {count - MAX_NAMED} more" if count > MAX_NAMED else ""
        return (f"{count} damaged records have a sound copy in the hot tier, which `show` and `export` read: {named}{more}",)

    def problems(self) -> tuple[str, ...]:
        """Return a sentence for each kind of fault of the copies themselves."""
        said = (
            (len(self.spoiled), "entries of the hot tier fail their checksum"),
            (len(self.different), "copies in the hot tier are not what the durable tier holds"),
            (len(self.forgotten), "copies in the hot tier are of episodes that were forgotten"),
        )
        return tuple(f"{count} {what}" for count, what in said if count)


def compare(cache: Cache, namespace: str, stored: Stored, stale_before: Mapping[str, int]) -> WrongCopies:
    """Return what is wrong (blocking: every copy is decoded, and its record read with all its steps).

    Args:
        cache: The hot tier.
        namespace: Of the copies of episodes; of other entries only the sums are looked at.
        stored: Reads the durable records.
        stale_before: Of edited and deleted episodes, the change that made older copies stale.
    """
    wrong = WrongCopies()
    for some in _parts(_copies(cache, namespace, wrong)):
        for copy, record in zip(some, stored([copy.id for copy in some]), strict=True):
            if record is None:
                wrong.forgotten.append(copy.id)
            elif copy.change_seq < stale_before.get(copy.id, 0):
                continue
            elif isinstance(record, CorruptRecord):
                wrong.all_that_is_left.append(copy.id)
            elif copy != record:
                wrong.different.append(copy.id)
    return wrong


def _copies(cache: Cache, namespace: str, wrong: WrongCopies) -> Iterator[Episode]:
    for entry in cache.walk():
        if entry.value is None:
            wrong.spoiled.append(entry)
        elif entry.namespace == namespace:
            try:
                episode = load_episode(entry.value)
            except CorruptRecord:
                continue
            if episode.id.encode() == entry.key:
                yield episode
            else:
                wrong.spoiled.append(entry)


def _parts(copies: Iterator[Episode]) -> Iterator[list[Episode]]:
    while some := list(islice(copies, COMPARED_AT_ONCE)):
        yield some
