"""When the world changes, advice follows: short streams through the facade, made here."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.quality import drift
from benchmarks.quality.in_process import opened_here
from tests.integration.changing_world import KINDS, follows_after, stream

pytestmark = pytest.mark.anyio


async def lived_through(kind: str, old: int, new: int, data_dir: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a stream and what was answered in it."""
    world = stream(kind, old, new)
    async with opened_here(data_dir, world["old"]) as door:
        return world, await drift.stream(door, world)


@pytest.mark.parametrize("kind", KINDS)
async def test_advice_follows_a_changed_world_within_four_episodes(kind: str, tmp_path: Path) -> None:
    world, answered = await lived_through(kind, 5, 4, tmp_path)
    assert answered["first"][0]["key"] == world["bad"]["key"], "before anything new was seen, the old way is right"
    after = follows_after(answered["first"], world["truth"]["want"])
    assert after is not None, answered["first"]
    assert after <= 4
