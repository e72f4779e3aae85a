"""Installing into each host's file: the documented form, nothing else touched, undone by --uninstall."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_memory.cli.install import claude_hooks
from mcp_memory.cli.install.apply import BACKUP_SUFFIX, hook_command
from mcp_memory.cli.install.claude_hooks import EVENTS
from mcp_memory.cli.install.hosts import HOSTS
from mcp_memory.cli.install.jsonc import parse
from mcp_memory.cli.main import main

# As each host writes or documents its file, with a server and settings of the person's own.
SAMPLES = {
    "claude-code": """\
{
  "numStartups": 12,
  "mcpServers": {
    "files": {"type": "stdio", "command": "files", "args": []}
  },
  "projects": {}
}
""",
    "claude-desktop": """\
{
  "globalShortcut": "Ctrl+Space",
  "mcpServers": {
    "files": {
      "command": "npx",
      "args": ["files"]
    }
  }
}""",
    "cursor": '{"mcpServers": {"files": {"url": "http://localhost:1/mcp"}}}',
    "vscode": """\
{
\t// my servers
\t"servers": {
\t\t"files": {
\t\t\t"type": "stdio",
\t\t\t"command": "files"
\t\t}
\t},
\t"inputs": []
}
""",
    "windsurf": '{\r\n  "mcpServers": {}\r\n}\r\n',
    "zed": """\
// Zed settings
//
// comments stay
{
  "theme": "One Dark", // dark
  "context_servers": {
    "files": {
      "command": "files",
    },
  },
}
""",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return tmp_path / "home"


def sample(name: str, home: Path) -> Path:
    path = HOSTS[name].file(None)
    assert path.is_relative_to(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(SAMPLES[name].encode())
    return path


def read(path: Path) -> str:
    return path.read_bytes().decode()


@pytest.mark.parametrize("name", HOSTS)
def test_the_entry_is_merged_and_everything_else_stays(name: str, home: Path) -> None:
    path = sample(name, home)
    assert main(["install", name]) == 0
    before, after = parse(SAMPLES[name]).value, parse(read(path)).value
    entry = after[HOSTS[name].key].pop("memory")
    assert after == before
    assert [entry["command"], *entry["args"]] == [sys.executable, "-P", "-m", "mcp_memory", "stdio"]
    assert entry.get("type") == ("stdio" if HOSTS[name].typed else None)
    assert all(line in read(path) for line in SAMPLES[name].splitlines() if "//" in line and "http" not in line)
    assert read(path.with_name(path.name + BACKUP_SUFFIX)) == SAMPLES[name]


@pytest.mark.parametrize("name", HOSTS)
def test_uninstalling_gives_the_old_settings(name: str, home: Path) -> None:
    path = sample(name, home)
    main(["install", name])
    assert main(["install", name, "--uninstall"]) == 0
    assert parse(read(path)).value == parse(SAMPLES[name]).value


@pytest.mark.parametrize("name", HOSTS)
def test_installing_twice_changes_nothing_the_second_time(name: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = sample(name, home)
    main(["install", name])
    once = read(path)
    capsys.readouterr()
    assert main(["install", name]) == 0
    assert read(path) == once
    assert "nothing to change" in capsys.readouterr().out


@pytest.mark.parametrize("name", HOSTS)
def test_an_absent_file_is_made(name: str, home: Path) -> None:
    assert main(["install", name]) == 0
    assert list(json.loads(read(HOSTS[name].file(None)))) == [HOSTS[name].key]


def test_a_dry_run_shows_the_difference_and_writes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = sample("cursor", home)
    assert main(["install", "cursor", "--dry-run"]) == 0
    assert "+" in capsys.readouterr().out
    assert read(path) == SAMPLES["cursor"]
    assert not path.with_name(path.name + BACKUP_SUFFIX).exists()


def test_a_broken_file_is_left_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = sample("cursor", home)
    path.write_text('{"mcpServers": {', encoding="utf-8")
    assert main(["install", "cursor"]) == 1
    assert read(path) == '{"mcpServers": {'
    assert "invalid_input" in capsys.readouterr().err


HTTP_ENTRIES = {
    "claude-code": {"type": "http", "url": "http://127.0.0.1:8765/mcp", "headers": {"Authorization": "Bearer ${MCP_MEMORY_TOKEN}"}},
    "cursor": {"url": "http://127.0.0.1:8765/mcp", "headers": {"Authorization": "Bearer ${env:MCP_MEMORY_TOKEN}"}},
    "vscode": {"type": "http", "url": "http://127.0.0.1:8765/mcp", "headers": {"Authorization": "Bearer ${input:mcp-memory-token}"}},
    "windsurf": {"serverUrl": "http://127.0.0.1:8765/mcp", "headers": {"Authorization": "Bearer ${env:MCP_MEMORY_TOKEN}"}},
}


@pytest.mark.parametrize("name", HTTP_ENTRIES)
def test_http_entries_have_the_documented_form(name: str, home: Path) -> None:
    path = sample(name, home)
    assert main(["install", name, "--http", "--with-token"]) == 0
    document = parse(read(path)).value
    assert document[HOSTS[name].key]["memory"] == HTTP_ENTRIES[name]
    if name == "vscode":
        assert [item["id"] for item in document["inputs"]] == ["mcp-memory-token"]


def test_what_a_host_cannot_do_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "claude-desktop", "--http"]) == 1
    assert main(["install", "zed", "--http", "--with-token"]) == 1
    assert main(["install", "windsurf", "--project-dir", "."]) == 1
    with pytest.raises(SystemExit):
        main(["install", "cursor", "--hooks"])


def test_a_project_file_carries_the_options(home: Path, tmp_path: Path) -> None:
    assert main(["install", "claude-code", "--project-dir", str(tmp_path), "--data-dir", "/data", "--project", "shop"]) == 0
    entry = json.loads(read(tmp_path / ".mcp.json"))["mcpServers"]["memory"]
    assert entry["args"][-4:] == ["--data-dir", "/data", "--project", "shop"]


OWN_HOOK = {"matcher": "Edit", "hooks": [{"type": "command", "command": "format.sh"}]}


def test_hooks_are_added_beside_the_persons_own_and_removed_alone(home: Path) -> None:
    settings = home / ".claude" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"model": "opus", "hooks": {"PostToolUse": [OWN_HOOK]}}, indent=2), encoding="utf-8")
    assert main(["install", "claude-code", "--hooks"]) == 0
    hooks = json.loads(read(settings))["hooks"]
    assert set(hooks) == set(EVENTS)
    assert hooks["PostToolUse"][0] == OWN_HOOK
    assert all(hooks[event][-1]["hooks"][0]["command"].endswith(f"' {argument}") for event, (argument, _, _) in EVENTS.items())
    main(["install", "claude-code", "--hooks"])
    assert json.loads(read(settings))["hooks"] == hooks
    assert main(["install", "claude-code", "--uninstall"]) == 0
    assert json.loads(read(settings)) == {"model": "opus", "hooks": {"PostToolUse": [OWN_HOOK]}}


def test_hooks_mean_the_memory_that_the_server_means(home: Path, tmp_path: Path) -> None:
    main(["install", "claude-code", "--hooks", "--data-dir", str(tmp_path / "my memory")])
    hooks = json.loads(read(home / ".claude" / "settings.json"))["hooks"]
    command = hooks["PostToolUse"][0]["hooks"][0]["command"]
    event = json.dumps({"session_id": "s", "tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_response": "a"})
    done = subprocess.run(command, shell=True, input=event, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "my memory" / "hooks" / "s.spool").exists()


def test_hooks_of_windows_need_no_shell_and_are_removed_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claude_hooks.sys, "platform", "win32")
    text = claude_hooks.add_hooks("{}\n", hook_command(), ["--data-dir", "C:\\my memory"])
    handler = json.loads(text)["hooks"]["Stop"][0]["hooks"][0]
    assert [handler["command"], *handler["args"]] == [*hook_command(), "stop", "--data-dir", "C:\\my memory"]
    assert json.loads(claude_hooks.remove_hooks(text)) == {}


def test_hooks_alone_leave_no_trace_behind(home: Path) -> None:
    settings = home / ".claude" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{\n  "model": "opus"\n}\n', encoding="utf-8")
    main(["install", "claude-code", "--hooks"])
    main(["install", "claude-code", "--uninstall"])
    assert read(settings) == '{\n  "model": "opus"\n}\n'


def test_a_linked_file_stays_a_link(home: Path, tmp_path: Path) -> None:
    path = sample("cursor", home)
    kept = tmp_path / "dotfiles.json"
    path.rename(kept)
    path.symlink_to(kept)
    assert main(["install", "cursor"]) == 0
    assert path.is_symlink()
    assert "memory" in json.loads(read(kept))["mcpServers"]
