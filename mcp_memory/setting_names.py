"""Names of settings that are not ours: typing errors, and those of the performance plan this program grew out of. Pure.

That plan was written for another system. A key with a counterpart is taken as that; one without is accepted with a note on what does its
job here, so that a file written for the plan loads.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple


class Section(NamedTuple):
    """`ours` is where keys of our own names belong; `keys` are the plan's names for ours; `instead` says what does the rest."""

    ours: str
    keys: Mapping[str, str]
    instead: str


PLAN: Mapping[str, Section] = {
    "episode_creation": Section("learning", {}, "a request is checked once at the edge, and a creation is one committed write"),
    "step_logging": Section(
        "storage",
        {"buffer_size": "storage.max_batch_size", "batch_size": "storage.max_batch_size", "max_batch_size": "storage.max_batch_size"},
        "steps are committed in groups without a timer: a batch is what waits while the last one commits",
    ),
    "episode_completion": Section("learning", {}, "reward, reflection and patterns are made in one pass and committed together"),
    "pattern_extraction": Section(
        "learning",
        {"sampling_threshold": "learning.sample_threshold", "sample_threshold": "learning.sample_threshold", "enabled": "learning.enabled"},
        "each step is seen once, when its episode completes",
    ),
    "memory_retrieval": Section(
        "retrieval",
        {
            "cache_size": "retrieval.query_cache_entries",
            "query_cache_size": "retrieval.query_cache_entries",
            "max_candidates": "retrieval.candidates",
        },
        "answers are kept under the change sequence they were made at, so none needs a time to live",
    ),
    "embeddings": Section(
        "embedding",
        {"batch_size": "embedding.batch_size", "timeout_ms": "embedding.timeout_ms", "max_retries": "embedding.max_retries"},
        "vectors are kept for good in the hot tier",
    ),
    "concurrency": Section(
        "storage",
        {"queue_size": "storage.max_queue_size", "max_queue_size": "storage.max_queue_size", "worker_threads": "embedding.threads"},
        "one writer, readers from memory, threads where a library releases the interpreter",
    ),
}


def meant(name: str, known: Collection[str]) -> str:
    """Return which of the dotted names was probably meant, "" where none is near.

    >>> meant("storage.port", ["server.port", "server.host"]), meant("servr.host", ["server.port", "server.host"])
    ('server.port', 'server.host')
    """
    key = name.partition(".")[2]
    elsewhere = sorted(other for other in known if key and other.endswith(f".{key}"))  # right, but in another section
    close = elsewhere or difflib.get_close_matches(name, sorted(known), 1, 0.75)
    return close[0] if close else ""


def translated(section: str, body: Mapping[str, Any], known: frozenset[str]) -> Iterator[tuple[str, Any, str]]:
    """Yield (our dotted name or "", value, note) for each key of one of the plan's sections; *known* are our own dotted names.

    >>> list(translated("step_logging", {"buffer_size": 10, "flush_interval_ms": 100}, frozenset()))[0]
    ('storage.max_batch_size', 10, '[step_logging] buffer_size is storage.max_batch_size here')
    """
    plan = PLAN[section]
    for key, value in body.items():
        name = plan.keys.get(key) or (f"{plan.ours}.{key}" if f"{plan.ours}.{key}" in known else "")
        note = f"[{section}] {key} is {name} here" if name else f"[{section}] {key} has no counterpart: {plan.instead}"
        yield name, value, note
