"""Claude Code as it is today: rounds of calls, subagents, commands, its own episodes, resumed, interrupted and killed sessions."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.hooks import processes, sessions
from mcp_memory.hooks.events import record_of
from mcp_memory.hooks.kinds import EVENTS
from mcp_memory.memory import EpisodicMemory
from tests.unit.hooks.host import Host

pytestmark = pytest.mark.anyio
PAYLOADS = Path(__file__).parents[4] / "shared" / "hosts" / "payloads"
TASK = "Make the mean of an empty list zero"
DONE_MARK = "Outcome inferred: "


@pytest.fixture
def host(memory: EpisodicMemory, tmp_path: Path) -> Host:
    return Host(memory, tmp_path / "data" / "hooks", "claude-code")


def call(tool: str, use_id: str, response: Any, **arguments: Any) -> dict[str, Any]:
    return {"tool_name": tool, "tool_input": arguments, "tool_use_id": use_id, "tool_response": response}


def shell(use_id: str, command: str, output: str = "ok") -> dict[str, Any]:
    return call("Bash", use_id, {"stdout": output, "stderr": "", "interrupted": False}, command=command)


def failed(use_id: str, command: str, error: str, *, interrupt: bool = False) -> dict[str, Any]:
    given = {"tool_name": "Bash", "tool_input": {"command": command}, "tool_use_id": use_id}
    return given | {"error": error, "is_interrupt": interrupt}


def seen(told: dict[str, Any], text: str = "") -> dict[str, Any]:
    """Return a call as its round tells it: with what the model saw."""
    return {name: told[name] for name in ("tool_name", "tool_input", "tool_use_id")} | {"tool_response": text or told.get("error", "ok")}


async def one_round(host: Host, *calls: dict[str, Any], **fields: Any) -> str:
    for told in calls:
        await host("post-tool-use", **told, **fields)
    return await host("post-tool-batch", tool_calls=[seen(told) for told in calls], **fields)


def steps_of(episode: dict[str, Any]) -> list[tuple[str, str]]:
    return [(str(step["arguments"].get("command") or step["tool"]), step["status"]) for step in episode["steps"]]


async def test_a_round_is_recorded_in_the_order_of_its_calls_whatever_came_back_first(host: Host) -> None:
    slow, missing, read = (
        shell("1", "sleep 1"),
        failed("2", "ls /none", "Exit code 2\nls: no"),
        call("Read", "3", {"file": {"content": "x"}}),
    )
    await host("user-prompt-submit", prompt=TASK)
    for told in (missing, read, slow):
        await host("post-tool-use", **told)
    await host("post-tool-batch", tool_calls=[seen(slow), seen(missing), seen(read)])
    await host("session-end")
    (episode,) = await host.episodes()
    assert steps_of(episode) == [("sleep 1", "ok"), ("ls /none", "error"), ("Read", "ok")]


async def test_calls_that_the_host_did_not_make_are_failures_with_what_the_model_saw(host: Host) -> None:
    refused = "<tool_use_error>String to replace not found in file.</tool_use_error>"
    unknown = "<tool_use_error>Error: No such tool available: Grep.</tool_use_error>"
    await host("user-prompt-submit", prompt=TASK)
    await host("post-tool-batch", tool_calls=[call("Edit", "1", refused, file_path="a.py"), call("Grep", "2", unknown, pattern="x")])
    await host("session-end")
    (episode,) = await host.episodes()
    assert [(step["tool"], step["status"], step["error"]) for step in episode["steps"]] == [
        ("Edit", "error", "String to replace not found in file."),
        ("Grep", "error", "Error: No such tool available: Grep."),
    ]


async def test_a_failed_round_is_answered_with_what_fixed_that_error_before(host: Host) -> None:
    error = "Exit code 1\nModuleNotFoundError: No module named 'tabulate'"
    for _ in range(2):
        await host("user-prompt-submit", prompt="Run the report tool")
        told = await one_round(host, failed("1", "python report.py", error))
        await one_round(host, shell("2", "pip install tabulate"))
        await one_round(host, shell("3", "python report.py"))
        await host("session-end")
    assert "pip install" in told


async def test_a_death_between_the_commit_of_a_round_and_its_note_counts_no_step_twice(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    log_steps = host.memory.log_steps

    async def dying(episode_id: str, steps: Any) -> Any:
        await log_steps(episode_id, steps)
        raise OSError("killed")

    await host("user-prompt-submit", prompt=TASK)
    await host("post-tool-use", **shell("1", "a"))
    await host("post-tool-use", **shell("2", "b"))
    record = host.record("post-tool-batch", {"tool_calls": [seen(shell("1", "a")), seen(shell("2", "b"))]})
    monkeypatch.setattr(host.memory, "log_steps", dying)
    with pytest.raises(OSError, match="killed"):
        await host.hooks.handle(record)
    monkeypatch.undo()
    await host.hooks.handle(record)
    await host("session-end")
    (episode,) = await host.episodes()
    assert steps_of(episode) == [("a", "ok"), ("b", "ok")]


async def begun_by_the_agent(host: Host) -> str:
    started = await host.memory.start_episode("Make add() add", project="shop")
    answer = json.dumps({"episode_id": started.episode_id, "project": "shop"})
    await one_round(host, call("mcp__memory__start_episode", "own-1", answer, task="Make add() add"))
    return started.episode_id


async def test_an_episode_that_the_agent_begins_and_forgets_gets_the_steps_and_an_outcome(host: Host) -> None:
    await host("user-prompt-submit", prompt=TASK)
    await one_round(host, shell("0", "ls"))
    episode_id = await begun_by_the_agent(host)
    await one_round(host, failed("1", "pytest -q", "Exit code 1\n1 failed"))
    await one_round(host, shell("2", "pytest -q", "3 passed"))
    await host("stop", last_assistant_message="It adds.", background_tasks=[])
    (episode,) = await host.episodes()
    assert episode["task"] == "Make add() add"
    assert (await host.memory.get_episode(episode_id)).episode.outcome is not None
    assert steps_of(episode) == [("ls", "ok"), ("pytest -q", "error"), ("pytest -q", "ok")]
    assert episode["outcome"]["kind"] == "success"


async def test_an_agent_that_logs_its_work_is_not_logged_twice_and_its_outcome_stands(host: Host) -> None:
    await host("user-prompt-submit", prompt=TASK)
    episode_id = await begun_by_the_agent(host)
    await one_round(host, shell("1", "pytest -q", "3 passed"))
    mine = {"episode_id": episode_id}
    await host.memory.log_step(episode_id, "shell", action="pytest")
    await one_round(host, call("mcp__memory__log_step", "2", json.dumps(mine), **mine))
    await host.memory.complete_episode(episode_id, "partial")
    await one_round(host, call("mcp__memory__complete_episode", "3", json.dumps(mine), **mine, outcome="partial"))
    await host("stop", last_assistant_message="Done.")
    await host("session-end")
    (episode,) = await host.episodes()
    assert [step["tool"] for step in episode["steps"]] == ["shell"]
    assert episode["outcome"]["kind"] == "partial"


async def test_our_own_tools_and_the_search_for_tools_are_no_steps(host: Host) -> None:
    await host("user-prompt-submit", prompt=TASK)
    await one_round(host, call("ToolSearch", "1", {"matches": []}, query="select:mcp__memory__recall"))
    await one_round(host, call("mcp__memory__recall", "2", "{}", query="x"), shell("3", "ls"))
    await host("session-end")
    (episode,) = await host.episodes()
    assert steps_of(episode) == [("ls", "ok")]


@pytest.mark.parametrize("prompt", ["<task-notification>\n<task-id>a</task-id>", "", "[Request interrupted by user for tool use]"])
async def test_what_no_person_wrote_is_no_task(host: Host, prompt: str) -> None:
    await host("user-prompt-submit", prompt=TASK)
    await one_round(host, shell("1", "ls"))
    await host("user-prompt-submit", prompt=prompt)
    await one_round(host, shell("2", "pwd"))
    await host("session-end")
    assert [(episode["task"], len(episode["steps"])) for episode in await host.episodes()] == [(TASK, 2)]


async def test_a_command_of_the_user_is_a_task_once_it_is_expanded(host: Host) -> None:
    await host("user-prompt-submit", prompt="/fixit now", prompt_id="p1")
    await host("user-prompt-expansion", prompt="/fixit now", prompt_id="p1", command_name="fixit", command_args="now")
    await one_round(host, shell("1", "ls"))
    await host("session-end")
    (episode,) = await host.episodes()
    assert (episode["task"], episode["external_id"]) == ("/fixit now", "claude-code/abc/123/p1")


async def test_a_prompt_that_begins_with_a_path_is_a_task(host: Host) -> None:
    await host("user-prompt-submit", prompt="/etc/hosts has a wrong line, mend it")
    await one_round(host, shell("1", "ls"))
    await host("session-end")
    assert len(await host.episodes()) == 1


async def test_nothing_is_completed_while_a_subagent_runs_and_its_steps_are_an_episode_of_their_own(host: Host) -> None:
    agent = {"agent_id": "a1", "agent_type": "general-purpose"}
    launched = {"isAsync": True, "status": "async_launched", "agentId": "a1", "prompt": "look for the file"}
    await host("user-prompt-submit", prompt=TASK, prompt_id="p1")
    await one_round(host, call("Agent", "1", launched, prompt="look for the file", description="sub"))
    await one_round(host, failed("2", "cat none", "Exit code 1\nno such file"), **agent)
    await one_round(host, failed("3", "pytest -q", "Exit code 1\n1 failed"))
    await host("stop", background_tasks=[{"id": "a1", "status": "running"}], last_assistant_message="I wait.")
    assert [episode["outcome"] for episode in await host.episodes()] == [None, None]
    await one_round(host, shell("4", "echo found"), **agent)
    await host("subagent-stop", last_assistant_message="There is none.", background_tasks=[{"id": "a1"}], **agent)
    await host("user-prompt-submit", prompt="<task-notification>…", prompt_id="p2")
    await one_round(host, shell("5", "pytest -q", "3 passed"))
    await host("stop", background_tasks=[], last_assistant_message="Fixed.")
    main, child = sorted(await host.episodes(), key=lambda episode: bool(episode.get("parent")))
    assert steps_of(main)[1:] == [("pytest -q", "error"), ("pytest -q", "ok")]
    assert main["outcome"]["kind"] == "success"
    assert (child["task"], child["parent"]) == ("look for the file", main["external_id"])
    assert steps_of(child) == [("cat none", "error"), ("echo found", "ok")]
    assert child["outcome"]["summary"].startswith("There is none.")
    assert child["external_id"] == "claude-code/abc/123/agent-a1"


async def test_an_edit_is_kept_as_its_changed_lines(host: Host) -> None:
    patch = [
        {"oldStart": 1, "oldLines": 2, "newStart": 1, "newLines": 2, "lines": [" def add(a, b):", "-    return a - b", "+    return a + b"]}
    ]
    answer = {"filePath": "calc.py", "originalFile": "x" * 5_000, "structuredPatch": patch}
    await host("user-prompt-submit", prompt=TASK)
    await one_round(host, call("Edit", "1", answer, file_path="calc.py", old_string="a - b", new_string="a + b"))
    await host("session-end")
    (episode,) = await host.episodes()
    assert episode["steps"][0]["observation"].splitlines()[-1] == "+    return a + b"
    assert "originalFile" not in episode["steps"][0]["observation"]


async def test_an_interruption_is_an_outcome_of_its_own_kind(host: Host) -> None:
    await host("user-prompt-submit", prompt=TASK)
    await one_round(host, shell("1", "ls"))
    await host(
        "post-tool-use", **failed("2", "sleep 60", "The user doesn't want to proceed", interrupt=True)
    )  # no round is told, and no stop
    await host("user-prompt-submit", prompt="Now write the changelog instead of that")
    (episode,) = await host.episodes()
    assert steps_of(episode) == [("ls", "ok"), ("sleep 60", "error")]
    assert episode["outcome"]["kind"] == "partial"
    assert "interrupted" in episode["outcome"]["summary"]


async def test_a_session_that_is_resumed_and_told_to_go_on_goes_on_with_its_task(host: Host) -> None:
    await host("user-prompt-submit", prompt=TASK, prompt_id="p1")
    await one_round(host, shell("1", "ls"))
    await host("session-end")
    await host("session-start", source="resume")
    await host("user-prompt-submit", prompt="go on", prompt_id="p2")
    await one_round(host, shell("2", "pytest -q", "3 passed"))
    await host("stop")
    first, second = await host.episodes()
    assert [episode["task"] for episode in (first, second)] == [TASK, TASK]
    assert second["outcome"]["kind"] == "success"
    assert not host.files(".json") or not list(sessions.waiting(host.folder))


async def test_a_session_that_was_killed_and_resumed_goes_on_in_its_episode(host: Host) -> None:
    await host("user-prompt-submit", prompt=TASK)
    await one_round(host, shell("1", "ls"))
    await host("session-start", source="resume")
    await host("user-prompt-submit", prompt="go on")
    await one_round(host, shell("2", "pytest -q", "3 passed"))
    await host("stop")
    (episode,) = await host.episodes()
    assert steps_of(episode) == [("ls", "ok"), ("pytest -q", "ok")]


async def test_a_new_session_settles_one_whose_host_is_gone_and_leaves_one_that_is_at_work(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "is_alive", lambda process: process != "gone")
    for session, process in (("dead", "gone"), ("at work", "alive"), ("unknown", "")):
        for event, fields in (("user-prompt-submit", {"prompt": f"{TASK}: {session}"}), ("post-tool-use", shell("1", "ls"))):
            await host.hooks.handle(host.record(event, {**fields, "session_id": session}, process))
    await host("session-start", session_id="new")
    await host.hooks.settle_dead(but="new")
    outcomes = {episode["task"].rpartition(": ")[2]: episode["outcome"] for episode in await host.episodes()}
    assert outcomes["dead"]["kind"] == "partial"
    assert "cut off" in outcomes["dead"]["summary"]
    assert outcomes.get("at work") is None
    assert outcomes.get("unknown") is None


async def test_what_nothing_tells_is_partial_and_says_so(host: Host) -> None:
    await host("user-prompt-submit", prompt=TASK)
    await one_round(host, shell("1", "ls"))
    await host("session-end")
    (episode,) = await host.episodes()
    assert episode["outcome"]["kind"] == "partial"
    assert DONE_MARK in episode["outcome"]["summary"]


async def test_the_persons_next_words_say_how_it_went(host: Host) -> None:
    await host("user-prompt-submit", prompt=TASK)
    await one_round(host, shell("1", "ls"))
    await host("stop", last_assistant_message="Done.")
    await host("user-prompt-submit", prompt="That did not work, the page is still broken for empty lists")
    (episode,) = await host.episodes()
    assert episode["outcome"]["kind"] == "failure"


def recorded(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if not PAYLOADS.exists():
        pytest.skip("the recorded payloads are not on this machine")
    for line in (PAYLOADS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        yield told["event"], told["payload"]


async def test_the_recorded_sessions_leave_only_work_in_order(host: Host) -> None:
    arguments = {name: argument for argument, name in EVENTS.items()} | {"PostToolUseFailure": "post-tool-use"}
    for event, payload in recorded("claude-code"):
        if event in arguments:
            record = record_of(arguments[event], payload, call_id=str(id(payload)), project="", at_ms=host.at_ms, host="claude-code")
            await host.hooks.handle(record)
    found = [(episode["task"], steps_of(episode)) for episode in await host.episodes()]
    tools = {step["tool"] for episode in await host.episodes() for step in episode["steps"]}
    assert found
    assert not [tool for tool in tools if "memory" in tool or tool == "ToolSearch"]
    assert not [task for task, _ in found if task.startswith("<")]
