"""Hooks in each host's own form: beside the person's, each once, and taken out alone."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.cli.install import hooks
from mcp_memory.cli.install.hosts import HOSTS
from mcp_memory.cli.install.launching import hook_command
from mcp_memory.cli.main import main, parser_of
from mcp_memory.domain.hosts import GROUPS, HOOK_HOSTS, LIST, MILLISECONDS, SHELLS, HookEvent, HookHost

READY = [name for name, host in HOOK_HOSTS.items() if host.ready]
PAYLOADS = Path(__file__).parents[4] / "shared" / "hosts" / "payloads"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "QWEN_HOME", "COPILOT_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


def file_of(name: str) -> Path:
    return hooks.hooks_file(HOOK_HOSTS[name], None)


def handlers(entry: dict[str, Any]) -> list[dict[str, Any]]:
    return entry.get("hooks") or [entry]


def own_hook(host: HookHost) -> dict[str, Any]:
    """A hook of the person's own, in the host's form."""
    if host.shape == GROUPS:
        return {"matcher": "Edit", "hooks": [{"type": "command", "command": "format.sh"}]}
    return {"command": "format.sh"} if host.shape == LIST else {"type": "command", "bash": "format.sh"}


@pytest.mark.parametrize("name", READY)
def test_hooks_are_added_beside_the_persons_own_and_removed_alone(name: str, home: Path) -> None:
    host, file = HOOK_HOSTS[name], file_of(name)
    event = next(event for event in host.ready if event.argument == "post-tool-use").name
    version = {} if host.shape == GROUPS else {"version": 1}
    before = json.dumps(version | {"mine": 1, "hooks": {event: [own_hook(host)], "Mine": []}}, indent=2)
    file.parent.mkdir(parents=True)
    file.write_text(before, encoding="utf-8")
    assert main(["install", name, "--hooks"]) == 0
    found = json.loads(file.read_text())["hooks"]
    assert set(found) == {event.name for event in host.ready} | {"Mine"}
    assert found[event][0] == own_hook(host)
    for ready in host.ready:
        (handler,) = handlers(found[ready.name][-1])
        command = handler.get("command") or handler["bash"]
        assert command.endswith(f" {ready.argument} --host {name}")
        assert handler.get("timeout", handler.get("timeoutSec")) == ready.timeout_s * host.timeout_unit
    main(["install", name, "--hooks"])
    assert json.loads(file.read_text())["hooks"] == found
    file.write_text(file.read_text() + "\n", encoding="utf-8")  # no longer as we wrote it
    assert main(["install", name, "--uninstall"]) == 0
    assert file.read_text() == before


@pytest.mark.parametrize("name", READY)
def test_hooks_alone_leave_no_trace_behind(name: str, home: Path) -> None:
    main(["install", name, "--hooks"])
    assert file_of(name).exists()
    main(["install", name, "--uninstall"])
    assert list(home.rglob("*")) == []


def test_the_server_alone_leaves_hooks_as_they_are(home: Path) -> None:
    main(["install", "gemini", "--hooks"])
    both = file_of("gemini").read_text()
    main(["install", "gemini"])
    assert file_of("gemini").read_text() == both


def test_a_persons_hook_in_the_same_entry_as_ours_stays(home: Path) -> None:
    main(["install", "claude-code", "--hooks"])
    value = json.loads(file_of("claude-code").read_text())
    theirs = {"type": "command", "command": "format.sh"}
    value["hooks"]["PostToolUse"][0]["hooks"].append(theirs)
    file_of("claude-code").write_text(json.dumps(value), encoding="utf-8")
    main(["install", "claude-code", "--uninstall"])
    assert json.loads(file_of("claude-code").read_text()) == {"hooks": {"PostToolUse": [{"matcher": "*", "hooks": [theirs]}]}}


def test_taking_vs_code_out_leaves_the_hooks_of_copilot_in_the_file_that_both_read(home: Path) -> None:
    main(["install", "copilot", "--hooks"])
    main(["install", "vscode"])
    before = file_of("copilot").read_text()
    main(["install", "vscode", "--uninstall"])
    assert file_of("copilot").read_text() == before


def test_hooks_of_an_earlier_version_are_replaced(home: Path) -> None:
    old = {"hooks": [{"type": "command", "command": "/opt/env/bin/mcp-memory hook stop", "timeout": 15}]}
    text = hooks.add_hooks(json.dumps({"hooks": {"Stop": [old], "Gone": [old]}}), HOOK_HOSTS["claude-code"], hook_command())
    found = json.loads(text)["hooks"]
    assert old not in found["Stop"]
    assert "Gone" not in found


@pytest.mark.parametrize("name", [name for name in HOOK_HOSTS if name not in READY])
def test_hooks_that_the_receiver_does_not_understand_are_not_installed(name: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", name, "--hooks"]) == 1
    assert "that this version installs" in capsys.readouterr().err
    assert not home.exists()


@pytest.mark.parametrize("name", HOOK_HOSTS)
def test_what_is_installed_is_what_the_receiver_answers(name: str) -> None:
    (events,) = [action.choices for action in parser_of("hook")._actions if action.dest == "event"]
    assert {event.argument for event in HOOK_HOSTS[name].ready} <= set(events or ())


@pytest.mark.parametrize("name", ["claude-code", "codex", "gemini", "qwen"])
def test_the_events_are_those_that_the_real_host_sends(name: str) -> None:
    if not PAYLOADS.exists():
        pytest.skip("the recorded payloads are not on this machine")
    lines = (PAYLOADS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    sent = {json.loads(line)["event"] for line in lines}
    known = {event.name for event in HOOK_HOSTS[name].events}
    assert {event.name for event in HOOK_HOSTS[name].ready} - {
        "SessionEnd",
        "SubagentStop",
    } <= sent  # not every recording has an end, or a subagent
    # what is sent and not in the table comes before the act, or says nothing of the work
    assert sent - known <= {"PreToolUse", "BeforeTool", "PreCompress", "Notification"}
    assert all(event.argument for event in HOOK_HOSTS[name].events if event.name in sent)


def test_hooks_mean_the_memory_that_the_server_means(home: Path, tmp_path: Path) -> None:
    main(["install", "codex", "--hooks", "--data-dir", str(tmp_path / "my memory")])
    found = json.loads(file_of("codex").read_text())["hooks"]
    command = found["PostToolUse"][0]["hooks"][0]["command"]
    event = json.dumps({"session_id": "s", "tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_response": "a"})
    done = subprocess.run(command, shell=True, input=event, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert list((tmp_path / "my memory" / "hooks").glob("*.spool"))


def test_a_memory_that_the_environment_names_is_written_down_for_hosts_that_keep_their_environment_to_themselves(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCP_MEMORY_DATA_DIR", str(tmp_path / "named"))
    main(["install", "codex", "--hooks"])
    assert f'"--data-dir", "{tmp_path / "named"}"' in (home / ".codex" / "config.toml").read_text()
    assert f"--data-dir {tmp_path / 'named'}" in file_of("codex").read_text()
    main(["install", "claude-code", "--project-dir", str(tmp_path)])
    assert "--data-dir" not in (tmp_path / ".mcp.json").read_text()  # the others' machines have no such folder


def test_a_hook_takes_its_hosts_name_beside_any_option(tmp_path: Path) -> None:
    event = json.dumps({"session_id": "s", "tool_name": "Bash", "tool_input": {}, "tool_response": "a"})
    config = tmp_path / "settings.toml"
    config.touch()
    for options in (["--host", "qwen"], ["--host", "qwen", "--config", str(config)]):
        command = [sys.executable, "-m", "mcp_memory", "hook", "post-tool-use", *options, "--data-dir", str(tmp_path / "data")]
        done = subprocess.run(command, input=event, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    (spool,) = (tmp_path / "data" / "hooks").glob("*.spool")
    assert len(spool.read_text().splitlines()) == 2


def test_hooks_of_windows_need_no_shell_and_are_removed_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    host = HOOK_HOSTS["claude-code"]
    text = hooks.add_hooks("{}\n", host, hook_command(), ["--data-dir", "C:\\my memory"])
    handler = json.loads(text)["hooks"]["Stop"][0]["hooks"][0]
    expected = [*hook_command(), "stop", "--host", "claude-code", "--data-dir", "C:\\my memory"]
    assert [handler["command"], *handler["args"]] == expected
    assert json.loads(hooks.remove_hooks(text, host)) == {}


def test_a_host_of_two_shells_gets_both(home: Path) -> None:
    copilot = HOOK_HOSTS["copilot"]
    host = HookHost("copilot", copilot.user_file, copilot.project_file, [HookEvent("Stop", "stop")], shape=SHELLS)
    text = hooks.add_hooks("", host, ["C:\\my python.exe", "-c", "it's"])
    value = json.loads(text)
    handler = value["hooks"]["Stop"][0]
    assert value["version"] == 1
    assert handler["bash"] == """'C:\\my python.exe' -c 'it'"'"'s' stop --host copilot"""
    assert handler["powershell"] == "& 'C:\\my python.exe' -c 'it''s' stop --host copilot"


@pytest.mark.parametrize("name", READY)
def test_hooks_of_a_project_name_nothing_of_this_machine(name: str, home: Path, tmp_path: Path) -> None:
    if not HOSTS[name].project_file:
        pytest.skip(f"{name} has no project file for servers")
    project = tmp_path / "shop"
    project.mkdir()
    assert main(["install", name, "--hooks", "--project-dir", str(project)]) == 0
    text = (project / HOOK_HOSTS[name].project_file).read_text()
    assert not [part for part in (sys.prefix, str(home), str(tmp_path)) if part in text]
    assert re.search(r"(uvx mcp-episodic-memory|mcp-memory) hook stop", text)
    assert main(["install", name, "--uninstall", "--project-dir", str(project)]) == 0
    assert list(project.iterdir()) == []


@pytest.mark.parametrize("shape", [GROUPS, LIST, SHELLS])
def test_every_form_goes_in_and_out_without_a_trace(shape: str) -> None:
    host = HookHost("any", "~/hooks.json", "hooks.json", [HookEvent("a", "stop", matcher="x"), HookEvent("b", "stop")], shape=shape)
    text = hooks.add_hooks("", host, hook_command())
    assert set(json.loads(text)["hooks"]) == {"a", "b"}
    assert hooks.add_hooks(text, host, hook_command()) == text
    assert json.loads(hooks.remove_hooks(text, host)) == {}


def test_what_has_to_be_approved_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["install", "codex", "--hooks"])
    assert "/hooks" in capsys.readouterr().out


def test_hooks_that_the_host_is_told_not_to_run_are_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, settings in (("gemini", {"hooksConfig": {"enabled": False}}), ("claude-code", {"disableAllHooks": True})):
        file_of(name).parent.mkdir(parents=True)
        file_of(name).write_text(json.dumps(settings), encoding="utf-8")
        main(["install", name, "--hooks"])
        assert "Hooks are switched off" in capsys.readouterr().out


def test_hooks_are_not_installed_beside_the_plugin_that_has_them(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file_of("claude-code").parent.mkdir(parents=True)
    file_of("claude-code").write_text(json.dumps({"enabledPlugins": {"episodic-memory@mcp-memory": True}}), encoding="utf-8")
    assert main(["install", "claude-code", "--hooks"]) == 1
    assert "plugin has these hooks already" in capsys.readouterr().err


def test_the_table_is_whole() -> None:
    for name, host in HOOK_HOSTS.items():
        assert host.name == name
        assert host.shape in (GROUPS, LIST, SHELLS)
        assert len({event.name for event in host.events}) == len(host.events)
    assert {name for name, host in HOOK_HOSTS.items() if host.timeout_unit == MILLISECONDS} == {"gemini", "qwen"}
