"""The agent hosts with hooks: which of their events our hooks answer, under which names, where and in which form they are registered.

One table, as data: `install --hooks` writes it into a host's file, the packages are made from it, and whoever reads a hook's payload finds
here which of our events a host's event is. Plain classes and no imports: this is loaded with every hook.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# How a host's file lists a command of an event
GROUPS = "groups"  # {event: [{matcher, hooks: [{type, command, timeout}]}]}, Claude Code's
LIST = "list"  # {version: 1, hooks: {event: [{command, timeout}]}}, Cursor's
SHELLS = "shells"  # {version: 1, hooks: {event: [{type, bash, powershell, timeoutSec}]}}, Copilot's

SECONDS, MILLISECONDS = 1, 1000  # of a host's time-outs, in one second


class HookEvent:
    """An event of a host.

    `argument` is what `mcp-memory hook` is called with, our name for what happened. `receiver_ready` is False where it is not to be
    installed: VS Code reads the file that Copilot's hooks are in, and would run them twice.
    """

    __slots__ = ("argument", "matcher", "name", "receiver_ready", "timeout_s")

    def __init__(self, name: str, argument: str, *, timeout_s: int = 10, matcher: str = "", receiver_ready: bool = True) -> None:
        self.name, self.argument, self.timeout_s = name, argument, timeout_s
        self.matcher, self.receiver_ready = matcher, receiver_ready


class HookHost:
    """A host's hooks. Its files are patterns of `cli/install/host_paths.py`; `project_file` is relative to the project."""

    __slots__ = ("events", "name", "off", "project_file", "shape", "timeout_unit", "trust", "user_file")

    def __init__(
        self,
        name: str,
        user_file: str,
        project_file: str,
        events: "Iterable[HookEvent]",
        *,
        shape: str = GROUPS,
        timeout_unit: int = SECONDS,
        off: "tuple[tuple[str, ...], bool]" = ((), False),
        trust: str = "",
    ) -> None:
        self.name, self.user_file, self.project_file = name, user_file, project_file
        self.events, self.shape, self.timeout_unit = tuple(events), shape, timeout_unit
        self.off = off  # (path of a member of the file, the value with which the host runs no hook at all)
        self.trust = trust  # what the person has to approve, or to do instead

    @property
    def ready(self) -> "tuple[HookEvent, ...]":
        """The events that can be installed today."""
        return tuple(event for event in self.events if event.receiver_ready)


def _events(failure: bool = True, matcher: str = "*", end_timeout_s: int = 15) -> "list[HookEvent]":
    """Return the events of Claude Code's names, which several hosts have taken over."""
    rows = [
        HookEvent("SessionStart", "session-start"),
        HookEvent("UserPromptSubmit", "user-prompt-submit"),
        HookEvent("PostToolUse", "post-tool-use", matcher=matcher),
        HookEvent("PostToolUseFailure", "post-tool-use", matcher=matcher),
        HookEvent("Stop", "stop", timeout_s=15),
        HookEvent("SessionEnd", "session-end", timeout_s=end_timeout_s),
    ]
    return [event for event in rows if failure or event.name != "PostToolUseFailure"]


_DISABLED = (("disableAllHooks",), True)
_BATCH = HookEvent("PostToolBatch", "post-tool-batch")
_CLAUDE_CODE = HookHost(
    "claude-code",
    "CLAUDE/settings.json",
    ".claude/settings.json",
    [
        HookEvent("SessionStart", "session-start", matcher="startup|clear|compact"),
        *_events()[1:],
        _BATCH,
        HookEvent("UserPromptExpansion", "user-prompt-expansion"),
        HookEvent("SubagentStop", "subagent-stop"),
    ],
    off=_DISABLED,
)
_CODEX = HookHost(
    "codex",
    "CODEX/hooks.json",
    ".codex/hooks.json",
    _events(failure=False, matcher="", end_timeout_s=3),  # it warns at every start of more
    trust="Codex runs hooks only after you have reviewed them: start `codex`, then `/hooks` (`t` trusts them all).",
)
_GEMINI = HookHost(
    "gemini",
    "GEMINI/settings.json",
    ".gemini/settings.json",
    [
        HookEvent("SessionStart", "session-start"),
        HookEvent("BeforeAgent", "user-prompt-submit"),
        HookEvent("AfterTool", "post-tool-use", matcher="*"),
        HookEvent("AfterAgent", "stop", timeout_s=15),
        HookEvent("SessionEnd", "session-end", timeout_s=15),
    ],
    timeout_unit=MILLISECONDS,
    off=(("hooksConfig", "enabled"), False),
)
_QWEN = HookHost("qwen", "QWEN/settings.json", ".qwen/settings.json", [*_events(), _BATCH], timeout_unit=MILLISECONDS, off=_DISABLED)
# Names in PascalCase: Copilot then sends Claude Code's fields, and VS Code, which reads the same files, understands them, too.
_COPILOT = HookHost("copilot", "COPILOT/hooks/mcp-memory.json", ".github/hooks/mcp-memory.json", _events(matcher=""), shape=SHELLS)
_VSCODE = HookHost(
    "vscode",
    "COPILOT/hooks/mcp-memory.json",
    ".github/hooks/mcp-memory.json",
    [
        HookEvent(name, argument, receiver_ready=False)
        for name, argument in (
            ("SessionStart", "session-start"),
            ("UserPromptSubmit", "user-prompt-submit"),
            ("PostToolUse", "post-tool-use"),
            ("Stop", "stop"),
        )
    ],
    shape=SHELLS,
    trust="VS Code runs the hooks of Copilot CLI: mcp-memory install copilot --hooks.",
)
_CURSOR = HookHost(
    "cursor",
    "~/.cursor/hooks.json",
    ".cursor/hooks.json",
    [
        HookEvent(name, argument)
        for name, argument in (
            ("sessionStart", "session-start"),
            ("beforeSubmitPrompt", "user-prompt-submit"),
            ("postToolUse", "post-tool-use"),
            ("postToolUseFailure", "post-tool-use"),
            ("stop", "stop"),
            ("sessionEnd", "session-end"),
        )
    ],
    shape=LIST,
)

HOOK_HOSTS = {host.name: host for host in (_CLAUDE_CODE, _CODEX, _GEMINI, _QWEN, _COPILOT, _VSCODE, _CURSOR)}
