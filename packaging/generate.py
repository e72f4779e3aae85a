"""Writes the packages that hosts install from: `python packaging/generate.py`. A test fails when one is out of date.

Versions come from pyproject.toml, hooks from the table of hosts, the skill from `skill/SKILL.md`: nothing is written twice by hand.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

from mcp_memory.cli.install.hooks import add_hooks
from mcp_memory.cli.install.launching import PACKAGE
from mcp_memory.domain.hosts import HOOK_HOSTS

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = "episodic-memory"
MARKETPLACE = "mcp-memory"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERSION = PROJECT["version"]
COMMAND = ("uvx", f"{PACKAGE}@{VERSION}")  # the plugin's version and the program's are one
OWNER = {"name": "mcp-episodic-memory contributors"}


def files() -> dict[str, str]:
    """Return the content of every file, by its path from the root of the project."""
    skill = (ROOT / "packaging" / "skill" / "SKILL.md").read_text(encoding="utf-8")
    made: dict[str, str] = {}
    for host, package in (("claude-code", _claude_code()), ("codex", _codex()), ("gemini", _gemini())):
        for path, content in package.items():
            made[f"packaging/{host}/{path}"] = content if isinstance(content, str) else _json(content)
        made[f"packaging/{host}/skills/{PLUGIN}/SKILL.md"] = skill
    made[".claude-plugin/marketplace.json"] = _json(_claude_marketplace())
    made[".agents/plugins/marketplace.json"] = _json(_codex_marketplace())
    return made


def _claude_code() -> dict[str, Any]:
    about = {"name": PLUGIN, "version": VERSION, "description": PROJECT["description"], "author": OWNER}
    return {
        ".claude-plugin/plugin.json": about | {"license": PROJECT["license"], "keywords": PROJECT["keywords"]},
        ".mcp.json": {"mcpServers": {"memory": _server()}},
        "hooks/hooks.json": _hooks("claude-code"),
    }


def _codex() -> dict[str, Any]:
    about = {"name": PLUGIN, "version": VERSION, "description": PROJECT["description"], "author": OWNER}
    about |= {"license": PROJECT["license"], "keywords": PROJECT["keywords"]}
    shown = {"displayName": "Episodic Memory", "shortDescription": "Remembers what was tried and what worked", "category": "Productivity"}
    parts = {"skills": "./skills/", "mcpServers": "./.mcp.json", "hooks": "./hooks/hooks.json", "interface": shown}
    return {
        ".codex-plugin/plugin.json": about | parts,
        ".mcp.json": {"mcpServers": {"memory": _server() | {"startup_timeout_sec": 60}}},
        "hooks/hooks.json": _hooks("codex"),
    }


def _gemini() -> dict[str, Any]:
    about = {"name": PLUGIN, "version": VERSION, "description": PROJECT["description"], "mcpServers": {"memory": _server()}}
    return {"gemini-extension.json": about, "hooks/hooks.json": _hooks("gemini")}


def _claude_marketplace() -> dict[str, Any]:
    plugin = {"name": PLUGIN, "source": "./packaging/claude-code", "description": PROJECT["description"], "category": "memory"}
    return {"name": MARKETPLACE, "owner": OWNER, "description": PROJECT["description"], "plugins": [plugin]}


def _codex_marketplace() -> dict[str, Any]:
    policy = {"installation": "AVAILABLE", "authentication": "ON_INSTALL"}
    plugin = {"name": PLUGIN, "source": {"source": "local", "path": "./packaging/codex"}, "policy": policy, "category": "Productivity"}
    return {"name": MARKETPLACE, "interface": {"displayName": "Episodic Memory"}, "plugins": [plugin]}


def _server() -> dict[str, Any]:
    return {"command": COMMAND[0], "args": [*COMMAND[1:], "stdio"]}


def _hooks(host: str) -> str:
    return add_hooks("{}\n", HOOK_HOSTS[host], [*COMMAND, "hook"])


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, text in files().items():
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(text, encoding="utf-8")
