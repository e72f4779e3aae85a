"""Which advice independent sources stand behind: what one source alone says is marked, and never comes before what two say.

Among several agents it shows no arguments, either.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from mcp_memory.views.columns import Ints
from mcp_memory.views.experience import Experience
from mcp_memory.views.vouching import Support, Vouching

T = TypeVar("T")


class Endorser:
    """Asks, in a project and for one agent, who stands behind what. Made anew for each answer."""

    def __init__(self, experience: Experience, project: str, asker: str = "") -> None:
        self._x, self._project, self._asker = experience, project, asker
        self._vouching = experience.derived(Vouching)
        self.is_alone = self._vouching.is_alone(project, asker)

    def may_show(self, support: Support) -> bool:
        """Whether an example of what has such support is shown: among several agents only where two sources stand behind it."""
        return self.is_alone or support.is_verified

    def of_tool(self, tool: int) -> Support:
        """Return the sources that used a tool with success."""
        return self._vouching.of_tool(tool, self._project, self._asker)

    def of_rows(self, rows: Iterable[int] | Ints) -> Support:
        """Return the sources that episodes are."""
        return self._vouching.support(rows, self._asker)

    def of_episodes(self, ids: Iterable[str]) -> Support:
        """Return the sources that episodes are, by their ids; those that are not here are passed over."""
        return self.of_rows([row for key in ids if (row := self._x.row(key)) is not None])

    def voice_of(self, episode_id: str) -> int:
        """Return a number that episodes of one source have in common; of an agent among several, all of its own."""
        row = self._x.row(episode_id)
        assert row is not None, "it was read from the same views"
        return int(self._x.occasion[row] if self.is_alone else self._x.agent[row])

    def showable(self, episode_id: str, index: int) -> bool:
        """Whether a step's arguments may be shown as an example: its call is the asker's own or known from others."""
        row = self._x.row(episode_id)
        return row is not None and self._vouching.is_known_call(row, index, self._asker)

    def showable_of(self, rows: npt.NDArray[np.int32], indexes: npt.NDArray[np.int32]) -> Iterator[int]:
        """Yield the positions, in order, of the steps whose arguments may be shown; each is looked at only when it is asked for."""
        for position, (row, index) in enumerate(zip(rows, indexes, strict=True)):
            if self._vouching.is_known_call(int(row), int(index), self._asker):
                yield position


def led_by_verified(items: Sequence[T], is_verified: Callable[[T], bool]) -> list[T]:
    """Return *items* in their order, but for the first that is verified, which comes first.

    >>> led_by_verified([3, 5, 4, 2], lambda n: n % 2 == 0)
    [4, 3, 5, 2]
    """
    at = next((i for i, item in enumerate(items) if is_verified(item)), 0)
    return [*items[at : at + 1], *items[:at], *items[at + 1 :]]
