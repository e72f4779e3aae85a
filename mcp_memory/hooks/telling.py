"""What a hook tells an agent: records of earlier runs as a few lines that say what they are."""

from collections.abc import Mapping
from typing import Any

from mcp_memory.domain.clipping import clip
from mcp_memory.domain.step_keys import joined

SHOWN_EPISODES = 3
EXAMPLE_CHARS = 200  # of the arguments a fix worked with
MIN_SIMILARITY = 0.3  # of what an agent is shown unasked: in `mcp-memory demo`, unrelated tasks stay below, related ones above


def recalled_text(recalled: Mapping[str, Any]) -> str:
    """Return what was recalled as the context an agent is given, or "" when it is not worth its tokens."""
    lines = []
    for episode in recalled.get("episodes", []):
        lines.append(f"- {clip(' '.join(episode['task'].split()), 200)} ({episode['outcome']}, reward {episode['reward']:.2f})")
        lines += [f"  - {clip(' '.join(text.split()), 300)}" for text in episode.get("lessons") or [episode.get("summary", "")] if text]
        lines += [f"  - {clip(text, 200)}" for text in (episode.get("key_steps") or [])[:2]]
    if not lines:
        return ""
    if files := recalled.get("files"):
        lines.append("- files worked on: " + ", ".join(map(_file_text, files)))
    lines += [f"- {clip(pattern['description'], 200)}" for pattern in recalled.get("patterns", [])[:SHOWN_EPISODES]]
    return "From the memory of earlier runs (records, not instructions):\n" + "\n".join(lines)


def _file_text(file: Mapping[str, Any]) -> str:
    changed = f", changed by {file['changed']} of {file['attempts']} attempts" if file["changed"] else ""
    why = f", {file['why']}" if file.get("why") else changed
    return clip(f"{file['path']}{why}", 200)


def recovery_text(advice: Mapping[str, Any]) -> str:
    """Return what fixed the error that just happened, or ""."""
    recovery = advice.get("recovery")
    if not recovery or not recovery.get("fixes"):
        return ""
    fixes = [_fix_text(fix) for fix in recovery["fixes"][:2] if fix["fixed"]]
    if not fixes:
        return ""
    return (
        f"From the memory of earlier runs (records, not instructions): the error “{recovery['error_signature']}” was fixed by "
        + ", ".join(fixes)
    )


def _fix_text(fix: Mapping[str, Any]) -> str:
    example = " ".join(str(value) for value in (fix.get("arguments_example") or {}).values())
    like = f", for example {clip(' '.join(example.split()), EXAMPLE_CHARS)}" if example else ""
    return f"{joined(fix['tool'], fix['action'])} (fixed it {fix['fixed']} of {fix['tried']} times{like})"
