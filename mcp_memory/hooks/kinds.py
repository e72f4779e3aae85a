"""The kinds of events that hooks answer. It imports nothing: it is loaded with every hook."""

# argument of `mcp-memory hook` -> Claude Code's name of the event. PostToolUseFailure comes as post-tool-use, too.
EVENTS = {
    "session-start": "SessionStart",
    "user-prompt-submit": "UserPromptSubmit",
    "user-prompt-expansion": "UserPromptExpansion",
    "post-tool-use": "PostToolUse",
    "post-tool-batch": "PostToolBatch",
    "subagent-start": "SubagentStart",
    "subagent-stop": "SubagentStop",
    "stop": "Stop",
    "session-end": "SessionEnd",
}
# Events whose hook can tell the agent something.
SHOWS = frozenset({"session-start", "user-prompt-submit", "user-prompt-expansion", "post-tool-use", "post-tool-batch"})
PROMPTS = frozenset({"user-prompt-submit", "user-prompt-expansion"})
