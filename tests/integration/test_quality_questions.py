"""The questions of a split are asked through a real server: every set, on a split of a few made-up episodes."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import quality_variants
from benchmarks.quality import failures, goals, measures, memories, report, session, split
from benchmarks.quality.asking import ask, kinds_of
from benchmarks.quality.drift import old_way
from tests.integration.made_up_split import TASKS, recorded, write, write_episodes

pytestmark = pytest.mark.anyio
CONTEXT = {"domain": "d", "language": "en", "framework": "mend", "tags": []}


def changing_world() -> dict[str, Any]:
    """Return a stream of two old episodes and one new one, in which another tool does what the first tool no longer does."""

    def episode(tool: str) -> dict[str, Any]:
        steps = [{"tool": "look", "action": "", "arguments": {"path": "a"}, "status": "ok"}, {"tool": tool, "arguments": {"n": 1}}]
        return {"task": "fetch the report", "context": CONTEXT, "steps": steps, "outcome": "success"}

    old = [episode("fetch") | {"external_id": f"o{i}", "project": "p/1", "outcome": {"kind": "success"}} for i in range(2)]
    question = {"task": "fetch the other report", "context": CONTEXT, "steps": episode("fetch")["steps"][:1]}
    truth = {"want": {"key": "fetch_v2"}, "bad": {"key": "fetch"}}
    return {"qid": "b10/x/1", "kind": "x", "project": "p/1", "old": old, "new": [episode("fetch_v2")], "question": question, "truth": truth}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "split"
    episodes, known = write_episodes(root)
    (root / "memory.json").write_text(json.dumps({"repeat": known, "transfer": known[3:], "without0": known[:6]}))
    task, prefix = TASKS[0], episodes[3]["steps"][:2]
    about = {"source": "made_up", "context": CONTEXT, "query": task, "task_description": task}
    truth = {"next": "edit", "rest": ["edit"], "worked": True}
    b1 = {"relevant": {known[0]: 2, known[1]: 1}, "reward": {known[0]: 1.0, known[1]: 0.0}}
    asked = {
        "b1": [{"qid": f"b1/{i}", "kind": "paraphrase", "truth": b1, **about} for i in range(3)],
        "b3": [{"qid": f"b3/{s}", "setting": s, "prefix": prefix, "truth": truth, **about} for s in ("repeat", "transfer")],
        "b4": [{"qid": "b4/1", "failed": prefix[1], "truth": {"key": "edit", "failed_key": "edit", "switch": False}, **about}],
        "b8": [{"qid": "b8/1", "memory": "without0", "truth": {"gold_files": ["a.py"]}, **about}],
        "b9": [{"qid": "b9/1", "query": "sing a song of sixpence"}],
        "b10": [changing_world()],
        "b11": [{"qid": "b11/de/1", "lang": "de", "truth": {"relevant": {known[0]: 2}}, **about | {"context": {}}}],
    }
    for kind, questions in asked.items():
        write(split.task_file(root, kind), questions)
    return root


async def test_every_set_is_answered_and_one_set_alone_is_answered_alike(folder: Path, tmp_path: Path) -> None:
    kinds = kinds_of("b1,b3,b4,b8,b9,b10,b11,recall")
    found = await ask(folder, kinds, tmp_path / "kept", jobs=2)
    counts = {kind: len(predictions) for kind, predictions in found.predictions.items()}
    assert counts == {"b1": 3, "b3": 2, "b4": 1, "b8": 1, "b9": 1, "b10": 1, "b11": 1, "recall": 3}
    assert all(p["tools"][0] == "edit" and 0 < p["confidence"] <= 1 for p in found.predictions["b3"])
    assert found.predictions["b8"][0]["files"] == ["a.py"]
    stream = found.predictions["b10"][0]
    assert stream["first"][0]["key"] == "fetch", "the old way, before anything new was seen"
    assert len(stream["first"]) == 2, "once before the new episode, once after it"
    assert {p["qid"] for p in found.baseline} == {f"b1/{i}" for i in range(3)} | {"b3/repeat", "b3/transfer", "b4/1", "b8/1", "b11/de/1"}

    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()}
    again = await ask(folder, ["b3"], tmp_path / "kept", jobs=1, baseline=False)
    assert {p["qid"]: p for p in again.predictions["b3"]} == {p["qid"]: p for p in found.predictions["b3"]}
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()} == kept, "nothing was filled a second time"


def test_a_memory_is_filled_anew_for_another_program_with_the_embeddings_there_were(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, kept, program, began_with = split.memory_lines(folder, "repeat"), tmp_path / "kept", tmp_path / "program", []

    def fill(data_dir: Path, lines: list[Any]) -> dict[str, Any]:
        began_with.append((data_dir / "cache" / "data.mdb").exists())
        return session.fill(data_dir, lines)

    monkeypatch.setattr(memories, "PROGRAM", program)
    monkeypatch.setattr(memories, "fill", fill)
    (program / "embedding").mkdir(parents=True)
    first, _ = memories.filled(kept, "repeat", lines)
    assert memories.filled(kept, "repeat", lines)[0] == first
    (program / "learning.py").write_text("1")
    second, report = memories.filled(kept, "repeat", lines)
    assert second != first
    assert report["added"] == len(lines)
    (program / "embedding" / "model.py").write_text("1")
    memories.filled(kept, "repeat", lines)
    assert began_with == [False, True, False]


async def test_what_a_default_recall_costs_and_shows_is_counted(folder: Path, tmp_path: Path) -> None:
    found = await ask(folder, ["recall", "b4", "b9", "calibration"], tmp_path / "kept", jobs=2, baseline=False)
    rows = measures.measured(folder, found.predictions, False, lambda values: 0.0)
    shown = rows["recall default | ALL"]
    assert shown["n"] == 3
    assert shown["answered"][0] == 1.0
    assert shown["tokens"][0] > 50
    assert rows["B9 unrelated request, what is shown | ALL"]["episodes"][0] == found.predictions["b9"][0]["episodes"]
    recovery = rows["B4 recovery, calibration | ALL"]
    assert (recovery["right"], recovery["n"]) == (1.0, 1)
    found_sure = rows["calibration after a failed step, repeat | ALL"]
    assert found_sure["n"] == len(TASKS), "one failed edit in each episode that is not in memory"
    assert (found_sure["right"], found_sure["error_taken"]) == (1.0, found_sure["error"]), "the edit was made again, and worked"
    assert recovery["error"] == pytest.approx(1 - recovery["confidence"], abs=0.001)


def test_a_cut_split_asks_fewer_questions_of_the_same_memory(folder: Path, tmp_path: Path) -> None:
    small = split.cut(folder, tmp_path / "small", 2)
    assert [q["qid"] for q in split.questions(small, "b1")] == ["b1/0", "b1/1"]
    assert split.memory_lines(small, "repeat") == split.memory_lines(folder, "repeat")
    assert len(split.questions(small, "b10")) == 1


def test_an_answer_stays_in_its_file_but_for_the_way_that_is_intended(folder: Path) -> None:
    assert not any("truth" in q for kind in split.TASKS for q in split.questions(folder, kind))
    (stream,) = split.questions(folder, "b10")
    assert old_way(stream) == {"tool": "fetch", "arguments": {"n": 1}}
    with pytest.raises(ValueError, match="no old episode has a step 'walk'"):
        old_way(stream | {"bad": {"key": "walk"}})


def test_a_failed_step_is_asked_about_where_a_later_one_worked(folder: Path) -> None:
    episode = recorded(TASKS[0], 9)
    failed = [step | {"success": False} for step in episode["steps"]]
    runs = {"first": [failed[0], *episode["steps"][2:]], "last": [*episode["steps"][2:], failed[0]], "all": failed}
    write(folder / "episodes" / "more.jsonl.gz", [episode | {"episode_id": name, "steps": steps} for name, steps in runs.items()])
    asked = {q["qid"].rsplit("/", 1)[1] for q in failures.questions(folder)}
    assert asked & set(runs) == {"first"}


def test_sets_are_named_as_they_are_scored_and_an_unknown_one_is_refused() -> None:
    assert kinds_of("B2, b10") == ["b1", "b10"]
    assert set(split.SETS) < set(kinds_of("r,b9"))
    with pytest.raises(argparse.ArgumentTypeError, match="no set is called b77"):
        kinds_of("b1,b77")


def test_a_split_whose_answers_name_tools_alone_is_told_by_its_answers(folder: Path) -> None:
    assert split.tools_only(folder)
    questions = split.rows(split.task_file(folder, "b4"))
    write(split.task_file(folder, "b4"), [q | {"truth": {"key": "bash:ls"}} for q in questions])
    assert not split.tools_only(folder)


def test_the_calibration_error_is_the_weighted_difference_of_the_bins() -> None:
    assert measures.calibration_error([(0.95, True)] * 19 + [(0.95, False)]) == 0.0
    assert measures.calibration_error([(1.0, False), (0.05, False)]) == pytest.approx((1.0 + 0.05) / 2)


def test_every_goal_is_asked_of_a_form_that_can_be_made_and_may_lean_on_another() -> None:
    for variant in (goals.PLAIN, *goals.VARIANTS):
        assert quality_variants.goal_kinds(variant), variant
    assert quality_variants.goal_kinds("tools") == quality_variants.goal_kinds("free") == ["b3", "b4"]
    goal = goals.Goal("free", "B4 recovery | ALL", "hit3", -0.03, than="tools")
    scores = {"free": {goal.row: {"hit3": (0.80, 0.01)}}, "tools": {goal.row: {"hit3": (0.84, 0.01)}}}
    assert "MISSED" in report.goal_table([goal], scores, {})
    assert "reached" in report.goal_table([goal], scores | {"tools": {goal.row: {"hit3": (0.83, 0.01)}}}, {})


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the scorer leaves the file to be closed by the collector
async def test_the_scorer_s_rows_of_what_was_not_asked_are_left_out(folder: Path, tmp_path: Path) -> None:
    if not report.SHARED_SCORER.exists():
        pytest.skip(f"the scorer is not here: {report.SHARED_SCORER}")
    (folder / "retrieval").mkdir()
    found = await ask(folder, ["b3"], tmp_path / "kept", jobs=2, baseline=False)
    rows = report.score_all(folder, found.predictions, tmp_path / "predictions.jsonl")
    assert {row.split()[0] for row in rows} == {"B3"}
    assert rows["B3 next-tool repeat, next step worked | ALL"]["hit1"][0] == 1.0
