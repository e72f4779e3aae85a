"""Every tool of the full set on a real server with something in memory: each answer fits the schema the server itself lists."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mcp_memory.server import tools
from tests.raw_client import RawClient

FAILED = {"tool": "shell", "action": "pytest", "arguments": {"command": "pytest"}, "status": "error", "error": "KeyError: 'name'"}
EDIT = {"tool": "editor", "action": "edit", "arguments": {"path": "names.py"}, "duration_ms": 5, "tokens": 20}
PASSED = {"tool": "shell", "action": "pytest", "arguments": {"command": "pytest"}, "observation": "4 passed in 0.12s"}
PLACE = {"domain": "backend", "language": "python", "framework": "flask"}


def closed(schema: Any) -> Any:
    """Return *schema* with nothing allowed that it does not name, at any depth."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {key: closed(value) for key, value in schema.items()}
    return shut | {"additionalProperties": shut.get("additionalProperties", False)} if "properties" in shut else shut


class Checked:
    """A client that checks every answer against the schema of its tool, and knows which tools were called."""

    def __init__(self, client: RawClient) -> None:
        self._client = client
        listed = client.request("tools/list", {})["result"]["tools"]
        self._schemas = {tool["name"]: closed(tool["outputSchema"]) for tool in listed}
        self.called: set[str] = set()

    def __call__(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        answer = self._client.call(tool, **arguments)
        jsonschema.validate(answer, self._schemas[tool], jsonschema.Draft202012Validator)
        self.called.add(tool)
        return answer


@pytest.fixture
def call(tmp_path: Path) -> Iterator[Checked]:
    with RawClient(tmp_path, "stdio", "--tools", "full") as client:
        yield Checked(client)


def _record(call: Checked, task: str, outcome: str, *steps: dict[str, Any], **said: Any) -> str:
    episode_id: str = call("start_episode", task=task, tags=["names"], **PLACE)["episode_id"]
    if steps:
        call("log_steps", episode_id=episode_id, steps=list(steps))
    call("complete_episode", episode_id=episode_id, outcome=outcome, **said)
    return episode_id


def test_every_tool_answers_as_its_schema_says(call: Checked) -> None:
    said = {
        "summary": "Done.",
        "lessons": ["Use get()."],
        "artifacts": ["names.py"],
        "completed": ["fix"],
        "failed": ["docs"],
        "error": "E",
    }
    kinds = ("success", "partial", "failure", "abstained", "success", "success")
    ids = [_record(call, f"Fix the KeyError in module {i}", kind, FAILED, EDIT, PASSED, **said) for i, kind in enumerate(kinds)]
    ids += [_record(call, f"Explain module {i}", "success") for i in range(6)]

    recalled = call("recall", query="KeyError in a module", limit=50, detail="full", since="2020-01-01T00:00:00Z", **PLACE)
    assert recalled["episodes"]
    assert recalled["patterns"]
    assert recalled["outlook"]
    page = call("recall", query="module", limit=1)
    assert call("recall", query="module", limit=1, cursor=page["next_cursor"])["episodes"][0] != page["episodes"][0]
    assert call("recall", query="module", strict=True, outcome="partial")["episodes"][0]["episode_id"] == ids[1]
    assert call("give_feedback", recommendation_id=recalled["recommendation_id"], used_ids=ids[:1], outcome="helped", rating=1, note="yes")

    wrong = call("recall", query="Explain module 1")
    used = [wrong["episodes"][0]["episode_id"]]
    call("give_feedback", recommendation_id=wrong["recommendation_id"], used_ids=used, outcome="hindered", note="read the code")
    assert call("get_episode", episode_id=used[0])["correction"] == "read the code"

    assert call("give_feedback", episode_id=ids[10], outcome="failure", note="nobody understood it")["counted"] == [ids[10]]
    relabelled = call("get_episode", episode_id=ids[10])["outcome"]
    assert (relabelled["kind"], relabelled["lessons"]) == ("failure", ["nobody understood it"])
    recalled_now = call("recall", query="Explain module 4", limit=50)["episodes"]
    assert [e["outcome"] for e in recalled_now if e["episode_id"] == ids[10]] == ["failure"]

    opened = call("start_episode", task="Fix the KeyError in module 9", parent_id=ids[0], metadata={"a": 1}, **PLACE)["episode_id"]
    playbook = call("recommend_playbook", task="Fix the KeyError in module 9", **PLACE)["playbook"]
    assert {"command": "pytest"} in [step.get("arguments_example") for step in playbook["steps"]]
    assert call("recommend_playbook", task="Bake bread")["playbook"] is None
    call("log_step", episode_id=opened, **FAILED)
    advice = call(
        "suggest_next_step", episode_id=opened, intended={"tool": "shell", "action": "pytest", "arguments": {"command": "pytest"}}
    )
    assert advice["suggestions"]
    assert advice["recovery"]["fixes"][0]["arguments_example"] == EDIT["arguments"]

    checkpoint = call("checkpoint_episode", episode_id=opened, label="half way", note="n", findings=["f"], pending=["p"])
    assert call("resume_episode", checkpoint_id=checkpoint["checkpoint_id"])["episode_id"] == opened
    call("update_episode", episode_id=opened, add_tags=["x"], metadata={"b": 2}, task="Fix the KeyError in module ten")
    assert call("link_episodes", from_id=ids[0], to_id=ids[1], type="follows", note="n")["link_id"]
    assert call("related_episodes", episode_id=ids[0], depth=2)["edges"]
    assert call("link_episodes", from_id=ids[0], to_id=ids[1], type="follows", remove=True)["removed"]

    for detail in ("summary", "steps", "full"):
        call("get_episode", episode_id=ids[0], detail=detail, step_limit=2)
    call("get_episode", episode_id=opened, detail="full")
    assert call("search_episodes", sort="reward", state="completed", limit=2)["next_cursor"]
    assert call("search_episodes", query="KeyError", tags=["names"])["episodes"]
    for kind in ("tool_sequence", "decision_point", "error_recovery", "context"):
        assert call("get_pattern", pattern_id=call("search_patterns", kind=kind, limit=1)["patterns"][0]["pattern_id"])["evidence"]
    assert call("search_patterns", query="KeyError")["patterns"]
    for metric in ("success_rate", "reward", "duration", "errors"):
        assert call("analyze_trends", metric=metric, bucket="week")["series"]
    assert call("memory_status")["counts"]["completed"] == len(ids)
    assert call("forget", episode_ids=ids[:1])["would_delete"]["episodes"] == 1
    assert call("forget", filter={"domain": "backend"}, confirm=True)["deleted"]["episodes"] == len(ids) + 1
    assert call("recall", query="module")["episodes"] == []
    assert call.called == set(tools.by_name("full"))
