"""What each real host says about what `install` wrote: its own list, and its own check of our package."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mcp_memory.domain.hosts import HOOK_HOSTS

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "packaging"
_HOOKS = len(HOOK_HOSTS["claude-code"].ready)
Run = Callable[..., str]  # runs one of the host's commands and returns what it printed


@dataclass(frozen=True)
class Judge:
    """One host's own commands: each line of `checks` must print what its pattern says."""

    program: str
    before: dict[str, str] = field(default_factory=dict)  # files below HOME that a person had already, with comments
    checks: tuple[tuple[tuple[str, ...], str], ...] = ()
    package: tuple[tuple[tuple[str, ...], str], ...] = ()  # the host's own check of the package we make for it
    environment: dict[str, str] = field(default_factory=dict)
    unchecked: str = ""  # why there is no check


JUDGES = {
    "claude-code": Judge(
        "claude",
        {
            ".claude.json": '{\n  "numStartups": 3,\n  "mcpServers": {"mine": {"type": "stdio", "command": "cat"}}\n}\n',
            ".claude/settings.json": '{\n  "model": "opus"\n}\n',
        },
        checks=((("mcp", "get", "memory"), r"Connected"),),
        package=(
            (("plugin", "validate", "--strict", str(PACKAGES / "claude-code")), r"Validation passed"),
            (("plugin", "validate", str(ROOT)), r"Validation passed"),
            (("plugin", "marketplace", "add", str(ROOT)), r"added marketplace: mcp-memory"),
            (("plugin", "install", "episodic-memory@mcp-memory"), r"installed plugin"),
            (("plugin", "details", "episodic-memory"), rf"Hooks \({_HOOKS}\).*\n.*MCP servers \(1\)\s+memory"),
        ),
        environment={"DISABLE_TELEMETRY": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"},
    ),
    "codex": Judge(
        "codex",
        {".codex/config.toml": "# mine\nmodel = 'o9'   # good\n\n[mcp_servers.mine]\ncommand = \"cat\"\n\n[tui]\ntheme = 'dark'\n"},
        checks=((("mcp", "get", "memory"), r"enabled: true[\s\S]*transport: stdio[\s\S]*startup_timeout_sec: 60"),),
        package=(
            (("plugin", "marketplace", "add", str(ROOT)), r"Added marketplace `mcp-memory`"),
            (("plugin", "add", "episodic-memory@mcp-memory"), r"Added plugin `episodic-memory`"),
            (("mcp", "list"), r"memory\s+uvx\s+mcp-episodic-memory@"),
        ),
    ),
    "gemini": Judge(
        "gemini",
        {".gemini/settings.json": '{\n  // mine\n  "mcpServers": {"mine": {"command": "cat"}}\n}\n'},
        checks=((("mcp", "list"), r"memory: .* - Connected"),),
        package=(
            (("extensions", "validate", str(PACKAGES / "gemini")), r"successfully validated"),
            (("extensions", "install", str(PACKAGES / "gemini"), "--consent"), r"installed successfully"),
            (("extensions", "list"), r"MCP servers:\s+memory\s+Agent skills:\s+episodic-memory"),
        ),
        environment={"GEMINI_CLI_TRUST_WORKSPACE": "true"},
    ),
    "qwen": Judge(
        "qwen",
        {".qwen/settings.json": '{\n  "$version": 3, // theirs\n  "mcpServers": {"mine": {"command": "cat"}}\n}\n'},
        checks=((("mcp", "list"), r"memory: .* - Connected"),),
    ),
    "opencode": Judge(
        "opencode",
        {".config/opencode/opencode.jsonc": '{\n  // mine\n  "$schema": "https://opencode.ai/config.json",\n  "mcp": {}\n}\n'},
        checks=((("mcp", "list"), r"memory\s*(\x1b\[\d+m)?connected"),),
    ),
    "copilot": Judge(
        "copilot",
        {".copilot/mcp-config.json": '{\n  "mcpServers": {"mine": {"type": "local", "command": "cat", "args": [], "tools": []}}\n}\n'},
        checks=((("mcp", "get", "memory"), r"Status: Enabled\s+Type: local"),),
    ),
    "cline": Judge(
        "cline",
        {".cline/data/settings/cline_mcp_settings.json": '{\n  "mcpServers": {\n    "mine": {"command": "cat"}\n  }\n}\n'},
        checks=((("mcp", "uninstall", "memory"), r"Uninstalled MCP server memory"),),
    ),
    "continue": Judge(
        "cn",
        {".continue/config.yaml": "# mine\nname: Mine\nversion: 1.0.0\nschema: v1\nmcpServers:\n- name: mine   # first\n  command: cat\n"},
        unchecked="it has no command that lists servers; it starts them with a session only",
    ),
}


def says(output: str, pattern: str) -> bool:
    """Return whether a host printed what it should."""
    return re.search(pattern, output) is not None
