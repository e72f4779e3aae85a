"""The benchmarks of quality run, on a split of a few made-up episodes in the form of the real one."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import bench_holding, bench_patterns, bench_warnings, held_out, peers
from benchmarks.quality import split
from tests.integration.made_up_split import TASKS, recorded, write

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    episodes = [recorded(task, trial) for task in TASKS for trial in range(4)]
    write(tmp_path / "split" / "episodes" / "made_up.jsonl.gz", episodes)
    known = [e["episode_id"] for e in episodes if not e["episode_id"].endswith("/3")]
    (tmp_path / "split" / "memory.json").write_text(json.dumps({"repeat": known}))
    return tmp_path / "split"


async def test_what_is_left_out_is_forgotten_while_it_is_asked_about_and_there_again_afterwards(folder: Path, tmp_path: Path) -> None:
    for _ in range(2):
        found = await held_out.run(folder, tmp_path / "memory")
        assert found["repeat"]["made_up"]["hit1"][0] == 1.0  # the other attempts made the same steps
        assert found["transfer"]["made_up"]["questions"] == found["repeat"]["made_up"]["questions"] == 3 * 9
        assert found["transfer"]["made_up"]["hit1"][0] == 1.0  # so did the attempts at other tasks
        assert 0 <= found["repeat"]["ALL"]["brier"][0] <= 1


async def test_every_step_is_asked_about_and_those_that_failed_are_counted_apart(folder: Path, tmp_path: Path) -> None:
    rows = (await held_out.run(folder, tmp_path / "memory", every_step=True))["repeat"]
    steps = [step for episode in split.memory(folder, "repeat") for step in episode["steps"][1:]]
    assert rows["made_up"]["questions"] == len(steps)
    failed = sum(not step["success"] for step in steps) / len(steps)
    said = {name: rows["made_up"][name][0] for name in ("hit1", "worked1", "endorsed1")}
    assert 0 < failed < 1
    assert said["hit1"] == pytest.approx(failed * said["endorsed1"] + (1 - failed) * said["worked1"])


async def test_warnings_are_counted_on_episodes_that_are_not_in_memory(folder: Path, tmp_path: Path) -> None:
    rows = (await bench_warnings.run(folder, tmp_path / "memory"))["rows"]
    assert rows["ALL"]["steps"] == 3 * 5
    assert rows["ALL"]["base rate"] == pytest.approx(1 / 5)  # the first edit of every probe
    assert rows["ALL"]["warned"] == round(rows["ALL"]["coverage"] * 3 / rows["ALL"]["precision"]) > 0


async def test_patterns_are_held_against_episodes_that_are_not_in_memory(folder: Path, tmp_path: Path) -> None:
    rows = await bench_holding.run(folder, tmp_path / "memory")
    assert set(rows) - {"argument_change"} == {"tool_sequence", "decision_point", "error_recovery", "context", "ALL"}
    assert rows["ALL"]["known"] == 1.0  # the probes made the steps of the memory's attempts
    assert rows["error_recovery"]["pieces"] == 3
    assert not 0 <= rows["ALL"]["told apart"] <= 1, "every probe succeeded: there is nothing to tell apart"


async def test_the_cost_of_patterns_is_measured_against_a_memory_without_them(tmp_path: Path) -> None:
    found = await bench_patterns.run(tmp_path, episodes=12, calls=3)
    assert found["counts"]["evidence"] > 0
    assert {row["n"] for row in found["ms"].values()} == {3}


async def test_this_memory_finds_what_the_comparison_with_others_tells_and_asks_it(folder: Path) -> None:
    asked = [{"qid": task, "query": task, "truth": {"relevant": {recorded(task, 0)["episode_id"]: 1}}} for task in TASKS]
    write(folder / "tasks" / "b1_same_task.jsonl.gz", asked)
    told, questions = peers.material(folder, 100, 100)
    command = f"{sys.executable} -m mcp_memory stdio"
    found = await peers.measured(peers.PEERS["mcp-episodic-memory"], command, told, questions)
    assert (found["questions"], found["hit5"]) == (len(TASKS), 1.0)
    assert found["tokens_median"] > 0
