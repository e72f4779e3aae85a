"""python -m benchmarks.held_out SPLIT_DIR [--every-step] [--work DIR] [--json]

Next tool and outlook for the episodes that are *in* the split's memory, each left out while it is asked about: ten times the questions
that the split itself asks, so that a difference of a few per cent can be told from luck. "transfer": all attempts at the task are
forgotten first; "repeat": this one only. Each episode is asked about at a quarter, the half and three quarters of its steps, with
--every-step after each of them. Through the facade of this process, with default settings; task ids never reach the memory. Beside each
figure half its 95 % interval, by drawing episodes. `worked1` is hit1 where the next step worked, `endorsed1` where it failed: of it less is
better.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import circumstances, wins
from benchmarks.quality import answers, split
from benchmarks.quality.in_process import InProcess, opened_here
from mcp_memory.domain.step_keys import joined

CUTS = (0.25, 0.5, 0.75)
MIN_QUESTIONS = 10  # of a source that counts in the mean over sources
DRAWS, SEED = 500, 0
FORGOTTEN_AT_ONCE = 50
STEP_METRICS = ("hit1", "hit3", "rest5", "worked1", "endorsed1")
AGAIN = "~"  # what was forgotten is not imported again under its name
Scores = dict[str, list[float]]  # metric -> values, of one episode


async def held_out(session: InProcess, episodes: Sequence[Any], mode: str, *, every_step: bool = False) -> list[tuple[str, Scores]]:
    """Return (source, scores) of every episode. The memory holds the same episodes afterwards."""
    groups: dict[str, list[Any]] = defaultdict(list)
    for episode in episodes:
        groups[episode["task_id"] if mode == "transfer" else episode["episode_id"]].append(episode)
    attempts: dict[str, int] = defaultdict(int)
    for episode in episodes:
        attempts[episode["task_id"]] += 1
    there = await session.episode_ids()
    names = {name.rstrip(AGAIN): name for name in there}
    ids = {plain: there[name] for plain, name in names.items()}
    found = []
    for group in groups.values():
        if mode == "repeat" and attempts[group[0]["task_id"]] < 2:
            continue
        left_out = [ids[e["episode_id"]] for e in group]
        for first in range(0, len(left_out), FORGOTTEN_AT_ONCE):
            await session.call("forget", episode_ids=left_out[first : first + FORGOTTEN_AT_ONCE], confirm=True)
        found += [(e["source"], await asked(session, e, every_step=every_step)) for e in group]
        await session.take_in(split.episode_line(e) | {"external_id": names[e["episode_id"]] + AGAIN} for e in group)
    return found


async def asked(session: InProcess, episode: Any, *, every_step: bool = False) -> Scores:
    """Return what an episode that is not in memory scores."""
    question = {"task_description": episode["task_description"], "query": episode["task_description"], "context": episode["context"]}
    keys = [joined(step["tool"], step["action"]) for step in episode["steps"]]
    scores: Scores = {metric: [] for metric in STEP_METRICS}
    for at in range(1, len(keys)) if every_step else sorted({int(len(keys) * cut) for cut in CUTS} - {0}):
        prediction = await answers.next_tool(session, {"qid": "", "prefix": episode["steps"][:at], **question})
        tools, rest = prediction["tools"], set(keys[at:])
        scores["hit1"].append(tools[:1] == [keys[at]])
        scores["worked1" if episode["steps"][at]["success"] else "endorsed1"].append(tools[:1] == [keys[at]])
        scores["hit3"].append(keys[at] in tools[:3])
        scores["rest5"].append(len(set(tools[:5]) & rest) / min(5, len(rest)))
    chance = (await answers.outcome(session, {"qid": "", **question}))["p"]
    succeeded = episode["outcome"]["status"] == "success"
    return scores | {"chance": [chance], "succeeded": [float(succeeded)]}


def summarised(found: Sequence[tuple[str, Scores]]) -> dict[str, dict[str, Any]]:
    """Return, by source, over all, and as the mean over sources: the metrics and half their 95 % intervals."""
    by_source: dict[str, list[Scores]] = defaultdict(list)
    for source, scores in found:
        by_source[source].append(scores)
    rows: dict[str, dict[str, Any]] = {source: _row(episodes) for source, episodes in sorted(by_source.items())}
    large = [row for row in rows.values() if row["questions"] >= MIN_QUESTIONS]
    rows["MACRO"] = {metric: (_mean([v for row in large if (v := row[metric][0]) == v]), None) for metric in STEP_METRICS}
    whole = _row([scores for _, scores in found])
    rows["ALL"] = {name: whole[name] for name in ("worked1", "endorsed1", "auc", "brier", "questions")}
    return rows


def _row(episodes: Sequence[Scores]) -> dict[str, Any]:
    row: dict[str, Any] = {"questions": sum(len(e["hit1"]) for e in episodes)}
    for metric in STEP_METRICS:
        row[metric] = _interval(episodes, lambda chosen, m=metric: _mean([v for e in chosen for v in e[m]]))
    row["auc"] = _interval(episodes, lambda chosen: _auc([(e["chance"][0], e["succeeded"][0]) for e in chosen]))
    row["brier"] = _interval(episodes, lambda chosen: _mean([(e["chance"][0] - e["succeeded"][0]) ** 2 for e in chosen]))
    return row


def _interval(episodes: Sequence[Scores], metric: Any) -> tuple[float, float]:
    random_ = random.Random(SEED)
    drawn = sorted(metric(random_.choices(episodes, k=len(episodes))) for _ in range(DRAWS))
    return metric(episodes), (drawn[int(0.975 * DRAWS)] - drawn[int(0.025 * DRAWS)]) / 2


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def _auc(pairs: Sequence[tuple[float, float]]) -> float:
    good, bad = [p for p, y in pairs if y], [p for p, y in pairs if not y]
    return wins(good, bad) / (len(good) * len(bad)) if good and bad else float("nan")


def table(mode: str, rows: dict[str, dict[str, Any]]) -> str:
    """Return the rows as text."""
    metrics = (*STEP_METRICS, "auc", "brier")
    lines = [f"{mode:<18} {'questions':>9} " + " ".join(f"{m:>12}" for m in metrics)]
    for name, row in rows.items():
        lines.append(f"{name:<18} {row.get('questions', ''):>9} " + " ".join(f"{_cell(row.get(m)):>12}" for m in metrics))
    return "\n".join(lines)


def _cell(value: tuple[float, float | None] | None) -> str:
    if value is None or value[0] != value[0]:
        return "-"
    return f"{value[0]:.3f}" + ("" if value[1] is None else f" ± {value[1]:.3f}")


async def run(folder: Path, work: Path, *, every_step: bool = False) -> dict[str, Any]:
    """Return the rows of both modes."""
    episodes = split.memory(folder, "repeat")
    results = {}
    async with opened_here(work, map(split.episode_line, episodes)) as session:
        for mode in ("transfer", "repeat"):
            results[mode] = summarised(await held_out(session, episodes, mode, every_step=every_step))
    return results


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.held_out", description=(__doc__ or "").splitlines()[2])
    parser.add_argument("split", type=Path)
    parser.add_argument("--every-step", action="store_true", help="ask after every step: three times the questions")
    parser.add_argument("--work", type=Path, help="keep the filled memory here")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        results = asyncio.run(run(args.split, args.work or Path(scratch), every_step=args.every_step))
    if args.json:
        print(json.dumps({"circumstances": circumstances(), **results}, indent=1))
        return 0
    for mode, rows in results.items():
        print(table(mode, rows), "\n")
    print(circumstances())
    return 0


if __name__ == "__main__":
    sys.exit(main())
