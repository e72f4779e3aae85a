"""Lifecycle hooks: a prompt with tool calls becomes an episode, whether a server runs or not."""

import io
import json
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.cli.hooks import ledger
from mcp_memory.cli.hooks.events import recalled_text, shown, step_of
from mcp_memory.cli.hooks.link import HttpLink
from mcp_memory.cli.hooks.quick import quick_place
from mcp_memory.cli.hooks.turns import UNSTATED, Hooks
from mcp_memory.cli.main import main
from mcp_memory.config import load_config
from mcp_memory.errors import StoreUnavailable

COMMON = {"session_id": "abc/123", "cwd": "/home/ana/shop", "transcript_path": "t.jsonl", "permission_mode": "default"}
RECALLED: dict[str, Any] = {
    "episodes": [{"task": "Fix the cart", "outcome": "success", "reward": 0.9, "lessons": ["Use Decimal."], "similarity": 0.7}],
    "patterns": [],
}
RECOVERY = {"error_signature": "ModuleNotFoundError", "fixes": [{"tool": "Bash", "action": "pip", "fixed": 2, "tried": 3}]}


class FakeLink:
    """A memory that remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.down = False
        self.completed = 3

    def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        if self.down:
            raise StoreUnavailable
        self.calls.append((tool, arguments))
        answers: dict[str, Any] = {"start_episode": {"episode_id": "e1"}, "recall": RECALLED, "suggest_next_step": {"recovery": RECOVERY}}
        answers["search_episodes"] = {"total": self.completed}
        return answers.get(tool, {})

    def digest(self, project: str) -> str:
        return f"What is known about {project}"

    @property
    def tools(self) -> list[str]:
        return [tool for tool, _ in self.calls]


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def hooks(tmp_path: Path, link: FakeLink) -> Hooks:
    """Hooks with a resident server."""
    return Hooks(str(tmp_path / "hooks"), "", link, lambda: nullcontext(link))


def bash(command: str, output: str = "ok", **more: Any) -> dict[str, Any]:
    response = {"stdout": output, "stderr": "", "interrupted": False, "isImage": False}
    return COMMON | {"tool_name": "Bash", "tool_input": {"command": command}, "tool_response": response} | more


def prompt(text: str) -> dict[str, Any]:
    return COMMON | {"prompt": text}


def failure(command: str, error: str) -> dict[str, Any]:
    return COMMON | {"tool_name": "Bash", "tool_input": {"command": command}, "error": error, "is_interrupt": False}


def test_a_session_start_tells_about_the_project(hooks: Hooks) -> None:
    assert hooks.session_start(COMMON | {"source": "startup"}) == "What is known about shop"


def test_nothing_is_said_about_a_project_without_episodes(hooks: Hooks, link: FakeLink) -> None:
    link.completed = 0
    assert hooks.session_start(COMMON | {"source": "startup"}) == ""


def test_a_prompt_is_answered_with_what_is_known_and_starts_nothing(hooks: Hooks, link: FakeLink) -> None:
    text = hooks.user_prompt_submit(prompt("Fix the rounding of the cart"))
    assert "Use Decimal." in text
    assert "not instructions" in text
    assert link.tools == ["recall"]
    assert link.calls[0][1]["project"] == "shop"


def test_the_first_step_starts_the_episode_and_a_check_completes_it(hooks: Hooks, link: FakeLink) -> None:
    hooks.user_prompt_submit(prompt("Fix the rounding of the cart"))
    hooks.post_tool_use(bash("pytest -q", "3 passed"))
    hooks.stop(COMMON | {"stop_hook_active": False, "last_assistant_message": "Rounding is right."})
    assert link.tools == ["recall", "start_episode", "log_steps", "complete_episode"]
    assert link.calls[1][1]["task"] == "Fix the rounding of the cart"
    completed = link.calls[3][1]
    assert (completed["episode_id"], completed["outcome"]) == ("e1", "success")
    assert completed["summary"] == "Rounding is right.\nOutcome inferred: the last check, step #0 (pytest), passed."


def test_a_failed_step_is_answered_with_what_fixed_it_before(hooks: Hooks, link: FakeLink) -> None:
    hooks.user_prompt_submit(prompt("Run the report tool"))
    text = hooks.post_tool_use(failure("python report.py", "ModuleNotFoundError: No module named 'x'"))
    assert "Bash:pip (fixed it 2 of 3 times)" in text
    assert link.calls[2][1]["steps"][0]["status"] == "error"


def test_without_a_check_the_outcome_is_left_to_the_end_of_the_session_and_marked(hooks: Hooks, link: FakeLink) -> None:
    hooks.user_prompt_submit(prompt("Explain the layout of this project"))
    hooks.post_tool_use(bash("ls"))
    hooks.stop(COMMON | {"last_assistant_message": "It has three folders."})
    assert "complete_episode" not in link.tools
    hooks.session_end(COMMON | {"reason": "other"})
    completed = link.calls[-1][1]
    assert completed["outcome"] == "partial"
    assert UNSTATED in completed["summary"]


def test_the_next_task_closes_the_one_before_and_going_on_does_not(hooks: Hooks, link: FakeLink) -> None:
    hooks.user_prompt_submit(prompt("Explain the layout of this project"))
    hooks.post_tool_use(bash("ls"))
    hooks.user_prompt_submit(prompt("yes, go on"))
    assert "complete_episode" not in link.tools
    hooks.user_prompt_submit(prompt("Now rename the folder of the tests"))
    assert link.tools[-2:] == ["complete_episode", "recall"]


def test_a_session_of_mere_conversation_leaves_nothing(hooks: Hooks, link: FakeLink) -> None:
    hooks.user_prompt_submit(prompt("What is the capital of Portugal?"))
    hooks.stop(COMMON)
    hooks.session_end(COMMON)
    assert link.tools == ["recall"]


def test_hooks_hold_back_when_the_agent_logs_by_itself(hooks: Hooks, link: FakeLink) -> None:
    hooks.user_prompt_submit(prompt("Fix the rounding of the cart"))
    hooks.post_tool_use(COMMON | {"tool_name": "mcp__memory__start_episode", "tool_input": {}, "tool_response": {}})
    hooks.post_tool_use(bash("pytest"))
    hooks.stop(COMMON)
    assert link.tools == ["recall"]


def test_without_a_server_steps_wait_and_are_written_together(tmp_path: Path, link: FakeLink) -> None:
    opened: list[bool] = []

    def own() -> AbstractContextManager[FakeLink]:
        opened.append(True)
        return nullcontext(link)

    hooks = Hooks(str(tmp_path), "", None, own)
    hooks.user_prompt_submit(prompt("Fix the rounding of the cart"))
    for _ in range(150):
        hooks.post_tool_use(bash("ls"))
    assert len(opened) == 1
    hooks.session_end(COMMON)
    assert link.tools == ["recall", "start_episode", "log_steps", "log_steps", "complete_episode"]
    assert sum(len(arguments["steps"]) for tool, arguments in link.calls if tool == "log_steps") == 150


def test_steps_that_could_not_be_written_are_written_with_the_next(hooks: Hooks, link: FakeLink) -> None:
    hooks.user_prompt_submit(prompt("Fix the rounding of the cart"))
    link.down = True
    with pytest.raises(StoreUnavailable):
        hooks.post_tool_use(bash("ls"))
    link.down = False
    hooks.post_tool_use(bash("pwd"))
    assert [step["arguments"]["command"] for step in link.calls[-1][1]["steps"]] == ["ls", "pwd"]


def test_what_listens_and_does_not_serve_is_passed_over(tmp_path: Path, link: FakeLink, capsys: pytest.CaptureFixture[str]) -> None:
    foreign = FakeLink()
    foreign.down = True
    hooks = Hooks(str(tmp_path), "", foreign, lambda: nullcontext(link))
    hooks.user_prompt_submit(prompt("Fix the rounding of the cart"))
    with pytest.raises(StoreUnavailable):
        hooks.post_tool_use(bash("ls"))
    hooks.session_end(COMMON)
    assert link.tools == ["recall", "start_episode", "log_steps", "complete_episode"]
    assert "opened here instead" in capsys.readouterr().err


def test_sessions_do_not_meet(hooks: Hooks, link: FakeLink) -> None:
    hooks.user_prompt_submit(prompt("Fix the rounding of the cart"))
    hooks.post_tool_use(bash("ls") | {"session_id": "other"})
    assert link.tools == ["recall"]


@pytest.mark.parametrize(
    ("response", "status"),
    [
        ({"stdout": "Traceback (most recent call last):\n…", "stderr": ""}, "error"),
        ({"stdout": "", "stderr": "", "interrupted": True}, "error"),
        ({"filePath": "a.py", "success": True}, "ok"),
        ({"success": False}, "error"),
        ("plain text", "ok"),
        ([{"type": "text", "text": "x"}], "ok"),
        (None, "ok"),
    ],
)
def test_a_tools_answer_of_any_form_is_a_step(response: Any, status: str) -> None:
    step = step_of({"tool_name": "T", "tool_input": {"a": 1}, "tool_response": response})
    assert (step["tool"], step["arguments"], step["status"]) == ("T", {"a": 1}, status)


def test_large_outputs_and_arguments_are_clipped() -> None:
    step = step_of({"tool_name": "Write", "tool_input": {"content": "x" * 50_000}, "tool_response": "y" * 50_000})
    assert len(json.dumps(step)) < 14_000


def test_nothing_to_say_prints_nothing() -> None:
    assert shown("Stop", "") == ""
    assert recalled_text({"episodes": [], "patterns": []}) == ""


def test_what_is_not_alike_is_not_shown_unasked() -> None:
    assert recalled_text({"episodes": [RECALLED["episodes"][0] | {"similarity": 0.1}], "patterns": [{"description": "x"}]}) == ""


def test_a_hook_never_fails_the_agent(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("not JSON"))
    assert main(["hook", "post-tool-use"]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("mcp-memory hook post-tool-use: ")


def test_a_stale_lock_does_not_block_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "LOCK_DEADLINE_S", 0.02)
    (tmp_path / "s.json.lock").touch()
    with ledger.turn_of(str(tmp_path), "s") as turn:
        turn.prompt = "x"
    with ledger.turn_of(str(tmp_path), "s") as turn:
        assert turn.prompt == "x"


def test_files_of_ended_and_forgotten_sessions_are_removed(tmp_path: Path) -> None:
    for session in ("ended", "running"):
        with ledger.turn_of(str(tmp_path), session) as turn:
            turn.prompt = "x"
    now_s = (tmp_path / "ended.json").stat().st_mtime
    ledger.drop(str(tmp_path), "ended", now_s)
    assert [path.name for path in tmp_path.glob("*.json")] == ["running.json"]
    ledger.drop(str(tmp_path), "another", now_s + 15 * 86_400)
    assert not list(tmp_path.glob("*.json"))


def test_no_server_is_noticed_at_once() -> None:
    assert HttpLink("127.0.0.1", 9).answers() is False


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"MCP_MEMORY_DATA_DIR": "/data", "MCP_MEMORY_PORT": "9000", "MCP_MEMORY_HOST": "localhost", "MCP_MEMORY_TOKEN": "t"},
        {"MCP_MEMORY_DATA_DIR": "~/memory", "CLAUDE_PROJECT_DIR": "/home/ana/my.shop/"},
        {"MCP_MEMORY_DATA_DIR": "relative", "CLAUDE_PROJECT_DIR": "/home/ana/shop", "MCP_MEMORY_PROJECT": "other"},
        {"CLAUDE_PROJECT_DIR": "/"},
    ],
)
def test_the_quick_settings_are_those_of_the_settings_machinery(env: dict[str, str]) -> None:
    place, config = quick_place(env), load_config(env=env)
    assert place
    assert place.data_dir == str(config.data_dir)
    assert (place.host, place.port, place.project) == (config.server.host, config.server.port, config.server.project)
    assert place.token == config.server.token


@pytest.mark.parametrize("name", ["MCP_MEMORY_CONFIG", "MCP_MEMORY_SERVER__PORT", "MCP_MEMORY_TYPO"])
def test_other_settings_are_left_to_the_settings_machinery(name: str) -> None:
    assert quick_place({name: "1"}) is None
    assert quick_place({"MCP_MEMORY_PORT": "many"}) is None
