"""Other tools' transcripts become episodes; what is not known about them is not made up."""

from pathlib import Path
from typing import Any

import pytest

from mcp_memory.cli.transcripts.formats import FORMATS, convert, transcript_files
from mcp_memory.cli.transcripts.record import TranscriptError, at_ms
from mcp_memory.domain.clipping import clip
from mcp_memory.domain.inference import UNTOLD, looks_failed
from tests.unit.cli import transcript_samples as samples


def episodes(name: str, path: Path) -> list[dict[str, Any]]:
    found = [item for _, item in convert(name, path)]
    whole = [item for item in found if not isinstance(item, TranscriptError)]
    assert whole == found
    return whole


def steps_of(episode: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["tool"], step["status"]) for step in episode["steps"]]


def test_a_claude_code_session_is_an_episode_per_task(tmp_path: Path) -> None:
    first, second = episodes("claude-code", samples.write_lines(tmp_path / "s.jsonl", samples.claude_code_lines(1)))
    assert first["task"] == "Fix the rounding of cart number 1, please"
    assert steps_of(first) == [("Bash", "error"), ("Edit", "ok"), ("Bash", "ok")]
    assert first["outcome"]["kind"] == "success"
    assert first["metadata"]["outcome_inferred"] == "the last check of the work, step #2 (pytest), passed"
    assert first["outcome"]["summary"] == "The rounding is right now."
    assert (first["project"], first["agent"]) == ("shop@7f6476d3", "claude-code")
    assert first["steps"][0]["duration_ms"] == 1000
    assert second["task"].startswith("Now write a changelog")
    assert second["outcome"]["kind"] == "partial"
    assert second["metadata"]["outcome_inferred"] == "the record ends in the middle of a call"
    assert second["follows"] == first["external_id"]


def test_a_failing_last_check_is_a_failure(tmp_path: Path) -> None:
    path = samples.write_lines(tmp_path / "s.jsonl", samples.claude_code_lines(1, tests_pass=False))
    assert episodes("claude-code", path)[0]["outcome"]["kind"] == "failure"


def test_a_broken_line_is_reported_and_the_rest_is_read(tmp_path: Path) -> None:
    path = samples.write_lines(tmp_path / "s.jsonl", samples.claude_code_lines(1))
    path.write_text(path.read_text(encoding="utf-8") + '{"type": "user"\n{"type": "user", "message": 3}\n', encoding="utf-8")
    found = list(convert("claude-code", path))
    assert [number for number, item in found if isinstance(item, TranscriptError)] == [17, 18]
    assert len(found) == 4


@pytest.mark.parametrize("messages", [samples.openai_messages(1), {"id": "c9", "messages": samples.openai_messages(1)}])
def test_openai_messages_are_one_episode(tmp_path: Path, messages: Any) -> None:
    (episode,) = episodes("openai", samples.write_json(tmp_path / "c.json", messages))
    assert episode["task"] == "Weather for trip 1?"
    assert episode["steps"][0]["arguments"] == {"city": "Porto"}
    assert steps_of(episode) == [("get_weather", "error")]
    assert episode["outcome"]["kind"] == "partial"
    assert episode["metadata"]["outcome_inferred"] == UNTOLD


def test_openai_items_and_lines_of_conversations_are_read(tmp_path: Path) -> None:
    path = samples.write_lines(tmp_path / "c.jsonl", [{"messages": samples.openai_messages(n)} for n in range(3)])
    assert len({episode["external_id"] for episode in episodes("openai", path)}) == 3
    (loose,) = episodes("openai", samples.write_lines(tmp_path / "i.jsonl", samples.openai_items(1)))
    assert (loose["task"], steps_of(loose)) == ("List the files of project 1", [("shell", "ok")])


RESPONSE_ITEMS: list[tuple[dict[str, Any], str, str, str]] = [  # item, tool, status, observation
    ({"type": "custom_tool_call", "call_id": "1", "name": "sql", "input": "select 1"}, "sql", "ok", ""),
    (
        {"type": "mcp_call", "id": "2", "name": "ask", "arguments": '{"q": 1}', "output": "forty-two", "error": None},
        "ask",
        "ok",
        "forty-two",
    ),
    (
        {"type": "mcp_call", "id": "3", "name": "ask", "arguments": "{}", "output": None, "error": "unreachable"},
        "ask",
        "error",
        "unreachable",
    ),
    ({"type": "local_shell_call", "call_id": "4", "action": {"command": ["ls"]}, "status": "completed"}, "local_shell", "ok", ""),
    ({"type": "web_search_call", "id": "5", "status": "failed"}, "web_search", "error", ""),
    (
        {"type": "code_interpreter_call", "id": "6", "code": "1+1", "outputs": [{"type": "logs", "text": "2"}]},
        "code_interpreter",
        "ok",
        "2",
    ),
]


@pytest.mark.parametrize(("item", "tool", "status", "observation"), RESPONSE_ITEMS)
def test_calls_of_every_kind_of_a_response_are_steps(
    tmp_path: Path, item: dict[str, Any], tool: str, status: str, observation: str
) -> None:
    prompt = {"type": "message", "role": "user", "content": "Find out"}
    silent = [{"type": "reasoning", "summary": []}, {"type": "mcp_list_tools", "tools": []}]
    response = {"id": "resp_1", "object": "response", "input": [prompt], "output": [*silent, item]}
    (episode,) = episodes("openai", samples.write_json(tmp_path / "r.json", response))
    assert (episode["task"], steps_of(episode)) == ("Find out", [(tool, status)])
    assert episode["steps"][0]["observation"] == observation


def test_a_custom_tools_call_and_an_output_item_are_read(tmp_path: Path) -> None:
    call = {"id": "c1", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}
    messages = [{"role": "user", "content": "Count"}, {"role": "assistant", "tool_calls": [call]}]
    (chat,) = episodes("openai", samples.write_json(tmp_path / "c.json", messages))
    assert chat["steps"][0]["arguments"] == {"input": "select 1"}
    output = {"type": "custom_tool_call_output", "call_id": "1", "output": [{"type": "input_text", "text": "one"}]}
    items = [{"role": "user", "content": "Count"}, RESPONSE_ITEMS[0][0], output]
    (loose,) = episodes("openai", samples.write_lines(tmp_path / "i.jsonl", items))
    assert loose["steps"][0]["observation"] == "one"


def test_older_calls_and_rarer_messages_of_langchain_are_read(tmp_path: Path) -> None:
    function = {"name": "search", "arguments": '{"query": "x"}'}
    messages = [
        {"type": "chat", "data": {"role": "user", "content": "Search twice"}},
        {"type": "ai", "data": {"content": "", "additional_kwargs": {"tool_calls": [{"id": "l1", "function": function}]}}},
        {"type": "tool", "data": {"content": "found", "tool_call_id": "l1"}},
        {"type": "remove", "data": {"content": "", "id": "m1"}},
        {
            "lc": 1,
            "type": "constructor",
            "id": ["langchain", "AIMessageChunk"],
            "kwargs": {"additional_kwargs": {"function_call": function}},
        },
        {"lc": 1, "type": "constructor", "id": ["langchain", "FunctionMessage"], "kwargs": {"name": "search", "content": "Error: no"}},
    ]
    (episode,) = episodes("langchain", samples.write_json(tmp_path / "c.json", messages))
    assert (episode["task"], steps_of(episode)) == ("Search twice", [("search", "ok"), ("search", "error")])
    assert [step["arguments"] for step in episode["steps"]] == [{"query": "x"}, {"query": "x"}]


def test_an_atif_continuation_is_an_episode_of_its_own_steps(tmp_path: Path) -> None:
    run = samples.atif_run(1) | {"trajectory_id": "first"}
    (first,) = episodes("atif", samples.write_json(tmp_path / "1.json", run))
    steps = [step | {"is_copied_context": True} for step in run["steps"]]
    more = {"step_id": 5, "source": "agent", "message": "", "tool_calls": [{"tool_call_id": "b", "function_name": "edit", "arguments": {}}]}
    (second,) = episodes("atif", samples.write_json(tmp_path / "2.json", run | {"trajectory_id": "second", "steps": [*steps, more]}))
    assert (second["task"], steps_of(second)) == (first["task"], [("edit", "ok")])
    assert second["external_id"] != first["external_id"]


def test_a_prompt_of_several_blocks_is_one_and_without_what_the_program_put_in(tmp_path: Path) -> None:
    lines = samples.claude_code_lines(1)
    texts = ("<ide_opened_file>cart.py</ide_opened_file>", "Fix the rounding, please:", "the total is off by a cent")
    lines[2]["message"]["content"] = [{"type": "text", "text": text} for text in texts]
    first, _ = episodes("claude-code", samples.write_lines(tmp_path / "s.jsonl", lines))
    assert first["task"] == "Fix the rounding, please:\nthe total is off by a cent"


def test_of_a_session_without_end_the_first_steps_are_kept_and_the_last_check_counts(tmp_path: Path) -> None:
    lines = samples.claude_code_lines(1)
    step = lines[9:11] if lines[9]["type"] == "assistant" else lines[8:10]
    many = [*lines[:4], *step * 5_100, *lines[4:13]]
    first = episodes("claude-code", samples.write_lines(tmp_path / "s.jsonl", many))[0]
    assert len(first["steps"]) == 5_000
    assert first["metadata"]["steps_left_out"] == 103
    assert first["outcome"]["kind"] == "success"


@pytest.mark.parametrize("messages", [samples.langchain_messages(1), samples.langchain_dumped(1)])
def test_both_written_forms_of_langchain_are_read(tmp_path: Path, messages: list[Any]) -> None:
    (episode,) = episodes("langchain", samples.write_json(tmp_path / "c.json", messages))
    assert episode["task"] == "Search for order 1"
    assert [step["tool"] for step in episode["steps"]] == ["search"]
    assert episode["steps"][0]["status"] == ("error" if "timeout" in str(messages) else "ok")


@pytest.mark.parametrize(
    ("exit_status", "kind", "inferred"),
    [
        ("submitted", "partial", "a change was submitted; whether it is right is not recorded"),
        ("exit_cost", "failure", "the run ended with exit_cost"),
        ("", "partial", UNTOLD),
    ],
)
def test_a_swe_agent_run_says_how_it_ended_and_no_more(tmp_path: Path, exit_status: str, kind: str | None, inferred: str | None) -> None:
    (episode,) = episodes("swe-agent", samples.write_json(tmp_path / "r.traj", samples.swe_agent_run(1, exit_status)))
    assert episode["task"] == "Cart 1 loses cents"
    assert steps_of(episode) == [("open", "ok"), ("bash", "error"), ("str_replace_editor", "ok"), ("submit", "ok")]
    assert (episode["steps"][1]["action"], episode["steps"][1]["duration_ms"]) == ("python", 250)
    assert (episode["outcome"] or {}).get("kind") == kind
    assert episode["metadata"].get("outcome_inferred") == inferred


@pytest.mark.parametrize(("reward", "kind"), [(None, "partial"), (1.0, "success"), (0.0, "failure"), (0.4, "partial")])
def test_an_atif_run_has_the_outcome_its_harness_stated(tmp_path: Path, reward: float | None, kind: str | None) -> None:
    (episode,) = episodes("atif", samples.write_json(tmp_path / "t.json", samples.atif_run(1, reward)))
    assert (episode["task"], steps_of(episode)) == ("Count the lines of file 1", [("bash", "ok")])
    assert episode["steps"][0]["observation"] == "12 f"
    assert (episode["outcome"] or {}).get("kind") == kind
    assert ("outcome_inferred" in episode["metadata"]) is (reward is None)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "content", ["", "not json", "[" * 100_000, "[]", "3", '{"schema_version": "v9"}', '{"trajectory": 3}', '{"messages": [3]}']
)
def test_a_file_of_another_form_is_a_problem_and_never_a_crash(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content, encoding="utf-8")
    assert all(isinstance(item, TranscriptError) for _, item in convert(name, path))


def test_a_second_reading_gives_the_same_external_ids(tmp_path: Path) -> None:
    path = samples.write_json(tmp_path / "c.json", samples.openai_messages(1))
    assert episodes("openai", path)[0]["external_id"] == episodes("openai", path)[0]["external_id"]


def test_a_folder_is_searched_for_the_formats_files(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.jsonl", "deep/b.jsonl", "notes.txt"):
        (tmp_path / name).write_text("", encoding="utf-8")
    assert [path.name for path in transcript_files("claude-code", tmp_path)] == ["a.jsonl", "b.jsonl"]


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("Error: no such file", True),
        ("Traceback (most recent call last):\n…", True),
        ("ok\nexit code: 1", True),
        ("Process exited with code 0", False),
        ('{"error": "not found"}', True),
        ('{"error": null, "value": 1}', False),
        ("The word error in a text", False),
        ("", False),
    ],
)
def test_only_what_an_output_says_of_itself_counts_as_failure(text: str, failed: bool) -> None:
    assert looks_failed(text) is failed


def test_a_clipped_text_says_how_much_is_missing() -> None:
    text = clip("a" * 1000 + "\x00" + "z" * 1000, 500)
    assert len(text) == 500
    assert text.startswith("aaa")
    assert text.endswith("zzz")
    assert "characters left out" in text


@pytest.mark.parametrize(
    ("value", "expected"),
    [("2026-11-01T10:00:00Z", 1793527200000), (1793527200, 1793527200000), (1793527200000, 1793527200000), (None, 0), ("soon", 0)],
)
def test_times_of_any_form_become_milliseconds(value: Any, expected: int) -> None:
    assert at_ms(value) == expected
