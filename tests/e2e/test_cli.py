"""The commands a person types, run as processes on real data."""

import gzip
import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli import session_samples
from tests.unit.cli import transcript_samples as samples

EPISODES: list[dict[str, Any]] = [
    {
        "external_id": "t/1",
        "task": "Fix the flaky login test of the web shop",
        "project": "shop",
        "task_type": "debugging",
        "context": {"domain": "web", "language": "python"},
        "started_at_ms": 1_793_527_200_000,
        "ended_at_ms": 1_793_527_260_000,
        "steps": [
            {"tool": "bash", "action": "pytest", "status": "error", "error": "TimeoutError: login", "observation": "1 failed"},
            {"tool": "edit", "arguments": {"path": "login.py"}, "observation": "done"},
            {"tool": "bash", "action": "pytest", "observation": "1 passed"},
        ],
        "outcome": {"kind": "success", "summary": "Waited for the page.", "lessons": ["Wait for the page, not for a time."]},
    },
    {"external_id": "t/2", "task": "Bake a cake", "project": "kitchen", "steps": [], "outcome": {"kind": "failure", "summary": "Burnt."}},
    {"external_id": "t/3", "task": "Plan the trip", "project": "kitchen", "steps": []},
]


class Cli:
    """Runs `mcp-memory` on a scratch directory."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def __call__(self, *argv: str, status: int = 0, stdin: str = "") -> str:
        command = [sys.executable, "-m", "mcp_memory", *argv, "--data-dir", str(self.data_dir)]
        done = subprocess.run(command, input=stdin, capture_output=True, encoding="utf-8", timeout=100, check=False, env=self._env())
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        self.err = done.stderr
        return done.stdout

    def json(self, *argv: str, status: int = 0) -> Any:
        return json.loads(self(*argv, "--json", status=status))

    @staticmethod
    def _env() -> dict[str, str]:
        return dict(os.environ) | {"PYTHONUTF8": "1"}


@pytest.fixture
def cli(data_dir: Path) -> Cli:
    return Cli(data_dir)


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    cli("import", str(samples.write_lines(tmp_path / "episodes.jsonl", EPISODES)))
    return cli


def test_import_reports_what_it_did_and_a_second_import_adds_nothing(cli: Cli, tmp_path: Path) -> None:
    path = samples.write_lines(tmp_path / "e.jsonl", EPISODES)
    rest = {"records": 0, "records_skipped": 0, "problems": [], "notes": []}
    assert cli.json("import", str(path)) == {"added": 3, "skipped": 0, "open": 1} | rest
    assert cli.json("import", str(path)) == {"added": 0, "skipped": 3, "open": 0} | rest


def test_bad_lines_are_reported_with_number_and_reason_and_the_others_imported(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    path.write_text(json.dumps(EPISODES[0]) + '\n{"task": ""}\nnot json\n\n' + json.dumps(EPISODES[1]) + "\n", encoding="utf-8")
    report = cli.json("import", str(path), status=1)
    assert (report["added"], [problem["line"] for problem in report["problems"]]) == (2, [2, 3])
    assert "task" in report["problems"][0]["reason"]
    cli("import", str(path), status=1)
    assert f"{path}:3: " in cli.err


def test_import_reads_gzip_and_stdin(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(EPISODES[0]).encode()))
    assert cli.json("import", str(path))["added"] == 1
    assert "1 episodes added" in cli("import", "-", stdin=json.dumps(EPISODES[1]))


def test_a_file_that_is_not_there_is_a_usage_error(cli: Cli) -> None:
    cli("import", "nowhere.jsonl", status=2)
    cli("import", "--from", "openai", status=2)


def test_export_and_import_round_trip(filled: Cli, tmp_path: Path) -> None:
    first = filled("export")
    assert [json.loads(line)["external_id"] for line in first.splitlines()] == ["t/1", "t/2", "t/3"] or len(first.splitlines()) == 3
    other = Cli(tmp_path / "other")
    other("import", "-", stdin=first)
    assert [json.loads(line) for line in other("export").splitlines()] == [json.loads(line) for line in first.splitlines()]


def test_export_to_a_file_can_be_compressed_and_filtered(filled: Cli, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl.gz"
    filled("export", str(path), "--project", "shop")
    assert [json.loads(line)["task"] for line in gzip.decompress(path.read_bytes()).splitlines()] == [EPISODES[0]["task"]]


def test_recall_prints_the_episode_its_lesson_and_why(filled: Cli) -> None:
    text = filled("recall", "sign-in test fails now and then", "--full")
    assert re.search(r"^1\. success at “Fix the flaky login test of the web shop”, ", text, re.MULTILINE)
    assert "Wait for the page, not for a time." in text
    assert "score: " in text
    assert "score: " not in filled("recall", "sign-in test fails now and then")
    assert filled.json("recall", "sign-in test")["episodes"][0]["external_id"] == "t/1"


def test_lists_show_every_project_unless_one_is_named(filled: Cli) -> None:
    assert filled.json("episodes")["total"] == 3
    assert filled.json("episodes", "--project", "kitchen", "--state", "open")["total"] == 1
    assert filled.json("episodes", "--project", "*")["total"] == 3
    assert "Bake a cake" in filled("episodes", "--outcome", "failure")


def test_a_project_is_named_as_lists_show_it_and_one_that_is_not_there_is_said(filled: Cli, tmp_path: Path) -> None:
    lines = [
        {"task": f"Move the {place}", "project": f"github.com/{place}/api", "outcome": {"kind": "success"}} for place in ("depot", "yard")
    ]
    filled("import", str(samples.write_lines(tmp_path / "one.jsonl", lines[:1])))
    assert " api " in filled("episodes", "--project", "api")
    assert "Move the depot" in filled("export", "--project", "api")
    assert "project github.com/depot/api" in filled("teach", "--project", "api")
    for command in ("episodes", "patterns", "lessons", "prune"):
        filled(command, "--project", "kitchens", status=1)
        assert "there is nothing of a project 'kitchens'" in filled.err
        assert "kitchen, shop" in filled.err or "api, kitchen" in filled.err
    filled("import", str(samples.write_lines(tmp_path / "two.jsonl", lines[1:])))
    filled("recall", "move it", "--project", "api", status=1)
    assert "github.com/depot/api, github.com/yard/api" in filled.err


def test_one_episode_is_shown_in_full(filled: Cli) -> None:
    episode_id = filled.json("episodes", "login")["episodes"][0]["episode_id"]
    text = filled("show", episode_id)
    assert "TimeoutError: login" in text
    assert "reward: " in text
    assert len(filled.json("show", episode_id)["episode"]["steps"]) == 3


def test_an_unknown_id_is_one_line_and_a_hint(filled: Cli) -> None:
    filled("show", "no-such-episode", status=1)
    assert filled.err.startswith("not_found: ")
    assert len(filled.err.splitlines()) == 2


def test_patterns_are_listed_shown_and_corrected(filled: Cli) -> None:
    patterns = filled.json("patterns")["patterns"]
    assert patterns
    pattern_id = patterns[0]["pattern_id"]
    assert patterns[0]["description"] in filled("show", pattern_id)
    filled("correct", pattern_id, "Only on Mondays", "--reason", "seen in production")
    assert filled.json("show", pattern_id)["pattern"]["correction"] == "Only on Mondays"
    assert [line.split()[0] for line in filled("patterns").splitlines() if "pat_" in line] == [pattern_id], "the others only count tools"
    assert len(filled("patterns", "--all").splitlines()) == len(patterns) + 2


def test_a_label_says_how_an_episode_ended_after_all(filled: Cli) -> None:
    (burnt,) = [e for e in filled.json("episodes", "--project", "kitchen")["episodes"] if e["task"] == "Bake a cake"]
    cut = burnt["episode_id"][:20]
    said = filled("label", cut, "success", "--lesson", "Burnt is what they wanted.")
    assert "is success now (was failure), reward " in said
    assert burnt["episode_id"] in said
    assert "was success already" in filled("label", cut, "success")
    shown = filled("show", cut)
    assert "Burnt is what they wanted." in shown
    assert [e["outcome"] for e in filled.json("recall", "Bake a cake", "--project", "kitchen")["episodes"]] == ["success"]
    assert filled.json("label", cut, "partial")["before"] == "success"
    filled("label", cut, "splendid", status=2)
    assert "did you mean `success`?" in (filled("label", cut, "succes", status=2), filled.err)[1]
    filled("label", "nothing", "success", status=1)
    assert "`mcp-memory episodes` lists them" in filled.err


def test_a_backup_is_made_verified_and_restored_by_commands(filled: Cli, tmp_path: Path) -> None:
    file = tmp_path / "mine.backup"
    assert "3 episodes" in filled("backup", str(file))
    assert filled.json("backup")["manifest"]["counts"]["episodes"] == 3
    assert "sound" in filled("check")
    assert "bytes before" in filled("compact")
    filled("forget", "--project", "kitchen", "--yes")
    assert "run it again with --yes" in filled("restore", str(file))
    assert len(filled.json("episodes")["episodes"]) == 1, "without --yes nothing is restored"
    assert "what was there is kept in" in filled("restore", str(file), "--yes")
    assert len(filled.json("episodes")["episodes"]) == 3
    filled("restore", str(tmp_path / "nothing"), status=1)
    assert "`mcp-memory backup` makes one" in filled.err
    (pattern,) = filled.json("patterns", "--limit", "1")["patterns"]
    database = sqlite3.connect(filled.data_dir / "memory.db")
    database.execute("UPDATE pattern_count SET successes = 99")
    database.commit()
    database.close()
    assert "--repair" in filled("check", status=1)
    assert "repaired" in filled("check", "--repair")
    assert filled.json("patterns", "--limit", "1")["patterns"] == [pattern]


def test_stats_doctor_and_config_say_where_the_data_is(filled: Cli) -> None:
    assert filled.json("stats")["counts"]["episodes"] == 3
    assert all(check["ok"] for check in filled.json("doctor"))
    settings = {row["name"]: row for row in filled.json("config")}
    assert settings["storage.data_dir"] == {"name": "storage.data_dir", "value": str(filled.data_dir), "origin": "command line"}
    for command in ("stats", "config"):
        assert str(filled.data_dir) in filled(command)
    assert "FAIL" not in filled("doctor")


def test_forget_counts_first_and_deletes_when_told(filled: Cli) -> None:
    assert "run it again with --yes" in filled("forget", "--project", "shop")
    assert filled.json("episodes")["total"] == 3
    filled("forget", "--project", "shop", "--yes", "--reason", "test")
    assert filled.json("episodes")["total"] == 2
    filled("forget", status=2)


def test_lessons_are_markdown(filled: Cli) -> None:
    assert filled("lessons", "--project", "shop").strip()


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ("claude-code", lambda n: (f"{n}.jsonl", samples.claude_code_lines(n))),
        ("openai", lambda n: (f"{n}.json", samples.openai_messages(n))),
        ("langchain", lambda n: (f"{n}.json", samples.langchain_messages(n))),
        ("swe-agent", lambda n: (f"{n}.traj", samples.swe_agent_run(n))),
        ("atif", lambda n: (f"{n}.json", samples.atif_run(n))),
    ],
)
def test_two_hundred_transcripts_of_each_tool_are_imported_once(
    cli: Cli, tmp_path: Path, source: str, files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING__PROVIDER", "off")  # the model has no part in this
    folder = tmp_path / "transcripts"
    folder.mkdir()
    for number in range(200):
        name, document = files(number)
        (samples.write_lines if name.endswith(".jsonl") else samples.write_json)(folder / name, document)
    report = cli.json("import", "--from", source, str(folder))
    assert (report["added"], report["problems"]) == (400 if source == "claude-code" else 200, [])
    assert cli.json("import", "--from", source, str(folder))["added"] == 0


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with a session of every agent host."""
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING__PROVIDER", "off")
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "QWEN_HOME", "QWEN_RUNTIME_DIR", "COPILOT_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    session_samples.write_all(tmp_path / "home")
    return tmp_path / "home"


def test_import_says_what_is_on_the_machine_and_without_a_person_does_nothing(cli: Cli, machine: Path) -> None:
    text = cli("import")
    assert f"claude-code: {machine}/.claude/projects: 1 session with 1 task, 1 new" in text
    assert f"opencode: {machine}/.local/share/opencode: 3 sessions with 3 tasks, 3 new" in text
    assert "Run it again with --yes to import 10 new tasks." in text
    assert cli.json("episodes")["total"] == 0
    nothing = {"added": 0, "skipped": 0, "open": 0, "records": 0, "records_skipped": 0}
    assert cli.json("import") == nothing | {"problems": [], "notes": []}


def test_with_yes_everything_found_is_imported_once(cli: Cli, machine: Path) -> None:
    assert "10 episodes added (0 of them open), 0 already there, 0 not readable" in cli("import", "--yes")
    assert "Nothing is new." in cli("import", "--yes")
    assert cli.json("episodes", "--outcome", "success")["total"] == 8
    assert "0 episodes added (0 of them open), 3 already there" in cli("import", "--from", "opencode")


def test_a_machine_without_sessions_is_told_where_was_looked(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "USERPROFILE", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    assert f"codex: {tmp_path}/.codex/sessions" in cli("import")
    cli("import", "--from", "codex", status=2)
    assert "codex has no sessions in" in cli.err


def test_what_is_no_file_of_episodes_is_one_line_each_and_the_rest_is_imported(cli: Cli, tmp_path: Path) -> None:
    good = samples.write_lines(tmp_path / "e.jsonl", EPISODES)
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(os.urandom(1000))[:500])
    report = cli.json("import", str(tmp_path), str(cut), str(good), status=1)
    assert report["added"] == 3
    assert (report["problems"][0]["line"], report["problems"][0]["file"]) == (0, str(tmp_path))
    assert "is a folder" in report["problems"][0]["reason"]
    assert report["problems"][-1]["reason"] == "the compressed data is cut off; what came before was read"


def test_times_in_seconds_are_said(cli: Cli, tmp_path: Path) -> None:
    path = samples.write_lines(tmp_path / "e.jsonl", [{"task": "An old export", "started_at_ms": 1_793_527_200}])
    assert cli.json("import", str(path))["notes"] == ["times in seconds, not milliseconds, that were converted: 1"]
