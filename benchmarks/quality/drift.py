"""B10: the world changes while the memory is in use; does its advice follow?"""

from typing import Any

from benchmarks.quality.answers import context_of, opened_after, suggested
from benchmarks.quality.session import Session
from benchmarks.quality.split import Line
from mcp_memory.domain.step_keys import joined

SUGGESTIONS = 3


async def stream(session: Session, question: Line) -> dict[str, Any]:
    """Live through a stream whose old episodes are imported, ask before the first new one and after each, and intend the old way last."""
    project = question["project"]
    first = [await _first_suggestion(session, question["question"], project)]
    for episode in question["new"]:
        await live_through(session, episode, project)
        first.append(await _first_suggestion(session, question["question"], project))
    return {"qid": question["qid"], "first": first, "warned": await _warned(session, question)}


async def live_through(session: Session, episode: Line, project: str) -> None:
    """Record an episode as an agent does: start with recall, the steps one by one, complete."""
    started = await session.call("start_episode", task=episode["task"], project=project, **context_of(episode))
    for step in episode["steps"]:
        await session.call("log_step", episode_id=started["episode_id"], **given(step))
    await session.call("complete_episode", episode_id=started["episode_id"], outcome=episode["outcome"])


def given(step: Line) -> Line:
    """Return a step without the fields that say nothing."""
    return {name: value for name, value in step.items() if value not in (None, "")}


async def _first_suggestion(session: Session, question: Line, project: str) -> dict[str, Any]:
    found = await suggested(session, question, [given(s) for s in question["steps"]], SUGGESTIONS, project=project)
    if not found:
        return {"key": "", "arguments": {}}
    return {"key": joined(found[0]["tool"], found[0]["action"]), "arguments": found[0].get("arguments_example") or {}}


async def _warned(session: Session, stream_: Line) -> bool:
    """Return whether the old way, intended as the last old episode went it, is warned about."""
    question = stream_["question"]
    steps = [given(s) for s in question["steps"]]
    episode_id = await opened_after(session, question, steps, project=stream_["project"])
    return bool((await session.call("suggest_next_step", episode_id=episode_id, intended=old_way(stream_)))["warnings"])


def old_way(stream_: Line) -> Line:
    """Return the newest old step that is the stream's `bad` way, as `intended`. Raises ValueError: no old episode went it."""
    for episode in reversed(stream_["old"]):
        for step in reversed(episode["steps"]):
            if joined(step["tool"], step.get("action") or "") == stream_["bad"]["key"]:
                return {name: step[name] for name in ("tool", "action", "arguments") if step.get(name)}
    raise ValueError(f"{stream_['qid']}: no old episode has a step {stream_['bad']['key']!r}")
