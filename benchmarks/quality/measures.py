"""Figures that the scorer does not take: what a default recall costs and shows, and whether suggestions are as sure as they are right.

Calibration error: suggestions are put into ten equal bins by the confidence of the first one; the error is the difference between the mean
confidence and the share that was right in each bin, weighted by the bins' sizes (ECE). Right after a failed step (all of B4, and the
questions of B3 whose last step failed): the suggested tool is the one that then worked. A question without a suggestion is left out.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality import split

BINS = 10
Prediction = dict[str, Any]
Scores = dict[str, dict[str, Any]]
Interval = Callable[[list[float]], float]  # half of the 95 % interval of a mean


def measured(folder: Path, predictions: Mapping[str, Sequence[Prediction]], tools_only: bool, interval: Interval) -> Scores:
    """Return rows in the form of the scorer's, for the sets that were asked."""
    found: Scores = {}
    if recalls := predictions.get("recall"):
        found["recall default | ALL"] = _recalls(recalls, interval)
    truths = {q["qid"]: q for kind in ("b3", "b4") for q in split.rows(split.task_file(folder, kind))}
    sure: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for kind in ("b3", "b4"):
        for prediction in predictions.get(kind) or ():
            question = truths[prediction["qid"]]
            if "confidence" not in prediction or not _after_failure(question):
                continue
            right = _key(prediction["tools"][0], tools_only) == _worked(question)
            for row in _rows(question):
                sure[row].append((prediction["confidence"], right))
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


def _calibration(pairs: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    confidence, hits = sum(c for c, _ in pairs) / len(pairs), sum(r for _, r in pairs) / len(pairs)
    return {"error": round(calibration_error(pairs), 3), "confidence": round(confidence, 3), "right": round(hits, 3), "n": len(pairs)}


def _recalls(recalls: Iterable[Prediction], interval: Interval) -> dict[str, Any]:
    values: dict[str, list[float]] = defaultdict(list)
    for recall in recalls:
        values["answered"].append(float(recall["episodes"] > 0))
        for metric in ("tokens", "structured_tokens", "episodes", "patterns", "files"):
            values[metric].append(float(recall[metric]))
    return {metric: (round(sum(v) / len(v), 3), round(interval(v), 3)) for metric, v in values.items()} | {"n": len(values["answered"])}


def _after_failure(question: Prediction) -> bool:
    return "failed" in question or (bool(question["prefix"]) and not question["prefix"][-1]["success"])


def _worked(question: Prediction) -> str | None:
    """Return the tool that worked next; None where what was done next failed."""
    truth = question["truth"]
    if "failed" in question:
        return str(truth["key"])
    return str(truth["next"]) if truth.get("worked") else None


def _rows(question: Prediction) -> list[str]:
    if "failed" in question:
        row = "B4 recovery, calibration"
        return [f"{row} | ALL", f"{row} | {question['source']}"] + ([f"{row} (switch only) | ALL"] if question["truth"]["switch"] else [])
    return [f"B3 next-tool {question['setting']}, calibration after a failed step | ALL"]


def _key(key: str, tools_only: bool) -> str:
    return key.split(":", 1)[0] if tools_only else key
