"""A Store that serves completed episodes from the hot tier, in front of the durable one.

A completed episode never changes, so its copy needs no invalidation, but for edits and deletions: those are few, are known by id
from the change feed, and make every copy older than them a miss.
"""

import threading
from collections.abc import Mapping, Sequence

from mcp_memory.config import StorageConfig
from mcp_memory.domain.episode import Episode, EpisodeState, Json
from mcp_memory.domain.query import ChangeKind
from mcp_memory.errors import CorruptRecord
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Cache
from mcp_memory.storage.codec import Codec, load_episode
from mcp_memory.storage.sqlite_store import SqliteStore

NAMESPACE = "episode"
_STALING = (ChangeKind.EPISODE_UPDATED, ChangeKind.EPISODE_DELETED)


class DualStore:
    """See `ports.Store`. Everything but `get_episodes`, `delete_episodes`, `info` and `aclose` is the durable store's own."""

    def __init__(self, durable: SqliteStore, cache: Cache, config: StorageConfig, metrics: Metrics) -> None:
        self._durable, self._cache, self._metrics = durable, cache, metrics
        self._codec = Codec(config.compress_over_bytes)
        self._lock = threading.Lock()
        self._seq = durable.change_seq()
        self._stale_before = durable.edited_episodes()  # episode id → the change that made older copies stale

        self.start_episode = durable.start_episode
        self.append_steps = durable.append_steps
        self.complete_episode = durable.complete_episode
        self.import_episodes = durable.import_episodes
        self.put_vectors = durable.put_vectors
        self.put_recommendation = durable.put_recommendation
        self.put_feedback = durable.put_feedback
        self.update_episode = durable.update_episode
        self.put_link = durable.put_link
        self.remove_link = durable.remove_link
        self.put_checkpoint = durable.put_checkpoint
        self.put_correction = durable.put_correction
        self.abandon_episodes = durable.abandon_episodes

        self.find_external = durable.find_external
        self.ids_starting = durable.ids_starting
        self.list_episodes = durable.list_episodes
        self.search_text = durable.search_text
        self.term_counts = durable.term_counts
        self.change_seq = durable.change_seq
        self.changes_after = durable.changes_after
        self.traces = durable.traces
        self.vectors = durable.vectors
        self.missing_vectors = durable.missing_vectors
        self.patterns = durable.patterns
        self.evidence = durable.evidence
        self.episode_patterns = durable.episode_patterns
        self.pattern_tallies = durable.pattern_tallies
        self.recommendations = durable.recommendations
        self.feedback = durable.feedback
        self.corrections = durable.corrections
        self.links = durable.links
        self.checkpoint = durable.checkpoint
        self.latest_checkpoint = durable.latest_checkpoint
        self.counts = durable.counts
        self.distinct = durable.distinct
        self.check = durable.check

    def get_episodes(self, ids: Sequence[str], *, steps: bool = True) -> list[Episode | None]:
        """Return the episodes in order; completed ones from the cache where a current copy is there."""
        if not steps:  # one short row each: the durable store is as fast, and the copies are whole episodes
            return self._durable.get_episodes(ids, steps=False)
        self._catch_up()
        with self._metrics.timed("hot_tier_read"):
            found = self._cached(ids)
        missing = [i for i in ids if i not in found]
        self._metrics.count("hot_tier_hits", len(ids) - len(missing))
        self._metrics.count("hot_tier_misses", len(missing))
        if missing:
            fresh = [e for e in self._durable.get_episodes(missing) if e is not None]
            self._cache.put_many(NAMESPACE, [(e.id.encode(), self._codec.episode(e)) for e in fresh if e.state is EpisodeState.COMPLETED])
            found |= {e.id: e for e in fresh}
        return [found.get(i) for i in ids]

    async def delete_episodes(self, ids: Sequence[str], reason: str, at_ms: int) -> Mapping[str, int]:
        """Delete from the durable store, then drop the copies: what is forgotten must not stay in a cache."""
        counts = await self._durable.delete_episodes(ids, reason, at_ms)
        self._catch_up()
        self._cache.delete_many(NAMESPACE, [i.encode() for i in ids])
        return counts

    def info(self) -> Mapping[str, Json]:
        """Return the durable store's figures with the cache's, and what an operator should know of it."""
        info, cache = dict(self._durable.info()), dict(self._cache.stats())
        notices = [*info["notices"], *([str(cache["rebuilt"])] if cache.get("rebuilt") else [])]
        return info | {"cache": cache, "notices": notices, "processes": cache.get("processes", 1)}

    async def aclose(self) -> None:
        """Close the durable store. The cache belongs to whoever opened it."""
        await self._durable.aclose()

    def _cached(self, ids: Sequence[str]) -> dict[str, Episode]:
        found: dict[str, Episode] = {}
        for id_, blob in zip(ids, self._cache.get_many(NAMESPACE, [i.encode() for i in ids]), strict=True):
            if blob is None:
                continue
            try:
                episode = load_episode(blob)
            except CorruptRecord:  # a copy written by another version: the durable store has the record
                self._metrics.count("hot_tier_errors")
                continue
            if episode.id == id_ and episode.change_seq >= self._stale_before.get(id_, 0):
                found[id_] = episode
        return found

    def _catch_up(self) -> None:
        """Learn of edits and deletions made since the last look, by any process."""
        if self._durable.change_seq() == self._seq:
            return
        with self._lock:
            while changes := self._durable.changes_after(self._seq):
                stale = [c for c in changes if c.kind in _STALING]
                self._stale_before.update((c.entity_id, c.seq) for c in stale)
                if stale:
                    self._cache.delete_many(NAMESPACE, [c.entity_id.encode() for c in stale])
                self._seq = changes[-1].seq
