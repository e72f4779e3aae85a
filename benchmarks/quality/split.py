"""A split of recorded episodes: its questions, and its memories as interchange lines.

The answers of the questions (under "truth", "relevant_ids" and the like) stay in the files: `questions` takes them out.
"""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Line = dict[str, Any]
TASKS = {
    "b1": "b1_same_task",
    "b3": "b3_next_tool",
    "b4": "b4_recovery",
    "b5": "b5_right_file",
    "b6": "b6_outcome",
    "b8": "b8_new_bug",
    "b9": "b9_unrelated",
    "b10": "b10_drift",
    "b11": "b11_languages",
    "recall": "b1_same_task",  # the same questions, asked as an agent asks them
}
SETS = ("locomo", "metatool", "stabletoolbench")
DRIFT = "drift"  # the memory of the streams: what each saw before the world changed, a project a stream
ANSWERS = ("truth", "answer", "relevant_ids", "self_id")
TURN_MS = 60_000  # turns of a conversation, whose sessions alone are dated


def rows(path: Path) -> list[Line]:
    """Return the objects of a .jsonl.gz file; nothing when there is no such file."""
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def questions(split: Path, kind: str) -> list[Line]:
    """Return the questions of a kind in TASKS, without their answers. A stream says which way is intended at its end (`bad`)."""
    found = rows(task_file(split, kind))
    if kind == "b10":
        return [without_answers(q) | {"bad": q["truth"]["bad"]} for q in found]
    return [without_answers(q) for q in found]


def task_file(split: Path, kind: str) -> Path:
    return split / "tasks" / f"{TASKS[kind]}.jsonl.gz"


def memory_of(kind: str, question: Line) -> str:
    """Return which memory a question is asked of: B3 and the calibration say so, a new bug names its own, the streams share one."""
    if kind in ("b3", "calibration"):
        return str(question["setting"])
    if kind == "b8":
        return str(question["memory"])
    return DRIFT if kind == "b10" else "repeat"


def memory_lines(split: Path, name: str) -> list[Line]:
    """Return what the memory *name* (of `memory_of`, or one of SETS) holds, as interchange lines."""
    if name in SETS:
        return list(set_lines(split, name))
    if name == DRIFT:
        return [line for stream in rows(task_file(split, "b10")) for line in stream["old"]]
    return [episode_line(e) for e in memory(split, name)]


def tools_only(split: Path) -> bool:
    """Return whether the answers name tools without actions, as in the variants `tools` and `free` of a split."""
    keys = [q["truth"].get("next") or q["truth"].get("key") for kind in ("b3", "b4") for q in rows(task_file(split, kind))]
    return bool(keys) and not any(":" in key for key in keys)


def cut(split: Path, out: Path, limit: int) -> Path:
    """Make in *out* the same split with at most *limit* questions a set, spread evenly over it. What is in memory stays."""
    for kind in dict.fromkeys(TASKS.values()):
        _write(out / "tasks" / f"{kind}.jsonl.gz", spread(rows(split / "tasks" / f"{kind}.jsonl.gz"), limit))
    for name in ("episodes", "memory.json"):
        (out / name).symlink_to((split / name).resolve())
    for folder in (split / "retrieval").glob("*"):
        found = rows(folder / "queries.jsonl.gz")
        known = [q for q in found if q.get("role") == "memory"]
        asked = [q for q in found if q.get("role") != "memory" and q.get("kind") != "adversarial"]
        _write(out / "retrieval" / folder.name / "queries.jsonl.gz", known + spread(asked, limit))
        if (folder / "corpus.jsonl.gz").exists():
            (out / "retrieval" / folder.name / "corpus.jsonl.gz").symlink_to((folder / "corpus.jsonl.gz").resolve())
    return out


def spread(items: list[Line], limit: int) -> list[Line]:
    """Return at most *limit* of the items, evenly spread."""
    return [items[i * len(items) // limit] for i in range(limit)] if len(items) > limit else items


def _write(path: Path, items: list[Line]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(item, ensure_ascii=False) + "\n" for item in items)


def without_answers(question: Line) -> Line:
    return {key: value for key, value in question.items() if key not in ANSWERS}


def memory(split: Path, name: str) -> list[Line]:
    """Return the episodes of the memory *name* (a key of memory.json), as the split records them."""
    wanted = json.loads((split / "memory.json").read_text())[name]
    found = {e["episode_id"]: e for e in episodes(split)}
    return [found[i] for i in wanted]


def episodes(split: Path) -> list[Line]:
    """Return all recorded episodes, those that no memory of the split holds too."""
    return [e for file in sorted((split / "episodes").glob("*.jsonl.gz")) for e in rows(file)]


def probes(split: Path) -> list[Line]:
    """Return the recorded episodes that the memory "repeat" does not hold."""
    held = set(json.loads((split / "memory.json").read_text())["repeat"])
    return [e for e in episodes(split) if e["episode_id"] not in held]


def episode_line(episode: Line) -> Line:
    """Return a recorded episode in the interchange form. Source and task id are bookkeeping: they stay out."""
    context, outcome = episode["context"], episode["outcome"]
    return {
        "external_id": episode["episode_id"],
        "task": episode["task_description"],
        "context": {key: context[key] for key in ("domain", "language", "framework", "tags") if context.get(key)},
        "steps": [step_line(s) for s in episode["steps"]],
        "outcome": {"kind": outcome["status"], "artifacts": outcome.get("artifacts") or []},
    }


def step_line(step: Line) -> Line:
    """Return a recorded step in the form of `log_step` and the interchange file."""
    line = {"tool": step["tool"], "action": step["action"], "arguments": step["parameters"], "status": "ok" if step["success"] else "error"}
    if step.get("output"):
        line["observation"] = step["output"]
    if step.get("error"):
        line["error"] = step["error"]
    if step.get("latency_ms") is not None:
        line["duration_ms"] = round(step["latency_ms"])
    return line


def set_lines(split: Path, name: str) -> Iterator[Line]:
    """Yield a retrieval set's memory as interchange lines, one short episode a document."""
    folder = split / "retrieval" / name
    if name == "locomo":
        yield from _conversations(rows(folder / "corpus.jsonl.gz"))
    elif name == "metatool":  # past requests, each with the tool that served it
        for past in rows(folder / "queries.jsonl.gz"):
            if past.get("role") == "memory":
                yield _short(past["query_id"], past["query"], [{"tool": past["relevant_ids"][0]}])
    else:
        for doc in rows(folder / "corpus.jsonl.gz"):
            tool, _, action = doc["doc_id"].partition("::")
            yield _short(doc["doc_id"], doc["text"], [{"tool": tool[:200], "action": (action or tool)[:200]}])


def set_questions(split: Path, name: str) -> list[Line]:
    """Return a retrieval set's questions, without their answers."""
    found = rows(split / "retrieval" / name / "queries.jsonl.gz")
    return [without_answers(q) for q in found if q.get("role") != "memory" and q.get("kind") != "adversarial"]


def _short(external_id: str, task: str, steps: list[Line]) -> Line:
    return {"external_id": external_id, "task": task, "steps": steps, "outcome": {"kind": "success"}}


def _conversations(turns: list[Line]) -> Iterator[Line]:
    """Yield dialogue turns: a project a conversation; each turn follows the one before it in its session."""
    previous: Line = {}
    at_ms = 0
    for turn in turns:
        same = previous.get("scope") == turn["scope"] and previous.get("session") == turn["session"]
        at_ms = at_ms + TURN_MS if same else _session_ms(turn["date"])
        line = _short(turn["doc_id"], turn["text"], []) | {"project": turn["scope"], "started_at_ms": at_ms, "ended_at_ms": at_ms}
        yield line | ({"follows": previous["doc_id"]} if same else {})
        previous = turn


def _session_ms(date: str) -> int:
    """Return "1:56 pm on 8 May, 2023" as epoch milliseconds."""
    return int(datetime.strptime(date, "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC).timestamp() * 1000)
