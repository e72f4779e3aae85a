"""Every host's hooks by its field map: a failing command is a failure, a passing test is seen, the agent is named, texts are texts."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.domain.activity import HookState
from mcp_memory.domain.hosts import HOOK_HOSTS
from mcp_memory.hooks import answers, sessions
from mcp_memory.hooks.events import record_of
from mcp_memory.hooks.field_maps import FIELD_MAPS
from mcp_memory.hooks.kinds import EVENTS
from mcp_memory.memory import EpisodicMemory
from tests.unit.hooks.host import Host

pytestmark = pytest.mark.anyio
PAYLOADS = Path(__file__).parents[4] / "shared" / "hosts" / "payloads"
UNITTEST = "FAIL: test_add (test_calc.T.test_add)\nAssertionError: -1 != 5\n\nRan 1 test in 0.000s\n\nFAILED (failures=1)"
GEMINI_FAILED = f"<untrusted_context>\nOutput: {UNITTEST}\nExit Code: 1\nProcess Group PGID: 27990\n</untrusted_context>"
COPILOT_NOTE = "<shellId: 4 completed with exit code"
QWEN_PASSED = (
    "Command: pytest\nDirectory: (root)\nOutput: 3 passed\nError: (none)\nExit Code: 0\nSignal: (none)\nProcess Group PGID: (none)"
)


def step_of(host: str, **told: Any) -> dict[str, Any]:
    return dict(record_of("post-tool-use", told, call_id="1", project="", at_ms=0, host=host)["step"])


def test_every_host_whose_hooks_are_installed_has_a_field_map() -> None:
    assert set(HOOK_HOSTS) <= set(FIELD_MAPS)
    assert {event.argument for host in HOOK_HOSTS.values() for event in host.events} <= set(EVENTS)


@pytest.mark.parametrize(
    ("host", "told", "status", "observation"),
    [
        (
            "gemini",
            {"tool_input": {"command": "pytest"}, "tool_response": {"llmContent": GEMINI_FAILED, "returnDisplay": "x"}},
            "error",
            UNITTEST,
        ),
        (
            "qwen",
            {"tool_input": {"command": "pytest"}, "tool_response": {"llmContent": QWEN_PASSED, "returnDisplay": "x"}},
            "ok",
            "3 passed",
        ),
        ("qwen", {"tool_response": {"llmContent": "Output: (empty)\nError: (none)\nExit Code: 0"}}, "ok", ""),
        ("qwen", {"tool_response": {"llmContent": "Output: x\nError: no such file\nExit Code: 2"}}, "error", "x\nno such file"),
        ("codex", {"tool_input": {"command": "python -m unittest"}, "tool_response": UNITTEST}, "error", UNITTEST),
        ("codex", {"tool_response": "Process exited with code 1\nOutput:\nno"}, "error", "Process exited with code 1\nOutput:\nno"),
        ("codex", {"tool_response": "cat: missing.py: No such file or directory"}, "error", "cat: missing.py: No such file or directory"),
        ("codex", {"tool_response": "def add(a, b):\n    return a - b\n"}, "ok", "def add(a, b):\n    return a - b\n"),
        ("copilot", {"toolResult": {"resultType": "failure", "textResultForLlm": "no"}}, "error", "no"),
        ("copilot", {"toolResult": {"resultType": "success", "textResultForLlm": "yes"}}, "ok", "yes"),
        ("copilot", {"tool_result": {"result_type": "failure", "text_result_for_llm": "no"}}, "error", "no"),
        ("copilot", {"tool_result": {"result_type": "success", "text_result_for_llm": "yes"}}, "ok", "yes"),
        ("copilot", {"tool_result": {"result_type": "success", "text_result_for_llm": f"no\n{COPILOT_NOTE} 3>"}}, "error", "no"),
        ("copilot", {"tool_result": {"result_type": "success", "text_result_for_llm": f"Error: 0\n{COPILOT_NOTE} 0>"}}, "ok", "Error: 0"),
        ("cursor", {"tool_output": '{"exitCode": 1, "stdout": "no"}'}, "error", "no"),
        ("cursor", {"error_message": "timed out", "failure_type": "timeout"}, "error", "timed out"),
        ("cline", {"postToolUse": {"toolName": "T", "result": "no", "success": False}}, "error", "no"),
        ("cline", {"postToolUse": {"toolName": "T", "result": "yes", "success": True}}, "ok", "yes"),
        ("vscode", {"tool_response": "done"}, "ok", "done"),
    ],
)
def test_how_a_call_went_is_read_as_the_host_tells_it(host: str, told: dict[str, Any], status: str, observation: str) -> None:
    step = step_of(host, tool_name="T", **told)
    assert (step["status"], step["observation"]) == (status, observation)


@pytest.mark.parametrize(("call", "printed", "status"), [("c1", "", "error"), ("c2", "ls: none: No such file or directory", "ok")])
def test_how_a_command_of_codex_ended_is_read_from_its_session(tmp_path: Path, call: str, printed: str, status: str) -> None:
    def line(call_id: str, exit_code: int, printed: str) -> str:
        took = {"secs": 1, "nanos": 500_000_000}
        item = {"type": "CommandExecution", "id": call_id, "aggregated_output": printed, "exit_code": exit_code, "duration": took}
        return json.dumps({"type": "event_msg", "payload": {"type": "item_completed", "item": item}})

    session = tmp_path / "rollout-1.jsonl"
    session.write_text(
        "\n".join([line("c1", 1, ""), line("c2", 0, "c1" * 40_000), '{"payload": "CommandExecution c1 c2"}', "cut"]), "utf-8"
    )
    told = {"tool_input": {"command": "x"}, "tool_response": printed, "tool_use_id": call, "transcript_path": str(session)}
    step = step_of("codex", tool_name="Bash", **told)
    assert (step["status"], step["duration_ms"]) == (status, 1500)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_session_of_codex_that_cannot_be_read_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path / "none", tmp_path):
        told = {"tool_response": "fine", "tool_use_id": "c1", "transcript_path": str(path)}
        assert step_of("codex", tool_name="Bash", **told)["status"] == "ok"


def test_arguments_that_come_as_json_in_a_string_are_arguments() -> None:
    step = step_of("copilot", toolName="bash", toolArgs='{"command": "ls"}', toolResult={"resultType": "success", "textResultForLlm": "x"})
    assert (step["tool"], step["arguments"]) == ("bash", {"command": "ls"})


def test_what_a_session_was_begun_with_is_no_part_of_its_first_prompt() -> None:
    def prompted(prompt: str) -> dict[str, Any]:
        return record_of("user-prompt-submit", {"session_id": "s", "prompt": prompt}, call_id="1", project="", at_ms=0, host="gemini")

    assert prompted("<hook_context># Memory of &lt;b&gt;</hook_context>\n\nFix add()") == prompted("Fix add()")


@pytest.mark.parametrize(
    ("host", "printed"),
    [
        ("codex", {"hookSpecificOutput": {"hookEventName": "UserPromptSubmit", "additionalContext": "known"}}),
        ("cursor", {"additional_context": "known"}),
        ("cline", {"contextModification": "known"}),
    ],
)
def test_an_answer_is_injected_as_the_host_takes_it(host: str, printed: dict[str, Any]) -> None:
    assert json.loads(answers.shown("user-prompt-submit", "", "known", host)) == printed


async def test_two_hosts_in_one_repository_have_one_memory_and_each_knows_what_the_other_did(
    memory: EpisodicMemory, tmp_path: Path
) -> None:
    (repository := tmp_path / "shop" / ".git").mkdir(parents=True)
    (repository / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    (repository / "config").write_text('[remote "origin"]\n\turl = git@github.com:acme/shop.git\n', encoding="utf-8")
    folder, task = str(repository.parent), "Fix the rounding of the cart"
    codex, claude = Host(memory, tmp_path / "hooks", "codex"), Host(memory, tmp_path / "hooks", "claude-code")
    where = {"session_id": "c1", "cwd": folder}
    await codex("user-prompt-submit", prompt=task, turn_id="t1", **where)
    run = {"tool_name": "Bash", "tool_input": {"command": "pytest -q tests/test_cart.py"}}
    await codex("post-tool-use", **run, tool_response="FAILED tests/test_cart.py\n1 failed", **where)
    await codex("post-tool-use", **run, tool_response="3 passed", **where)
    await codex("stop", last_assistant_message="Rounded with Decimal.", **where)
    told = await claude("user-prompt-submit", prompt=f"{task} again", session_id="s2", cwd=folder)
    assert "Rounded with Decimal." in told
    assert "by codex" in told
    await claude("post-tool-batch", tool_calls=[{**run, "tool_use_id": "1", "tool_response": "3 passed", "status": "ok"}], session_id="s2")
    found = await codex.episodes()
    assert [(episode["agent"], episode["project"]) for episode in found] == [
        (host, "github.com/acme/shop") for host in ("codex", "claude-code")
    ]


@pytest.mark.parametrize(
    ("host", "tools", "outcome"),
    [
        ("codex", [("Bash", "error"), ("Bash", "ok")], "failure"),
        ("gemini", [("run_shell_command", "error"), ("read_file", "ok"), ("replace", "ok"), ("run_shell_command", "ok")], "success"),
        ("qwen", [("run_shell_command", "error"), ("read_file", "ok"), ("edit", "ok"), ("run_shell_command", "ok")], "success"),
    ],
)
async def test_the_recorded_sessions_of_a_host_become_its_episodes(
    memory: EpisodicMemory, tmp_path: Path, host: str, tools: list[tuple[str, str]], outcome: str
) -> None:
    if not PAYLOADS.exists():
        pytest.skip("the recorded payloads are not on this machine")
    hooks = Host(memory, tmp_path / "data" / "hooks", host).hooks
    ours = {event.name: event.argument for event in HOOK_HOSTS[host].events}
    for number, line in enumerate((PAYLOADS / f"{host}.jsonl").read_text(encoding="utf-8").splitlines()):
        told = json.loads(line)
        if event := ours.get(told["event"]):
            await hooks.handle(record_of(event, told["payload"], call_id=str(number), project="", at_ms=number, host=host))
    found = [json.loads(line) async for line in memory.export_lines()]
    last = next(episode for episode in found if "fails" in episode["task"])
    assert last["agent"] == host
    assert [(step["tool"], step["status"]) for step in last["steps"]] == tools
    assert last["outcome"]["kind"] == outcome
    assert not [step["tool"] for episode in found for step in episode["steps"] if "memory" in step["tool"]]
    assert not [step for step in last["steps"] if step["observation"].startswith("{")]


async def test_what_the_hooks_left_says_which_host_was_heard_of_and_what_waits(memory: EpisodicMemory, tmp_path: Path) -> None:
    folder = tmp_path / "hooks"
    for name, session, ends in (("codex", "a", False), ("codex", "b", True), ("gemini", "c", False)):
        host = Host(memory, folder, name)
        await host("user-prompt-submit", session_id=session, prompt="Fix the cart")
        if ends:
            done = {"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_response": "cart.py"}
            await host("post-tool-use", session_id=session, **done)
            await host("session-end", session_id=session, reason="other")
    Host(memory, folder, "qwen").spooled("user-prompt-submit", session_id="d", prompt="Fix the cart")
    (folder / "strange.json").write_text("{", encoding="utf-8")
    state = sessions.state_of(str(folder))
    assert {host.host: (host.sessions, host.at_work) for host in state.hosts} == {"codex": (2, 1), "gemini": (1, 1)}
    assert all(host.last_at_ms > 1_600_000_000_000 for host in state.hosts)
    assert state.waiting == 1
    assert sessions.state_of(str(tmp_path / "nothing")) == HookState()
