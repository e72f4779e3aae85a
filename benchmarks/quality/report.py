"""The scorer's table, next to the baselines and to what must be reached."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

Scores = dict[str, dict[str, Any]]
ASKED = (  # row of the scorer, metric, floor, goal
    ("B1 same-task paraphrase | MACRO", "mrr", 0.937, 0.955),
    ("B2 replay paraphrase | ALL", "reward1", 0.85, 0.90),
    ("B3 next-tool repeat | MACRO", "hit1", None, 0.62),
    ("B3 next-tool repeat | MACRO", "hit3", None, 0.88),
    ("B3 next-tool repeat | MACRO", "rest_recall5", None, 0.84),
    ("B3 next-tool transfer | MACRO", "hit1", None, 0.55),
    ("B3 next-tool transfer | MACRO", "hit3", None, 0.75),
    ("B3 next-tool transfer | MACRO", "rest_recall5", None, 0.64),
    ("B4 recovery (switch only) | ALL", "hit1", None, 0.42),
    ("B4 recovery (switch only) | ALL", "hit3", None, 0.78),
    ("B5 right file repeat | ALL", "hit5", 0.51, 0.56),
    ("B5 right file transfer | ALL", "hit5", None, 0.10),
    ("B6 outcome | ALL", "auc", 0.85, 0.91),
    ("B6 outcome | ALL", "brier", None, 0.090),
    ("B7 right actions top-1 | ALL", "exact_recall", 0.65, 0.72),
    ("R locomo | ALL", "recall10", 0.64, 0.67),
    ("R stabletoolbench | ALL", "recall5", 0.74, 0.77),
    ("R metatool | ALL", "recall1", 0.80, 0.84),
)
LOWER_IS_BETTER = {"brier"}


def score(split: Path, predictions: list[dict[str, Any]], path: Path) -> Scores:
    """Write predictions to *path* and score them with the score.py next to the split."""
    with path.open("w", encoding="utf-8") as out:
        for prediction in predictions:
            out.write(json.dumps(prediction, ensure_ascii=False) + "\n")
    source = split.resolve().parent / "score.py"
    spec = importlib.util.spec_from_file_location("score", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["score"] = module
    spec.loader.exec_module(module)
    scores: Scores = module.main(str(split), str(path))
    return scores


def full_table(scores: Scores, answered: set[str]) -> str:
    """Return every row of the scorer that was answered."""
    lines = []
    for row in sorted(scores):
        if row.split()[0].lower() in answered:
            cells = (f"{k}={v[0]:.3f}±{v[1]:.3f}" if isinstance(v, tuple) else f"{k}={v}" for k, v in scores[row].items())
            lines.append(f"{row:<45} {'  '.join(cells)}")
    return "\n".join(lines)


def summary_table(ours: Scores, baseline: Scores, answered: set[str]) -> str:
    """Return the asked-for figures: ours with half its 95 % interval, the baseline's, the floor and the goal."""
    lines = [f"{'':<45} {'metric':<13} {'ours':>6} {'±':>6} {'BM25':>6} {'floor':>6} {'goal':>6}"]
    for row, metric, floor, goal in ASKED:
        if row.split()[0].lower() not in answered or row not in ours:
            continue
        value, half = _value(ours, row, metric)
        plain, _ = _value(baseline, row, metric)
        sign = -1 if metric in LOWER_IS_BETTER else 1
        met = "reached" if sign * value >= sign * goal else "floor" if floor is not None and value >= floor else "MISSED"
        cells = [_cell(value), _cell(half), _cell(plain), _cell(floor), _cell(goal)]
        lines.append(f"{row:<45} {metric:<13} {' '.join(f'{cell:>6}' for cell in cells)}  {met}")
    return "\n".join(lines)


def _value(scores: Scores, row: str, metric: str) -> tuple[float, float | None]:
    found = scores.get(row, {}).get(metric)
    return (found[0], found[1]) if isinstance(found, tuple) else (float("nan") if found is None else float(found), None)


def _cell(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.3f}"
