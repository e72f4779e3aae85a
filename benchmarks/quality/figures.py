"""A split's main figures, asked of the facade in this process: quick enough to ask again for every part that is switched off."""

import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.quality import report, split
from benchmarks.quality.asking import ASKERS
from benchmarks.quality.in_process import opened_here

KINDS = ("b1", "b3", "b4", "b5", "b6")
CHANGES = ("fix fails now", "others do otherwise", "tool renamed", "arguments changed")
METRICS = (
    ("B1 same-task paraphrase | MACRO", "mrr"),
    ("B2 replay paraphrase | ALL", "reward1"),
    ("B3 next-tool repeat | MACRO", "hit1"),
    ("B3 next-tool repeat | MACRO", "hit3"),
    ("B3 next-tool repeat | MACRO", "rest_recall5"),
    ("B3 next-tool transfer | MACRO", "hit1"),
    ("B3 next-tool transfer | MACRO", "rest_recall5"),
    ("B3 next-tool repeat, next step worked | MACRO", "hit1"),
    ("B3 next-tool repeat, next step failed | ALL", "endorsed1"),
    ("B3 next-tool transfer, next step worked | MACRO", "hit1"),
    ("B3 next-tool transfer, next step failed | ALL", "endorsed1"),
    ("B4 recovery (switch only) | ALL", "hit1"),
    ("B4 recovery (switch only) | ALL", "hit3"),
    ("B4 recovery, calibration | ALL", "error"),
    ("B5 right file repeat | ALL", "hit1"),
    ("B5 right file repeat | ALL", "hit5"),
    ("B6 outcome | ALL", "auc"),
    ("B6 outcome | ALL", "brier"),
    ("B7 right actions top-1 | ALL", "exact_recall"),
    ("B9 unrelated request | ALL", "silent"),
    *((f"B10 drift, {kind} | {old} old", "flips_after") for kind in CHANGES for old in (5, 20)),
)
EPISODES_OF = "episodes in memory"  # a row of its own
ATTEMPTS = 4  # at one task in the fullest memory
LOWER_IS_BETTER = ("brier", "endorsed1", "error", "flips_after")
FILLED = "filled"  # a memory's folder with it is complete
Row = dict[str, float]


def first_attempts(episodes: Sequence[Any], count: int) -> list[Any]:
    """Return the first *count* attempts at every task. The task ids never reach the memory."""
    seen: Counter[str] = Counter()
    kept = []
    for episode in episodes:
        seen[episode["task_id"]] += 1
        if seen[episode["task_id"]] <= count:
            kept.append(split.episode_line(episode))
    return kept


def wanted(folder: Path, memory: str, kinds: Sequence[str]) -> list[tuple[str, Any]]:
    """Return (kind, question) of the questions that METRICS are about and that are asked of *memory*."""
    found = [(kind, question) for kind in kinds for question in split.questions(folder, kind)]
    skipped = {"b1": ("kind", "verbatim"), "b5": ("setting", "transfer")}
    found = [(k, q) for k, q in found if k not in skipped or q[skipped[k][0]] != skipped[k][1]]
    return [(k, q) for k, q in found if split.memory_of(k, q) == memory]


async def figures(folder: Path, work: Path, kinds: Sequence[str], out: Path, attempts: int = ATTEMPTS, **flags: Any) -> Row:
    """Return the metrics of *kinds*, with settings by dotted name. Memories are kept in *work* and used again."""
    predictions: dict[str, list[Any]] = {kind: [] for kind in kinds}
    for memory in ("repeat", "transfer", split.DRIFT):
        questions = wanted(folder, memory, kinds)
        if not questions:
            continue
        data_dir = work / f"{memory}-{attempts}"
        if drifting := memory == split.DRIFT:  # streams add to their memory: each time it is made anew
            shutil.rmtree(data_dir, ignore_errors=True)
        seed = work / f"{memory}-{ATTEMPTS}" / "cache"
        fresh = not (data_dir / FILLED).exists()
        if not data_dir.exists() and seed.exists():  # texts embedded before need not be embedded again
            shutil.copytree(seed, data_dir / "cache")
        lines = split.memory_lines(folder, memory) if drifting else first_attempts(split.memory(folder, memory), attempts)
        async with opened_here(data_dir, lines if fresh else (), flags) as session:
            (data_dir / FILLED).touch()
            for kind, question in questions if lines else ():
                predictions[kind].append(await ASKERS[kind](session, question))
    scores = report.score_all(folder, predictions, out / "predictions.jsonl")
    heads = set(kinds) | ({"b2", "b7"} if "b1" in kinds else set())
    return {
        f"{row.replace(' | ', ', ')} {metric}": _value(scores, row, metric) for row, metric in METRICS if row.split()[0].lower() in heads
    }


def _value(scores: Mapping[str, Any], row: str, metric: str) -> float:
    found = scores.get(row, {}).get(metric)
    return float("nan") if found is None else float(found[0] if isinstance(found, tuple) else found)


def pyplot() -> Any:
    """Return matplotlib's plotting, drawing into files; where it is not installed, None, and say so."""
    try:
        import matplotlib
    except ImportError:
        print("no plot: matplotlib is not installed (dependency group bench)", file=sys.stderr)
        return None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def better(metric: str, change: float) -> float:
    """Return by how much a change is one for the better."""
    return -change if metric.endswith(LOWER_IS_BETTER) else change


@contextmanager
def replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    """Give a name of a module another value for the time of the block. Raises AttributeError: it has no such name."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)
