"""The storage benchmark runs, with tiny sizes."""

from pathlib import Path

import pytest

from benchmarks.bench_storage import run

pytestmark = pytest.mark.anyio


async def test_the_storage_benchmark_measures_writes_and_reads(tmp_path: Path) -> None:
    found = await run(tmp_path, episodes=12, runs=12)
    rows = found["ms"]
    assert {"bare commit", "append_steps, 1", "complete_episode, 30 steps", "search_text, 8 words", "change_seq"} <= set(rows)
    assert all(row["p50"] <= row["p95"] for row in rows.values())
    assert found["about"]["episodes"] == 12
