"""Small episodes, completions and stores for the tests of storage."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mcp_memory.config import StorageConfig
from mcp_memory.domain.episode import Context, Episode, EpisodeState, FileUse, Outcome, OutcomeKind, Reflection, Reward, Step, Use
from mcp_memory.domain.pattern import Observation, PatternKind
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Cache, Clock, Completion, IndexText, Store
from mcp_memory.storage.lmdb_cache import LmdbCache
from mcp_memory.storage.sqlite_store import SqliteStore
from mcp_memory.testing import InMemoryCache, InMemoryStore

CONFIG = StorageConfig(synchronous="NORMAL", cache_max_bytes=8 * 1024 * 1024)  # power cuts are not what these tests are about
KINDS = ("memory", "sqlite", "dual", "dual on a dict")


class Counter:
    """A clock that ticks a millisecond every time it is read."""

    def __init__(self) -> None:
        self.now_ms = 1_000_000

    def __call__(self) -> int:
        self.now_ms += 1
        return self.now_ms


class OwningStore(SqliteStore):
    """A store that also closes its cache, for tests that hand one object around."""

    cache: Cache | None = None

    async def aclose(self) -> None:
        await super().aclose()
        if self.cache is not None:
            self.cache.close()


async def open_store(kind: str, data_dir: Path, config: StorageConfig = CONFIG, clock: Clock | None = None) -> Store:
    """Open a store of that kind on *data_dir*."""
    if kind == "memory":
        return InMemoryStore()
    caches: dict[str, Callable[[], Cache]] = {
        "dual": lambda: LmdbCache(data_dir / "cache", config.cache_max_bytes),
        "dual on a dict": InMemoryCache,
    }
    cache = caches[kind]() if kind in caches else None
    store = await OwningStore.open(data_dir, config, Metrics(), clock or Counter(), cache)
    assert isinstance(store, OwningStore)
    store.cache = cache
    return store


def episode(id_: str, task: str = "fix the date parser", *, at_ms: int = 1000, **fields: Any) -> Episode:
    """Return an open episode of project `p`."""
    return Episode(**{"id": id_, "project": "p", "task": task, "started_at_ms": at_ms, **fields})


def step(tool: str = "bash", **fields: Any) -> Step:
    """Return a step."""
    return Step(**{"tool": tool, "action": "run", "at_ms": 5, **fields})


def observation(name: str, *, success: bool = True, **fields: Any) -> Observation:
    """Return evidence for the pattern that *name* stands for."""
    return Observation(PatternKind.TOOL_SEQUENCE, {"sequence": [name]}, f"pattern {name}", success, **fields)


def completion(
    opened: Episode, steps: int, *, reward: float = 0.75, outcome: OutcomeKind = OutcomeKind.SUCCESS, **fields: Any
) -> Completion:
    """Return what completes *opened*, judged on its first *steps* steps."""
    text = fields.pop("text", f"bash run pytest {opened.id}")
    ended_at_ms = fields.pop("ended_at_ms", opened.started_at_ms + 60_000)
    judged = replace(
        opened,
        state=EpisodeState.COMPLETED,
        ended_at_ms=ended_at_ms,
        step_count=steps,
        steps=opened.steps or tuple(step(index=i) for i in range(steps)),
        outcome=Outcome(outcome, "it works", lessons=("run the tests first",), artifacts=("a.py",), failed=("docs",), error=None),
        reward=Reward(reward, {"outcome": 1.0, "efficiency": 0.5}),
        reflection=Reflection(("steps 1-2 went well",), ("step 3 was slow",), ("the parser is strict",)),
        key_steps=(0,) if steps else (),
        files=(FileUse("a.py", Use.CHANGED), FileUse("b.py")),
    )
    return Completion(judged, IndexText(judged.task, text, "it works"), **fields)


async def complete(store: Store, id_: str, task: str = "fix the date parser", *, steps: int = 2, **fields: Any) -> Episode:
    """Start, log and complete an episode, and return it as the store has it."""
    start = {k: fields.pop(k) for k in ("at_ms", "project", "context", "follows", "external_id", "task_type", "agent") if k in fields}
    opened = episode(id_, task, **start)
    await store.start_episode(opened)
    if steps:
        await store.append_steps(id_, [step(observation=f"output {i}") for i in range(steps)])
    await store.complete_episode(completion(opened, steps, **fields))
    found = store.get_episodes([id_])[0]
    assert found is not None
    return found


CONTEXT = Context("web", "python", "django", tags=("urgent", "parser"))
