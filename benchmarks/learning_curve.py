"""python -m benchmarks.learning_curve SPLIT_DIR [--out DIR] [--work DIR] [--skip-curve] [--skip-ablation]

Shows that the memory gets better with use, and what each part of it is worth. The curve: B1 to B7 with 0, 1, 2, 3 and 4 attempts at
every task in memory. The ablation: every ranking term and every part of the learners off in turn, and how far each metric moves.
The questions are asked of the facade in this process, with default settings. Writes `curve.json`, `ablation.json`, `curve.md`,
`ablation.md`, and with matplotlib (`--group bench`) `curve.png` and `ablation.png`.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.harness import circumstances
from benchmarks.quality import report, split
from benchmarks.quality.asking import ASKERS
from benchmarks.quality.in_process import opened_here
from mcp_memory.domain.episode import Episode, FileUse
from mcp_memory.learning.advice import common_files, next_tool, outlook
from mcp_memory.learning.history import recoveries
from mcp_memory.learning.reading import file_uses
from mcp_memory.retrieval import ranking

ATTEMPTS = (0, 1, 2, 3, 4)
KINDS = ("b1", "b3", "b4", "b5", "b6")
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
    ("B5 right file repeat | ALL", "hit1"),
    ("B5 right file repeat | ALL", "hit5"),
    ("B6 outcome | ALL", "auc"),
    ("B6 outcome | ALL", "brier"),
    ("B7 right actions top-1 | ALL", "exact_recall"),
)
LOWER_IS_BETTER = ("brier", "endorsed1")
SETTINGS = (
    "retrieval.value_weight",
    "retrieval.context_weight",
    "retrieval.recency_weight",
    "retrieval.feedback_weight",
    "retrieval.dense_weight",
)
CONSTANTS = (  # module, constant, the value that switches it off, the questions it can move
    (ranking, "SUPPORT", 0.0, "b1,b5"),
    (ranking, "FOLD_PENALTY", 0.0, "b1,b5"),
    (ranking, "TAGS", 0.0, "b1,b5"),
    (next_tool, "SAME_ANSWER", 0.0, "b3"),
    (next_tool, "TASK", 0.0, "b3"),
    (next_tool, "LAST_TOOLS", 0.0, "b3"),
    (next_tool, "USED_TOOLS", 0.0, "b3"),
    (next_tool, "PROGRESS", 0.0, "b3"),
    (next_tool, "LAST_FAILED", 0.0, "b3"),
    (next_tool, "SUCCESS", 0.0, "b3"),
    (next_tool, "TAGS", 0.0, "b3"),
    (next_tool, "NAMED_NEXT", 0.0, "b3"),
    (next_tool, "NAMED_LATER", 0.0, "b3"),
    (next_tool, "USED_NEXT", 0.0, "b3"),
    (next_tool, "AGAIN_NEXT", 0.0, "b3"),
    (next_tool, "OWN", 0.0, "b3"),
    (next_tool, "LATER", 0.0, "b3"),
    (recoveries, "TASK", 0.0, "b4"),
    (recoveries, "MESSAGE", 0.0, "b4"),
    (recoveries, "SAME_TOOL", 0.0, "b4"),
    (recoveries, "SAME_FAMILY", 0.0, "b4"),
    (recoveries, "LATE", 0.0, "b4"),
    (recoveries, "RETRY_DISCOUNT", 1.0, "b4"),
    (recoveries, "SAME_ERROR", 2.0, "b4"),
    (file_uses, "CHANGE", 0.0, "b5"),
    (file_uses, "READS", 0.0, "b5"),
    (common_files, "LIKENESS", 0.0, "b5"),
    (common_files, "MIN_SIMILARITY", 0.0, "b5"),
    (outlook, "TAGS", 0.0, "b6"),
    (outlook, "TASK_PRIOR", 1e6, "b6"),
)
Row = dict[str, float]
EPISODES = "episodes in memory"


async def asked(data_dir: Path, lines: Sequence[Any], questions: Sequence[tuple[str, Any]], flags: Mapping[str, Any]) -> list[Any]:
    """Fill the memory in *data_dir* (what is there already is left), and return its predictions."""
    async with opened_here(data_dir, lines, flags) as session:
        return [await ASKERS[kind](session, question) for kind, question in questions] if lines else []


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
    """Return (kind, question) of the questions asked of *memory*."""
    found = [(kind, question) for kind in kinds for question in split.questions(folder, kind)]
    return [(k, q) for k, q in found if ("transfer" if k == "b3" and q["setting"] == "transfer" else "repeat") == memory]


async def score(folder: Path, work: Path, kinds: Sequence[str], attempts: int, flags: Mapping[str, Any], out: Path) -> Row:
    """Return the metrics with so many attempts in memory. Memories are kept in *work* and used again."""
    predictions: list[Any] = []
    for memory in ("repeat", "transfer"):
        questions = wanted(folder, memory, kinds)
        if not questions:
            continue
        data_dir = work / f"{memory}-{attempts}"
        seed = work / f"{memory}-{max(ATTEMPTS)}" / "cache"
        if not data_dir.exists() and seed.exists():  # texts embedded before need not be embedded again
            shutil.copytree(seed, data_dir / "cache")
        predictions += await asked(data_dir, first_attempts(split.memory(folder, memory), attempts), questions, flags)
    scores = report.score(folder, predictions, out / "predictions.jsonl")
    return {
        f"{row.replace(' | ', ', ')} {metric}": _value(scores, row, metric)
        for row, metric in METRICS
        if row.split()[0].lower() in _scored(kinds)
    }


def _scored(kinds: Sequence[str]) -> set[str]:
    return set(kinds) | ({"b2", "b7"} if "b1" in kinds else set())


def _value(scores: Mapping[str, Any], row: str, metric: str) -> float:
    found = scores.get(row, {}).get(metric)
    return float("nan") if found is None else float(found[0] if isinstance(found, tuple) else found)


async def curve(folder: Path, work: Path, out: Path) -> dict[str, Row]:
    """Return the metrics by how many attempts at every task are in memory at most; the fullest memory is filled first.

    How many episodes that makes is the first row: where tasks have fewer attempts, the next column adds little.
    """
    rows = {str(count): await score(folder, work, KINDS, count, {}, out) for count in sorted(ATTEMPTS, reverse=True)}
    known = split.memory(folder, "repeat")
    return {key: {EPISODES: float(len(first_attempts(known, int(key))))} | rows[key] for key in sorted(rows)}


async def ablation(folder: Path, work: Path, out: Path) -> dict[str, Row]:
    """Return how each metric changes when one part is switched off."""
    full = await score(folder, work, KINDS, max(ATTEMPTS), {}, out)
    rows = {}
    for setting in SETTINGS:
        off = await score(folder, work, ("b1", "b5"), max(ATTEMPTS), {setting: 0.0}, out)
        rows[f"{setting} = 0"] = {name: value - full[name] for name, value in off.items()}
    for module, name, value, kinds in CONSTANTS:
        with replaced(module, name, value), replaced(common_files, "files_of", files_afresh):
            off = await score(folder, work, kinds.split(","), max(ATTEMPTS), {}, out)
        rows[f"{module.__name__.rsplit('.', 1)[-1]}.{name} off"] = {key: v - full[key] for key, v in off.items()}
    return rows


def files_afresh(episode: Episode) -> tuple[FileUse, ...]:
    """Return an episode's files by the present constants, not those kept when it was completed."""
    return file_uses.files_of(replace(episode, files=None))


@contextmanager
def replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    """Give a name of a module another value for the time of the block."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def table(rows: Mapping[str, Row]) -> str:
    """Return the rows as a Markdown table, a column a row: there are more metrics than settings on a page."""
    columns = list(rows)
    lines = ["| metric | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for metric in dict.fromkeys(name for row in rows.values() for name in row):
        digits = 0 if metric == EPISODES else 3
        cells = [f"{rows[c][metric]:.{digits}f}" if metric in rows[c] else "" for c in columns]
        lines.append(f"| {metric} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def movements(rows: Mapping[str, Row]) -> str:
    """Return the ablation as a Markdown table: a part a row, and what it moves."""
    lines = ["| off | moves |", "|---|---|"]
    for part, row in rows.items():
        moved = [f"{metric} {change:+.3f}" for metric, change in row.items() if abs(change) >= 0.001]
        lines.append(f"| {part} | {'; '.join(moved) or 'nothing'} |")
    return "\n".join(lines)


def plot(curve_rows: Mapping[str, Row], ablation_rows: Mapping[str, Row], out: Path) -> None:
    """Write curve.png and ablation.png; where matplotlib is not installed, say so."""
    try:
        import matplotlib
    except ImportError:
        print("no plots: matplotlib is not installed (dependency group bench)", file=sys.stderr)
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    if curve_rows:
        figure, axes = pyplot.subplots(figsize=(10, 6))
        axes.set_prop_cycle(color=pyplot.get_cmap("tab20").colors)
        for metric in next(iter(curve_rows.values())):
            if metric == EPISODES:
                continue
            axes.plot([int(k) for k in curve_rows], [row[metric] for row in curve_rows.values()], marker="o", label=metric)
        axes.set(xlabel="attempts at every task in memory", ylabel="score", ylim=(0, 1), xticks=list(ATTEMPTS))
        axes.legend(fontsize=6, loc="center left", bbox_to_anchor=(1, 0.5))
        figure.savefig(out / "curve.png", dpi=150, bbox_inches="tight")
    if ablation_rows:
        figure, axes = pyplot.subplots(figsize=(8, 10))
        total = {part: sum(map(_better, row, row.values())) for part, row in ablation_rows.items()}
        axes.barh(list(total), list(total.values()))
        axes.set(xlabel="sum of the changes of all metrics when it is off (negated where lower is better)")
        axes.invert_yaxis()
        figure.savefig(out / "ablation.png", dpi=150, bbox_inches="tight")


def _better(metric: str, change: float) -> float:
    """Return by how much a change is one for the better."""
    return -change if metric.endswith(LOWER_IS_BETTER) else change


def keep(out: Path, name: str, rows: Mapping[str, Row], text: str) -> None:
    """Write the rows as JSON and as Markdown, and print them; nothing for no rows."""
    if rows:
        (out / f"{name}.json").write_text(json.dumps(rows, indent=1))
        (out / f"{name}.md").write_text(text + "\n")
        print(text, "\n", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning_curve", description=(__doc__ or "").splitlines()[2])
    parser.add_argument("split", type=Path)
    parser.add_argument("--out", type=Path, default=Path("learning-curve"))
    parser.add_argument("--work", type=Path, help="keep the filled memories here")
    parser.add_argument("--skip-curve", action="store_true")
    parser.add_argument("--skip-ablation", action="store_true")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        work = args.work or Path(scratch)
        curve_rows = {} if args.skip_curve else asyncio.run(curve(args.split, work, args.out))
        keep(args.out, "curve", curve_rows, table(curve_rows))
        ablation_rows = {} if args.skip_ablation else asyncio.run(ablation(args.split, work, args.out))
        keep(args.out, "ablation", ablation_rows, movements(ablation_rows))
    plot(curve_rows, ablation_rows, args.out)
    print(circumstances())
    return 0


if __name__ == "__main__":
    sys.exit(main())
