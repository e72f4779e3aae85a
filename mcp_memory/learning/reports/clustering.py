"""Clusters of similar tasks, by HDBSCAN over a ball tree, and variations of one task by DBSCAN.

Runs in the worker process: it imports scikit-learn.
Source: R. Campello, D. Moulavi, J. Sander, Density-based clustering based on hierarchical density estimates, PAKDD 2013.
"""

import math
import re
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer
from sklearn.neighbors import NearestNeighbors

MIN_CLUSTER = 3  # episodes
MAX_CLUSTERS, MAX_EXAMPLES, LABEL_WORDS = 20, 3, 3
CONTEXT_WEIGHT = 0.5  # length of the context's part of a row; the task's part has length 1
DIMENSION = 64  # tasks are projected to it: a ball tree over 384 dimensions prunes nothing and takes twice as long
REACH = 1.5  # times the usual distance between neighbours inside a cluster: how far an episode outside the sample may lie
SAME = 0.45  # distance, a cosine of .9, within which tasks of one context are the same work
NOISE = -1
_TOKEN = r"(?u)\b[^\W\d]\w*\b"  # a number tells one task of a kind from the next
_WORD = re.compile(r"[a-z][a-z0-9_]{2,}")

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


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
    words = [set(_WORD.findall(text.lower())) - ENGLISH_STOP_WORDS for text in texts]
    spread = Counter(word for ws in words for word in ws)
    found = []
    for label, size in Counter(labels[labels != NOISE].tolist()).most_common(MAX_CLUSTERS):
        members = np.flatnonzero(labels == label)
        centre = rows[members].mean(axis=0)
        nearest = members[np.argsort(((rows[members] - centre) ** 2).sum(axis=1), kind="stable")]
        found.append(
            {
                "label": _label([words[i] for i in members], spread, [payload["contexts"][i] for i in members], len(texts)),
                "size": size,
                "success_rate": round(float(np.mean([payload["successes"][i] for i in members])), 4),
                "mean_reward": round(float(np.mean([payload["rewards"][i] for i in members])), 4),
                "example_ids": [payload["ids"][i] for i in nearest[:MAX_EXAMPLES]],
            }
        )
    return found


def _rows(texts: list[str], contexts: list[str], vectors: bytes | None) -> Floats:
    if vectors:
        tasks = np.frombuffer(vectors, np.float32).reshape(len(texts), -1).astype(np.float64)
        if min(tasks.shape) > DIMENSION:
            tasks = PCA(DIMENSION, random_state=0).fit_transform(tasks)
    else:
        tasks = _word_rows(texts)
    tasks /= np.maximum(np.linalg.norm(tasks, axis=1, keepdims=True), 1e-9)
    kinds = sorted(set(contexts))
    numbers = {kind: i for i, kind in enumerate(kinds)}
    around = np.zeros((len(texts), len(kinds)))
    around[np.arange(len(texts)), [numbers[c] for c in contexts]] = CONTEXT_WEIGHT
    return np.hstack([tasks, around])


def _word_rows(texts: list[str]) -> Floats:
    try:
        counted = TfidfVectorizer(stop_words="english", sublinear_tf=True, max_features=20_000, token_pattern=_TOKEN).fit_transform(texts)
    except ValueError:  # no text has a word
        return np.zeros((len(texts), 1))
    if counted.shape[1] <= DIMENSION:
        return np.asarray(counted.toarray())
    with np.errstate(divide="ignore", invalid="ignore"):  # of the variance explained, which nobody asks for, where all texts are the same
        return np.asarray(TruncatedSVD(min(DIMENSION, len(texts) - 1), random_state=0).fit_transform(counted))


def _labels(rows: Floats, sample_threshold: int) -> Ints:
    """Return a cluster number per row, -1 for noise."""
    if len(rows) <= sample_threshold:
        return np.asarray(_hdbscan(rows), np.int64)
    sample = np.sort(np.random.default_rng(0).choice(len(rows), sample_threshold, replace=False))
    of_sample = _hdbscan(rows[sample])
    index = NearestNeighbors(n_neighbors=2, algorithm="ball_tree").fit(rows[sample])
    inside = index.kneighbors(rows[sample])[0][:, 1]  # to the nearest other one
    reach = {c: REACH * float(np.median(inside[of_sample == c])) + 1e-6 for c in set(of_sample.tolist()) if c != NOISE}
    distances, nearest = (column[:, 0] for column in index.kneighbors(rows, n_neighbors=1))
    labels: Ints = of_sample[nearest].astype(np.int64)
    limits = np.array([reach.get(int(c), -1.0) for c in labels])
    labels[distances > limits] = NOISE
    labels[sample] = of_sample
    return labels


def _joined(rows: Floats, labels: Ints) -> Ints:
    """Return the labels with the same work in one cluster.

    What differs between twenty variations of one task is noise, and differences of density alone split them at random or find nothing.
    """
    labels = labels.copy()
    left = np.flatnonzero(labels == NOISE)
    if len(left) >= MIN_CLUSTER:
        found = DBSCAN(eps=SAME, min_samples=MIN_CLUSTER, algorithm="ball_tree").fit_predict(rows[left])
        labels[left] = np.where(found == NOISE, NOISE, found + labels.max() + 1)
    kinds = sorted(set(labels.tolist()) - {NOISE})
    if len(kinds) < 2:
        return labels
    centres = np.stack([rows[labels == kind].mean(axis=0) for kind in kinds])
    groups = AgglomerativeClustering(None, distance_threshold=SAME, linkage="average").fit_predict(centres)
    of_kind = dict(zip(kinds, groups.tolist(), strict=True)) | {NOISE: NOISE}
    return np.array([of_kind[label] for label in labels.tolist()], np.int64)


def _hdbscan(rows: Floats) -> Ints:
    # copy: later versions of scikit-learn change the default and warn until it is said
    return np.asarray(HDBSCAN(min_cluster_size=MIN_CLUSTER, algorithm="ball_tree", copy=True).fit_predict(rows), np.int64)


def _label(members: list[set[str]], spread: Counter[str], contexts: list[str], total: int) -> str:
    """Return the words that most of the cluster's tasks share and few others have, with the context nearly all of them share."""
    inside = Counter(word for words in members for word in words)
    scores = {w: n / len(members) * math.log((total + 1) / spread[w]) for w, n in inside.items()}
    words = [w for w, _ in sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:LABEL_WORDS]]
    context, n = Counter(contexts).most_common(1)[0]
    shared = f" ({context})" if context and n >= 0.8 * len(members) else ""
    return (", ".join(words) or "tasks without words") + shared
