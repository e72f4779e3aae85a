"""What plain full-text search and counting reach on the same questions, in this process."""

import heapq
import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.quality import answers
from benchmarks.quality.split import SETS, Line

_STOP_WORDS_TEXT = """
a an and are as at be but by can could do for from has have how i if in is it me my of on or please so that the then this to was what when
which with you
"""
STOP_WORDS = frozenset(_STOP_WORDS_TEXT.split())
STEPS_CHARS, ARGUMENT_CHARS, ERROR_CHARS, MAX_TERMS = 6_000, 200, 150, 64
NEIGHBOURS = 8


def tool_key(step: Line) -> str:
    """Return the tool, or tool:action where the two differ."""
    return step["tool"] if step.get("action") in (None, "", step["tool"]) else f"{step['tool']}:{step['action']}"


class Bm25:
    """Episodes in one FTS5 table, task and steps; a question's words joined by OR."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._db = sqlite3.connect(":memory:")
        self._db.execute("CREATE VIRTUAL TABLE t USING fts5 (id UNINDEXED, project UNINDEXED, task, steps, tokenize = 'porter unicode61')")
        self.lines: dict[str, Line] = {}
        for line in lines:
            steps = "\n".join(_step_text(s) for s in line["steps"])[:STEPS_CHARS]
            self._db.execute("INSERT INTO t VALUES (?, ?, ?, ?)", (line["external_id"], line.get("project", ""), line["task"], steps))
            self.lines[line["external_id"]] = line

    def search(self, text: str, limit: int, project: str = "") -> list[str]:
        """Return ids, best first."""
        words = [w for w in dict.fromkeys(re.findall(r"[^\W_]+", text.lower())) if w not in STOP_WORDS][:MAX_TERMS]
        if not words:
            return []
        match = " OR ".join(f'"{word}"' for word in words)
        where = "t MATCH ? AND project = ? ORDER BY bm25(t) LIMIT ?"
        return [row[0] for row in self._db.execute(f"SELECT id FROM t WHERE {where}", (match, project, limit))]

    def close(self) -> None:
        self._db.close()


def _step_text(step: Line) -> str:
    arguments = json.dumps(step.get("arguments") or {}, ensure_ascii=False)
    return f"{tool_key(step)} {arguments[:ARGUMENT_CHARS]} {(step.get('error') or '')[:ERROR_CHARS]}"


def ranked(memory: Bm25, question: Line, limit: int) -> dict[str, Any]:
    """B1, B5: plain BM25."""
    return {"qid": question["qid"], "ranked": memory.search(question["query"], limit)}


def outcome(memory: Bm25, question: Line) -> dict[str, Any]:
    """B6: the share of successes among the nearest, with one pseudo-episode of a half."""
    found = memory.search(question["query"], NEIGHBOURS)
    successes = sum(memory.lines[i]["outcome"]["kind"] == "success" for i in found)
    return {"qid": question["qid"], "p": (successes + 0.5) / (len(found) + 1)}


def next_tool(memory: Bm25, question: Line, limit: int) -> dict[str, Any]:
    """B3: what followed the last steps in the nearest episodes, with back-off; then their most frequent tools."""
    before = [tool_key(s) for s in question["prefix"]]
    votes: dict[str, float] = defaultdict(float)
    for rank, found in enumerate(memory.search(question["task_description"], NEIGHBOURS)):
        keys = [tool_key(s) for s in memory.lines[found]["steps"]]
        for order in (3, 2, 1):
            after = [i for i in range(order, len(keys)) if keys[i - order : i] == before[-order:]]
            for i in after:
                votes[keys[i]] += order / (1 + rank) / len(after)
            if after:
                break
        for key in set(keys):
            votes[key] += 0.05 / (1 + rank)
    return {"qid": question["qid"], "tools": heapq.nlargest(limit, votes, key=votes.__getitem__)}


def new_bug(memory: Bm25, question: Line, limit: int) -> dict[str, Any]:
    """B8: what the nearest episodes' agents had made or changed."""
    files = [file for i in memory.search(question["query"], NEIGHBOURS) for file in memory.lines[i]["outcome"].get("artifacts") or ()]
    return {"qid": question["qid"], "files": list(dict.fromkeys(files))[:limit]}


class AfterFailure:
    """B4: which tools most often came next after this tool had failed, then the most frequent tools of all."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._next: dict[str, Counter[str]] = defaultdict(Counter)
        self._all: Counter[str] = Counter()
        for line in lines:
            keys = [tool_key(s) for s in line["steps"]]
            self._all.update(keys)
            for i, step in enumerate(line["steps"][:-1]):
                if step.get("status") == "error":
                    self._next[keys[i]][keys[i + 1]] += 1

    def answer(self, question: Line, limit: int) -> dict[str, Any]:
        counts = self._next[tool_key(question["failed"])]
        tools = dict.fromkeys([key for key, _ in counts.most_common(limit)] + [key for key, _ in self._all.most_common(limit)])
        return {"qid": question["qid"], "tools": list(tools)[:limit]}


def document(memory: Bm25, name: str, question: Line, limit: int) -> dict[str, Any]:
    """R: plain BM25; for metatool the tool with most votes among the nearest past requests."""
    found = memory.search(question["query"], limit, question.get("scope") or "")
    if name == "metatool":
        votes = Counter(memory.lines[i]["steps"][0]["tool"] for i in found[:NEIGHBOURS])
        found = [tool for tool, _ in votes.most_common()]
    return {"set": name, "query_id": question["query_id"], "ranked": found}


def predictions(lines: Sequence[Line], wanted: Mapping[str, Sequence[Line]]) -> list[dict[str, Any]]:
    """Return the plain answers to the questions asked of one memory, by their set; no answer where counting has none."""
    memory, after = Bm25(lines), AfterFailure(lines)
    try:
        return [found for kind, questions in wanted.items() for q in questions if (found := _plain(memory, after, kind, q))]
    finally:
        memory.close()


def _plain(memory: Bm25, after: AfterFailure, kind: str, question: Line) -> dict[str, Any] | None:
    if kind in SETS:
        return document(memory, kind, question, answers.DOCUMENT_LIMIT)
    if kind in ("b1", "b5", "b11"):
        return ranked(memory, question, answers.RIGHT_FILE_LIMIT if kind == "b5" else answers.SAME_TASK_LIMIT)
    if kind == "b3":
        return next_tool(memory, question, answers.NEXT_TOOLS)
    if kind == "b4":
        return after.answer(question, answers.RECOVERY_TOOLS)
    if kind == "b6":
        return outcome(memory, question)
    return new_bug(memory, question, answers.NAMED_FILES) if kind == "b8" else None
