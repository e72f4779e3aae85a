"""Stored episodes as plain lines: how each ended, and of one what is to be known of it and its steps. Pure, of wire data."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.step_roles import moves
from mcp_memory.phrases.words import cut_id
from mcp_memory.rendering.lines import LABEL
from mcp_memory.rendering.on_one_line import cut, flat

_ROW_CHARS = 160  # of a task in a list
_TASK_CHARS, _TEXT_CHARS, _VALUE_CHARS, _CAME_CHARS = 600, 400, 300, 300
FULL_CHARS = 4_000  # of one text where everything is asked for
Row = Mapping[str, Any]


def episode_text(found: Row, *, full: bool) -> str:
    """Return an answer of get_episode as lines; *full*: with up to 4,000 characters of every text."""
    return "\n".join([f"{LABEL} {_head(found)}", *_known(found), *_steps(found, full=full), *_rest(found)])


def episodes_text(answer: Row, *, everywhere: bool) -> str:
    """Return an answer of search_episodes as lines: how each ended, when, where and at what, and how to go on.

    *everywhere*: all projects were searched; else it is said how to.
    """
    rows = answer["episodes"]
    many = f"{answer['total']}{' or more' if answer['more_than_total'] else ''}"
    if not rows:
        none = "No episode is like that." if everywhere else "No episode of this project is like that; project=* searches all."
        return f"None further: {many} in all." if answer["total"] else none
    more = [f"More: cursor={answer['next_cursor']}"] if answer.get("next_cursor") else []
    return "\n".join([f"{LABEL} {many} found:", *map(_row, rows), *more])


def _row(row: Row) -> str:
    how = row.get("outcome") or row["state"]
    when = str(row.get("ended_at") or row["started_at"])[:10]
    steps = f"{row['step_count']} step{'' if row['step_count'] == 1 else 's'}"
    return f"{how}, {when}, {flat(row['project'])}, {steps} ({cut_id(row['episode_id'])}): {cut(row['task'], _ROW_CHARS)}"


def _head(found: Row) -> str:
    outcome = found.get("outcome") or {}
    how = outcome.get("kind") or found["state"]
    when = str(found.get("ended_at") or found["started_at"])[:10]
    return f"{how}, {when}, {flat(found['project'])} ({found['episode_id']}): {cut(found['task'], _TASK_CHARS)}"


def _known(found: Row) -> Iterator[str]:
    """Yield what was said and found about it: corrected, summed up, learnt."""
    outcome, reflection = found.get("outcome") or {}, found.get("reflection") or {}
    said = [("Corrected", found.get("correction")), ("Summary", outcome.get("summary"))]
    said += [("Lesson", text) for text in outcome.get("lessons") or ()]
    said += [("Not done", text) for text in outcome.get("failed") or ()]
    said += [("Found", text) for text in (*(reflection.get("successes") or ()), *(reflection.get("improvements") or ()))]
    yield from dict.fromkeys(f"{name}: {cut(str(text), _TEXT_CHARS)}" for name, text in said if text)


def _steps(found: Row, *, full: bool) -> Iterator[str]:
    """Yield a line a step; unless everything is asked for, one for all steps in a row that only went to another place of a file."""
    for is_move, group in groupby(found.get("steps") or (), key=lambda step: not full and _only_moves(step)):
        if is_move:
            steps = list(group)
            yield f"#{steps[0]['index']} " + "; ".join(_call(step, _VALUE_CHARS) for step in steps)
        else:
            yield from _told(group, full=full)


def _only_moves(step: Row) -> bool:
    return moves(step["tool"]) and not step.get("error")


def _told(steps: Iterable[Row], *, full: bool) -> Iterator[str]:
    for step in steps:
        call = _call(step, FULL_CHARS if full else _VALUE_CHARS)
        came = str(step.get("error") or step.get("observation") or "")
        said = f" → {'error: ' if step.get('error') else ''}{cut(came, FULL_CHARS if full else _CAME_CHARS)}" if came.strip() else ""
        yield f"#{step['index']} {call}{said}"


def _call(step: Row, max_chars: int) -> str:
    arguments = step.get("arguments") or {}
    if is_shell(step["tool"]) and (command := command_in(arguments)):
        return f"$ {cut(command, max_chars)}"
    return " ".join([step["tool"], *(f"{name}={cut(str(value), max_chars)}" for name, value in arguments.items() if str(value).strip())])


def _rest(found: Row) -> Iterator[str]:
    if (start := found.get("next_step_from")) is not None:
        yield f"Of {found['step_count']} steps; more: get_episode(step_from={start})"
