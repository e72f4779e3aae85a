"""Questions to predictions, through a session only."""

import re
from collections import Counter
from typing import Any

from benchmarks.quality.session import Session
from benchmarks.quality.split import Line, step_line
from mcp_memory.domain.step_keys import joined

Prediction = dict[str, Any]
SAME_TASK_LIMIT, RIGHT_FILE_LIMIT, DOCUMENT_LIMIT, PAST_REQUESTS = 10, 50, 20, 10
NEXT_TOOLS, RECOVERY_TOOLS, NAMED_FILES = 5, 3, 5
STEPS_AT_ONCE = 100
_STEP_TOOL = re.compile(r"#\d+ (\S+)")  # of a key step as recall shows it: "#0 tool arguments → …"


def context_of(question: Line) -> dict[str, Any]:
    """Return the question's context as arguments of recall."""
    context = question.get("context") or {}
    return {key: context[key] for key in ("domain", "language", "framework", "tags") if context.get(key)}


async def same_task(session: Session, question: Line) -> Prediction:
    """B1 (and with it B2 and B7): which earlier episodes?"""
    found = await session.recall(question["query"], SAME_TASK_LIMIT, context_of(question))
    return {"qid": question["qid"], "ranked": [e["external_id"] for e in found]}


async def right_file(session: Session, question: Line) -> Prediction:
    """B5: the files a default recall names; and the episodes, whose artifacts tell them where the scorer leaves attempts at the bug out."""
    context = context_of(question)
    found = await session.recall(question["query"], RIGHT_FILE_LIMIT, context)
    answer = await session.call("recall", query=question["query"], **context)
    return {"qid": question["qid"], "ranked": [e["external_id"] for e in found], "files": [f["path"] for f in answer["files"]]}


async def default_recall(session: Session, question: Line) -> Prediction:
    """B1 as an agent asks it, and B9: a recall with nothing but the question; what it shows, and what reading it costs."""
    read = await session.read("recall", query=question["query"], **context_of(question))
    rows = {kind: len(read.answer[kind]) for kind in ("episodes", "patterns", "files")}
    return {"qid": question["qid"], "tokens": read.text_tokens, "structured_tokens": read.structured_tokens, **rows}


async def new_bug(session: Session, question: Line) -> Prediction:
    """B8: the files that a default recall names for a bug nobody has worked on."""
    answer = await session.call("recall", query=question["query"], **context_of(question))
    return {"qid": question["qid"], "files": [f["path"] for f in answer["files"]][:NAMED_FILES]}


async def outcome(session: Session, question: Line) -> Prediction:
    """B6: will it succeed?"""
    answer = await session.call("recall", query=question["query"], limit=1, include=["episodes"], **context_of(question))
    return {"qid": question["qid"], "p": answer["outlook"]["expected_success"]}


async def next_tool(session: Session, question: Line) -> Prediction:
    """B3: which tools come next, after the steps so far?"""
    return _tools(question, await suggested(session, question, [step_line(s) for s in question["prefix"]], NEXT_TOOLS), NEXT_TOOLS)


async def recovery(session: Session, question: Line) -> Prediction:
    """B4: a step just failed; which tool did the successful recovery use?"""
    failed = step_line({"success": False, **question["failed"]})
    return _tools(question, await suggested(session, question, [failed], RECOVERY_TOOLS), RECOVERY_TOOLS)


def _tools(question: Line, suggestions: list[Line], limit: int) -> Prediction:
    """Return the keys of the tools suggested, and how sure the memory is of the first."""
    keys = [joined(s["tool"], s["action"]) for s in suggestions]
    sure = {"confidence": suggestions[0]["confidence"]} if suggestions else {}
    return {"qid": question["qid"], "tools": list(dict.fromkeys(keys))[:limit], **sure}


async def suggested(session: Session, question: Line, steps: list[Line], limit: int, **where: str) -> list[Line]:
    """Return what is suggested in an episode that is thrown away: it stays open, so nothing is learned from it."""
    episode_id = await opened_after(session, question, steps, **where)
    return list((await session.call("suggest_next_step", episode_id=episode_id, limit=limit))["suggestions"])


async def opened_after(session: Session, question: Line, steps: list[Line], **where: str) -> str:
    """Return the id of a new episode in which *steps* (in the form of `log_step`) are done."""
    task = question.get("task") or question["task_description"]
    started = await session.call("start_episode", task=task, recall=False, **context_of(question), **where)
    for first in range(0, len(steps), STEPS_AT_ONCE):
        await session.call("log_steps", episode_id=started["episode_id"], steps=steps[first : first + STEPS_AT_ONCE])
    return str(started["episode_id"])


async def document(session: Session, name: str, question: Line) -> Prediction:
    """R: which documents? For metatool: which tool served the most similar past requests?"""
    scope = {"project": question["scope"]} if question.get("scope") else {}
    if name == "metatool":
        ranked = _voted(await session.recall(question["query"], PAST_REQUESTS, **scope))
    else:
        ranked = [e["external_id"] for e in await session.recall(question["query"], DOCUMENT_LIMIT, **scope)]
    return {"set": name, "query_id": question["query_id"], "ranked": ranked}


def _voted(episodes: list[Line]) -> list[str]:
    """Return the tools of the episodes' steps, by the sum of the scores of the episodes that used them."""
    votes: Counter[str] = Counter()
    for episode in episodes:
        for tool in dict.fromkeys(found[1] for step in episode["key_steps"] if (found := _STEP_TOOL.match(step))):
            votes[tool] += episode["score"]
    return [tool for tool, _ in votes.most_common(DOCUMENT_LIMIT)]
