"""Installing into each host's file: the documented form, nothing else touched, undone by --uninstall."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.cli.install import records
from mcp_memory.cli.install.entries import START_TIMEOUT_S
from mcp_memory.cli.install.formats import format_of
from mcp_memory.cli.install.hosts import HOSTS
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
    "codex": """\
# my Codex
model = "o9"   # the good one

[mcp_servers.files]
command = 'files'
args = []

[tui]  # last
theme = "dark"
""",
    "gemini": '{\n  "security": {"auth": {"selectedType": "oauth"}},\n  "mcpServers": {"files": {"command": "files"}}\n}\n',
    "qwen": '{\n  "$version": 3, // by Qwen\n  "model": {"name": "q"}\n}\n',
    "opencode": '{\n  "$schema": "https://opencode.ai/config.json",\n  /* none yet */\n  "mcp": {}\n}\n',
    "copilot": '{\n  "mcpServers": {\n    "files": {"type": "local", "command": "files", "args": [], "tools": ["*"]}\n  }\n}\n',
    "cline": '{\n  "mcpServers": {}\n}',
    "continue": """\
# mine
name: My Config
version: 0.0.1
schema: v1
models:
- name: a   # small
  provider: ollama
mcpServers:
- name: files   # of mine
  command: files
  args: [ "--all" ]

# the end
prompts: []
""",
    "droid": '{"mcpServers": {"files": {"type": "stdio", "command": "files", "args": [], "disabled": false}}}',
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "QWEN_HOME", "COPILOT_HOME", "CONTINUE_GLOBAL_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("OPENCODE_CONFIG_DIR", "CLINE_DIR", "CLINE_DATA_DIR", "CLINE_MCP_SETTINGS_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))
    return tmp_path / "home"


def sample(name: str, home: Path) -> Path:
    path = HOSTS[name].file(None)
    assert path.is_relative_to(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(SAMPLES[name].encode())
    return path


def read(path: Path) -> str:
    return path.read_bytes().decode()


def servers(name: str, text: str) -> dict[str, Any]:
    """Return the servers of a file by their names, whatever it is written in; without the name inside where it is a list."""
    found = (format_of(HOSTS[name].file(None)).value(text) or {}).get(HOSTS[name].key) or {}
    return {item["name"]: {k: v for k, v in item.items() if k != "name"} for item in found} if isinstance(found, list) else found


COMMAND, ARGUMENTS = sys.executable, ["-P", "-m", "mcp_memory", "stdio"]
PLAIN = {"command": COMMAND, "args": ARGUMENTS}
ENTRIES: dict[str, dict[str, Any]] = {  # as each host documents its local servers
    "claude-code": {"type": "stdio"} | PLAIN,
    "claude-desktop": PLAIN,
    "cursor": PLAIN,
    "vscode": {"type": "stdio"} | PLAIN,
    "windsurf": PLAIN,
    "zed": PLAIN,
    "codex": PLAIN | {"startup_timeout_sec": START_TIMEOUT_S},
    "gemini": PLAIN,
    "qwen": PLAIN,
    "opencode": {"type": "local", "command": [COMMAND, *ARGUMENTS], "enabled": True},
    "copilot": {"type": "local"} | PLAIN | {"tools": ["*"]},
    "cline": PLAIN | {"disabled": False},
    "continue": {"type": "stdio"} | PLAIN,
    "droid": {"type": "stdio"} | PLAIN | {"disabled": False},
}


def test_every_host_is_tried_here() -> None:
    assert set(SAMPLES) == set(ENTRIES) == set(HOSTS)


@pytest.mark.parametrize("name", HOSTS)
def test_the_entry_is_merged_and_everything_else_stays(name: str, home: Path) -> None:
    path = sample(name, home)
    assert main(["install", name]) == 0
    before, after = format_of(path).value(SAMPLES[name]), format_of(path).value(read(path))
    found = servers(name, read(path))
    assert found.pop("memory") == ENTRIES[name]
    assert found == servers(name, SAMPLES[name])
    assert {k: v for k, v in after.items() if k != HOSTS[name].key} == {k: v for k, v in before.items() if k != HOSTS[name].key}
    for line in SAMPLES[name].splitlines():
        if "//" in line or "#" in line or "/*" in line:
            assert line.rstrip("},") in read(path)


@pytest.mark.parametrize("name", HOSTS)
def test_uninstalling_gives_the_old_bytes(name: str, home: Path) -> None:
    path = sample(name, home)
    main(["install", name])
    assert main(["install", name, "--uninstall"]) == 0
    assert read(path) == SAMPLES[name]
    assert records.load(path) is None


@pytest.mark.parametrize("name", HOSTS)
def test_uninstalling_keeps_what_was_changed_since(name: str, home: Path) -> None:
    path = sample(name, home)
    main(["install", name])
    form = format_of(path)
    path.write_bytes(form.put(read(path), HOSTS[name].key, "later", {"command": "later"}).encode())
    assert main(["install", name, "--uninstall"]) == 0
    found = servers(name, read(path))
    assert found.pop("later")["command"] == "later"
    assert found == servers(name, SAMPLES[name])


@pytest.mark.parametrize("name", HOSTS)
def test_uninstalling_without_a_record_takes_only_ours_out(name: str, home: Path) -> None:
    path = sample(name, home)
    main(["install", name])
    record = records.load(path)
    assert record
    record.drop()
    assert main(["install", name, "--uninstall"]) == 0
    assert servers(name, read(path)) == servers(name, SAMPLES[name])


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
def test_installing_again_with_other_options_replaces_the_entry_and_still_restores(name: str, home: Path) -> None:
    path = sample(name, home)
    main(["install", name])
    main(["install", name, "--project", "shop"])
    entry = servers(name, read(path))["memory"]
    assert [*(entry.get("args") or entry["command"])][-2:] == ["--project", "shop"]
    main(["install", name, "--uninstall"])
    assert read(path) == SAMPLES[name]


@pytest.mark.parametrize("name", HOSTS)
def test_an_absent_file_is_made_for_its_owner_only_and_removed_with_its_folders(name: str, home: Path) -> None:
    home.mkdir()
    path = HOSTS[name].file(None)
    assert main(["install", name]) == 0
    assert servers(name, read(path)) == {"memory": ENTRIES[name]}
    if os.name != "nt":
        assert path.stat().st_mode & 0o777 == 0o600
    assert main(["install", name, "--uninstall"]) == 0
    assert [entry.name for entry in home.iterdir()] == []


def test_the_old_file_is_kept_out_of_sight_and_for_its_owner_only(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = sample("cursor", home)
    main(["install", "cursor"])
    record = records.load(path)
    assert record
    assert read(record.copy) == SAMPLES["cursor"]
    assert str(record.copy) in capsys.readouterr().out
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    if os.name != "nt":
        assert (record.copy.stat().st_mode & 0o777, record.copy.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_dry_run_shows_the_difference_and_writes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = sample("cursor", home)
    assert main(["install", "cursor", "--dry-run"]) == 0
    assert "+" in capsys.readouterr().out
    assert read(path) == SAMPLES["cursor"]
    assert records.load(path) is None


BROKEN = {"cursor": '{"mcpServers": {', "codex": "[mcp_servers", "continue": "name: [", "zed": '{"context_servers": 3}'}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_left_alone(name: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = sample(name, home)
    path.write_text(BROKEN[name], encoding="utf-8")
    assert main(["install", name]) == 1
    assert read(path) == BROKEN[name]
    assert "invalid_input" in capsys.readouterr().err


URL = "http://127.0.0.1:8765/mcp"
HTTP_ENTRIES: dict[str, dict[str, Any]] = {
    "claude-code": {"type": "http", "url": URL, "headers": {"Authorization": "Bearer ${MCP_MEMORY_TOKEN}"}},
    "cursor": {"url": URL, "headers": {"Authorization": "Bearer ${env:MCP_MEMORY_TOKEN}"}},
    "vscode": {"type": "http", "url": URL, "headers": {"Authorization": "Bearer ${input:mcp-memory-token}"}},
    "windsurf": {"serverUrl": URL, "headers": {"Authorization": "Bearer ${env:MCP_MEMORY_TOKEN}"}},
    "codex": {"url": URL, "bearer_token_env_var": "MCP_MEMORY_TOKEN"},
    "gemini": {"httpUrl": URL, "headers": {"Authorization": "Bearer ${MCP_MEMORY_TOKEN}"}},
    "qwen": {"httpUrl": URL, "headers": {"Authorization": "Bearer ${MCP_MEMORY_TOKEN}"}},
    "opencode": {"type": "remote", "url": URL, "headers": {"Authorization": "Bearer {env:MCP_MEMORY_TOKEN}"}, "enabled": True},
    "copilot": {"type": "http", "url": URL, "headers": {"Authorization": "Bearer ${MCP_MEMORY_TOKEN}"}, "tools": ["*"]},
    "continue": {
        "type": "streamable-http",
        "url": URL,
        "requestOptions": {"headers": {"Authorization": "Bearer ${{ secrets.MCP_MEMORY_TOKEN }}"}},
    },
}


@pytest.mark.parametrize("name", HTTP_ENTRIES)
def test_http_entries_have_the_documented_form_and_go_without_a_trace(name: str, home: Path) -> None:
    path = sample(name, home)
    assert main(["install", name, "--http", "--with-token"]) == 0
    assert servers(name, read(path))["memory"] == HTTP_ENTRIES[name]
    if name == "vscode":
        assert [item["id"] for item in format_of(path).value(read(path))["inputs"]] == ["mcp-memory-token"]
    path.write_bytes(read(path).encode() + b"\n")  # no longer as we wrote it
    assert main(["install", name, "--uninstall"]) == 0
    assert read(path) == SAMPLES[name]


def test_what_a_host_cannot_do_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "claude-desktop", "--http"]) == 1
    assert main(["install", "zed", "--http", "--with-token"]) == 1
    assert main(["install", "cline", "--http", "--with-token"]) == 1
    assert main(["install", "windsurf", "--project-dir", "."]) == 1
    assert main(["install", "zed", "--hooks"]) == 1
    with pytest.raises(SystemExit):
        main(["install", "claude-code", "--project-dir", "no-such-folder"])
    assert not home.exists()


PROJECT_HOSTS = [name for name, host in HOSTS.items() if host.project_file]


@pytest.mark.parametrize("name", PROJECT_HOSTS)
def test_a_shared_file_names_nothing_of_this_machine(name: str, home: Path, tmp_path: Path) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    assert main(["install", name, "--project-dir", str(project)]) == 0
    written = [path for path in project.rglob("*") if path.is_file()]
    assert len(written) == 1
    text = read(written[0])
    assert not [part for part in (sys.prefix, sys.executable, str(home), str(tmp_path)) if part in text]
    assert "uvx" in text
    assert main(["install", name, "--project-dir", str(project), "--uninstall"]) == 0
    assert list(project.iterdir()) == []


def test_what_a_first_start_fetches_is_said_with_what_to_run_before(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "claude-code", "--project-dir", str(tmp_path)]) == 0
    assert "`uvx mcp-episodic-memory --version` once beforehand" in capsys.readouterr().out
    assert main(["install", "claude-code"]) == 0
    assert "fetches" not in capsys.readouterr().out, "this Python has everything already"


def test_a_shared_file_uses_the_program_on_the_path_where_there_is_no_uvx(home: Path, tmp_path: Path) -> None:
    programs = tmp_path / "no-programs"
    programs.mkdir()
    (programs / "mcp-memory").touch(mode=0o755)
    assert main(["install", "claude-code", "--project-dir", str(tmp_path)]) == 0
    assert json.loads(read(tmp_path / ".mcp.json"))["mcpServers"]["memory"]["command"] == "mcp-memory"


def test_a_project_file_carries_the_options_and_a_folder_of_this_machine_is_said(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["install", "claude-code", "--project-dir", str(tmp_path), "--data-dir", "/data", "--project", "shop"]) == 0
    entry = json.loads(read(tmp_path / ".mcp.json"))["mcpServers"]["memory"]
    assert entry["args"][-4:] == ["--data-dir", "/data", "--project", "shop"]
    told = capsys.readouterr().out
    assert "names a folder of this machine" in told
    assert "asks each person once" in told  # what has to be approved


MOVED = {
    "CLAUDE_CONFIG_DIR": ("claude-code", ".claude.json"),
    "CODEX_HOME": ("codex", "config.toml"),
    "GEMINI_CLI_HOME": ("gemini", ".gemini/settings.json"),
    "QWEN_HOME": ("qwen", "settings.json"),
    "COPILOT_HOME": ("copilot", "mcp-config.json"),
    "CONTINUE_GLOBAL_DIR": ("continue", "config.yaml"),
    "OPENCODE_CONFIG_DIR": ("opencode", "opencode.json"),
    "CLINE_DIR": ("cline", "data/settings/cline_mcp_settings.json"),
    "CLINE_DATA_DIR": ("cline", "settings/cline_mcp_settings.json"),
    "XDG_CONFIG_HOME": ("opencode", "opencode/opencode.json"),
}


@pytest.mark.parametrize("variable", MOVED)
def test_a_host_that_was_moved_is_found_where_it_is(variable: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "moved"))
    host, file = MOVED[variable]
    assert main(["install", host]) == 0
    assert "memory" in servers(host, read(tmp_path / "moved" / file))
    assert not home.exists()


def test_the_file_that_exists_is_edited_where_a_host_reads_several(home: Path) -> None:
    comments = home / "opencode" / "opencode.jsonc"
    comments.parent.mkdir(parents=True)
    comments.write_text("{} // mine", encoding="utf-8")
    assert main(["install", "opencode"]) == 0
    assert "// mine" in read(comments)
    assert not comments.with_suffix(".json").exists()


def test_without_a_home_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.chdir(tmp_path)
    assert main(["install", "cursor"]) == 1
    assert "Set HOME" in capsys.readouterr().err
    monkeypatch.setattr(Path, "home", lambda: Path("home"))
    assert main(["install", "cursor"]) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_relative_config_folder_does_not_count(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "settings")
    monkeypatch.chdir(tmp_path)
    assert HOSTS["opencode"].file(None) == home / ".config" / "opencode" / "opencode.json"


def test_without_a_host_every_one_found_is_offered_and_one_that_fails_stops_no_other(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("cursor", "codex", "gemini"):
        sample(name, home)
    sample("gemini", home).write_text("{", encoding="utf-8")
    assert main(["install"]) == 1  # nobody to ask
    assert "--yes" in capsys.readouterr().err
    assert read(HOSTS["cursor"].file(None)) == SAMPLES["cursor"]
    assert main(["install", "--yes"]) == 1
    told = capsys.readouterr().out
    assert "not valid JSON" in told
    assert {name for name in HOSTS if HOSTS[name].file(None).exists()} == {"cursor", "codex", "gemini"}
    assert all("memory" in servers(name, read(HOSTS[name].file(None))) for name in ("cursor", "codex"))
    assert main(["install", "--yes", "--uninstall"]) == 1
    assert read(HOSTS["codex"].file(None)) == SAMPLES["codex"]


@pytest.mark.parametrize(("answer", "installed"), [("", True), ("y", True), ("n", False)])
def test_the_person_is_asked(answer: str, installed: bool, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample("codex", home)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    main(["install"])
    assert ("memory" in servers("codex", read(HOSTS["codex"].file(None)))) is installed


def test_a_program_on_the_path_is_enough_to_be_found(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    programs = tmp_path / "no-programs"
    programs.mkdir()
    (programs / "qwen").touch(mode=0o755)
    assert main(["install", "--dry-run"]) == 0
    assert "qwen" in capsys.readouterr().out
    assert not home.exists()


def test_where_no_host_is_found_that_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "--yes"]) == 1
    assert "No agent host" in capsys.readouterr().err


def test_a_linked_file_stays_a_link(home: Path, tmp_path: Path) -> None:
    path = sample("cursor", home)
    kept = tmp_path / "dotfiles.json"
    path.rename(kept)
    path.symlink_to(kept)
    assert main(["install", "cursor"]) == 0
    assert path.is_symlink()
    assert "memory" in json.loads(read(kept))["mcpServers"]
