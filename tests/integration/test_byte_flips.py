"""A byte of memory.db that changes is never a wrong answer without a word: a read says so, or the full check does.

By hand, with the number of trials: `python -m tests.integration.test_byte_flips 200`.
"""

import asyncio
import collections
import gzip
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.config import StorageConfig
from mcp_memory.domain.query import Filter, Sort, TextQuery
from mcp_memory.errors import McpMemoryError
from mcp_memory.metrics import Metrics
from mcp_memory.storage.sqlite_store import SqliteStore
from tests.integration.memory_answers import DATA

CONFIG = StorageConfig(synchronous="NORMAL", busy_deadline_ms=1000)
WORDS = ("date", "parser", "cluster", "orders", "session", "naïve", "cache", "pytest", "tests", "caching")
SHORT_TRIALS = 24
LOUD = ("refused", "said by a read", "found by the check")


def opened(folder: Path) -> SqliteStore:
    return asyncio.run(SqliteStore.open(folder, CONFIG, Metrics(), lambda: 2_000_000_000_000))


def made(folder: Path) -> bytes:
    """Return the sound file, of today's schema."""
    (folder / "memory.db").write_bytes(gzip.decompress((DATA / "memory_v1.db.gz").read_bytes()))
    asyncio.run(opened(folder).aclose())
    return (folder / "memory.db").read_bytes()


def everything(store: SqliteStore, known: dict[str, Any]) -> dict[str, Any]:
    """Return whatever can be read; *known* holds the ids of the sound file."""
    ids, patterns = known["ids"], known["patterns"]
    found: dict[str, Any] = {
        "episodes": store.get_episodes(ids),
        "external": store.find_external("shop", ["session-0", "session-1", "session-2"]),
        "traces": store.traces(),
        "patterns": store.patterns(),
        "patterns of shop": store.patterns(project="shop", words=["date"]),
        "tallies": store.pattern_tallies(ids),
        "evidence": store.evidence(patterns),
        "episode patterns": store.episode_patterns(ids),
        "recommendations": [store.recommendations(ids=known["shown"]), *(store.recommendations(episode_id=i) for i in ids)],
        "feedback": store.feedback(),
        "corrections": [store.corrections(), store.corrections(ids)],
        "links": store.links(ids),
        "checkpoints": [store.checkpoint(c) for c in known["checkpoints"]] + [store.latest_checkpoint(i) for i in ids],
        "counts": [store.counts(), store.counts("shop")],
        "distinct": [store.distinct(c, "", 20) for c in ("project", "domain", "language", "framework", "agent")],
        "vectors": [store.vectors(space) for space in known["spaces"]],
        "missing": [store.missing_vectors(space, 50) for space in known["spaces"]],
        "facts": store.facts_after(0),
        "replica": store.info().replica_id,
        "search": [store.search_text(TextQuery((word,)), project="*", limit=20) for word in WORDS],
        "terms": store.term_counts(WORDS),
    }
    for where in (Filter(), Filter(project="shop"), Filter(tags=("edited",)), Filter(framework="django"), Filter(outcome="failure")):
        for sort in (Sort.NEWEST, Sort.REWARD, Sort.DURATION):
            found[f"{where} {sort}"] = store.list_episodes(where, sort=sort, limit=50, cursor=None)
    for word in WORDS:
        found[f"listing {word}"] = store.list_episodes(Filter(), sort=Sort.RELEVANCE, limit=50, cursor=None, text=TextQuery((word,)))
    return found


def ids_of(store: SqliteStore) -> dict[str, Any]:
    ids = list(store.list_episodes(Filter(), sort=Sort.OLDEST, limit=100, cursor=None).ids)
    with store._readers.reader() as connection:
        spaces = [row[0] for row in connection.execute("SELECT name FROM space")]
    return {
        "ids": ids,
        "patterns": [p.id for p in store.patterns()],
        "shown": [r.id for i in ids for r in store.recommendations(episode_id=i)] + [r.id for _, r in store.feedback()[0]],
        "checkpoints": [x for i in ids if (x := store.latest_checkpoint(i))],
        "spaces": spaces,
    }


def trial(folder: Path, image: bytes, at: int, flip: int, known: dict[str, Any], right: dict[str, Any]) -> str:
    """Return what became of one flipped byte."""
    for name in ("memory.db-wal", "memory.db-shm"):
        (folder / name).unlink(missing_ok=True)
    spoiled = bytearray(image)
    spoiled[at] ^= flip
    (folder / "memory.db").write_bytes(spoiled)
    try:
        store = opened(folder)
    except McpMemoryError:
        return "refused"
    try:
        try:
            same = everything(store, known) == right
        except McpMemoryError:
            return "said by a read"
        if store.check():
            return "found by the check"
        return "of no consequence" if same else "SILENTLY WRONG"
    finally:
        asyncio.run(store.aclose())


def trials(folder: Path, count: int, seed: int) -> collections.Counter[str]:
    """Flip *count* bytes that are not zero, one at a time, and return what became of them."""
    image = made(folder)
    store = opened(folder)
    known = ids_of(store)
    right = everything(store, known)
    assert store.check() == []
    asyncio.run(store.aclose())
    chance, outcomes = random.Random(seed), collections.Counter[str]()
    while outcomes.total() < count:
        at = chance.randrange(len(image))
        if image[at]:
            outcome = trial(folder, image, at, chance.randrange(1, 256), known, right)
            if outcome == "SILENTLY WRONG":
                sys.stderr.write(f"seed {seed}: byte {at} (page {at // 4096 + 1})\n")
            outcomes[outcome] += 1
    return outcomes


@pytest.mark.parametrize("seed", range(2))
def test_no_flipped_byte_is_a_wrong_answer_without_a_word(tmp_path: Path, seed: int) -> None:
    outcomes = trials(tmp_path, SHORT_TRIALS // 2, seed)
    assert outcomes["SILENTLY WRONG"] == 0
    assert sum(outcomes[o] for o in LOUD) > SHORT_TRIALS // 4


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        print(dict(trials(Path(scratch), int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 7)))
