"""Copies that are read again and again."""

import random
from pathlib import Path

import pytest

from mcp_memory.storage.hot_tier import MAX_DECODED_BYTES
from tests.contract.store_samples import complete, completion, open_store

pytestmark = pytest.mark.anyio


async def test_a_copy_is_decoded_once_however_often_it_is_read(tmp_path: Path) -> None:
    store = await open_store("dual on a dict", tmp_path)
    await complete(store, "a", steps=3)
    first, again, third = (store.get_episodes(["a"])[0] for _ in range(3))  # the first reads the record and copies it
    assert first == again
    assert again is third
    await store.aclose()


async def test_what_was_decoded_is_not_kept_beyond_its_bound(tmp_path: Path) -> None:
    store = await open_store("dual on a dict", tmp_path)
    await complete(store, "a", steps=3)
    before = [store.get_episodes(["a"])[0] for _ in range(2)][-1]
    for number in range(8):  # hexadecimal digits are packed to half
        await complete(store, f"long {number}", random.Random(number).randbytes(MAX_DECODED_BYTES // 7).hex(), steps=1)
        store.get_episodes([f"long {number}"])
    after = store.get_episodes(["a"])[0]
    assert after == before
    assert after is not before
    await store.aclose()


async def test_a_copy_of_an_episode_that_was_only_indexed_anew_is_still_one(tmp_path: Path) -> None:
    store = await open_store("dual on a dict", tmp_path)
    done = await complete(store, "a", steps=2)
    await store.reindex([completion(done, 2)])
    first, again = (store.get_episodes(["a"])[0] for _ in range(2))
    assert first is again
    await store.update_episode("a", add_lessons=["check the year first"])
    edited, again = (store.get_episodes(["a"])[0] for _ in range(2))
    assert edited is again
    assert edited != first
    await store.aclose()
