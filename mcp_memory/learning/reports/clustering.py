"""Clusters of similar tasks by their density, and variations of one task. Runs in the worker process: it may take seconds."""

import math
import re
from collections import Counter
from typing import Any

import numpy as np

from mcp_memory.domain.text_words import STOP_WORDS
from mcp_memory.learning.reports.density import NOISE, average_linkage, dbscan, distances, hdbscan, nearest
from mcp_memory.views.columns import Floats, Ints

MIN_CLUSTER = 3  # episodes
MAX_CLUSTERS, MAX_EXAMPLES, LABEL_WORDS = 20, 3, 3
CONTEXT_WEIGHT = 0.5  # length of the context's part of a row; the task's part has length 1
DIMENSION = 64  # tasks are projected to the directions in which they differ most
MAX_WORDS = 20_000  # the most frequent ones
ROUNDS = 6  # after which the directions hardly move
REACH = 1.5  # times the usual distance between neighbours inside a cluster: how far an episode outside the sample may lie
SAME = 0.45  # distance, a cosine of .9, within which tasks of one context are the same work
_TOKEN = re.compile(r"\b[^\W\d]\w*\b")  # a number tells one task of a kind from the next
_WORD = re.compile(r"[a-z][a-z0-9_]{2,}")


def cluster(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """Return clusters of episodes, the largest first: label, size, success_rate, mean_reward, example_ids.

    Args:
        payload: Parallel lists `ids`, `texts` (tasks), `contexts`, `successes` (bool), `rewards`; `vectors` (float32 rows as bytes,
            or nothing: then the words of the tasks are used); `sample_threshold`: above it a fixed random sample of that many
            is clustered, and every other episode joins the cluster of its nearest sampled neighbour when it lies as close.
    """
    texts = payload["texts"]
    if len(texts) < 2 * MIN_CLUSTER:
        return []
    rows = _rows(texts, payload["contexts"], payload.get("vectors"))
    labels = _joined(rows, _labels(rows, int(payload["sample_threshold"])))
    words = [set(_WORD.findall(text.lower())) - STOP_WORDS for text in texts]
    spread = Counter(word for ws in words for word in ws)
    found = []
    for label, size in Counter(labels[labels != NOISE].tolist()).most_common(MAX_CLUSTERS):
        members = np.flatnonzero(labels == label)
        centre = rows[members].mean(axis=0)
        closest = members[np.argsort(((rows[members] - centre) ** 2).sum(axis=1), kind="stable")]
        found.append(
            {
                "label": _label([words[i] for i in members], spread, [payload["contexts"][i] for i in members], len(texts)),
                "size": size,
                "success_rate": round(float(np.mean([payload["successes"][i] for i in members])), 4),
                "mean_reward": round(float(np.mean([payload["rewards"][i] for i in members])), 4),
                "example_ids": [payload["ids"][i] for i in closest[:MAX_EXAMPLES]],
            }
        )
    return found


def _rows(texts: list[str], contexts: list[str], vectors: bytes | None) -> Floats:
    if vectors:
        tasks = np.frombuffer(vectors, np.float32).reshape(len(texts), -1).astype(np.float64)
        if min(tasks.shape) > DIMENSION:
            tasks = _principal(tasks - tasks.mean(axis=0))
    else:
        tasks = _word_rows(texts)
    tasks /= np.maximum(np.linalg.norm(tasks, axis=1, keepdims=True), 1e-9)
    kinds = sorted(set(contexts))
    numbers = {kind: i for i, kind in enumerate(kinds)}
    around = np.zeros((len(texts), len(kinds)))
    around[np.arange(len(texts)), [numbers[c] for c in contexts]] = CONTEXT_WEIGHT
    return np.hstack([tasks, around])


def _word_rows(texts: list[str]) -> Floats:
    """Return the tasks by their words: rare ones weigh more (inverse document frequency), repeated ones a little more."""
    counted = [Counter(word for word in _TOKEN.findall(text.lower()) if word not in STOP_WORDS) for text in texts]
    spread = Counter(word for words in counted for word in words)
    known = {word: i for i, (word, _) in enumerate(sorted(spread.items(), key=lambda item: (-item[1], item[0]))[:MAX_WORDS])}
    if not known:
        return np.zeros((len(texts), 1))
    rarity = {word: 1 + math.log((1 + len(texts)) / (1 + spread[word])) for word in known}
    sparse = []
    for words in counted:
        weights = {known[word]: (1 + math.log(n)) * rarity[word] for word, n in words.items() if word in known}
        length = math.hypot(*weights.values()) or 1.0
        sparse.append((np.fromiter(weights, np.int64), np.fromiter(weights.values(), np.float64) / length))
    return _projected(sparse, len(known))


def _projected(sparse: list[tuple[Ints, Floats]], width: int) -> Floats:
    """Return rows, given as columns and their values, in the DIMENSION directions in which they are largest (subspace iteration).

    Source: N. Halko, P.-G. Martinsson, J. Tropp, Finding structure with randomness, SIAM Review 53 (2011), algorithm 4.4.
    """
    if width <= DIMENSION:
        directions = np.eye(width)
    else:
        directions = np.linalg.qr(np.random.default_rng(0).normal(size=(width, DIMENSION)))[0]
        for _ in range(ROUNDS):
            image = np.zeros((width, DIMENSION))
            for columns, values in sparse:
                image[columns] += np.outer(values, values @ directions[columns])
            directions = np.linalg.qr(image)[0]
    return np.stack([values @ directions[columns] for columns, values in sparse])


def _principal(rows: Floats) -> Floats:
    """Return the rows in the DIMENSION directions in which they are largest."""
    directions = np.linalg.eigh(rows.T @ rows)[1][:, ::-1]
    return np.asarray(rows @ directions[:, :DIMENSION])


def _labels(rows: Floats, sample_threshold: int) -> Ints:
    """Return a cluster number per row, -1 for noise."""
    if len(rows) <= sample_threshold:
        return hdbscan(rows, MIN_CLUSTER)
    sample = np.sort(np.random.default_rng(0).choice(len(rows), sample_threshold, replace=False))
    of_sample = hdbscan(rows[sample], MIN_CLUSTER)
    apart = distances(rows[sample], rows[sample])
    np.fill_diagonal(apart, np.inf)
    inside = apart.min(axis=1)  # to the nearest other one
    reach = {c: REACH * float(np.median(inside[of_sample == c])) + 1e-6 for c in set(of_sample.tolist()) if c != NOISE}
    far, which = nearest(rows, rows[sample])
    labels = of_sample[which]
    limits = np.array([reach.get(int(c), -1.0) for c in labels])
    labels[far > limits] = NOISE
    labels[sample] = of_sample
    return labels


def _joined(rows: Floats, labels: Ints) -> Ints:
    """Return the labels with the same work in one cluster.

    What differs between twenty variations of one task is noise, and differences of density alone split them at random or find nothing.
    """
    labels = labels.copy()
    left = np.flatnonzero(labels == NOISE)
    if len(left) >= MIN_CLUSTER:
        found = dbscan(rows[left], SAME, MIN_CLUSTER)
        labels[left] = np.where(found == NOISE, NOISE, found + labels.max() + 1)
    kinds = sorted(set(labels.tolist()) - {NOISE})
    if len(kinds) < 2:
        return labels
    centres = np.stack([rows[labels == kind].mean(axis=0) for kind in kinds])
    groups = average_linkage(centres, SAME)
    of_kind = dict(zip(kinds, groups.tolist(), strict=True)) | {NOISE: NOISE}
    return np.array([of_kind[label] for label in labels.tolist()], np.int64)


def _label(members: list[set[str]], spread: Counter[str], contexts: list[str], total: int) -> str:
    """Return the words that most of the cluster's tasks share and few others have, with the context nearly all of them share."""
    inside = Counter(word for words in members for word in words)
    scores = {w: n / len(members) * math.log((total + 1) / spread[w]) for w, n in inside.items()}
    words = [w for w, _ in sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:LABEL_WORDS]]
    context, n = Counter(contexts).most_common(1)[0]
    shared = f" ({context})" if context and n >= 0.8 * len(members) else ""
    return (", ".join(words) or "tasks without words") + shared
