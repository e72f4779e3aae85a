"""The main job through a real stdio server with the default settings: remember, restart, recall in other words, share, learn, forget."""

from pathlib import Path
from typing import Any

from tests.raw_client import RawClient

TASK = "The nightly export job crashes with UnicodeDecodeError while reading customers.csv"
REWORDED = "our scheduled CSV dump dies on a character encoding problem"
OTHER_TASKS = (
    "Add a dark mode switch to the settings page",
    "Speed up the slow invoice query by adding an index",
    "Write the release notes for version 2.4",
    "Rotate the TLS certificates of the staging cluster",
)
STEPS: list[dict[str, Any]] = [
    {
        "tool": "shell",
        "action": "run",
        "arguments": {"command": "python export.py"},
        "status": "error",
        "error": "UnicodeDecodeError: 'utf-8' codec",
    },
    {"tool": "editor", "action": "open", "arguments": {"path": "export.py"}, "observation": "open(path)"},
    {"tool": "editor", "action": "edit", "arguments": {"path": "export.py"}, "observation": "open(path, encoding='latin-1')"},
    {"tool": "shell", "action": "run", "arguments": {"command": "python export.py"}, "observation": "exported 1200 rows, exit code 0"},
]


def _record(client: RawClient, task: str, steps: list[dict[str, Any]], outcome: str = "success", **fields: Any) -> str:
    episode_id: str = client.call("start_episode", task=task, domain="backend", language="python")["episode_id"]
    for index, step in enumerate(steps):
        assert client.call("log_step", episode_id=episode_id, **step)["step_index"] == index
    done = client.call("complete_episode", episode_id=episode_id, outcome=outcome, **fields)
    assert 0 <= done["reward"]["score"] <= 1
    assert done["step_count"] == len(steps)
    return episode_id


def _fill(client: RawClient) -> str:
    for task in OTHER_TASKS:
        _record(client, task, [{"tool": "editor", "action": "edit", "observation": "done"}])
    return _record(client, TASK, STEPS, lessons=["Customer files are latin-1, not UTF-8."], artifacts=["export.py"])


def _recalled_in_full(client: RawClient, query: str) -> dict[str, Any]:
    """Recall until nothing is degraded: the last episode before a restart may be embedded only after it."""
    for _ in range(1_000):
        found = client.call("recall", query=query)
        if not found.get("degraded"):
            return found
    raise AssertionError(found["degraded"])


def test_a_reworded_task_recalls_the_episode_after_a_restart_and_says_why(tmp_path: Path) -> None:
    with RawClient(tmp_path) as client:
        episode_id = _fill(client)
    with RawClient(tmp_path) as client:
        found = _recalled_in_full(client, REWORDED)
        started = client.call("start_episode", task=REWORDED)
    best = found["episodes"][0]
    assert best["episode_id"] == episode_id
    assert best["lessons"][0] == "Customer files are latin-1, not UTF-8."
    assert {"lexical", "semantic", "context", "value", "recency", "feedback"} <= best["why"].keys()
    assert best["key_steps"]
    assert found["files"][0] == {"path": "export.py", "attempts": 1, "changed": 1, "succeeded": 1}
    assert found["tokens"] <= 1500
    assert not found.get("degraded")
    assert started["recalled"]["episodes"][0]["episode_id"] == episode_id
    assert started["project"] == found["project"]  # of the folder the server runs in


def test_a_second_server_on_the_same_directory_recalls_what_the_first_completes(tmp_path: Path) -> None:
    with RawClient(tmp_path) as first, RawClient(tmp_path) as second:
        assert second.call("recall", query=REWORDED)["episodes"] == []
        episode_id = _fill(first)
        assert second.call("recall", query=TASK)["episodes"][0]["episode_id"] == episode_id
        third = _record(second, "Translate the onboarding mail into French", [])
        assert first.call("recall", query="Translate the onboarding mail into French")["episodes"][0]["episode_id"] == third


def test_reward_and_reflection_name_what_happened(tmp_path: Path) -> None:
    with RawClient(tmp_path) as client:
        episode_id = _fill(client)
        record = client.call("get_episode", episode_id=episode_id, detail="full")
    assert record["state"] == "completed"
    assert record["reward"]["components"]
    said = [line for part in record["reflection"].values() for line in part]
    assert any("step" in line for line in said), said
    assert [step["index"] for step in record["steps"]] == [0, 1, 2, 3]


def test_the_same_lesson_from_two_episodes_is_one_pattern_with_two_pieces_of_evidence(tmp_path: Path) -> None:
    with RawClient(tmp_path, "stdio", "--tools", "full") as client:
        first = _record(client, TASK, STEPS)
        second = _record(client, "Another export fails with UnicodeDecodeError on orders.csv", STEPS)
        found = client.call("search_patterns", min_support=2)
        assert found["patterns"], "patterns of two like episodes merge"
        pattern = client.call("get_pattern", pattern_id=found["patterns"][0]["pattern_id"])
    assert {row["episode_id"] for row in pattern["evidence"]} == {first, second}


def test_what_is_forgotten_is_gone_from_recall_patterns_and_the_next_process(tmp_path: Path) -> None:
    with RawClient(tmp_path, "stdio", "--tools", "full") as client:
        episode_id = _fill(client)
        counted = client.call("forget", episode_ids=[episode_id])
        assert counted["would_delete"]["episodes"] == 1
        assert client.call("recall", query=TASK)["episodes"][0]["episode_id"] == episode_id, "counting deletes nothing"
        assert client.call("forget", episode_ids=[episode_id], confirm=True)["deleted"]["episodes"] == 1
        assert episode_id not in [e["episode_id"] for e in client.call("recall", query=TASK)["episodes"]]
    with RawClient(tmp_path, "stdio", "--tools", "full") as client:
        assert episode_id not in [e["episode_id"] for e in client.call("recall", query=TASK)["episodes"]]


def test_a_vote_moves_a_recalled_episode_and_survives_a_restart(tmp_path: Path) -> None:
    with RawClient(tmp_path) as client:
        episode_id = _fill(client)
        before = client.call("recall", query=REWORDED)
        vote = client.call("give_feedback", recommendation_id=before["recommendation_id"], outcome="helped", used_ids=[episode_id])
        assert vote == {"recorded": True, "counted": [episode_id]}
        assert client.call("recall", query=REWORDED)["episodes"][0]["why"]["feedback"] > before["episodes"][0]["why"]["feedback"]
    with RawClient(tmp_path) as client:
        after = client.call("recall", query=REWORDED)["episodes"][0]
        assert after["episode_id"] == episode_id
        assert after["why"]["feedback"] > 0


def test_an_answer_made_without_vectors_says_so(tmp_path: Path) -> None:
    with RawClient(tmp_path, MCP_MEMORY_EMBEDDING__MODEL_PATH=str(tmp_path / "nowhere")) as client:
        episode_id = _fill(client)
        found = client.call("recall", query="customers.csv UnicodeDecodeError")
    assert found["episodes"][0]["episode_id"] == episode_id, "the words still find it"
    assert found["degraded"]
