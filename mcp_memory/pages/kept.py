"""Answers that are dear in a large memory, kept for a while: a page shows the last one at once, and it is made anew behind it."""

import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio

from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.errors import McpMemoryError

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

T = TypeVar("T")
EASY_S = 0.03  # what took less is asked again every time: in a memory of a few thousand episodes nothing is kept
REST = 20  # times what it took: pages that are looked at all day take a twentieth of one processor
MAX_KEPT = 64


@dataclass(slots=True)
class _Entry:
    value: Any
    took_s: float
    made_at_s: float
    in_work: bool = False


class Kept:
    """The answers of one process. Used on the event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: BoundedMap[Hashable, _Entry] = BoundedMap(MAX_KEPT)
        self._coming: dict[Hashable, anyio.Event] = {}
        self._failed: dict[Hashable, McpMemoryError] = {}
        self._generation = 0
        self.behind: TaskGroup | None = None  # where answers are made anew; without one, whoever asks waits

    async def answer(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> tuple[T, float]:
        """Return what *ask* answers and how many seconds old that is.

        Raises what *ask* raises, but only to who has to wait for it.
        """
        entry = self._entries.get(key)
        if entry is None or entry.took_s < EASY_S:
            return await self._made(key, ask), 0.0
        age_s = self._clock() - entry.made_at_s
        if age_s > REST * entry.took_s and not entry.in_work:
            if self.behind is None:
                return await self._made(key, ask), 0.0
            entry.in_work = True
            self.behind.start_soon(self._made_behind, key, ask, entry)
        return cast(T, entry.value), age_s

    async def soon(self, key: Hashable, ask: Callable[[], Awaitable[T]], patience_s: float) -> tuple[T | None, float]:
        """As `answer`, but None where the first answer takes longer than the patience: it is made behind the page, for who asks again."""
        entry = self._entries.get(key)
        if entry is not None or self.behind is None:
            return await self.answer(key, ask)
        if key not in self._coming:
            self._coming[key] = anyio.Event()
            self.behind.start_soon(self._first, key, ask)
        with anyio.move_on_after(patience_s):
            await self._coming[key].wait()
        made = self._entries.get(key)
        if made is not None:
            return cast(T, made.value), self._clock() - made.made_at_s
        failed = self._failed.pop(key, None)
        if failed is not None:
            raise failed
        return None, 0.0

    async def _first(self, key: Hashable, ask: Callable[[], Awaitable[Any]]) -> None:
        try:
            await self._made(key, ask)
        except McpMemoryError as error:
            self._failed[key] = error
        finally:
            self._coming.pop(key).set()

    def forget(self) -> None:
        """Let go of everything: somebody changed something on a page, and wants to see it."""
        self._generation += 1
        self._entries.clear()

    async def _made(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        generation, started = self._generation, self._clock()
        value = await ask()
        if generation == self._generation:
            now = self._clock()
            self._entries.put(key, _Entry(value, now - started, now))
        return value

    async def _made_behind(self, key: Hashable, ask: Callable[[], Awaitable[Any]], entry: _Entry) -> None:
        try:
            await self._made(key, ask)
        except McpMemoryError:  # who asks after the next rest is told
            entry.made_at_s = self._clock()
        finally:
            entry.in_work = False
