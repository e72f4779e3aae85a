"""Learned patterns as plain lines. Pure, of wire data."""

from collections.abc import Mapping
from typing import Any

from mcp_memory.domain.text import shorten_quotes
from mcp_memory.phrases.words import counted, cut_id
from mcp_memory.rendering.lines import LABEL, held
from mcp_memory.rendering.on_one_line import cut, flat

NOTHING_TOLD = "The patterns found say no more than which tools were used; with `kind` they are listed."
MIN_WORDS = 0.3  # share of a query's words, rare ones counting more, from which a pattern is about it
_SENTENCE_CHARS, _SHOWN_IDS = 300, 5
Row = Mapping[str, Any]


def patterns_text(answer: Row, *, every: bool = False) -> str:
    """Return an answer of search_patterns as lines, a pattern each: those that say more than the names of tools, or *every* one."""
    notes = [f"Note: {flat(text)}" for text in answer.get("degraded") or ()]
    if not answer["patterns"]:
        return "\n".join(["No pattern is known for this.", *notes])
    told = [row for row in answer["patterns"] if every or (row.get("telling", True) and _is_close(row))]
    lines = [LABEL, *(f"{number}. {_pattern(row)} [{row['pattern_id']}]" for number, row in enumerate(told, 1))] if told else [NOTHING_TOLD]
    if told and answer.get("next_cursor"):
        lines.append(f"{counted(answer['total'], 'pattern')} in all: cursor={answer['next_cursor']}")
    return "\n".join([*lines, *notes])


def pattern_text(answer: Row) -> str:
    """Return an answer of get_pattern as lines: what it says, when it held and when not, and in which episodes."""
    failed = list(answer.get("failed_in") or ())
    held_in = [row["episode_id"] for row in answer["evidence"] if row["success"]]
    lines = [LABEL, f"{_pattern(answer)} [{answer['pattern_id']}]"]
    lines += [f"{said}: {', '.join(map(cut_id, ids[:_SHOWN_IDS]))}" for said, ids in (("Held in", held_in), ("Not in", failed)) if ids]
    if answer.get("retired"):
        lines.append("It is retired: it is not advised any more.")
    return "\n".join(lines)


def _is_close(row: Row) -> bool:
    """Return whether a pattern is of a task like the one asked for, or has enough of the query's words; without a query each is."""
    why = row.get("why") or {}
    return "words" not in why or "context" in why or why["words"] >= MIN_WORDS


def _pattern(row: Row) -> str:
    said = shorten_quotes(flat(row["description"]), _SENTENCE_CHARS)
    if correction := row.get("correction"):
        return f"{cut(correction, _SENTENCE_CHARS)} (corrected; instead of: {said})"
    return f"{said} ({held(row)})"
