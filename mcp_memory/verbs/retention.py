"""Retention: which episodes have outlived their use, by age, reward and space; archived before they are deleted."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from mcp_memory import private
from mcp_memory.domain.episode import Episode, EpisodeState
from mcp_memory.domain.query import ANY_PROJECT, Filter, Sort
from mcp_memory.domain.reports import Pruned
from mcp_memory.domain.requests import Prune
from mcp_memory.errors import InvalidInput
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.exporting import Exporting

DAY_MS = 86_400_000
PAGE = 200
DELETE_BATCH = 100
MAX_SHOWN = 50
REASON = "retention"


class Retention:
    """The verb prune."""

    def __init__(self, engines: Engines, exporting: Exporting) -> None:
        self._e, self._exporting = engines, exporting

    async def prune(self, asked: Prune) -> Pruned:
        """Choose what to let go; with `apply`, archive it (when asked to) and then delete it.

        An episode is chosen when it meets every one of the age and reward conditions given; beyond that, while the store is larger than
        `max_bytes`, the least rewarded and among those the oldest. Open episodes stay. The archive is complete and synced before
        the first deletion.

        Raises:
            InvalidInput: No condition, or the archive exists.
        """
        if asked.older_than_days is None and asked.below_reward is None and asked.max_bytes is None:
            raise InvalidInput("say what to let go: by age, by reward or by space")
        where = Filter(project=asked.project or ANY_PROJECT, quarantined=True)
        chosen = await self._e.in_thread(lambda: self._choose(where, asked.older_than_days, asked.below_reward, asked.max_bytes))
        ids = [episode.id for episode in chosen]
        counts = {"episodes": len(ids), "steps": sum(episode.step_count for episode in chosen)}
        if not asked.apply:
            return Pruned(counts, None, None, tuple(ids[:MAX_SHOWN]))
        written = await self._archive(Path(asked.archive), ids) if asked.archive else None
        deleted: dict[str, int] = {}
        for start in range(0, len(ids), DELETE_BATCH):
            done = await self._e.store.delete_episodes(ids[start : start + DELETE_BATCH], REASON, self._e.clock())
            deleted = {kind: deleted.get(kind, 0) + n for kind, n in done.items()}
        return Pruned(None, deleted, written, tuple(ids[:MAX_SHOWN]))

    def _choose(self, where: Filter, older_than_days: float | None, below_reward: float | None, max_bytes: int | None) -> list[Episode]:
        now_ms = self._e.clock()
        closed = [e for e in self._all(where) if e.state is not EpisodeState.OPEN]
        chosen: dict[str, Episode] = {}
        if older_than_days is not None or below_reward is not None:
            oldest_ms = None if older_than_days is None else now_ms - older_than_days * DAY_MS
            chosen = {e.id: e for e in closed if _outlived(e, oldest_ms, below_reward)}
        if max_bytes is not None:
            size_bytes = self._e.store.info().size_bytes
            steps = sum(e.step_count + 1 for e in closed) or 1
            over = size_bytes - max_bytes - size_bytes * sum(e.step_count + 1 for e in chosen.values()) / steps
            for episode in sorted((e for e in closed if e.id not in chosen), key=_worth):
                if over <= 0:
                    break
                chosen[episode.id] = episode
                over -= size_bytes * (episode.step_count + 1) / steps  # a step's share of the file, an episode's head counting as one
        return list(chosen.values())

    def _all(self, where: Filter) -> Iterator[Episode]:
        cursor = None
        while True:
            page = self._e.store.list_episodes(where, sort=Sort.OLDEST, limit=PAGE, cursor=cursor)
            yield from (e for e in self._e.store.get_episodes(page.ids, steps=False) if e is not None)
            cursor = page.next_cursor
            if cursor is None:
                return

    async def _archive(self, path: Path, ids: Sequence[str]) -> str:
        if await self._e.in_thread(path.exists):
            raise InvalidInput(f"the archive {path} exists already", hint="Name another file.")
        lines = [line async for line in self._exporting.lines_of(ids)]
        await self._e.in_thread(_write_synced, path, lines)
        return str(path)


def _outlived(episode: Episode, oldest_ms: float | None, below_reward: float | None) -> bool:
    ended_at_ms = episode.ended_at_ms or episode.started_at_ms
    if oldest_ms is not None and ended_at_ms >= oldest_ms:
        return False
    return below_reward is None or episode.reward is None or episode.reward.score < below_reward


def _worth(episode: Episode) -> tuple[float, int]:
    return (episode.reward.score if episode.reward else 0.0, episode.ended_at_ms or episode.started_at_ms)


def _write_synced(path: Path, lines: Sequence[str]) -> None:
    part = path.with_name(path.name + ".part")
    with open(private.create(part), "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
