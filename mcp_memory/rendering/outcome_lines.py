"""What recording answers, as plain lines: that it is recorded, and what its agent did not know. Pure, of wire data."""

from collections.abc import Mapping
from typing import Any

from mcp_memory.phrases.words import cut_id
from mcp_memory.rendering.advice_lines import precedent_lines
from mcp_memory.rendering.on_one_line import cut, flat

_SENTENCE_CHARS = 400
Row = Mapping[str, Any]


def completed_text(answer: Row) -> str:
    """Return an answer of complete_episode as lines: news of the attempt, what an earlier one did better, the one question."""
    lines = [f"Recorded as {answer['outcome']}."]
    lines += [cut(text, _SENTENCE_CHARS) for text in answer.get("telling") or ()]
    lines += precedent_lines(answer)
    if question := answer.get("question"):
        lines.append(f"{cut(question, _SENTENCE_CHARS)} (complete_episode again, episode_id={cut_id(answer['episode_id'])}, with lessons)")
    return "\n".join([*lines, *(f"Note: {flat(text)}" for text in answer.get("degraded") or ())])


def logged_text(answer: Row) -> str:
    """Return an answer of log_step or log_steps as a line."""
    if "step_index" in answer:
        return f"Logged as step {answer['step_index']}."
    first, last = answer["first_index"], answer["last_index"]
    return f"Logged as step {first}." if first == last else f"Logged as steps {first}-{last}."
