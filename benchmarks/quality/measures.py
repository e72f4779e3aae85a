"""Figures that the scorer does not take: what a default recall costs and shows, and whether suggestions are as sure as they are right.

Calibration error: first suggestions are put into ten equal bins by their confidence; the error is the difference between the mean
confidence and the share that was right in each bin, weighted by the bins' sizes (ECE). Right after a failed step is the tool of the next
step that worked. Asked after every failed step of the episodes that are not in memory (`failures`), and in B4. Where nothing is suggested,
nothing is counted.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.quality import split

BINS = 10
Prediction = dict[str, Any]
Scores = dict[str, dict[str, Any]]
Interval = Callable[[list[float]], float]  # half of the 95 % interval of a mean


class Sure(NamedTuple):
    """A first suggestion: how sure the memory was, and whether it was right."""

    confidence: float
    right: bool  # the tool that worked next
    taken: bool | None = None  # the tool that was used next, whether or not it worked; None where it is not known


def measured(folder: Path, predictions: Mapping[str, Sequence[Prediction]], tools_only: bool, interval: Interval) -> Scores:
    """Return rows in the form of the scorer's, for the sets that were asked."""
    shown = {"recall": "recall default | ALL", "b9": "B9 unrelated request, what is shown | ALL"}
    found: Scores = {row: _recalls(predictions[kind], interval) for kind, row in shown.items() if predictions.get(kind)}
    sure: dict[str, list[Sure]] = defaultdict(list)
    for prediction in predictions.get("calibration") or ():
        row = f"calibration after a failed step, {prediction['setting']}"
        for asked in prediction["asked"]:
            key, taken, worked = (_key(asked[name], tools_only) for name in ("key", "taken", "worked"))
            for group in ("ALL", prediction["source"]):
                sure[f"{row} | {group}"].append(Sure(asked["confidence"], key == worked, key == taken))
    recoveries = {q["qid"]: q for q in split.rows(split.task_file(folder, "b4"))}
    for prediction in predictions.get("b4") or ():
        question = recoveries[prediction["qid"]]
        if "confidence" in prediction:
            right = _key(prediction["tools"][0], tools_only) == question["truth"]["key"]
            for group in ("ALL", question["source"]):
                sure[f"B4 recovery, calibration | {group}"].append(Sure(prediction["confidence"], right))
    return found | {row: _calibration(pairs) for row, pairs in sure.items()}


def calibration_error(pairs: Sequence[tuple[float, bool]]) -> float:
    """Return the expected calibration error of (confidence, right) pairs over BINS equal bins; a confidence of 1 is in the last.

    >>> calibration_error([(0.75, True), (0.75, False), (0.1, False)])  # (2 * |.75 - .5| + 1 * .1) / 3
    0.2
    """
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, right in pairs:
        bins[min(int(confidence * BINS), BINS - 1)].append((confidence, right))
    return round(sum(abs(sum(c for c, _ in found) - sum(r for _, r in found)) for found in bins.values()) / len(pairs), 6)


def _calibration(found: Sequence[Sure]) -> dict[str, Any]:
    """Return the calibration error, the mean confidence and the share that was right; the error against what was taken, where known."""
    row: dict[str, Any] = {"error": calibration_error([(s.confidence, s.right) for s in found])}
    row |= {"confidence": sum(s.confidence for s in found) / len(found), "right": sum(s.right for s in found) / len(found)}
    if taken := [(s.confidence, s.taken) for s in found if s.taken is not None]:
        row["error_taken"] = calibration_error(taken)
    return {name: round(value, 3) for name, value in row.items()} | {"n": len(found)}


def _recalls(recalls: Iterable[Prediction], interval: Interval) -> dict[str, Any]:
    values: dict[str, list[float]] = defaultdict(list)
    for recall in recalls:
        values["answered"].append(float(recall["episodes"] > 0))
        for metric in ("tokens", "structured_tokens", "episodes", "patterns", "files"):
            values[metric].append(float(recall[metric]))
    return {metric: (round(sum(v) / len(v), 3), round(interval(v), 3)) for metric, v in values.items()} | {"n": len(values["answered"])}


def _key(key: str, tools_only: bool) -> str:
    return key.split(":", 1)[0] if tools_only else key
