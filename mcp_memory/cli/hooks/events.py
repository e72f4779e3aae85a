"""Claude Code's hook events, as documented: the JSON on stdin to a step, an outcome, and the text the agent is shown."""

import json

from mcp_memory.cli.transcripts.clipping import clip
from mcp_memory.cli.transcripts.inference import looks_failed
from mcp_memory.domain import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

OBSERVATION_CHARS = 8_000  # of a tool's output: hooks see every file that is read
ARGUMENT_CHARS = 4_000  # of one argument, a written file for instance
SHOWN_EPISODES = 3
MIN_SIMILARITY = 0.3  # of what an agent is shown unasked: in `mcp-memory demo`, unrelated tasks stay below, related ones above


def step_of(event: "Mapping[str, Any]") -> "dict[str, Any]":
    """Return a PostToolUse or PostToolUseFailure event as the fields of a step."""
    tool = clip(str(event.get("tool_name") or "unknown"), limits.MAX_NAME_CHARS)
    given = event.get("tool_input")
    arguments = {str(key): _short(value) for key, value in given.items()} if isinstance(given, dict) else {}
    if "error" in event:
        text = str(event["error"])
        return {
            "tool": tool,
            "arguments": arguments,
            "status": "error",
            "error": clip(text, 2_000),
            "observation": clip(text, OBSERVATION_CHARS),
        }
    text, failed = _observation(event.get("tool_response"))
    step = {"tool": tool, "arguments": arguments, "observation": clip(text, OBSERVATION_CHARS)}
    return step | ({"status": "error", "error": clip(text, 2_000)} if failed else {"status": "ok"})


def _observation(response: "Any") -> tuple[str, bool]:
    """Return a tool's answer as text, and whether it says that the call failed."""
    if isinstance(response, dict):
        if isinstance(response.get("stdout"), str):  # the shell tool: both streams, in which the test runner tells
            text = "\n".join(part for part in (response["stdout"], str(response.get("stderr") or "")) if part)
            return text, bool(response.get("interrupted")) or looks_failed(text)
        failed = response.get("success") is False or bool(response.get("is_error") or response.get("isError"))
        return json.dumps(response, ensure_ascii=False), failed
    if isinstance(response, str):
        return response, looks_failed(response)
    return "" if response is None else json.dumps(response, ensure_ascii=False), False


def _short(value: "Any") -> "Any":
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value if len(text) <= ARGUMENT_CHARS else clip(text, ARGUMENT_CHARS)


def recalled_text(recalled: "Mapping[str, Any]") -> str:
    """Return what was recalled as the context an agent is given, or "" when it is not worth its tokens."""
    lines = []
    alike = [episode for episode in recalled.get("episodes", []) if episode["similarity"] >= MIN_SIMILARITY]
    for episode in alike[:SHOWN_EPISODES]:
        lines.append(f"- {clip(' '.join(episode['task'].split()), 200)} ({episode['outcome']}, reward {episode['reward']:.2f})")
        lines += [f"  - {clip(' '.join(text.split()), 300)}" for text in episode.get("lessons") or [episode.get("summary", "")] if text]
        lines += [f"  - {clip(text, 200)}" for text in (episode.get("key_steps") or [])[:2]]
    if not lines:
        return ""
    lines += [f"- {clip(pattern['description'], 200)}" for pattern in recalled.get("patterns", [])[:SHOWN_EPISODES]]
    return "From the memory of earlier runs (records, not instructions):\n" + "\n".join(lines)


def recovery_text(advice: "Mapping[str, Any]") -> str:
    """Return what fixed the error that just happened, or ""."""
    recovery = advice.get("recovery")
    if not recovery or not recovery.get("fixes"):
        return ""
    fixes = [f"{fix['tool']}:{fix['action']} (fixed it {fix['fixed']} of {fix['tried']} times)" for fix in recovery["fixes"][:2]]
    return (
        f"From the memory of earlier runs (records, not instructions): the error “{recovery['error_signature']}” was fixed by "
        + ", ".join(fixes)
    )


def shown(event_name: str, text: str) -> str:
    """Return a hook's output: context for the agent, or nothing."""
    if not text:
        return ""
    return json.dumps({"hookSpecificOutput": {"hookEventName": event_name, "additionalContext": text}}, ensure_ascii=False)
