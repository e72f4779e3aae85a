"""The agent hosts: where each keeps its configuration, under which key, and in which form an entry is written.

Forms as the hosts document them, November 2026; `docs/hosts.md` says which of them were run.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_memory.cli.install.entries import HTTP_TOKEN, Form, Launch, codex, continue_yaml, opencode, plain, typed
from mcp_memory.cli.install.host_paths import host_path
from mcp_memory.errors import InvalidInput

TOKEN_INPUT = "mcp-memory-token"  # the id of what VS Code asks for


_PLAIN = plain()


@dataclass(frozen=True, slots=True)
class Host:
    """One agent host."""

    name: str
    key: str  # the object (in YAML: the list) that holds the servers
    user_file: str  # a pattern of `places`; of several, separated by `|`, the first that exists
    project_file: str = ""  # relative, `|` as above; "" where the host has none
    form: Form = _PLAIN
    token_form: str = ""  # how a header refers to an environment variable; "" where it cannot
    has_http: bool = True  # the file can name a remote server
    signs: tuple[str, ...] = ()  # patterns of files or folders that a machine has when it has the host
    programs: tuple[str, ...] = ()  # its commands
    approval: str = ""  # what the person still has to approve of a user's entry
    project_approval: str = ""  # and of a project's

    def file(self, project: Path | None) -> Path:
        """Return the file to edit. Raises InvalidInput: the host has no project file; ConfigError: there is no home directory."""
        if project is not None and not self.project_file:
            raise InvalidInput(f"{self.name} has no per-project file", hint="Leave out --project-dir.")
        pattern = self.user_file if project is None else self.project_file
        files = [host_path(name) if project is None else project / name for name in pattern.split("|")]
        return next((file for file in files if file.exists()), files[0])

    def entry(self, launch: Launch) -> dict[str, Any]:
        """Return the host's entry for the server. Raises InvalidInput: the host cannot do that."""
        if launch.is_http and not self.has_http:
            raise InvalidInput(f"{self.name} reads only local servers from its file", hint="Install without --http.")
        if launch.is_http and launch.with_token and not self.token_form:
            raise InvalidInput(f"{self.name} cannot take the token from the environment", hint="Add the header to its file by hand.")
        return self.form(launch, self.token_form)


_BRACES, _ENV = f"${{{HTTP_TOKEN}}}", f"${{env:{HTTP_TOKEN}}}"
_SERVERS = "mcpServers"
_CLINE_EXTENSION = "APP/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"
_TABLE = (
    Host(
        "claude-code",
        _SERVERS,
        "CLAUDE_JSON/.claude.json",
        ".mcp.json",
        typed(),
        token_form=_BRACES,
        signs=("CLAUDE_JSON/.claude.json", "CLAUDE"),
        programs=("claude",),
        project_approval="Claude Code asks each person once whether to use the servers of a project's .mcp.json: start `claude` there.",
    ),
    Host("claude-desktop", _SERVERS, "APP/Claude/claude_desktop_config.json", has_http=False, signs=("APP/Claude",)),
    Host(
        "cursor",
        _SERVERS,
        "~/.cursor/mcp.json",
        ".cursor/mcp.json",
        token_form=_ENV,
        signs=("~/.cursor",),
        programs=("cursor", "cursor-agent"),
        project_approval="Cursor keeps a project's server off until you enable it, in Settings, MCP.",
    ),
    Host(
        "vscode",
        "servers",
        "APP/Code/User/mcp.json",
        ".vscode/mcp.json",
        typed(),
        token_form=f"${{input:{TOKEN_INPUT}}}",
        signs=("APP/Code/User",),
        programs=("code",),
        approval="VS Code asks whether you trust the server when it first starts it.",
        project_approval="VS Code asks whether you trust the workspace and the server when it first starts it.",
    ),
    Host(
        "windsurf",
        _SERVERS,
        "~/.codeium/windsurf/mcp_config.json",
        form=plain("serverUrl"),
        token_form=_ENV,
        signs=("~/.codeium/windsurf",),
        programs=("windsurf",),
    ),
    Host(
        "zed",
        "context_servers",
        "ZED/settings.json",
        ".zed/settings.json",
        signs=("ZED",),
        programs=("zed",),
        project_approval="Zed starts a project's servers only in a worktree you trust.",
    ),
    Host(
        "codex",
        "mcp_servers",
        "CODEX/config.toml",
        ".codex/config.toml",
        codex,
        token_form=HTTP_TOKEN,
        signs=("CODEX",),
        programs=("codex",),
        project_approval="Codex reads a project's .codex/config.toml only in a project you trust: start `codex` there.",
    ),
    Host(
        "gemini",
        _SERVERS,
        "GEMINI/settings.json",
        ".gemini/settings.json",
        plain("httpUrl"),
        token_form=_BRACES,
        signs=("GEMINI",),
        programs=("gemini",),
        approval="Gemini CLI starts servers, the user's too, only in a folder you trust.",
        project_approval="Gemini CLI uses a project's settings only in a folder you trust: start `gemini` there.",
    ),
    Host(
        "qwen",
        _SERVERS,
        "QWEN/settings.json",
        ".qwen/settings.json",
        plain("httpUrl"),
        token_form=_BRACES,
        signs=("QWEN",),
        programs=("qwen",),
        project_approval="Qwen Code asks whether to use a project's servers: start `qwen` there.",
    ),
    Host(
        "opencode",
        "mcp",
        "OPENCODE/opencode.json|OPENCODE/opencode.jsonc",
        "opencode.json|opencode.jsonc",
        opencode,
        token_form=f"{{env:{HTTP_TOKEN}}}",
        signs=("OPENCODE",),
        programs=("opencode",),
    ),
    Host(
        "copilot",
        _SERVERS,
        "COPILOT/mcp-config.json",
        form=typed("local", tools=["*"]),
        token_form=_BRACES,
        signs=("COPILOT",),
        programs=("copilot",),
    ),
    Host(
        "cline",
        _SERVERS,
        f"CLINE_MCP|{_CLINE_EXTENSION}",
        form=typed("", "streamableHttp", disabled=False),
        signs=("CLINE_MCP", _CLINE_EXTENSION),
        programs=("cline",),
    ),
    Host(
        "continue",
        _SERVERS,
        "CONTINUE/config.yaml",
        form=continue_yaml,
        token_form=f"${{{{ secrets.{HTTP_TOKEN} }}}}",
        signs=("CONTINUE",),
        programs=("cn",),
    ),
    Host(
        "droid",
        _SERVERS,
        "~/.factory/mcp.json",
        ".factory/mcp.json",
        typed(disabled=False),
        signs=("~/.factory",),
        programs=("droid",),
    ),
)
HOSTS = {host.name: host for host in _TABLE}
