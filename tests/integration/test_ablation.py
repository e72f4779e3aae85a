"""The learning curve and the ablation, on a split of a few made-up episodes: what is off must move what it is there for."""

import json
from pathlib import Path

import pytest

from benchmarks import ablation, ablation_speed, learning_curve
from benchmarks.ablation_terms import PARTS
from benchmarks.quality import split
from benchmarks.quality.figures import EPISODES_OF, figures
from tests.integration.made_up_split import TASKS, write, write_episodes

pytestmark = pytest.mark.anyio
SCORER = """
import json, pathlib

def ci(values):
    return 0.0

def main(folder, predictions, tools):
    found = [json.loads(line) for line in pathlib.Path(predictions).read_text().splitlines()]
    best = {p["qid"]: p["ranked"][:1] for p in found if "ranked" in p}
    rows = {"B2 replay paraphrase | ALL": {"reward1": (float(best.get("b1/1") in (["made_up/mend/0"], ["made_up/mend/2"])), 0.0)}}
    silent = [not p["episodes"] for p in found if p["qid"].startswith("b9/")]
    return rows | ({"B9 unrelated request | ALL": {"silent": (sum(silent) / len(silent), 0.0)}} if silent else {})
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "split"
    episodes, known = write_episodes(root)
    (root / "memory.json").write_text(json.dumps({"repeat": known, "transfer": known[3:]}))
    about = {"source": "made_up", "context": episodes[0]["context"], "query": TASKS[0], "task_description": TASKS[0]}

    b1 = {"qid": "b1/1", "kind": "paraphrase", "truth": {"relevant": {known[0]: 2, known[1]: 1}, "reward": {known[0]: 1.0, known[1]: 0.0}}}
    write(split.task_file(root, "b1"), [b1 | about])
    write(split.task_file(root, "b9"), [{"qid": "b9/1", "query": "sing a song of sixpence", "truth": {}}])
    (tmp_path / "score.py").write_text(SCORER)
    return root


async def test_a_part_that_is_off_moves_its_figure_and_is_on_again_afterwards(folder: Path, tmp_path: Path) -> None:
    parts = [part for part in PARTS if part.name in ("retrieval: silence", "retrieval: value_weight = 0")]
    rows = await ablation.ablation(folder, tmp_path / "work", tmp_path, parts)
    assert rows["retrieval: silence"] == {"B9 unrelated request, ALL silent": -1.0}
    assert "B2 replay paraphrase, ALL reward1" in rows["retrieval: value_weight = 0"]
    assert (await figures(folder, tmp_path / "work", ("b9",), tmp_path)) == {"B9 unrelated request, ALL silent": 1.0}


def test_every_part_can_be_switched_off_and_comes_back() -> None:
    for part in (*PARTS, *ablation_speed.SWITCHES):
        before = [getattr(module, name) for module, name, _ in part.values]
        with part.off():
            assert [getattr(module, name) for module, name, _ in part.values] == [value for *_, value in part.values], part.name
        assert [getattr(module, name) for module, name, _ in part.values] == before, part.name


async def test_the_curve_begins_with_an_empty_memory(folder: Path, tmp_path: Path) -> None:
    rows = await learning_curve.curve(folder, tmp_path / "work", tmp_path, kinds=("b1",))
    assert [row[EPISODES_OF] for row in rows.values()] == [0.0, 3.0, 6.0, 9.0, 9.0]
    assert [row["B2 replay paraphrase, ALL reward1"] for row in rows.values()] == [0.0, 1.0, 1.0, 1.0, 1.0]


async def test_a_measure_for_speed_is_timed_with_and_without(tmp_path: Path) -> None:
    rows = await ablation_speed.speed(tmp_path, episodes=6, rounds=1, calls=4)
    assert {name.rpartition(": ")[0] for name in rows} == {part.name for part in ablation_speed.SWITCHES}
    assert all(cost > 0 for row in rows.values() for cost in row.values())
