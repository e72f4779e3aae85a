"""The tool list: what a model is shown, and that it keeps the contract."""

import json

import jsonschema
import pytest

from mcp_memory.server import tools
from mcp_memory.server.instructions import INSTRUCTIONS
from mcp_memory.server.registry import Tool

CORE_BUDGET_CHARS, FULL_BUDGET_CHARS = 6_000, 13_000
CONTRACT_CORE = [
    "start_episode",
    "log_step",
    "log_steps",
    "complete_episode",
    "recall",
    "suggest_next_step",
    "recommend_playbook",
    "give_feedback",
    "search_episodes",
    "get_episode",
    "memory_status",
]
CONTRACT_FULL = [
    "search_patterns",
    "get_pattern",
    "checkpoint_episode",
    "resume_episode",
    "update_episode",
    "link_episodes",
    "related_episodes",
    "analyze_trends",
    "forget",
]


def shown_chars(offered: tuple[Tool, ...]) -> int:
    return sum(len(tool.name) + len(tool.description) + len(json.dumps(tool.input_schema, separators=(",", ":"))) for tool in offered)


def test_the_sets_are_those_of_the_contract() -> None:
    assert list(tools.by_name("core")) == CONTRACT_CORE
    assert list(tools.by_name("full")) == CONTRACT_CORE + CONTRACT_FULL


def test_what_a_model_is_shown_stays_small() -> None:
    assert shown_chars(tools.CORE) <= CORE_BUDGET_CHARS
    assert shown_chars(tools.FULL) <= FULL_BUDGET_CHARS
    assert len(INSTRUCTIONS.encode()) < 2_048


@pytest.mark.parametrize("tool", tools.FULL, ids=lambda tool: tool.name)
def test_a_tool_is_listed_as_the_contract_says(tool: Tool) -> None:
    listing = tool.listing
    assert listing["inputSchema"]["additionalProperties"] is False
    assert listing["inputSchema"]["type"] == listing["outputSchema"]["type"] == "object"
    assert set(listing["annotations"]) == {"title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}
    assert listing["annotations"]["openWorldHint"] is False
    assert listing["annotations"]["destructiveHint"] is (tool.name == "forget")
    assert listing["description"].split(" ")[0] in ("Call", "Use")
    assert len(listing["description"].encode()) < 2_048
    jsonschema.Draft202012Validator.check_schema(listing["inputSchema"])
    jsonschema.Draft202012Validator.check_schema(listing["outputSchema"])
    assert '"title"' not in json.dumps(listing["inputSchema"])


def test_the_list_is_the_same_every_time() -> None:
    first = json.dumps([tool.listing for tool in tools.FULL])
    assert first == json.dumps([tool.listing for tool in tools.FULL])


def test_a_tool_takes_the_fields_of_its_request_and_shows_the_words_they_may_hold() -> None:
    shown = {tool.name: tool.input_schema["properties"] for tool in tools.FULL}
    assert shown["log_step"]["status"]["enum"] == ["ok", "error", "timeout"]
    assert shown["link_episodes"]["type"]["enum"][0] == "parent_child"
    assert shown["log_steps"]["steps"]["items"]["properties"].keys() == shown["log_step"].keys() - {"episode_id"}
    assert shown["log_step"]["action"]["description"] == "what you did, in words"
    assert "episode_id" not in shown["start_episode"], "only callers in the same process may choose the id"
