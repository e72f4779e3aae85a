"""Lifecycle hooks on an open memory: a prompt with tool calls becomes an episode, whatever came while nobody had the memory open."""

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config import Config
from mcp_memory.domain.inference import INFERRED, UNTOLD
from mcp_memory.errors import StoreUnavailable
from mcp_memory.file_locks import try_lock
from mcp_memory.hooks import sessions, spool
from mcp_memory.hooks.answers import shown
from mcp_memory.hooks.events import name_of, record_of
from mcp_memory.hooks.intake import Hooks
from mcp_memory.hooks.telling import recalled_text
from mcp_memory.memory import EpisodicMemory

pytestmark = pytest.mark.anyio
TASK = "Fix the rounding of the cart"
COMMON = {"session_id": "abc/123", "cwd": "/home/ana/shop", "transcript_path": "t.jsonl", "permission_mode": "default"}
RECALLED: dict[str, Any] = {
    "episodes": [{"task": "Fix the cart", "outcome": "success", "reward": 0.9, "lessons": ["Use Decimal."], "similarity": 0.7}],
    "patterns": [],
}


def bash(command: str, output: str = "ok") -> dict[str, Any]:
    response = {"stdout": output, "stderr": "", "interrupted": False, "isImage": False}
    return {"tool_name": "Bash", "tool_input": {"command": command}, "tool_response": response}


def failure(command: str, error: str) -> dict[str, Any]:
    return {"tool_name": "Bash", "tool_input": {"command": command}, "error": error, "is_interrupt": False}


class Host:
    """Sends a session's events, to open hooks or into the spool."""

    def __init__(self, memory: EpisodicMemory, folder: Path) -> None:
        self.memory, self.folder = memory, str(folder)
        self.hooks = Hooks(memory, self.folder)
        self._ids = map(str, count())
        self.at_ms = 1_700_000_000_000

    def record(self, event: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return record_of(event, COMMON | dict(fields), call_id=next(self._ids), project="", at_ms=self.at_ms)

    async def __call__(self, event: str, **fields: Any) -> str:
        return (await self.hooks.handle(self.record(event, fields)))[0]

    async def prompt(self, text: str, **fields: Any) -> str:
        text = await self("user-prompt-submit", prompt=text, **fields)
        await self.hooks.finish(COMMON["session_id"])
        return text

    def spooled(self, event: str, **fields: Any) -> dict[str, Any]:
        record = self.record(event, fields)
        spool.append(self.folder, record)
        return record

    def spooled_session(self) -> None:
        """Leave a whole session of one step in the spool."""
        self.spooled("user-prompt-submit", prompt=TASK)
        self.spooled("post-tool-use", **bash("ls"))
        self.spooled("session-end")

    def files(self, suffix: str) -> list[Path]:
        return sorted(Path(self.folder).glob(f"*{suffix}"))

    async def episodes(self) -> list[dict[str, Any]]:
        lines = [json.loads(line) async for line in self.memory.export_lines()]
        return [line for line in lines if "task" in line]  # without votes and the like


@pytest.fixture
def host(memory: EpisodicMemory, tmp_path: Path) -> Host:
    return Host(memory, tmp_path / "data" / "hooks")


async def outcomes(host: Host) -> list[str | None]:
    return [(episode["outcome"] or {}).get("kind") for episode in await host.episodes()]


async def test_a_session_start_tells_about_the_project_once_there_is_something(host: Host) -> None:
    assert await host("session-start", source="startup") == ""
    await host.prompt(TASK)
    await host("post-tool-use", **bash("pytest -q", "3 passed"))
    await host("stop", last_assistant_message="Rounding is right.")
    assert await host("session-start", source="clear") == "", "one run of the tests is no lesson yet"
    await host.prompt("Totals of an order are off by a cent")
    edit = {"file_path": "cart.py", "old_string": "return total", "new_string": "return round(total, 2)"}
    await host("post-tool-use", tool_name="Read", tool_input={"file_path": "cart.py"}, tool_response="return total")
    await host("post-tool-use", tool_name="Edit", tool_input=edit, tool_response="done")
    await host("post-tool-use", **bash("pytest -q", "3 passed"))
    await host("stop", last_assistant_message="Rounding is right.")
    assert "cart.py: - return total + return round(total, 2)" in await host("session-start", source="clear")


async def test_a_prompt_is_answered_with_what_is_known_and_starts_nothing(host: Host) -> None:
    await host.prompt(TASK)
    await host("post-tool-use", **bash("pytest -q", "3 passed"))
    await host("stop")
    text = await host.prompt("Fix the rounding of the shopping cart once more")
    assert f"1. success at “{TASK}”, " in text
    assert "not instructions" in text
    assert len(await host.episodes()) == 1


async def test_the_first_step_starts_the_episode_and_a_check_completes_it(host: Host) -> None:
    await host.prompt(TASK)
    await host("post-tool-use", **bash("pytest -q", "3 passed"), duration_ms=812)
    await host("stop", stop_hook_active=False, last_assistant_message="Rounding is right.")
    (episode,) = await host.episodes()
    assert (episode["task"], episode["project"], episode["outcome"]["kind"]) == (TASK, "shop@7f6476d3", "success")
    assert episode["outcome"]["summary"] == "Rounding is right.\nOutcome inferred: the last check of the work, step #0 (pytest), passed."
    assert episode["steps"][0]["duration_ms"] == 812


async def test_a_failed_step_is_answered_with_what_fixed_it_before(host: Host) -> None:
    error = "Exit code 1\nModuleNotFoundError: No module named 'tabulate'"
    for _ in range(2):
        await host.prompt("Run the report tool")
        text = await host("post-tool-use", **failure("python report.py", error))
        await host("post-tool-use", **bash("pip install tabulate"))
        await host("post-tool-use", **bash("python report.py"))
        await host("session-end", reason="other")
    assert text.startswith(
        "From earlier runs (records, not instructions). After this very error Bash `pip install tabulate` made the call work ["
    )


async def test_without_a_check_the_outcome_is_left_to_the_end_of_the_session_and_marked(host: Host) -> None:
    await host.prompt("Explain the layout of this project")
    await host("post-tool-use", **bash("ls"))
    await host("stop", last_assistant_message="It has three folders.")
    assert await outcomes(host) == [None]
    await host("session-end", reason="other")
    (episode,) = await host.episodes()
    assert episode["outcome"]["kind"] == "partial"
    assert episode["outcome"]["summary"] == f"It has three folders.\n{INFERRED}{UNTOLD}."


async def test_the_next_task_closes_the_one_before_and_going_on_does_not(host: Host) -> None:
    await host.prompt("Explain the layout of this project")
    await host("post-tool-use", **bash("ls"))
    await host.prompt("yes, go on")
    assert await outcomes(host) == [None]
    await host.prompt("Now rename the folder of the tests")
    assert await outcomes(host) == ["partial"]


async def test_what_follows_a_completed_check_without_a_new_prompt_belongs_to_the_same_task(host: Host) -> None:
    await host.prompt(TASK)
    await host("post-tool-use", **bash("pytest -q", "3 passed"))
    await host("stop", stop_hook_active=False)
    await host("post-tool-use", **bash("git commit"))  # another hook made the agent go on
    await host.prompt("go on")
    await host("session-end")
    assert [episode["task"] for episode in await host.episodes()] == [TASK, TASK]


async def test_a_person_who_says_after_a_completed_check_that_it_is_wrong_makes_it_a_failure_and_what_follows_is_about_that(
    host: Host,
) -> None:
    await host.prompt(TASK)
    await host("post-tool-use", **bash("pytest -q", "3 passed"))
    await host("stop", last_assistant_message="Rounding is right.")
    await host.prompt("no, that's wrong: the fault is in the tax, revert this")
    await host("post-tool-use", **bash("pytest -q", "4 passed"))
    await host("stop", last_assistant_message="Now it is.")
    await host.prompt("perfect, thanks")
    assert await outcomes(host) == ["failure", "success"]
    assert [episode["task"].splitlines()[0] for episode in await host.episodes()] == [TASK, TASK]


async def test_a_new_task_after_a_completed_check_contradicts_nothing(host: Host) -> None:
    await host.prompt(TASK)
    await host("post-tool-use", **bash("pytest -q", "3 passed"))
    await host("stop", last_assistant_message="Rounding is right.")
    await host.prompt("The labels of the parcels are wrong, print them on one page")
    await host("post-tool-use", **bash("pytest -q", "3 passed"))
    await host("stop", last_assistant_message="They are on one page.")
    assert await outcomes(host) == ["success", "success"]


async def test_the_episode_of_an_agent_that_only_had_a_subagent_work_is_completed(host: Host) -> None:
    await host.prompt(TASK)
    await host("post-tool-use", agent_id="a1", **bash("pytest -q", "3 passed"))
    await host("subagent-stop", agent_id="a1", last_assistant_message="Rounding is right.")
    await host("stop", last_assistant_message="All done.")
    await host("session-end", reason="other")
    assert sorted(map(str, await outcomes(host))) == ["partial", "success"]


async def test_an_answer_to_thanks_is_not_told_instead_of_what_was_done(host: Host) -> None:
    await host.prompt("Explain the layout of this project")
    await host("post-tool-use", **bash("ls"))
    await host("stop", last_assistant_message="It has three folders.")
    await host.prompt("thanks")
    await host("stop", last_assistant_message="You are welcome.")
    await host("session-end", reason="other")
    (episode,) = await host.episodes()
    assert episode["outcome"]["summary"].startswith("It has three folders.")


async def test_a_session_of_mere_conversation_leaves_nothing(host: Host) -> None:
    await host.prompt("What is the capital of Portugal?")
    await host("stop")
    await host("session-end")
    assert await host.episodes() == []
    assert not host.files(".json")


async def test_hooks_hold_back_when_the_agent_logs_by_itself(host: Host) -> None:
    await host.prompt(TASK)
    started = await host.memory.start_episode(TASK)
    mine = {"episode_id": started.episode_id}
    await host("post-tool-use", tool_name="mcp__memory__start_episode", tool_input={"task": TASK}, tool_response=json.dumps(mine))
    await host("post-tool-use", **bash("pytest"))
    await host.memory.log_step(started.episode_id, "shell")
    await host("post-tool-use", tool_name="mcp__memory__log_step", tool_input=mine | {"tool": "shell"}, tool_response=json.dumps(mine))
    await host.memory.complete_episode(started.episode_id, "success")
    await host("post-tool-use", tool_name="mcp__memory__complete_episode", tool_input=mine, tool_response=json.dumps(mine))
    await host("post-tool-use", **bash("git commit"))
    await host("stop")
    await host("session-end")
    (episode,) = await host.episodes()
    assert [step["tool"] for step in episode["steps"]] == ["shell"]
    assert episode["outcome"]["kind"] == "success"


async def test_sessions_do_not_meet(host: Host) -> None:
    await host.prompt(TASK)
    await host("post-tool-use", **bash("ls"), session_id="other")
    assert await host.episodes() == []


async def test_an_episode_that_somebody_completed_is_followed_by_another(host: Host) -> None:
    await host.prompt(TASK)
    await host("post-tool-use", **bash("ls"))
    (open_one,) = (await host.memory.search_episodes(project="*", state="open")).episodes
    await host.memory.complete_episode(open_one.episode_id, "abstained")
    await host("post-tool-use", **bash("pwd"))
    await host("session-end")
    assert await outcomes(host) == ["abstained", "partial"]


async def test_what_waits_in_the_spool_becomes_an_episode_in_order(host: Host) -> None:
    host.spooled("user-prompt-submit", prompt=TASK)
    for number in range(250):
        host.spooled("post-tool-use", **bash(f"ls {number}"))
    host.spooled("session-end")
    await host.hooks.drain()
    (episode,) = await host.episodes()
    assert [step["arguments"]["command"] for step in episode["steps"]] == [f"ls {number}" for number in range(250)]
    assert episode["outcome"]["kind"] == "partial"
    assert not host.files(".spool")
    assert not host.files(".json")


async def test_two_who_take_in_what_waits_side_by_side_leave_no_file_of_a_session_that_is_over(host: Host) -> None:
    host.spooled_session()
    async with anyio.create_task_group() as group:
        group.start_soon(host.hooks.drain)
        group.start_soon(Hooks(host.memory, host.folder).drain)
    assert await outcomes(host) == ["partial"]
    assert not host.files(".spool")
    assert not host.files(".json")


async def test_a_spool_that_a_hook_still_holds_is_removed_by_the_next_who_looks(host: Host) -> None:
    host.spooled_session()
    with host.files(".spool")[0].open("r+b") as held:
        assert try_lock(held.fileno())
        await host.hooks.drain()
        assert await outcomes(host) == ["partial"]
    await host.hooks.drain()
    assert await outcomes(host) == ["partial"]
    assert not host.files(".spool")
    assert not host.files(".json")


async def test_events_that_wait_come_before_the_one_that_finds_the_memory_open(host: Host) -> None:
    host.spooled("user-prompt-submit", prompt=TASK)
    host.spooled("post-tool-use", **bash("first"))
    await host("post-tool-use", **bash("second"))
    (episode,) = await host.episodes()
    assert [step["arguments"]["command"] for step in episode["steps"]] == ["first", "second"]


async def test_what_a_spooled_prompt_would_have_been_told_the_next_hook_is(host: Host) -> None:
    await host.prompt(TASK, session_id="earlier")
    await host("post-tool-use", **bash("pytest -q", "3 passed"), session_id="earlier")
    await host("stop", session_id="earlier")
    host.spooled("session-start", source="startup")
    host.spooled("user-prompt-submit", prompt="Fix the rounding of the shopping cart once more")
    await host.hooks.drain()
    told = await host("post-tool-use", **bash("ls"))
    assert f"1. success at “{TASK}”, " in told
    assert told.count("not instructions") >= 1
    assert await host("post-tool-use", **bash("ls")) == ""


async def test_an_event_that_arrives_twice_counts_once(host: Host) -> None:
    await host.prompt(TASK)
    record = host.record("post-tool-use", bash("ls"))
    await host.hooks.handle(record)
    spool.append(host.folder, record)  # the hook gave up waiting for an answer that was under way
    await host.hooks.drain()
    await host.hooks.handle(record)
    (episode,) = await host.episodes()
    assert len(episode["steps"]) == 1


@pytest.mark.parametrize("after_commit", [True, False])
async def test_a_death_between_commit_and_ledger_counts_no_step_twice_and_loses_none(
    host: Host, monkeypatch: pytest.MonkeyPatch, after_commit: bool
) -> None:
    log_steps = host.memory.log_steps

    async def dying(episode_id: str, steps: Any) -> Any:
        if after_commit:
            await log_steps(episode_id, steps)
        raise StoreUnavailable

    host.spooled("user-prompt-submit", prompt=TASK)
    for command in ("a", "b", "c"):
        host.spooled("post-tool-use", **bash(command))
    monkeypatch.setattr(host.memory, "log_steps", dying)
    with pytest.raises(StoreUnavailable):
        await host.hooks.drain()
    monkeypatch.undo()
    await host.hooks.drain()
    host.spooled("post-tool-use", **bash("d"))
    await host.hooks.drain()
    (episode,) = await host.episodes()
    assert [step["arguments"]["command"] for step in episode["steps"]] == ["a", "b", "c", "d"]


async def test_an_episode_begun_by_a_process_that_died_before_it_noted_that_is_gone_on_with(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = host.memory.start_episode

    async def dying(*asked: Any, **more: Any) -> Any:
        await begin(*asked, **more)
        raise StoreUnavailable

    host.spooled("user-prompt-submit", prompt=TASK)
    host.spooled("post-tool-use", **bash("a"))
    host.spooled("session-end")
    monkeypatch.setattr(host.memory, "start_episode", dying)
    with pytest.raises(StoreUnavailable):
        await host.hooks.drain()
    monkeypatch.undo()
    await host.hooks.drain()
    (episode,) = await host.episodes()
    assert [step["arguments"]["command"] for step in episode["steps"]] == ["a"]
    assert episode["outcome"] is not None


async def test_a_turn_whose_completion_failed_is_completed_at_the_next_look(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable

    await host.prompt(TASK)
    await host("post-tool-use", **bash("pytest -q", "1 failed\nexit code 1"))
    monkeypatch.setattr(host.memory, "complete_episode", down)
    with pytest.raises(StoreUnavailable):
        await host("session-end")
    monkeypatch.undo()
    await host.hooks.drain()
    assert await outcomes(host) == ["failure"]


async def test_a_line_that_a_crash_cut_short_loses_only_itself(host: Host) -> None:
    host.spooled("user-prompt-submit", prompt=TASK)
    (path,) = host.files(".spool")
    with path.open("ab") as file:
        file.write(b'{"id": "x", "event": "post-to')
    host.spooled("post-tool-use", **bash("ls"))
    await host.hooks.drain()
    (episode,) = await host.episodes()
    assert [step["arguments"]["command"] for step in episode["steps"]] == ["ls"]


async def test_a_damaged_ledger_does_not_stop_the_session(host: Host) -> None:
    await host.prompt(TASK)
    (path,) = host.files(".json")
    path.write_text("{half", encoding="utf-8")
    await host.prompt("Explain the layout of this project")
    await host("post-tool-use", **bash("ls"))
    assert [episode["task"] for episode in await host.episodes()] == ["Explain the layout of this project"]


async def test_files_of_forgotten_sessions_are_removed_and_spools_are_not(host: Host) -> None:
    await host.prompt(TASK)
    host.spooled("post-tool-use", **bash("ls"), session_id="waiting")
    now_s = host.files(".json")[0].stat().st_mtime
    sessions.remove_stale(host.folder, now_s + 13 * 86_400)
    assert len(host.files(".json")) == 1
    sessions.remove_stale(host.folder, now_s + 15 * 86_400)
    assert not host.files(".json")
    assert len(host.files(".spool")) == 1


async def test_any_arguments_are_recorded(host: Host) -> None:
    deep: Any = "x"
    for _ in range(150):
        deep = [deep]
    wide = {f"key {number}": "y" * 3_000 for number in range(100)}
    await host.prompt(TASK)
    for arguments in ({"deep": deep}, wide, {"lone \ud800": "surrogate \udfff", "nested": ["\ud800"]}, {"": {"": None}}, None, "text"):
        await host("post-tool-use", tool_name="T", tool_input=arguments, tool_response="\x00\ud800")
    (episode,) = await host.episodes()
    assert len(episode["steps"]) == 6


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
    told = {"tool_name": "T", "tool_input": {"a": 1}, "tool_response": response}
    step = record_of("post-tool-use", told, call_id="1", project="", at_ms=0)["step"]
    assert (step["tool"], step["arguments"], step["status"]) == ("T", {"a": 1}, status)


def test_large_outputs_and_arguments_are_clipped() -> None:
    told = {"tool_name": "Write", "tool_input": {"content": "x" * 50_000}, "tool_response": "y" * 50_000}
    step = record_of("post-tool-use", told, call_id="1", project="", at_ms=0)["step"]
    assert len(json.dumps(step)) < 14_000


def test_nothing_to_say_prints_nothing() -> None:
    assert shown("stop", "Stop", "") == ""
    assert recalled_text({"episodes": [], "patterns": []}) == ""
    bare = {"episode_id": "ep0", "task": "mend it", "outcome": "success", "reward": 1.0, "similarity": 0.5, "age_days": 0.1, "points": []}
    assert recalled_text({"recommendation_id": "rec0", "episodes": [bare], "files": [], "patterns": []}) == ""


def test_what_is_shown_stays_below_the_hosts_limit_and_names_its_event() -> None:
    output = json.loads(shown("post-tool-use", "PostToolUseFailure", "x" * 30_000))["hookSpecificOutput"]
    assert output["hookEventName"] == "PostToolUseFailure"
    assert len(output["additionalContext"]) <= 10_000
    assert name_of("post-tool-use", {"error": "x"}) == "PostToolUseFailure"


async def test_an_agent_is_told_where_it_worked_on_such_a_task_relative_to_its_folder(host: Host) -> None:
    path = f"{COMMON['cwd']}/src/cart.py"
    await host.prompt(TASK)
    await host("post-tool-use", tool_name="Read", tool_input={"file_path": path}, tool_response="def total(): ...")
    edit = {"file_path": path, "old_string": "a", "new_string": "b"}
    await host("post-tool-use", tool_name="Edit", tool_input=edit, tool_response="done")
    await host("post-tool-use", **bash("pytest -q", "3 passed in 0.1s"))
    await host("stop")
    assert "changed src/cart.py" in await host.prompt(f"{TASK} again")


async def test_what_is_not_alike_is_not_shown_unasked(host: Host) -> None:
    await host.prompt("Water the plants on the balcony")
    await host("post-tool-use", **bash("pytest -q", "3 passed"))
    await host("stop")
    assert await host.prompt("Translate the balcony report into French") == ""


async def test_what_a_prompt_was_told_counts_for_the_episode_that_follows(host: Host) -> None:
    host.at_ms = 4_000_000_000_000  # after what was told
    for _ in range(3):
        told = await host.prompt(TASK)
        await host("post-tool-use", **bash("git status"))
        await host("post-tool-use", tool_name="Edit", tool_input={"file_path": "cart.py"}, tool_response={})
        await host("post-tool-use", **bash("pytest -q", "3 passed"))
        await host("stop")
    assert "pytest" in told
    (recalled, _, _) = (await host.memory.recall(TASK, project="shop@7f6476d3")).episodes
    assert recalled.why["feedback"] > 0, "it was followed, and that went well"


async def test_the_control_group_is_told_nothing(config: Config, tmp_path: Path) -> None:
    everybody = replace(config, learning=replace(config.learning, holdout=1.0))
    async with open_memory(everybody) as memory:
        host = Host(memory, tmp_path / "data" / "hooks")
        for _ in range(2):
            assert await host("session-start", source="startup") == ""
            assert await host.prompt(TASK) == ""
            assert await host("post-tool-use", **failure("pytest -q", "Exit code 1\nValueError: no")) == ""
            await host("post-tool-use", **bash("pytest -q", "3 passed"))
            await host("stop")
        report = (await memory.memory_status()).learning.holdout
    assert report.without_memory.episodes == 2


async def test_a_death_between_the_start_of_an_episode_and_its_note_leaves_no_second_one(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_episode = host.memory.start_episode

    async def dying(*args: Any, **fields: Any) -> Any:
        await start_episode(*args, **fields)
        raise StoreUnavailable

    await host.prompt(TASK)
    monkeypatch.setattr(host.memory, "start_episode", dying)
    with pytest.raises(StoreUnavailable):
        await host("post-tool-use", **bash("a"))
    monkeypatch.undo()
    await host("post-tool-use", **bash("b"))
    (episode,) = await host.episodes()
    assert [step["arguments"]["command"] for step in episode["steps"]] == ["b"]
