"""Clusters of similar tasks."""

import numpy as np
import pytest

from mcp_memory.learning.reports.clustering import cluster

THEMES = {
    "ops": ("deploy kubernetes service to cluster", "restart kubernetes service pods"),
    "data": ("plot sales table quarterly revenue", "sum sales table revenue column"),
    "mail": ("answer refund mail customer", "draft refund mail politely"),
}


def payload(each: int, sample_threshold: int = 1_000, *, vectors: bool = False) -> dict[str, object]:
    texts, contexts = [], []
    for i in range(each):
        for theme, tasks in THEMES.items():
            texts.append(f"{tasks[i % 2]} number{i}")
            contexts.append(theme)
    rows: bytes = b""
    if vectors:
        rng = np.random.default_rng(1)
        centres = np.eye(16, dtype=np.float32)[: len(THEMES)]
        points = np.vstack([centres[i % 3] + rng.normal(0, 0.05, 16) for i in range(len(texts))]).astype(np.float32)
        rows = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32).tobytes()
    return {
        "ids": [f"e{i}" for i in range(len(texts))],
        "texts": texts,
        "contexts": contexts,
        "successes": [c == "ops" for c in contexts],
        "rewards": [0.9 if c == "ops" else 0.1 for c in contexts],
        "vectors": rows,
        "sample_threshold": sample_threshold,
    }


def themes_of(found: list[dict[str, object]], data: dict[str, object]) -> list[set[str]]:
    contexts: list[str] = data["contexts"]  # type: ignore[assignment]
    return [{contexts[int(e[1:])] for e in group["example_ids"]} for group in found]  # type: ignore[attr-defined]


def test_similar_tasks_meet_and_different_ones_do_not() -> None:
    for vectors in (False, True):
        data = payload(12, vectors=vectors)
        found = cluster(data)
        assert found
        assert all(len(themes) == 1 for themes in themes_of(found, data))
        assert {next(iter(t)) for t in themes_of(found, data)} == set(THEMES)


def test_variations_of_one_task_are_one_cluster_by_vectors_and_by_words() -> None:
    texts = [f"Deploy the web service to cluster {i}" for i in range(20)]
    row = np.eye(8, dtype=np.float32)[:1]
    noise = np.random.default_rng(2).normal(0, 0.05, (20, 8)).astype(np.float32)
    for vectors in ((row + noise).tobytes(), b""):
        data = payload(1) | {"ids": [f"e{i}" for i in range(20)], "texts": texts, "contexts": ["ops"] * 20, "vectors": vectors}
        (one,) = cluster(data | {"successes": [i < 5 for i in range(20)], "rewards": [0.5] * 20})
        assert (one["size"], one["success_rate"]) == (20, 0.25)
        assert "deploy" in one["label"]


def test_a_cluster_is_named_by_its_words_and_context_and_says_how_it_went() -> None:
    by_context = {g["label"].split("(")[1].rstrip(")"): g for g in cluster(payload(12, vectors=True))}
    assert "kubernetes" in by_context["ops"]["label"]
    assert by_context["ops"]["success_rate"] == 1.0
    assert by_context["mail"]["success_rate"] == 0.0
    assert by_context["data"]["mean_reward"] == 0.1
    assert len(by_context["ops"]["example_ids"]) == 3


def test_above_the_threshold_a_sample_is_clustered_and_the_rest_joins_it() -> None:
    data = payload(200, sample_threshold=150, vectors=True)
    found = cluster(data)
    assert sum(g["size"] for g in found) > 400
    assert all(len(themes) == 1 for themes in themes_of(found, data))
    assert found == cluster(data)


def test_a_handful_of_episodes_has_no_clusters() -> None:
    assert cluster(payload(1)) == []


@pytest.mark.parametrize("text", ["1 2 3", "", " ".join(f"w{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(200))])
def test_tasks_without_words_and_tasks_of_the_same_words_are_clustered_too(text: str) -> None:
    data = payload(4) | {"texts": [text] * 12, "contexts": ["ops"] * 12}
    assert [group["size"] for group in cluster(data)] == [12]
