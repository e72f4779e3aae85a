"""Where each agent host puts what a hook needs: one map a host, as data. Which events it has, the table that `install` writes says.

A value is found under the first of its paths that is there; dots lead into objects. Hosts that took over Claude Code's names differ in a
few of them. `answer` are the paths of the hook's output under which the host takes a text for the agent.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

DEFAULT_HOST = "claude-code"
SPECIFIC = "hookSpecificOutput.additionalContext"

_CLAUDE: "dict[str, tuple[str, ...]]" = {
    "session": ("session_id",),
    "cwd": ("cwd",),
    "name": ("hook_event_name",),
    "prompt": ("prompt",),
    "turn": ("prompt_id",),
    "answer": ("last_assistant_message",),
    "busy": ("background_tasks",),
    "source": ("source",),
    "agent": ("agent_id",),
    "tool": ("tool_name",),
    "arguments": ("tool_input",),
    "response": ("tool_response",),
    "error": ("error",),
    "succeeded": (),
    "exit_code": (),
    "rollout": (),
    "interrupted": ("is_interrupt",),
    "duration_ms": ("duration_ms",),
    "call": ("tool_use_id",),
    "calls": ("tool_calls",),
    "started": ("tool_response.agentId",),
}


class FieldMap:
    """A host's names. `has_batches`: after a round of tool calls it tells all of them, in the order of the calls."""

    __slots__ = ("answer", "fields", "has_batches", "host")

    def __init__(self, host: str, changes: "Mapping[str, tuple[str, ...]]", answer: tuple[str, ...], *, has_batches: bool = False) -> None:
        self.host, self.fields, self.answer, self.has_batches = host, {**_CLAUDE, **changes}, answer, has_batches

    def get(self, told: "Mapping[str, Any]", field: str) -> "Any":
        """Return what the host says under one of our names, None where it says nothing."""
        for path in self.fields[field]:
            value: Any = told
            for key in path.split("."):
                value = value.get(key) if isinstance(value, dict) else None
            if value is not None:
                return value
        return None

    def text(self, told: "Mapping[str, Any]", field: str) -> str:
        """Return what the host says under one of our names as a string, "" where it says nothing."""
        value = self.get(told, field)
        return "" if value is None else str(value)


FIELD_MAPS = {
    fields.host: fields
    for fields in (
        FieldMap("claude-code", {}, (SPECIFIC,), has_batches=True),
        # Its hook is not told how a command ended: `rollout` looks that up where the session's file is.
        FieldMap("codex", {"turn": ("turn_id",), "exit_code": ("exit_code",), "rollout": ("transcript_path",)}, (SPECIFIC,)),
        FieldMap("gemini", {"answer": ("prompt_response",)}, (SPECIFIC,)),
        FieldMap("qwen", {"call": ("tool_call_id", "tool_use_id")}, (SPECIFIC,), has_batches=True),
        FieldMap(
            "copilot",
            {
                "session": ("session_id", "sessionId", "transcript_path", "transcriptPath"),
                "prompt": ("prompt", "initialPrompt"),
                "tool": ("tool_name", "toolName"),
                "arguments": ("tool_input", "toolArgs"),
                "response": ("tool_response", "tool_result", "toolResult"),
                "cwd": ("cwd", "workingDirectory"),
            },
            (SPECIFIC, "additionalContext"),
        ),
        FieldMap("vscode", {"session": ("session_id", "sessionId"), "name": ("hook_event_name", "hookEventName")}, (SPECIFIC,)),
        FieldMap(
            "cursor",
            {
                "session": ("conversation_id", "session_id"),
                "cwd": ("cwd", "workspace_roots"),
                "turn": ("generation_id",),
                "response": ("tool_output", "tool_response"),
                "error": ("error_message", "error"),
                "duration_ms": ("duration", "duration_ms"),
            },
            ("additional_context",),
        ),
        FieldMap(
            "cline",
            {
                "session": ("taskId",),
                "cwd": ("workspaceRoots",),
                "name": ("hookName",),
                "prompt": ("userPromptSubmit.prompt", "taskStart.taskMetadata.initialTask"),
                "tool": ("postToolUse.toolName",),
                "arguments": ("postToolUse.parameters",),
                "response": ("postToolUse.result",),
                "succeeded": ("postToolUse.success",),
                "duration_ms": ("postToolUse.executionTimeMs",),
            },
            ("contextModification",),
        ),
    )
}


def field_map(host: str) -> FieldMap:
    """Return a host's map; a host we do not know is taken to speak as Claude Code does, and keeps its name."""
    return FIELD_MAPS.get(host) or FieldMap(host, {}, (SPECIFIC,))
