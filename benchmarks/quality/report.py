"""Predictions scored, and the tables: every row, and what must be reached."""

import importlib.util
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.quality import split
from benchmarks.quality.goals import Goal
from benchmarks.quality.measures import measured
from benchmarks.quality.session import ROOT

Scores = dict[str, dict[str, Any]]
OURS = ("recall", "calibration")  # not for the scorer
SHARED_SCORER = ROOT.parent / "shared" / "eval" / "score.py"


def scorer(folder: Path) -> ModuleType:
    """Return the score.py beside the split, or the shared one. Raises FileNotFoundError."""
    source = next((path for path in (folder.resolve().parent / "score.py", SHARED_SCORER) if path.exists()), None)
    if source is None:
        raise FileNotFoundError(f"no score.py beside {folder}, and no {SHARED_SCORER}")
    spec = importlib.util.spec_from_file_location("score", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def score(folder: Path, predictions: Iterable[Mapping[str, Any]], path: Path) -> Scores:
    """Write predictions to *path* and score them; on tools alone where the split's answers name tools alone."""
    with path.open("w", encoding="utf-8") as out:
        for prediction in predictions:
            out.write(json.dumps(prediction, ensure_ascii=False) + "\n")
    scores: Scores = scorer(folder).main(str(folder), str(path), tools=split.tools_only(folder))
    return scores


def score_all(folder: Path, predictions: Mapping[str, Sequence[dict[str, Any]]], path: Path) -> Scores:
    """Return the scorer's rows and ours of the sets that were asked, from predictions by set."""
    scores = score(folder, [p for kind, found in predictions.items() if kind not in OURS for p in found], path)
    heads = {"R" if kind in split.SETS else kind.upper() for kind in predictions} | ({"B2", "B7"} if "b1" in predictions else set())
    asked = {row: values for row, values in scores.items() if row.split()[0] in heads}
    return asked | measured(folder, predictions, split.tools_only(folder), scorer(folder).ci)


def full_table(scores: Scores) -> str:
    """Return every row."""
    width = max([len(row) for row in scores], default=0)
    return "\n".join(f"{row:<{width}} {'  '.join(_named(k, v) for k, v in scores[row].items())}" for row in sorted(scores, key=_in_order))


def _in_order(row: str) -> tuple[int, str]:
    head = row.split()[0]
    return (int(head[1:]) if head[1:].isdigit() else 99, row)


def _named(metric: str, value: Any) -> str:
    return f"{metric}={value[0]:.3f}±{value[1]:.3f}" if isinstance(value, tuple) else f"{metric}={value}"


def goal_table(goals: Iterable[Goal], by_variant: Mapping[str, Scores], baseline: Scores) -> str:
    """Return the goals whose row was asked: ours with half its 95 % interval, the baseline's, the goal, and whether it is met."""
    lines = [f"{'':<7} {'':<56} {'metric':<12} {'ours':>8} {'±':>6} {'BM25':>6}  goal"]
    for goal in goals:
        value, half = figure(by_variant.get(goal.variant, {}), goal)
        other, _ = figure(by_variant.get(goal.than, {}), goal) if goal.than else (0.0, None)
        if value is None or other is None:
            continue
        plain, _ = figure(baseline, goal)
        bound = f"{'<=' if goal.lower else '>='} {_cell(goal.goal + other)}" + (f" ({goal.than} {_cell(other)})" if goal.than else "")
        cells = f"{_cell(value):>8} {_cell(half):>6} {_cell(plain):>6}  {bound}"
        lines.append(f"{goal.variant:<7} {goal.row:<56} {goal.metric:<12} {cells}  {'reached' if goal.met(value, other) else 'MISSED'}")
    return "\n".join(lines)


def figure(scores: Scores, goal: Goal) -> tuple[float | None, float | None]:
    """Return the value of a goal's row and half its 95 % interval, None for what is not there."""
    found = scores.get(goal.row, {}).get(goal.metric)
    if isinstance(found, tuple):
        return found[0], found[1]
    return (None if found is None else float(found)), None


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}" if abs(value) >= 100 else f"{value:.3f}"
