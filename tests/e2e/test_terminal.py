"""What a person sees who types a command: on terminals of several widths, in a pipe, and after a typing error."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.test_cli import EPISODES, Cli
from tests.unit.cli import transcript_samples as samples

JAPANESE = dict(EPISODES[0], external_id="t/9", task="日本語のテストを直す" * 9, project="github.com/acme/shop")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def filled(data_dir: Path, tmp_path: Path) -> Cli:
    cli = Cli(data_dir)
    cli("import", str(samples.write_lines(tmp_path / "episodes.jsonl", [*EPISODES, JAPANESE])))
    return cli


@contextmanager
def terminal(columns: int, *argv: str, **env: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """Run a command on a terminal of its own."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    command = [sys.executable, "-m", "mcp_memory", *argv]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=clean | {"TERM": "xterm"} | env)
    os.close(theirs)
    try:
        yield process, ours
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30)
        os.close(ours)


def read_until(fd: int, word: str | None) -> str:
    """Return what is printed up to *word*, or up to the end."""
    seen, until = b"", time.monotonic() + 60
    while word is None or word not in seen.decode("utf-8", "replace"):
        assert time.monotonic() < until, seen
        if select.select([fd], [], [], 1)[0]:
            chunk = b""
            with suppress(OSError):  # how Linux tells that the other end was closed
                chunk = os.read(fd, 65_536)
            if not chunk:
                break
            seen += chunk
    return seen.decode("utf-8", "replace").replace("\r\n", "\n")


def printed(cli: Cli, columns: int, *argv: str, **env: str) -> str:
    with terminal(columns, *argv, "--data-dir", str(cli.data_dir), **env) as (_, fd):
        return read_until(fd, None)


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_every_episode_shows_outcome_project_reward_and_an_id_to_type_at_any_width(filled: Cli, columns: int) -> None:
    from rich.cells import cell_len

    text = COLOUR.sub("", printed(filled, columns, "episodes"))
    lines = text.splitlines()
    assert all(cell_len(line) <= columns for line in lines), lines
    row = next(line for line in lines if "Fix the f" in line)
    assert re.match(r"^[0-9a-f-]{8,}  success +0\.\d\d ", row)
    assert " shop" in row
    assert any("kitchen" in line and "failure" in line for line in lines)
    assert "TimeoutError: login" in filled("show", row.split()[0])


def test_a_pipe_gets_every_column_whole(filled: Cli) -> None:
    text = filled("episodes")
    assert JAPANESE["task"] in text
    assert text.splitlines()[0].split() == ["episode", "outcome", "reward", "steps", "started", "project", "task"]
    assert "github.com/acme/shop" in text  # beside `shop` its short name would be one of two
    assert "\x1b" not in text


@pytest.mark.parametrize("columns", [60, 80])
def test_lines_are_broken_between_words_and_nothing_is_cut(filled: Cli, columns: int) -> None:
    (fixed,) = [e["episode_id"] for e in filled.json("episodes")["episodes"] if e["task"].startswith("Fix the flaky")]
    for argv in (("stats",), ("doctor",), ("show", fixed), ("recall", "flaky login test")):
        text = COLOUR.sub("", printed(filled, columns, *argv))
        prose = [line.rstrip() for line in text.splitlines() if not line.lstrip().startswith("fix: ")]  # which is to be copied
        assert [line for line in prose if len(line) > columns] == [], argv
        assert "…" not in text, argv
    assert "set learning.holdout to a share" in " ".join(printed(filled, 60, "stats").split())


def test_recall_tells_a_person_no_tools_of_agents(filled: Cli) -> None:
    said = filled("recall", "flaky login test", "--limit", "1")
    assert "Fix the flaky login test" in said
    assert not [word for word in ("give_feedback", "recommendation_id", "next_cursor", "budget_tokens") if word in said]


def test_colours_are_for_terminals_whose_owner_wants_them(filled: Cli) -> None:
    assert "\x1b[32msuccess" in printed(filled, 100, "episodes")
    assert "\x1b" not in printed(filled, 100, "episodes", NO_COLOR="1")
    assert "\x1b" not in printed(filled, 100, "doctor", TERM="dumb")


def test_show_is_in_full_and_in_no_programs_notation(data_dir: Path, tmp_path: Path) -> None:
    cli, long = Cli(data_dir), "x" * 700
    step = {"tool": "edit", "arguments": {"path": "a.py", "lines": [1, 2], "deep": {"flag": True}}, "observation": f"first\n{long}"}
    cli("import", str(samples.write_lines(tmp_path / "e.jsonl", [dict(EPISODES[0], steps=[step])])))
    episode_id = cli.json("episodes")["episodes"][0]["episode_id"]
    text = cli("show", episode_id[:8])
    assert long in text
    assert "path: a.py" in text
    assert "flag: true" in text
    assert not re.search(r"\{'|True|None", text)
    assert text == cli("show", episode_id)
    pattern_id = cli.json("patterns")["patterns"][0]["pattern_id"]
    assert not re.search(r"\{'|True|None", cli("show", pattern_id))


def test_stats_and_doctor_speak_in_words_and_measure(filled: Cli) -> None:
    for command in ("stats", "doctor"):
        assert not re.search(r"\{'|None", filled(command))
    assert re.search(r"^search_episodes +\d+ +\d+\.\d\d +\d+\.\d\d$", filled("stats"), re.MULTILINE)
    latencies = filled.json("stats")["latency_ms"]
    assert latencies["open"]["count"] == 1
    assert latencies["search_episodes"]["count"] > 1


def test_doctor_looks_at_hosts_hooks_and_permissions_and_says_the_fix(filled: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / ".claude").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", os.defpath)
    filled.data_dir.chmod(0o755)
    (filled.data_dir / "memory.db").chmod(0o644)

    def checks() -> dict[str, dict[str, str]]:
        return {check["check"]: check for check in filled.json("doctor")}

    assert checks()["permissions"]["fix"].startswith("chmod ")
    assert checks()["claude-code"]["fix"] == "mcp-memory install claude-code"
    filled("install", "claude-code")
    assert checks()["claude-code"]["fix"] == "mcp-memory install claude-code --hooks"
    filled("install", "claude-code", "--hooks")
    filled.data_dir.chmod(0o700)
    assert [(checks()[name]["ok"], checks()[name]["fix"]) for name in ("claude-code", "permissions")] == [(True, "")] * 2
    settings = home / ".claude" / "settings.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"disableAllHooks": True}))
    found = json.loads(filled("doctor", "--json", status=1))
    assert "switched off" in next(check["detail"] for check in found if check["check"] == "claude-code")


def test_serve_says_where_it_listens_and_what_to_do_next(data_dir: Path) -> None:
    with terminal(100, "serve", "--port", "0", "--data-dir", str(data_dir)) as (process, fd):
        text = read_until(fd, "Ctrl-C ends it")
        assert re.search(r"listens on http://127\.0\.0\.1:[1-9]\d*/mcp", text)
        assert "mcp-memory install HOST --http" in text
        process.send_signal(signal.SIGINT)
        process.wait(30)


def test_a_bare_command_says_that_it_waits_for_an_agent_and_what_to_type_instead(data_dir: Path) -> None:
    with terminal(100, MCP_MEMORY_DATA_DIR=str(data_dir)) as (_, fd):
        assert "mcp-memory install" in read_until(fd, "Ctrl-D ends it")


def test_typing_errors_get_a_suggestion(filled: Cli) -> None:
    for argv, meant in (
        (["recal", "x"], "did you mean `recall`?"),
        (["episodes", "--limt", "3"], "did you mean `--limit`?"),
        (["episodes", "--outcome", "sucess"], "did you mean `success`?"),
        (["install", "claud-code"], "did you mean `claude-code`?"),
    ):
        filled(*argv, status=2)
        assert meant in filled.err, argv
        assert len(filled.err.splitlines()) == 2, "what is wrong, and where to look; not every option there is"


def test_an_empty_memory_says_what_to_do_and_a_cursor_stands_alone(filled: Cli, tmp_path: Path) -> None:
    told = Cli(tmp_path / "empty")("episodes")
    assert "mcp-memory install" in told
    assert "mcp-memory import" in told
    *_, place, cursor = filled("episodes", "--limit", "1").splitlines()
    assert place.startswith("1 of ")
    assert cursor.split()[0] == "--cursor"
    assert filled("episodes", "--limit", "1", *cursor.split())


def test_errors_speak_of_commands_not_of_tools(filled: Cli) -> None:
    filled("show", "pat_000000", status=1)
    assert "`mcp-memory patterns`" in filled.err
    filled("episodes", "--since", "2026-02-01", "--until", "2026-01-01", status=1)
    assert "`--since`" in filled.err


def test_times_and_sizes_are_written_as_people_write_them(filled: Cli, tmp_path: Path) -> None:
    now = int(time.time() * 1000)
    recent = dict(EPISODES[1], external_id="t/10", task="Mend the fence", started_at_ms=now - 3_600_000, ended_at_ms=now - 3_600_000)
    filled("import", str(samples.write_lines(tmp_path / "recent.jsonl", [recent])))
    assert "Mend the fence" in filled("episodes", "fence", "--since", "2h")
    assert "Mend the fence" not in filled("episodes", "fence", "--since", "30m")
    filled("episodes", "--since", "yesterday", status=2)
    assert "2d" in filled.err
    assert "would delete: nothing" in filled("prune", "--max-size", "10M") or "0 episodes" in filled("prune", "--max-size", "10M")
    filled("prune", "--max-size", "10 parsecs", status=2)
    assert "10M" in filled.err


def test_help_completion_and_the_manual_know_every_command() -> None:
    from mcp_memory.cli.main import COMMANDS

    def said(*argv: str) -> str:
        return subprocess.run([sys.executable, "-m", "mcp_memory", *argv], capture_output=True, text=True, check=True).stdout

    assert said("help") == said("--help")
    assert said("help", "show") == said("show", "--help")
    manual, script = said("man"), said("completion", "bash")
    for name in COMMANDS:
        assert f".SS {name}" in manual
        assert name in script
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0


def test_what_a_record_holds_moves_no_terminal_and_a_file_keeps_it(data_dir: Path, tmp_path: Path) -> None:
    strange = "a\x1b[2Jb\x9b31mc\u202ed"
    steps = [{"tool": "x\x9b1m", "action": "y\u202e", "observation": strange}]
    line = {"external_id": "c/5", "task": strange, "steps": steps, "metadata": {strange: strange}, "outcome": {"kind": "success"}}
    cli = Cli(data_dir)
    cli("import", str(samples.write_lines(tmp_path / "strange.jsonl", [line])))
    (kept,) = map(json.loads, cli("export").splitlines())
    assert (kept["task"], kept["steps"][0]["observation"]) == (strange, strange)
    shown = printed(cli, 100, "export") + printed(cli, 100, "show", cli("episodes").splitlines()[1].split()[0])
    assert not re.search("\x1b\\[2J|[\x80-\x9f\u202e]", shown), shown
    assert "\\u202e" in shown
