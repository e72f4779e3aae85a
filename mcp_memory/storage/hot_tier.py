"""Copies of completed episodes in a cache, in front of the durable rows.

A completed episode never changes, so its copy needs no invalidation, but for edits and deletions: those are few, are known by id
from the change feed, and make every copy older than them a miss.
"""

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from mcp_memory.domain.backups import Checked
from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.domain.episode import Episode, EpisodeState
from mcp_memory.domain.query import Change, ChangeKind
from mcp_memory.domain.status import DiskCacheStats
from mcp_memory.errors import CorruptRecord
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Cache
from mcp_memory.storage.codec import Codec, load_episode
from mcp_memory.storage.copy_check import Stored, compare

NAMESPACE = "episode"
MAX_DECODED_BYTES = 4 << 20  # of copies as they are stored; decoded, of long texts, some five times as much
SECOND_LOOK_S = 0.5  # a deletion is written behind within milliseconds
_STALING = (ChangeKind.EPISODE_UPDATED, ChangeKind.EPISODE_DELETED)


class EditFeed(Protocol):
    """Where the hot tier learns of edits and deletions."""

    def change_seq(self) -> int: ...

    def changes_after(self, seq: int, limit: int = 10_000) -> list[Change]: ...

    def edited_episodes(self) -> dict[str, int]:
        """The edited and the deleted episodes, each with the change that made older copies stale."""


class _Decoded(NamedTuple):
    """A copy as it was read lately, and the size that it is stored in."""

    episode: Episode
    size_bytes: int


class HotTier:
    """Copies by episode id. The cache belongs to whoever opened it. Safe from any thread."""

    def __init__(self, cache: Cache, codec: Codec, metrics: Metrics, feed: EditFeed, replica_id: str) -> None:
        """Take whose copies these are: where the durable tier was replaced beside its cache, those of the other one are not read."""
        self._cache, self._codec, self._metrics, self._feed = cache, codec, metrics, feed
        self._namespace = f"{NAMESPACE}-{replica_id}"
        self._decoded: BoundedMap[str, _Decoded] = BoundedMap(MAX_DECODED_BYTES, lambda copy: copy.size_bytes)
        self._lock = threading.Lock()
        self._seq = feed.change_seq()
        self._stale_before = feed.edited_episodes()

    def get(self, ids: Sequence[str]) -> dict[str, Episode]:
        """Return those of the episodes of which there is a current copy."""
        self._catch_up()
        with self._metrics.timed("hot_tier_read"):
            found = self._current(ids)
        hits = sum(i in found for i in ids)
        self._metrics.count("hot_tier_hits", hits)
        self._metrics.count("hot_tier_misses", len(ids) - hits)
        return found

    def keep(self, episodes: Iterable[Episode]) -> None:
        """Copy the completed ones of *episodes*."""
        completed = [(e, self._codec.episode(e)) for e in episodes if e.state is EpisodeState.COMPLETED]
        if completed:
            self._cache.put_many(self._namespace, [(e.id.encode(), blob) for e, blob in completed])
        for e, blob in completed:
            self._decoded.put(e.id, _Decoded(e, len(blob)))

    def drop(self, ids: Sequence[str]) -> None:
        """Delete the copies: what is forgotten must not stay in a cache."""
        self._catch_up()
        self._delete(ids)

    def stats(self) -> DiskCacheStats:
        """Return the cache's figures; what was still decoded from an earlier read is among its hits."""
        found = self._cache.stats()
        return found if found.hits is None else replace(found, hits=found.hits + self._decoded.hits)

    def check(self, stored: Stored, *, repair: bool = False) -> Checked:
        """Return what is wrong with the copies (blocking); with *repair* delete those and copy anew what the durable tier holds.

        A damaged record is no fault of its copy: that is told, and stays.

        What was found is looked at twice: another process may be about to delete a copy of what was forgotten this moment.
        """
        self._catch_up()
        wrong = compare(self._cache, self._namespace, stored, self._stale_before)
        if wrong:
            time.sleep(SECOND_LOOK_S)
            self._catch_up()
            wrong = compare(self._cache, self._namespace, stored, self._stale_before)
        if wrong and repair:
            self._cache.drop([entry.handle for entry in wrong.spoiled])
            self._cache.delete_many(self._namespace, [id_.encode() for id_ in wrong.forgotten])
            spoiled = (entry.key.decode("utf-8", "replace") for entry in wrong.spoiled if entry.namespace == self._namespace)
            self.keep(found for found in stored([*wrong.different, *spoiled]) if isinstance(found, Episode))
            return Checked(wrong.left(), tuple(f"{problem}: made again" for problem in wrong.problems()))
        return Checked((*wrong.problems(), *wrong.left()))

    def copies_of_damaged(self, stored: Stored) -> list[Episode]:
        """Return the sound and current copies of records that are damaged (blocking, as `check`)."""
        self._catch_up()
        ids = compare(self._cache, self._namespace, stored, self._stale_before).all_that_is_left
        return [*self._current(ids).values()]

    def _current(self, ids: Sequence[str]) -> dict[str, Episode]:
        found = {i: copy.episode for i in ids if (copy := self._decoded.get(i)) and self._is_current(copy.episode)}
        unread = [i for i in ids if i not in found]
        for id_, blob in zip(unread, self._cache.get_many(self._namespace, [i.encode() for i in unread]), strict=True):
            if blob is None:
                continue
            try:
                episode = load_episode(blob)
            except CorruptRecord:  # a copy written by another version: the durable store has the record
                self._metrics.count("hot_tier_errors")
                continue
            if episode.id == id_ and self._is_current(episode):
                self._decoded.put(id_, _Decoded(episode, len(blob)))
                found[id_] = episode
        return found

    def _is_current(self, episode: Episode) -> bool:
        return episode.change_seq >= self._stale_before.get(episode.id, 0)

    def _catch_up(self) -> None:
        """Learn of edits and deletions made since the last look, by any process."""
        if self._feed.change_seq() == self._seq:
            return
        with self._lock:
            while changes := self._feed.changes_after(self._seq):
                touched = {c.entity_id: c.seq for c in reversed(changes) if c.kind in _STALING}  # the first of each
                edited = self._feed.edited_episodes() if touched else {}
                stale = [i for i, seq in touched.items() if edited.get(i, 0) >= seq]  # what was only indexed anew is as it was
                self._stale_before |= edited
                if stale:
                    self._delete(stale)
                self._seq = changes[-1].seq

    def _delete(self, ids: Sequence[str]) -> None:
        self._decoded.clear()  # what is forgotten must not stay here, either
        keys = [i.encode() for i in ids]
        for namespace in (self._namespace, NAMESPACE):  # the second held the copies before they had an owner
            self._cache.delete_many(namespace, keys)
