"""The hot tier against the durable one: every copy's sum, and every copy that would be told against the record it is of.

A copy that an edit made stale, or that another version of the program wrote, is a miss and no fault.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from mcp_memory.domain.episode import Episode
from mcp_memory.errors import CorruptRecord
from mcp_memory.ports import Cache
from mcp_memory.storage.codec import load_episode

COMPARED_AT_ONCE = 100
Stored = Callable[[Sequence[str]], list[Episode | None]]  # reads durable records


@dataclass(slots=True)
class WrongCopies:
    """What is wrong with the copies, by what it is."""

    spoiled: list[tuple[str, bytes]] = field(default_factory=list)  # (namespace, key)
    different: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.spoiled or self.different or self.forgotten)

    def problems(self) -> list[str]:
        """Return a sentence for each kind of fault."""
        said = (
            (len(self.spoiled), "entries of the hot tier fail their checksum"),
            (len(self.different), "copies in the hot tier are not what the durable tier holds"),
            (len(self.forgotten), "copies in the hot tier are of episodes that were forgotten"),
        )
        return [f"{count} {what}" for count, what in said if count]


def compare(cache: Cache, namespace: str, stored: Stored, stale_before: Mapping[str, int]) -> WrongCopies:
    """Return what is wrong (blocking; some 30 µs a copy).

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
            elif copy.change_seq >= stale_before.get(copy.id, 0) and copy != record:
                wrong.different.append(copy.id)
    return wrong


def _copies(cache: Cache, namespace: str, wrong: WrongCopies) -> Iterator[Episode]:
    for of, key, value in cache.walk():
        if value is None:
            wrong.spoiled.append((of, key))
        elif of == namespace:
            try:
                episode = load_episode(value)
            except CorruptRecord:
                continue
            if episode.id.encode() == key:
                yield episode
            else:
                wrong.spoiled.append((of, key))


def _parts(copies: Iterator[Episode]) -> Iterator[list[Episode]]:
    while some := list(islice(copies, COMPARED_AT_ONCE)):
        yield some
