"""A memory written by an earlier version opens with the same answers."""

import gzip
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.storage.migrations import shipped
from tests.integration.memory_answers import DATA, asked

pytestmark = pytest.mark.anyio
WRITTEN = ("memory_v1",)


def differences(expected: Any, found: Any, at: str = "") -> list[str]:
    """Return where *found* is not what was expected; a later version may say more, never less or something else."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [d for k, v in expected.items() for d in (differences(v, found[k], f"{at}.{k}") if k in found else [f"{at}.{k} is gone"])]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [d for i, (e, f) in enumerate(zip(expected, found, strict=True)) for d in differences(e, f, f"{at}[{i}]")]
    if isinstance(expected, float) and isinstance(found, float | int):
        return [] if found == pytest.approx(expected, abs=2e-5) else [f"{at}: {expected} is {found}"]
    return [] if expected == found else [f"{at}: {expected!r} is {found!r}"]


@pytest.mark.parametrize("name", WRITTEN)
async def test_a_memory_of_an_earlier_version_gives_the_same_answers(tmp_path: Path, name: str) -> None:
    (tmp_path / "memory.db").write_bytes(gzip.decompress((DATA / f"{name}.db.gz").read_bytes()))
    expected = json.loads(gzip.decompress((DATA / f"{name}.answers.json.gz").read_bytes()))
    assert len(expected["episodes"]) == 12
    found = await asked(tmp_path)
    assert differences(expected, found) == []
    with sqlite3.connect(tmp_path / "memory.db") as connection:
        assert connection.execute("SELECT max(version) FROM schema_migration").fetchone()[0] == len(shipped())
