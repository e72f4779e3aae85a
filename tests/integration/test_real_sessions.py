"""Session files that the agent hosts themselves wrote become the work that was done in them: checked against what stands in the files."""

from pathlib import Path
from typing import Any

import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.cli.commands.import_ import read_all
from mcp_memory.cli.transcripts.formats import convert, transcript_files
from mcp_memory.cli.transcripts.record import TranscriptError
from mcp_memory.config_sources import load_config
from mcp_memory.domain.requests import WhereFields

ROOT = Path(__file__).resolve().parents[3] / "shared" / "hosts" / "transcripts"
pytestmark = pytest.mark.skipif(not ROOT.is_dir(), reason=f"the real sessions are not on this machine ({ROOT})")

FILES = {
    "claude-code": "claude-code",
    "codex": "codex-rollout.jsonl",
    "gemini": "gemini-chat.jsonl",
    "qwen": "qwen-chat.jsonl",
    "copilot": "copilot-events.jsonl",
    "cline": "cline-messages.json",
    "continue": "continue-session.json",
}


def episodes(host: str) -> list[dict[str, Any]]:
    found = [item for path in transcript_files(host, ROOT / FILES[host]) for _, item in convert(host, path)]
    whole = [item for item in found if not isinstance(item, TranscriptError)]
    assert whole == found
    return whole


def claude(session: str) -> list[dict[str, Any]]:
    return [episode for episode in episodes("claude-code") if episode["external_id"].startswith(f"claude-code/{session}")]


def short(episode: dict[str, Any]) -> list[str]:
    return [f"{step['tool']} {step['status']}" for step in episode["steps"]]


@pytest.mark.parametrize(
    ("host", "steps", "outcome"),
    [
        ("codex", ["exec_command error", "exec_command ok", "exec_command error", "exec_command ok", "exec_command ok"], "success"),
        ("gemini", ["run_shell_command error", "read_file ok", "replace ok", "run_shell_command ok"], "success"),
        ("qwen", ["run_shell_command error", "read_file ok", "edit ok", "run_shell_command ok"], "success"),
        ("copilot", ["bash ok"], "success"),
        ("cline", ["run_commands ok"], "success"),
        ("continue", ["Bash ok"], "success"),
    ],
)
def test_a_real_session_of_each_host_has_its_steps_and_outcome(host: str, steps: list[str], outcome: str) -> None:
    (episode,) = episodes(host)
    assert short(episode) == steps
    assert episode["outcome"]["kind"] == outcome
    assert episode["project"].split("@")[0] == host  # its folder is gone: by its name and path
    if len(steps) > 1:
        assert "AssertionError: -1 != 5" in episode["steps"][0]["error"]
        assert "hook_context" not in str(episode["steps"])
        assert "Records of earlier runs" not in str(episode["steps"])


def test_the_fix_has_its_four_steps_with_their_arguments_and_texts() -> None:
    (episode,) = claude("3fe3b4d3")
    run, read, edit, again = episode["steps"]
    assert run["arguments"]["command"] == again["arguments"]["command"] == "python3 -m unittest -q test_calc"
    assert read["observation"] == "1\tdef add(a, b):\n2\t    return a - b\n3\t"
    assert edit["arguments"]["new_string"] == "return a + b"
    assert [step["duration_ms"] for step in episode["steps"]] == [2315, 1075, 626, 1267]
    assert episode["metadata"]["outcome_inferred"] == "the last check of the work, step #3 (unittest), passed"


def test_failures_that_fire_no_hook_are_steps_in_the_order_of_their_calls() -> None:
    (episode,) = claude("9da6ebd5")
    assert short(episode) == [
        *("Bash ok", "Bash error", "Read ok", "Read error", "Write ok", "Edit error", "Grep error", "Glob error"),
    ]
    assert episode["steps"][5]["error"].startswith("String to replace not found in file.")
    assert (episode["outcome"]["kind"], episode["steps"][0]["observation"]) == ("partial", "one")


def test_a_slash_command_is_a_task() -> None:
    (episode,) = claude("612646f4")
    assert episode["task"].startswith("/fixit now\n\nSCENARIO:fix The unit test of calc fails (slash command)")
    assert len(episode["steps"]) == 4


def test_a_subagent_is_a_child_and_its_notice_no_prompt() -> None:
    turn, child = claude("ce4dc0c2")
    assert short(turn) == ["Agent ok", "Bash error"]
    assert (child["parent"], short(child)) == (turn["external_id"], ["Bash ok"])


def test_stopped_killed_and_resumed_sessions_say_so() -> None:
    assert claude("0a7a5dd1")[1]["metadata"]["outcome_inferred"] == "the user interrupted the work"
    (killed,) = claude("1d877d57")
    assert (short(killed), killed["outcome"]["kind"]) == (["Bash ok", "Bash error"], "partial")
    (resumed,) = claude("b77dc013")
    assert short(resumed) == ["Bash ok", "Bash error", "Bash ok"]


def test_a_session_of_nothing_but_the_memorys_own_tools_is_no_work() -> None:
    assert claude("50e041d2") == claude("93073d1e") == claude("399f0884") == []


@pytest.mark.anyio
async def test_all_of_them_are_imported_once_with_children_under_their_turns_and_none_open(tmp_path: Path) -> None:
    named = [(host, str(path)) for host, name in FILES.items() for path in transcript_files(host, ROOT / name)]
    async with open_memory(load_config(env={}, flags={"storage.data_dir": str(tmp_path), "embedding.provider": "off"})) as memory:
        first = await read_all(memory, named, project="", quiet=True)
        assert (first.added, first.open, first.problems) == (26, 0, [])
        second = await read_all(memory, named, project="", quiet=True)
        assert (second.added, second.skipped, second.problems) == (0, 26, [])
        lines = [line async for line in memory.export_lines(WhereFields(project="*"))]
        assert sum('"parent": "claude-code/' in line for line in lines) == 3
