"""Identical text is never embedded twice: within a call, across calls and processes, or at the same time."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mcp_memory.domain.status import CacheStats
from mcp_memory.embedding.cached_embedder import NAMESPACE, CachedEmbedder
from mcp_memory.embedding.hash_embedder import HashEmbedder
from mcp_memory.errors import ProviderUnavailable
from mcp_memory.testing import InMemoryCache

WAIT_S = 10.0  # a bound for what happens at once, not a pause


class Counting(HashEmbedder):
    """Remembers what it was asked; can be held up, and can fail."""

    def __init__(self, dimension: int = 16) -> None:
        super().__init__(dimension)
        self.asked: list[str] = []
        self.entered, self.go = threading.Event(), threading.Event()
        self.go.set()
        self.failure: Exception | None = None

    def embed(self, texts: Sequence[str], *, role: str = "document") -> np.ndarray:
        self.asked += texts
        self.entered.set()
        assert self.go.wait(WAIT_S)
        if self.failure is not None:
            raise self.failure
        return super().embed(texts, role=role)


class DictCache(InMemoryCache):
    @property
    def values(self) -> dict[tuple[str, bytes], bytes]:
        return self._items


def test_a_text_is_embedded_once_within_a_call_and_across_calls_and_roles() -> None:
    inner = Counting()
    embedder = CachedEmbedder(inner, None)
    embedder.embed(["a", "b", "a"])
    embedder.embed(["b", "c"], role="query")
    assert inner.asked == ["a", "b", "c"]
    assert embedder.stats() == CacheStats(hits=1, misses=3, entries=3)


def test_another_process_on_the_same_cache_does_not_embed_it_again_and_gets_the_same_bits() -> None:
    cache, first, second = DictCache(), Counting(), Counting()
    vectors = CachedEmbedder(first, cache).embed(["a", "b"])
    again = CachedEmbedder(second, cache).embed(["b", "a"])
    assert second.asked == []
    np.testing.assert_array_equal(again, vectors[::-1])


def test_spaces_do_not_share_entries() -> None:
    cache, other = DictCache(), Counting(8)
    CachedEmbedder(Counting(16), cache).embed(["a"])
    assert CachedEmbedder(other, cache).embed(["a"]).shape == (1, 8)
    assert other.asked == ["a"]


@pytest.mark.parametrize("damaged", [b"", b"123", bytes(16 * 4), bytes(15 * 4), b"\xff" * 64])
def test_a_damaged_cache_value_is_computed_again_and_replaced(damaged: bytes) -> None:
    cache, inner = DictCache(), Counting()
    vectors = CachedEmbedder(inner, cache).embed(["a"])
    (key,) = cache.values
    cache.put_many(NAMESPACE, [(key[1], damaged)])
    np.testing.assert_array_equal(CachedEmbedder(inner, cache).embed(["a"]), vectors)
    assert inner.asked == ["a", "a"]
    assert cache.values[key] == vectors.tobytes()


def test_a_text_another_thread_is_embedding_is_waited_for() -> None:
    inner = Counting()
    inner.go.clear()
    embedder = CachedEmbedder(inner, None)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(embedder.embed, ["a", "b"])
        assert inner.entered.wait(WAIT_S)
        second = pool.submit(embedder.embed, ["b"])
        inner.go.set()
        np.testing.assert_array_equal(second.result(WAIT_S)[0], first.result(WAIT_S)[1])
    assert inner.asked == ["a", "b"]


def test_many_threads_with_overlapping_texts_embed_each_text_once_and_never_lock_up() -> None:
    inner = Counting()
    embedder = CachedEmbedder(inner, DictCache())
    texts = [f"text {n}" for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(embedder.embed, texts[n % 7 :: 1 + n % 3][:: 1 if n % 2 else -1]) for n in range(64)]
        for call in calls:
            call.result(WAIT_S)
    assert sorted(inner.asked) == sorted(texts)


def test_a_failure_reaches_every_waiter_and_the_next_call_tries_again() -> None:
    inner = Counting()
    inner.go.clear()
    inner.failure = ProviderUnavailable("down")
    embedder = CachedEmbedder(inner, None)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(embedder.embed, ["a"])
        assert inner.entered.wait(WAIT_S)
        second = pool.submit(embedder.embed, ["a"])
        inner.go.set()
        for call in (first, second):
            with pytest.raises(ProviderUnavailable):
                call.result(WAIT_S)
    inner.failure = None
    assert embedder.embed(["a"]).shape == (1, 16)


def test_the_least_recently_used_vector_leaves_this_process_first() -> None:
    inner = Counting()
    embedder = CachedEmbedder(inner, None, max_entries=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        embedder.embed([text])
    assert inner.asked == ["a", "b", "c", "b"]
    assert embedder.stats().entries == 2
