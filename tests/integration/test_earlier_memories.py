"""A memory written by an earlier version opens with the same answers."""

import gzip
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.config import StorageConfig
from mcp_memory.domain.curation import Correction
from mcp_memory.metrics import Metrics
from mcp_memory.storage.migrations import shipped
from mcp_memory.storage.sqlite_store import SqliteStore
from tests.integration.memory_answers import DATA, asked

pytestmark = pytest.mark.anyio
WRITTEN = ("memory_v1",)
# Advice is computed from what is stored each time it is asked for, and a later version may say it better; a test of what is stored must
# not hold it back. Everything else is: episodes, steps, listings, exports, links,
# patterns with their evidence and confidence, series, and which stored episodes a recall finds, and in which order; how many of the
# words are found moves with how texts are indexed.
LEFT_OUT = re.compile(
    r"\.suggested\.suggestions\[\d+\]\..*"
    r"|\.playbook\..*"
    r"|\.recall( ops)?\.episodes\[\d+\]\.(score|why\.lexical)"  # stored texts are indexed again by a version that indexes more of them
    r"|\.recall( ops)?\.(outlook\.expected_success|episodes\[\d+\]\.key_steps\[\d+\])"
    r"|\.trends\.clusters\[\d+\]\..*"
    r"|\.lessons|\.recall( ops)?\.patterns.*"  # which patterns are worth telling
    r"|\.patterns\.next_cursor"  # no advice, but each version's own
)


def differences(expected: Any, found: Any, at: str = "") -> list[str]:
    """Return where *found* is not what was expected; a later version may say more, never less or something else."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [d for k, v in expected.items() for d in (differences(v, found[k], f"{at}.{k}") if k in found else [f"{at}.{k} is gone"])]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [d for i, (e, f) in enumerate(zip(expected, found, strict=True)) for d in differences(e, f, f"{at}[{i}]")]
    if isinstance(expected, float) and isinstance(found, float | int):
        return [] if found == pytest.approx(expected, abs=2e-5) else [f"{at}: {expected} is {found}"]
    return [] if expected == found else [f"{at}: {expected!r} is {found!r}"]


def unpacked(name: str, folder: Path) -> Path:
    (folder / "memory.db").write_bytes(gzip.decompress((DATA / f"{name}.db.gz").read_bytes()))
    return folder / "memory.db"


@pytest.mark.parametrize("name", WRITTEN)
async def test_a_memory_of_an_earlier_version_gives_the_same_answers(tmp_path: Path, name: str) -> None:
    unpacked(name, tmp_path)
    expected = json.loads(gzip.decompress((DATA / f"{name}.answers.json.gz").read_bytes()))
    assert len(expected["episodes"]) == 12
    found = await asked(tmp_path)
    for answers in (expected, found):
        answers["patterns"]["patterns"].sort(key=lambda pattern: pattern["pattern_id"])  # which is worth most is advice
    assert [d for d in differences(expected, found) if not LEFT_OUT.fullmatch(d.split(": ")[0].removesuffix(" is gone"))] == []
    assert "## Corrections" in found["lessons"]
    with sqlite3.connect(tmp_path / "memory.db") as connection:
        assert connection.execute("SELECT max(version) FROM schema_migration").fetchone()[0] == len(shipped())


async def test_what_an_earlier_version_edited_is_edited_again_by_a_clock_that_is_behind(tmp_path: Path) -> None:
    path = unpacked("memory_v1", tmp_path)
    with sqlite3.connect(path) as connection:
        edited, last_ms = connection.execute(
            "SELECT e.id, max(d.at_ms) FROM episode_edit AS d JOIN episode AS e USING (episode_row) WHERE d.field = 'task'"
        ).fetchone()
        (corrected,) = connection.execute("SELECT target_id FROM correction GROUP BY target_id HAVING count(*) = 2").fetchone()
    store = await SqliteStore.open(tmp_path, StorageConfig(), Metrics(), lambda: last_ms - 3_600_000)
    replica_id = store.info().replica_id
    assert len(replica_id) == 32
    assert store.corrections([corrected])[corrected].text == "mock the gateway only"
    await store.update_episode(edited, task="by a clock an hour behind")
    await store.put_correction(corrected, Correction("by a clock an hour behind"), last_ms - 3_600_000)
    await store.aclose()
    again = await SqliteStore.open(tmp_path, StorageConfig(), Metrics(), lambda: last_ms - 7_200_000)
    found = again.get_episodes([edited], steps=False)[0]
    assert found is not None
    assert found.task == "by a clock an hour behind"
    assert again.corrections()[corrected] == again.corrections([corrected])[corrected] == Correction("by a clock an hour behind")
    assert again.info().replica_id == replica_id
    await again.aclose()
    with sqlite3.connect(path) as connection:
        ids, readings = zip(*connection.execute("SELECT id, hlc FROM correction ORDER BY hlc"), strict=True)
    assert len(set(ids)) == len(set(readings)) == 4
