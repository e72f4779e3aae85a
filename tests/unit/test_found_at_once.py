"""What was just completed is found by its meaning at once; an import is not waited for."""

import json
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config_sources import load_config
from mcp_memory.embedding.service import EmbeddingService

pytestmark = pytest.mark.anyio
TASK, REWORDED = "The nightly export crashes with UnicodeDecodeError", "our scheduled dump dies on a character encoding problem"


async def test_an_episode_is_found_in_other_words_right_after_its_completion(data_dir: Path) -> None:
    async with open_memory(load_config(env={}, flags={"storage.data_dir": str(data_dir)})) as memory:
        for task in (TASK, "Add a dark mode switch to the settings page"):
            started = await memory.start_episode(task, recall=False)
            await memory.complete_episode(started.episode_id, "success", lessons=[f"How to: {task}"])
        found = await memory.recall(REWORDED)
    assert [episode.task for episode in found.episodes][:1] == [TASK]
    assert found.degraded == ()


async def test_a_recall_does_not_wait_for_an_import_to_be_embedded(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, embed = threading.Event(), EmbeddingService.embed_documents

    def held_up(self: EmbeddingService, texts: Any, space: str) -> Any:
        go_on.wait()
        return embed(self, texts, space)

    monkeypatch.setattr(EmbeddingService, "embed_documents", held_up)
    lines = [json.dumps({"task": f"{TASK} {n}", "steps": [], "outcome": {"kind": "success"}}) for n in range(40)]
    flags = {"storage.data_dir": str(data_dir), "embedding.ready_wait_ms": 3_600_000}
    async with open_memory(load_config(env={}, flags=flags)) as memory:
        try:
            await memory.import_lines(lines)
            with anyio.fail_after(60):
                found = await memory.recall(TASK)
        finally:
            go_on.set()
    assert found.episodes
    assert found.degraded == ("episodes that are not embedded yet, and are found by words only: 40",)
