"""How many statements a write takes, whatever the machine does: a logged step waits for each of them."""

import time
from pathlib import Path

import pytest

from mcp_memory.config import StorageConfig
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.metrics import Metrics
from mcp_memory.storage.sqlite_store import SqliteStore

pytestmark = pytest.mark.anyio


async def test_a_step_is_one_look_and_one_insert_in_a_transaction(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path, StorageConfig(), Metrics(), lambda: time.time_ns() // 1_000_000)
    await store.start_episode(Episode("e", "p", "a task", started_at_ms=1))
    seen: list[str] = []
    store._writer.set_trace_callback(seen.append)
    await store.append_steps("e", [Step("bash")])
    await store.append_steps("e", [Step("bash")])
    store._writer.set_trace_callback(None)
    kinds = [statement.split()[0] for statement in seen if not statement.startswith("--")]
    assert kinds == ["BEGIN", "SELECT", "INSERT", "COMMIT"] * 2
    await store.aclose()
