"""How each real host is run without an account, and what it makes of the same repair: a failure without a word, the failing
test, read, edit, test again."""

import json
import subprocess
from typing import Any

from tests.hosts.dialects import Round
from tests.hosts.walking import ANSWER_S, Client, Walk

SILENT = "sh -c 'exit 3'"  # fails without a word, and is no question whose answer may be no
TESTS = "python3 -m unittest -q test_calc"
FILE, OLD, NEW = "WORK/calc.py", "a - b", "a + b"
_KEY = "none"  # the scripted model asks for no key, the hosts do
_PATCH = f"*** Begin Patch\n*** Update File: calc.py\n@@\n def add(a, b):\n-    return {OLD}\n+    return {NEW}\n*** End Patch\n"


# One of the models it knows, so that it offers its tool for edits.
_CODEX = """model = "gpt-5.5"
model_provider = "scripted"
[model_providers.scripted]
name = "scripted"
base_url = "ADDRESS/v1"
wire_api = "responses"
[analytics]
enabled = false
[projects."WORK"]
trust_level = "trusted"
"""


def _settings(**more: object) -> str:
    """Return the settings of Gemini CLI and its kin: they report nothing."""
    return json.dumps({"general": {"enableAutoUpdate": False}, "privacy": {"usageStatisticsEnabled": False}, **more})


def _approve_codex_hooks(walk: Walk) -> None:
    """Trust what `/hooks` lists, as Codex's own surfaces do on "trust all": by a word to its server."""
    with subprocess.Popen(
        [str(walk.program), "app-server"],
        cwd=walk.work,
        env=walk.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        sent, got = server.stdin, server.stdout

        def ask(method: str, **parameters: Any) -> Any:
            print(json.dumps({"id": method, "method": method, "params": parameters}), file=sent, flush=True)
            return next(answer for answer in map(json.loads, got) if answer.get("id") == method)["result"]

        ask("initialize", clientInfo={"name": "walks", "version": "1"})
        hooks = [hook for folder in ask("hooks/list", cwds=[str(walk.work)])["data"] for hook in folder["hooks"]]
        assert {hook["trustStatus"] for hook in hooks} == {"untrusted"}, hooks
        trusted = {hook["key"]: {"trusted_hash": hook["currentHash"]} for hook in hooks}
        ask("config/batchWrite", edits=[{"keyPath": "hooks.state", "value": trusted, "mergeStrategy": "upsert"}])
        sent.close()
        server.wait(ANSWER_S)


def _by(shell: str, read: str, edit: str, **names: str) -> list[Round]:
    """Return the repair in a host's tools; `names` are what it calls the arguments, where not as Claude Code does."""
    path, old, new = names.get("path", "file_path"), names.get("old", "old_string"), names.get("new", "new_string")
    more = {"instruction": "Add."} if edit == "replace" else {}
    about: dict[str, Any] = {} if shell == "Bash" else {"description": "Run the test"}
    about |= {"is_background": False} if shell.startswith("run_") else {}
    silent: Round = [(shell, {"command": SILENT, **about})]
    test: Round = [(shell, {"command": TESTS, **about})]
    return [silent, test, [(read, {path: FILE})], [(edit, {path: FILE, old: OLD, new: NEW, **more})], test]


def _fixed(shell: str, read: str, edit: str) -> list[tuple[str, str]]:
    return [(shell, "error"), (shell, "error"), (read, "ok"), (edit, "ok"), (shell, "ok")]


CLIENTS = {
    client.name: client
    for client in (
        Client(
            "claude-code",
            "claude",
            ("--dangerously-skip-permissions", "-p"),
            {
                "ANTHROPIC_BASE_URL": "ADDRESS",
                "ANTHROPIC_API_KEY": _KEY,
                "DISABLE_TELEMETRY": "1",
                "DISABLE_AUTOUPDATER": "1",
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                "IS_SANDBOX": "1",
            },
            _by("Bash", "Read", "Edit"),
            _fixed("Bash", "Read", "Edit"),
        ),
        Client(
            "codex",
            "codex",
            ("exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"),
            {},
            [
                [("exec_command", {"cmd": SILENT})],
                [("exec_command", {"cmd": TESTS})],
                [("exec_command", {"cmd": "cat calc.py"})],
                [("apply_patch", {"input": _PATCH})],
                [("exec_command", {"cmd": TESTS})],
            ],
            [("Bash", "error"), ("Bash", "error"), ("Bash", "ok"), ("apply_patch", "ok"), ("Bash", "ok")],
            {".codex/config.toml": _CODEX},
            _approve_codex_hooks,
        ),
        Client(
            "gemini",
            "gemini",
            ("--skip-trust", "--yolo", "--model", "gemini-3-pro-preview", "--prompt"),
            {"GEMINI_API_KEY": _KEY, "GOOGLE_GEMINI_BASE_URL": "ADDRESS"},
            _by("run_shell_command", "read_file", "replace"),
            _fixed("run_shell_command", "read_file", "replace"),
            {".gemini/settings.json": _settings(security={"auth": {"selectedType": "gemini-api-key"}})},
        ),
        Client(
            "qwen",
            "qwen",
            ("--auth-type", "anthropic", "--yolo"),
            {"ANTHROPIC_BASE_URL": "ADDRESS", "ANTHROPIC_API_KEY": _KEY, "ANTHROPIC_MODEL": "scripted"},
            _by("run_shell_command", "read_file", "edit"),
            _fixed("run_shell_command", "read_file", "edit"),
            {".qwen/settings.json": _settings()},
        ),
        Client(
            "copilot",
            "copilot",
            ("--allow-all-tools", "--allow-all-paths", "--no-auto-update", "--prompt"),
            {
                "COPILOT_OFFLINE": "true",
                "COPILOT_PROVIDER_TYPE": "anthropic",
                "COPILOT_PROVIDER_BASE_URL": "ADDRESS",
                "COPILOT_PROVIDER_API_KEY": _KEY,
                "COPILOT_MODEL": "claude-sonnet-4.5",
            },
            _by("bash", "view", "edit", path="path", old="old_str", new="new_str"),
            _fixed("Bash", "Read", "Edit"),
        ),
    )
}
