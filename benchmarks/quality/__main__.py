"""python -m benchmarks.quality SPLIT_DIR [--out predictions.jsonl] [--only b1,b3,b4,b5,b6,r] [--data-dir DIR]

Imports the split's memories with `mcp-memory import`, asks all questions through an MCP client over stdio with default settings, writes
the predictions in the scorer's form, and prints the scorer's table next to plain baselines run in this process. B2 and B7 are scored
from the answers to B1. With --data-dir the filled memories are kept and used again.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.harness import circumstances, summary, table
from benchmarks.quality import answers, baselines, report, split
from benchmarks.quality.door import Door, fill, opened

Question = dict[str, Any]
KINDS = ("b1", "b3", "b4", "b5", "b6", "r")
ASKERS: dict[str, Callable[[Door, Question], Awaitable[dict[str, Any]]]] = {
    "b1": answers.same_task,
    "b3": answers.next_tool,
    "b4": answers.recovery,
    "b5": answers.right_file,
    "b6": answers.outcome,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__.splitlines()[2])
    parser.add_argument("split", type=Path)
    parser.add_argument("--out", type=Path, default=Path("predictions.jsonl"))
    parser.add_argument("--only", default=",".join(KINDS), help="comma-separated: b1, b3, b4, b5, b6, r, locomo, metatool, stabletoolbench")
    parser.add_argument("--data-dir", type=Path, help="keep the filled memories here")
    args = parser.parse_args()
    only = set(args.only.split(","))
    sets = [name for name in split.SETS if "r" in only or name in only]
    with tempfile.TemporaryDirectory() as scratch:
        ours, plain, calls = asyncio.run(ask(args.split, only, sets, args.data_dir or Path(scratch)))
        scored = report.score(args.split, ours, args.out)
        baseline = report.score(args.split, plain, args.out.with_suffix(".baseline.jsonl"))
    answered = (only & set(KINDS)) | ({"b2", "b7"} if "b1" in only else set()) | ({"r"} if sets else set())
    print(report.full_table(scored, answered), "\n")
    print(report.summary_table(scored, baseline, answered), "\n")
    print(table("call, ms", {tool: summary(durations) for tool, durations in sorted(calls.items())}))
    print(circumstances())
    return 0


async def ask(folder: Path, only: set[str], sets: list[str], data_dir: Path) -> tuple[list[Any], list[Any], dict[str, list[float]]]:
    """Return our predictions, the baselines', and how long the calls took."""
    ours: list[Any] = []
    plain: list[Any] = []
    calls: dict[str, list[float]] = {}

    for name in ("repeat", "transfer"):
        wanted = [(kind, q) for kind in split.TASKS if kind in only for q in split.questions(folder, kind) if _memory_of(kind, q) == name]
        if not wanted:
            continue
        lines = [split.episode_line(e) for e in split.memory(folder, name)]
        bm25, after = baselines.Bm25(lines), baselines.AfterFailure(lines)
        plain += [_plain(bm25, after, kind, q) for kind, q in wanted]
        bm25.close()
        ours += await _through_door(data_dir / name, lines, [lambda door, k=k, q=q: ASKERS[k](door, q) for k, q in wanted], calls)
    for name in sets:
        lines, wanted_docs = list(split.set_lines(folder, name)), split.set_questions(folder, name)
        if not wanted_docs:
            continue
        bm25 = baselines.Bm25(lines)
        plain += [baselines.document(bm25, name, q, answers.DOCUMENT_LIMIT) for q in wanted_docs]
        bm25.close()
        asked = [lambda door, n=name, q=q: answers.document(door, n, q) for q in wanted_docs]
        ours += await _through_door(data_dir / name, lines, asked, calls)
    return ours, plain, calls


def _memory_of(kind: str, question: Question) -> str:
    """Return which memory a question is asked of; only B3 has a transfer memory of its own."""
    return "transfer" if kind == "b3" and question["setting"] == "transfer" else "repeat"


def _plain(bm25: baselines.Bm25, after: baselines.AfterFailure, kind: str, question: Question) -> dict[str, Any]:
    if kind == "b6":
        return baselines.outcome(bm25, question)
    if kind == "b3":
        return baselines.next_tool(bm25, question, answers.NEXT_TOOLS)
    if kind == "b4":
        return after.answer(question, answers.RECOVERY_TOOLS)
    return baselines.ranked(bm25, question, answers.RIGHT_FILE_LIMIT if kind == "b5" else answers.SAME_TASK_LIMIT)


async def _through_door(
    data_dir: Path, lines: list[Any], asked: list[Callable[[Door], Awaitable[dict[str, Any]]]], calls: dict[str, list[float]]
) -> list[dict[str, Any]]:
    """Fill a memory, ask it everything in order, and add up the durations of the calls."""
    filled = fill(data_dir, lines)
    print(
        f"{data_dir.name}: {filled['added']} episodes imported in {filled['seconds']} s, {len(asked)} questions",
        file=sys.stderr,
        flush=True,
    )
    if filled["problems"]:
        raise RuntimeError(f"{len(filled['problems'])} lines were not imported: {filled['problems'][0]}")
    async with opened(data_dir) as door:
        predictions = [await one(door) for one in asked]
        for tool, durations in door.durations_ms.items():
            calls.setdefault(tool, []).extend(durations)
    return predictions


if __name__ == "__main__":
    sys.exit(main())
