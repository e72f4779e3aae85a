"""Every agent host's session becomes the same work: its steps in order with their statuses, and an outcome that names its evidence."""

import json
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mcp_memory.cli.transcripts.formats import convert, recognised, transcript_files
from mcp_memory.cli.transcripts.hosts import HOSTS, folders_of, sessions_here
from mcp_memory.cli.transcripts.record import StillRunning, TranscriptError
from mcp_memory.domain.session_ids import prompt_turn, turn_id
from mcp_memory.projects import project_named_by
from tests.unit.cli import session_samples as samples
from tests.unit.cli.session_samples import FAILED_RUN, PASSED_RUN, TASK, Claude

BY_PROMPT = prompt_turn(TASK)
SHOP = project_named_by("/home/ana/shop").name  # type: ignore[union-attr]


def episodes(host: str, path: Path) -> list[dict[str, Any]]:
    found = [item for _, item in convert(host, path)]
    whole = [item for item in found if not isinstance(item, TranscriptError)]
    assert whole == found
    return whole


def steps_of(episode: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["tool"], step["status"]) for step in episode["steps"]]


def claude(tmp_path: Path, session: Claude) -> list[dict[str, Any]]:
    return episodes("claude-code", samples.write_lines(tmp_path / "s1.jsonl", session.lines))


def test_a_session_is_recognised_by_what_stands_in_it_and_an_interchange_file_is_none(tmp_path: Path) -> None:
    for host, path in samples.write_all(tmp_path / "hosts").items():
        assert recognised(path) == (host if path.is_file() else ""), host
    lines = tmp_path / "episodes.jsonl"
    lines.write_text('{"task": "Water the plants", "steps": [], "outcome": {"kind": "success"}}\n')
    assert recognised(lines) == ""
    lines.write_text('{"nothing": "of ours"}\n')
    assert recognised(lines) == ""
    assert recognised(tmp_path) == ""


@pytest.mark.parametrize(
    ("host", "turn", "steps"),
    [
        ("claude-code", "s1/p1", [("Bash", "error"), ("Read", "ok"), ("Edit", "ok"), ("Bash", "ok")]),
        ("codex", "c1/turn1", [("exec_command", "error"), ("apply_patch", "ok"), ("exec_command", "ok")]),
        ("gemini", f"g-1/{BY_PROMPT}", [("run_shell_command", "error"), ("replace", "ok"), ("run_shell_command", "ok")]),
        ("qwen", f"q1/{BY_PROMPT}", [("run_shell_command", "error"), ("edit", "ok"), ("run_shell_command", "ok")]),
        ("copilot", f"cp1/{BY_PROMPT}", [("bash", "error"), ("view", "error"), ("edit", "ok"), ("bash", "ok")]),
        ("opencode", f"s1/{BY_PROMPT}", [("bash", "error"), ("task", "ok"), ("read", "error"), ("edit", "ok"), ("bash", "ok")]),
        ("cline", f"cl1/{BY_PROMPT}", [("run_commands", "error"), ("crm__find", "error"), ("editor", "ok"), ("run_commands", "ok")]),
        ("continue", f"co1/{BY_PROMPT}", [("Bash", "error"), ("recall_memory", "ok"), ("Read", "error"), ("Edit", "ok"), ("Bash", "ok")]),
    ],
)
def test_a_session_of_every_host_is_the_work_that_was_done(tmp_path: Path, host: str, turn: str, steps: list[tuple[str, str]]) -> None:
    found = next(episode for episode in episodes(host, samples.write_all(tmp_path)[host]) if episode["task"] == TASK)
    assert steps_of(found) == steps
    first, last = found["steps"][0], found["steps"][-1]
    assert (first["observation"].split("\nExit")[0].removeprefix("Error: command failed\n"), last["observation"]) == (
        FAILED_RUN,
        PASSED_RUN,
    )
    assert "assert 0.30000000000000004 == 0.3" in first["error"]
    assert last["error"] is None
    assert "pytest -q" in str(first["arguments"])
    assert found["outcome"] == {"kind": "success", "summary": "Fixed.", "error": None}
    assert found["metadata"]["outcome_inferred"] == f"the last check of the work, step #{len(steps) - 1} (pytest), passed"
    assert (found["agent"], found["project"], found["metadata"]["working_dir"]) == (host, SHOP, "/home/ana/shop")
    assert found["external_id"] == f"{host}/{turn}"


@pytest.mark.parametrize(
    ("host", "durations"),
    [
        ("claude-code", [1000, 1000, 1000, 1000]),
        ("codex", [1500, 200, 1500]),
        ("gemini", [1000, 1000, 1000]),
        ("qwen", [700, 160, 500]),
        ("copilot", [1000] * 4),
        ("opencode", [700] * 5),
        ("cline", [1000] * 4),
    ],
)
def test_a_step_takes_as_long_as_the_host_says(tmp_path: Path, host: str, durations: list[int]) -> None:
    found = next(episode for episode in episodes(host, samples.write_all(tmp_path)[host]) if episode["task"] == TASK)
    assert [step["duration_ms"] for step in found["steps"]] == durations
    assert all(found["started_at_ms"] <= step["at_ms"] for step in found["steps"])


def test_a_slash_command_is_the_task_it_stands_for(tmp_path: Path) -> None:
    session = Claude().add("user", "<local-command-caveat>Caveat: …</local-command-caveat>", isMeta=True)
    session.ask("<command-name>/model</command-name>\n<command-args></command-args>", "p0")
    session.add("user", "<local-command-stdout>Set model</local-command-stdout>")
    session.ask("<command-message>fixit</command-message>\n<command-name>/fixit</command-name>\n<command-args>now</command-args>", "p1")
    session.add("user", [{"type": "text", "text": "Fix the failing test. now"}], promptId="p1", isMeta=True).done("ls", "t1")
    (episode,) = claude(tmp_path, session.say("Done."))
    assert episode["task"] == "/fixit now\n\nFix the failing test. now"
    assert episode["external_id"] == "claude-code/s1/p1"


def test_notices_of_the_program_are_no_prompts(tmp_path: Path) -> None:
    session = Claude().ask("Delegate it, please, and then check", "p1").call("t1", "Agent", prompt="look").result("t1", "launched")
    session.ask("<task-notification>\n<task-id>a1</task-id>\n</task-notification>", "p2", origin={"kind": "task-notification"})
    session.ask("A notice of some new kind that has many words", "p3", origin={"kind": "something-else"})
    (episode,) = claude(tmp_path, session.done("pytest", "t2", text=FAILED_RUN, failed=True).say("It fails."))
    assert steps_of(episode) == [("Agent", "ok"), ("Bash", "error")]


def test_calls_side_by_side_stand_in_the_order_of_their_calls(tmp_path: Path) -> None:
    session = Claude().ask("Look at everything there is", "p1").call("a", "Bash", command="sleep 1").call("b", "Read", file_path="x")
    session.result("b", "<tool_use_error>File does not exist</tool_use_error>", failed=True).result("a", "one")
    (episode,) = claude(tmp_path, session.say("Done."))
    assert [(step["tool"], step["observation"]) for step in episode["steps"]] == [("Bash", "one"), ("Read", "File does not exist")]


def test_an_interrupted_task_says_so_and_one_that_went_on_does_not(tmp_path: Path) -> None:
    refused = "The user doesn't want to proceed with this tool use."
    session = Claude().ask("Do the slow thing, please", "p1").done("make", "t1")
    session.call("t2", "Bash", command="sleep 60").result("t2", refused, failed=True)
    session.add("user", [{"type": "text", "text": "[Request interrupted by user for tool use]"}])
    (stopped,) = claude(tmp_path, session)
    assert stopped["metadata"]["outcome_inferred"] == "the user interrupted the work"
    assert (stopped["outcome"]["kind"], stopped["steps"][1]["error"]) == ("partial", refused)
    session.ask("go on", "p2").done("pytest", "t3", text=PASSED_RUN).say("Done.")
    (resumed,) = claude(tmp_path, session)
    assert (resumed["external_id"], resumed["outcome"]["kind"], len(resumed["steps"])) == (stopped["external_id"], "success", 3)


def test_a_killed_session_is_partial_and_its_last_call_failed(tmp_path: Path) -> None:
    session = Claude().ask("Do the slow thing, please", "p1").done("make", "t1").call("t2", "Bash", command="sleep 60")
    (episode,) = claude(tmp_path, session)
    assert (episode["outcome"]["kind"], steps_of(episode)) == ("partial", [("Bash", "ok"), ("Bash", "error")])
    assert episode["steps"][1]["error"].startswith("No result is recorded")
    assert episode["metadata"]["outcome_inferred"] == "the record ends in the middle of a call"


def test_a_task_that_is_being_worked_on_is_left_for_the_next_import(tmp_path: Path) -> None:
    session = Claude().ask("Fix the first thing of them all", "p1").done("ls", "t1").say("Done.").ask("Fix the second thing now", "p2")
    session.call("t2", "Bash", command="sleep 60")
    session.lines[-1]["timestamp"] = datetime.fromtimestamp(time.time() - 5, UTC).isoformat()
    found = [item for _, item in convert("claude-code", samples.write_lines(tmp_path / "s1.jsonl", session.lines))]
    assert [type(item) for item in found] == [dict, StillRunning]


def test_a_subagents_run_is_a_child_of_the_turn_that_started_it(tmp_path: Path) -> None:
    session = Claude().ask("Delegate the sub work, please", "p1").done("ls", "t0").ask("go on", "p2").call("t1", "Agent", prompt="look")
    main = samples.write_lines(tmp_path / "s1.jsonl", session.result("t1", "launched").say("Done.").lines)
    run = Claude(agent="a7").ask("look", "p2").done("cat nofile", "x1", text="No such file", failed=True).say("It is not there.")
    samples.write_lines(tmp_path / "s1/subagents/agent-a7.jsonl", run.lines)
    assert transcript_files("claude-code", tmp_path) == [main]
    turn, child = episodes("claude-code", main)
    assert (child["external_id"], child["parent"]) == ("claude-code/s1/agent-a7", turn["external_id"])
    assert (turn["external_id"], steps_of(child), child["task"]) == ("claude-code/s1/p1", [("Bash", "error")], "look")


def test_a_forked_session_repeats_the_turns_of_the_first_under_their_names(tmp_path: Path) -> None:
    session = (
        Claude("s2").ask("Fix the first thing of them all", "p1", forkedFrom={"sessionId": "s1", "messageUuid": "u0"}).done("ls", "t1")
    )
    first, second = claude(tmp_path, session.ask("And now fix the second thing", "p2").done("ls", "t2").say("Done."))
    assert [first["external_id"], second["external_id"]] == ["claude-code/s1/p1", "claude-code/s2/p2"]


def test_what_the_agent_logged_itself_is_the_same_work_with_the_outcome_it_stated(tmp_path: Path) -> None:
    answer = f'{{"episode_id":"{samples.EPISODE_ID}","step_index":0}}'
    session = Claude().ask("Fix it and use the memory", "p1").done("pytest", "t1", text=FAILED_RUN, failed=True)
    session.call("m1", "mcp__memory__start_episode", task="x").result("m1", answer)
    stated = {"outcome": "abstained", "summary": "Not mine", "lessons": ["Ask first", 3]}
    session.call("m2", "mcp__memory__complete_episode", episode_id=samples.EPISODE_ID, **stated).result("m2", answer)
    (episode,) = claude(tmp_path, session.say("Done."))
    assert episode["outcome"] == {"kind": "abstained", "summary": "Not mine", "lessons": ["Ask first"]}
    assert "outcome_inferred" not in episode["metadata"]
    assert episode["same_as"] == ["claude-code/s1/u0", samples.EPISODE_ID]


def test_the_users_next_words_settle_a_turn(tmp_path: Path) -> None:
    session = Claude().ask("Fix the rounding of the cart", "p1").done("pytest", "t1", text=PASSED_RUN).say("Done.")
    session.ask("It still fails on Windows, look again", "p2").done("pytest", "t2", text=PASSED_RUN).say("Now.").ask("thanks!", "p3")
    first, second = claude(tmp_path, session)
    assert (first["outcome"]["kind"], second["outcome"]["kind"]) == ("failure", "success")
    assert first["metadata"]["outcome_inferred"] == "the user's next words: 'It still fails on Windows, look again'"


def test_half_a_surrogate_and_nul_do_not_cost_the_episode(tmp_path: Path) -> None:
    (episode,) = claude(tmp_path, Claude().ask("Look at the odd text, please", "p1").done("echo \ud83d\x00!", "t1").say("Done."))
    assert episode["steps"][0]["arguments"] == {"command": "echo ?!"}


def test_the_same_words_said_twice_are_two_turns(tmp_path: Path) -> None:
    lines = samples.copilot_fix()
    again = [
        line | {"data": line["data"] | ({"toolCallId": line["data"]["toolCallId"] + "b"} if "toolCallId" in line["data"] else {})}
        for line in lines
    ]
    found = episodes("copilot", samples.write_lines(tmp_path / "cp1/events.jsonl", [*lines, *again[1:]]))
    assert [episode["external_id"] for episode in found] == [turn_id("copilot", "cp1", prompt_turn(TASK, n)) for n in (0, 1)]
    assert found[1]["follows"] == found[0]["external_id"]


def test_opencode_subagents_are_children_and_an_aborted_message_is_an_interruption(tmp_path: Path) -> None:
    turn, stopped, child = sorted(episodes("opencode", samples.write_opencode(tmp_path / "opencode.db")), key=lambda e: "parent" in e)
    assert (child["external_id"], child["parent"]) == ("opencode/s2/agent-s2", turn["external_id"])
    assert stopped["metadata"]["outcome_inferred"] == "the user interrupted the work"
    assert steps_of(stopped) == [("bash", "error")]


def test_an_older_rollout_without_items_is_read_from_its_outputs(tmp_path: Path) -> None:
    lines = [line for line in samples.codex_fix() if line["payload"].get("type") != "item_completed"]
    (episode,) = episodes("codex", samples.write_lines(tmp_path / "rollout-1.jsonl", lines))
    assert steps_of(episode) == [("exec_command", "error"), ("apply_patch", "ok"), ("exec_command", "ok")]
    assert [step["duration_ms"] for step in episode["steps"]] == [1500, 200, 1500]
    assert episode["steps"][0]["observation"] == FAILED_RUN


def test_items_without_any_other_line_are_calls_too(tmp_path: Path) -> None:
    lines = [line for line in samples.codex_fix() if "function_call" not in str(line["payload"].get("type"))]
    (episode,) = episodes("codex", samples.write_lines(tmp_path / "rollout-1.jsonl", lines))
    assert steps_of(episode) == [("exec_command", "error"), ("apply_patch", "ok"), ("exec_command", "ok")]
    assert episode["steps"][0]["arguments"]["cmd"] == "pytest -q"


def test_a_rollout_that_was_stopped_says_so(tmp_path: Path) -> None:
    lines = samples.codex_fix()[:6]
    lines.append({"timestamp": samples.at(9), "type": "event_msg", "payload": {"type": "turn_aborted", "reason": "interrupted"}})
    (episode,) = episodes("codex", samples.write_lines(tmp_path / "rollout-1.jsonl", lines))
    assert episode["metadata"]["outcome_inferred"] == "the user interrupted the work; the last check of the work, step #0 (pytest), failed"


def test_an_older_chat_of_gemini_is_one_document(tmp_path: Path) -> None:
    messages = [line for line in samples.gemini_fix() if "type" in line]
    path = samples.write_json(tmp_path / "shop/chats/session-1.json", {"sessionId": "g-1", "messages": messages})
    (episode,) = episodes("gemini", path)
    assert (episode["project"], len(episode["steps"])) == ("shop", 3)


def test_a_session_of_continue_begins_when_the_list_beside_it_says(tmp_path: Path) -> None:
    path = samples.write_all(tmp_path)["continue"]
    samples.write_json(path.with_name("sessions.json"), [{"sessionId": "co1", "dateCreated": str(samples.START_MS)}])
    assert transcript_files("continue", path.parent) == [path]
    assert episodes("continue", path)[0]["started_at_ms"] == samples.START_MS


def test_every_hosts_sessions_are_found_where_it_keeps_them(tmp_path: Path) -> None:
    files = samples.write_all(tmp_path)
    assert {found.host: found.files for found in sessions_here({"HOME": str(tmp_path)})} == {host: (path,) for host, path in files.items()}
    assert tuple(files) == HOSTS


@pytest.mark.parametrize(
    ("host", "variable", "folder"),
    [
        ("claude-code", "CLAUDE_CONFIG_DIR", "projects"),
        ("codex", "CODEX_HOME", "sessions"),
        ("gemini", "GEMINI_CLI_HOME", ".gemini/tmp"),
        ("qwen", "QWEN_HOME", "projects"),
        ("qwen", "QWEN_RUNTIME_DIR", "projects"),
        ("copilot", "COPILOT_HOME", "session-state"),
        ("opencode", "XDG_DATA_HOME", "opencode"),
        ("cline", "CLINE_DIR", "data/sessions"),
        ("cline", "CLINE_DATA_DIR", "sessions"),
        ("cline", "CLINE_SESSION_DATA_DIR", "."),
        ("continue", "CONTINUE_GLOBAL_DIR", "sessions"),
    ],
)
def test_a_hosts_own_variable_moves_its_folder(tmp_path: Path, host: str, variable: str, folder: str) -> None:
    assert folders_of(host, {"HOME": "/nowhere", variable: str(tmp_path)})[0] == tmp_path / folder
    assert folders_of(host, {"HOME": "/home/ana", variable: ""})[0].is_relative_to("/home/ana")


WEIRD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    float("inf"),
    3.5,
    "",
    "x",
    [],
    {},
    [None],
    [[1]],
    {"a": 1},
    "\ud800",
    10**30,
    {"text": 5},
    [{"type": "text"}],
)


def spoiled(value: Any, chance: Random, share: float) -> Any:
    """Return *value* with things of another kind in place of some of its parts, and others missing."""
    if chance.random() < share:
        return chance.choice(WEIRD)
    if isinstance(value, dict):
        return {key: spoiled(item, chance, share) for key, item in value.items() if chance.random() > share / 2}
    return [spoiled(item, chance, share) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("host", [host for host in HOSTS if host != "opencode"])
def test_a_spoiled_session_is_episodes_and_problems_and_never_a_crash(tmp_path: Path, host: str) -> None:
    path, chance = samples.write_all(tmp_path)[host], Random(7)
    text = path.read_text(encoding="utf-8")
    read = 0
    for share in (0.01, 0.03, 0.1) * 20:
        if path.suffix == ".json":
            samples.write_json(path, spoiled(json.loads(text), chance, share))
        else:
            samples.write_lines(path, [spoiled(json.loads(line), chance, share) for line in text.splitlines()])
        read += sum(isinstance(item, dict | TranscriptError) for _, item in convert(host, path))
    assert read >= 20


def test_a_database_that_is_none_or_has_spoiled_rows_is_a_problem(tmp_path: Path) -> None:
    path = samples.write_opencode(tmp_path / "opencode.db")
    with closing(sqlite3.connect(path)) as database:
        database.execute('UPDATE part SET data = \'{"type": "tool", "state": 3}\' WHERE id LIKE \'prt1-%3\'')
        database.execute("UPDATE part SET data = 'not json' WHERE id LIKE 'prt1-%4'")
        database.commit()
    problems = [str(item) for _, item in convert("opencode", path) if isinstance(item, TranscriptError)]
    assert [problem.partition(":")[0] for problem in problems] == ["session s1, message m2"] * 2
    (tmp_path / "opencode.db").write_bytes(b"no database")
    ((_, problem),) = convert("opencode", tmp_path / "opencode.db")
    assert str(problem).startswith("not opencode's database")
