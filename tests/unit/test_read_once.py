"""One answer looks for nothing twice, and reads no episode twice."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config_sources import load_config
from mcp_memory.memory import EpisodicMemory
from mcp_memory.retrieval.retriever import Retriever
from mcp_memory.storage.store_reads import StoreReads

pytestmark = pytest.mark.anyio
TASK = "repair the parcel labels of the depot"
BROKEN = {
    "tool": "bash",
    "action": "run",
    "arguments": {"command": "make labels"},
    "status": "error",
    "error": "ValueError: no printer 'zebra'",
}
MENDED = [
    {"tool": "edit", "action": "edit", "arguments": {"path": "labels.cfg", "new": "printer = brother"}},
    {"tool": "bash", "action": "run", "arguments": {"command": "make labels"}, "observation": "printed 12"},
]


async def _recorded(memory: EpisodicMemory, outcome: str) -> None:
    started = await memory.start_episode(TASK, recall=False)
    await memory.log_steps(started.episode_id, [BROKEN, *MENDED] if outcome == "success" else [BROKEN])
    await memory.complete_episode(started.episode_id, outcome)


async def test_a_completion_that_failed_looks_once_for_what_is_like_it(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    similar = Retriever.similar

    def noted(self: Retriever, v: Any, query: Any, *rest: Any, **how: Any) -> Any:
        looked.append(query.text)
        return similar(self, v, query, *rest, **how)

    async with open_memory(load_config(env={}, flags={"storage.data_dir": str(data_dir)})) as memory:
        for outcome in ("success", "success", "failure"):
            await _recorded(memory, outcome)
        await memory.settle()
        started = await memory.start_episode(TASK, recall=False)
        await memory.log_steps(started.episode_id, [BROKEN])
        monkeypatch.setattr(Retriever, "similar", noted)
        done = await memory.complete_episode(started.episode_id, "failure")
    assert [p.worked for p in done.precedents], "what worked is told"
    assert looked == [TASK]


async def test_a_suggestion_after_an_error_reads_each_episode_once(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[str] = Counter()
    get_episodes = StoreReads.get_episodes

    def noted(self: StoreReads, ids: Any, *, steps: bool = True) -> Any:
        read.update(ids if steps else ())  # whoever embeds ahead reads the tasks alone, whenever there is time
        return get_episodes(self, ids, steps=steps)

    monkeypatch.setattr(StoreReads, "get_episodes", noted)
    async with open_memory(load_config(env={}, flags={"storage.data_dir": str(data_dir)})) as memory:
        for outcome in ("success", "success", "success", "failure"):
            await _recorded(memory, outcome)
        await memory.settle()
        started = await memory.start_episode(TASK, recall=False)
        await memory.log_steps(started.episode_id, [BROKEN])
        read.clear()
        said = await memory.suggest_next_step(started.episode_id)
    assert said.recovery is not None
    del read[started.episode_id]
    assert read
    assert max(read.values()) == 1, read
