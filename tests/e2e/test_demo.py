"""The demonstration is the main job: real commands, a real server, a restart, and the right memory for a reworded task."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.cli.demo.tasks import FIRST_DAY, SECOND_DAY


def run_demo(tmp_path: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "mcp_memory", "demo", "--data-dir", str(tmp_path / "memory"), *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return json.loads(run_demo(tmp_path_factory.mktemp("demo"), "--json"))


def later(record: dict[str, Any]) -> list[dict[str, Any]]:
    return record["episodes"][len(FIRST_DAY) :]


def test_the_first_task_finds_an_empty_memory(record: dict[str, Any]) -> None:
    assert record["episodes"][0]["started"]["recalled"]["episodes"] == []


def test_a_later_differently_worded_task_recalls_the_right_episode_first(record: dict[str, Any]) -> None:
    for episode in later(record):
        assert episode["started"]["recalled"]["episodes"][0]["task"] == episode["expects"]
        assert not episode["started"]["recalled"].get("degraded")


def test_every_recalled_episode_says_why(record: dict[str, Any]) -> None:
    for episode in later(record):
        why = episode["started"]["recalled"]["episodes"][0]["why"]
        assert why["semantic"] > 0


def test_the_agent_acts_on_the_lesson_and_succeeds(record: dict[str, Any]) -> None:
    assert [episode["plan"] for episode in later(record)] == ["Decimal", "latin-1"]
    assert all(episode["completed"]["outcome"] == "success" for episode in later(record))


def test_after_a_real_failure_the_memory_says_what_fixed_it_before(record: dict[str, Any]) -> None:
    nightly = later(record)[1]
    errors = [step["error"] for step in nightly["steps"] if step.get("status") == "error"]
    assert errors[0] == "ModuleNotFoundError: No module named 'shop'"
    fixes = nightly["advice"][0]["recovery"]["fixes"]
    assert fixes[0]["tool"] == "shell"
    assert fixes[0]["fixed"] >= 1


def test_a_failed_attempt_is_remembered_as_one(record: dict[str, Any]) -> None:
    outcomes = [episode["completed"]["outcome"] for episode in record["episodes"]]
    assert outcomes == [task.outcome for task in (*FIRST_DAY, *SECOND_DAY)]
    rewards = [episode["completed"]["reward"]["score"] for episode in record["episodes"]]
    assert min(rewards) == rewards[3]


def test_the_text_shows_what_was_remembered_and_why(tmp_path: Path) -> None:
    text = run_demo(tmp_path)
    for words in ("DAY ONE", "DAY TWO", "recalled 1: ", "% alike, score ", "suggest_next_step → After", "recommend_playbook"):
        assert words in text
    assert "<q>" not in text, "errors are told as they were"
