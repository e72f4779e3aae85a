"""What a small memory answers: asked of the version that wrote `tests/data/memory_v1.db.gz`, and again of every later one.

Run as a script, with the version to ask first on the path, it writes both files.
"""

import asyncio
import dataclasses
import enum
import gzip
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcp_memory import bootstrap
from mcp_memory.bootstrap import open_memory
from mcp_memory.config_sources import load_config
from mcp_memory.memory import EpisodicMemory

DATA = Path(__file__).parent.parent / "data"
DAY_MS = 86_400_000
FIRST_MS = 1_790_000_000_000
ASKED_MS = FIRST_MS + 30 * DAY_MS  # every answer is of this moment: recency and confidence move with the clock
CHANGING = ("recommendation_id", "took_ms", "tokens")
TASKS = (
    ("fix the date parser of the importer", "debugging", "shop", "django", "success"),
    ("fix the date parser of the exporter", "debugging", "shop", "django", "failure"),
    ("add an index to the orders table", "code_generation", "shop", "postgres", "success"),
    ("write tests for the payment service", "testing", "shop", "pytest", "partial"),
    ("fix the date parser again: «naïve» timestamps 文字 🚀", "debugging", "shop", "django", "success"),
    ("deploy the staging cluster", "operations", "ops", "kubernetes", "failure"),
    ("deploy the staging cluster with the new chart", "operations", "ops", "kubernetes", "success"),
    ("summarise the incident of last week", "documentation", "ops", "", "success"),
)


def settings(data_dir: Path, provider: str) -> Any:
    return load_config(
        env={}, flags={"storage.data_dir": str(data_dir), "embedding.provider": provider, "server.project": "shop", "server.redact": False}
    )


@contextmanager
def clock_at(ms: int) -> Iterator[None]:
    """Let every memory opened inside begin at *ms*; its clock ticks a millisecond a look."""
    now, ticks = bootstrap.now_ms, iter(range(ms, ms + 10_000_000))
    bootstrap.now_ms = lambda: next(ticks)
    try:
        yield
    finally:
        bootstrap.now_ms = now


def imported(n: int) -> str:
    """Return an interchange line of a session with an external id, a thread and a whole number beyond 64 bits."""
    follows = {"follows": f"session-{n - 1}"} if n else {}
    steps = [
        {"tool": "bash", "arguments": {"command": f"pytest -k {i}", "big": 10**30}, "observation": "x" * 900 * i, "at_ms": FIRST_MS + i}
        for i in range(1, 4)
    ]
    line = {
        "external_id": f"session-{n}", "task": f"imported session {n} about caching", "project": "shop", "agent": "importer",
        "started_at_ms": FIRST_MS + n * DAY_MS, "ended_at_ms": FIRST_MS + n * DAY_MS + 5_000, "steps": steps,
        "outcome": {"kind": "success", "summary": "cached", "lessons": ["cache by content"], "artifacts": ["cache.py"]}, **follows,
    }  # fmt: skip
    return json.dumps(line)


async def write(memory: EpisodicMemory) -> None:
    """Fill an empty memory with every kind of record there is."""
    ids: list[str] = []
    for n, (task, task_type, project, framework, outcome) in enumerate(TASKS):
        opened = await memory.start_episode(
            task, task_type=task_type, project=project, framework=framework, domain="backend", language="python", tags=[f"t{n % 3}"],
            agent="coder", metadata={"ticket": n, "nested": {"deep": [1, 2.5, None]}},
        )  # fmt: skip
        ids.append(opened.episode_id)
        await memory.log_step(opened.episode_id, "read_file", arguments={"path": f"app/{framework}.py"}, observation="def parse(text): ...")
        await memory.log_step(
            opened.episode_id, "bash", action="run tests", arguments={"command": "pytest -x"}, status="error", error="ValueError: bad date",
            observation="E   ValueError: bad date " * 80, duration_ms=1200, tokens=15,
        )  # fmt: skip
        await memory.log_steps(
            opened.episode_id,
            [{"tool": "edit", "arguments": {"path": "app/dates.py"}, "observation": "ok"}, {"tool": "bash", "observation": "5 passed"}],
        )
        await memory.complete_episode(
            opened.episode_id, outcome, summary=f"{outcome}: {task}", lessons=["parse with the offset first"], artifacts=["app/dates.py"],
            completed=["parser"], failed=["docs"] if outcome != "success" else [],
        )  # fmt: skip
    await memory.import_lines([imported(n) for n in range(3)])
    await memory.update_episode(ids[0], add_tags=["edited"], remove_tags=["t0"], metadata={"ticket": None, "reviewed": True})
    await memory.update_episode(ids[2], task="add a partial index to the orders table")
    await memory.link_episodes(ids[0], ids[4], "related_to", "same parser")
    await memory.link_episodes(ids[1], ids[4], "depends_on", "gone")
    await memory.link_episodes(ids[1], ids[4], "depends_on", remove=True)
    await memory.correct(ids[3], "mock the gateway, not the service", reason="it leaked", contradicts=True)
    await memory.correct(ids[3], "mock the gateway only")
    found = await memory.recall("fix the date parser")
    await memory.give_feedback(found.recommendation_id, "helped", used_ids=[found.episodes[0].episode_id], rating=0.9, note="the offset")
    patterns = (await memory.search_patterns()).patterns
    await memory.correct(patterns[0].pattern_id, "only for dates with an offset")
    left = await memory.start_episode("left open: tune the cache", episode_id="")
    await memory.log_step(left.episode_id, "bash", observation="warming")
    await memory.checkpoint_episode(left.episode_id, "half way")
    gone = await memory.start_episode("to be forgotten: rotate the keys")
    await memory.complete_episode(gone.episode_id, "abstained", summary="not now")
    await memory.forget(episode_ids=[gone.episode_id], confirm=True)
    await memory.settle()


def plain(value: Any) -> Any:
    """Return an answer as JSON values, without what differs from call to call."""
    if dataclasses.is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.name not in CHANGING}
    if isinstance(value, enum.Enum):
        return str(value)
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items() if k not in CHANGING}
    if isinstance(value, (list, tuple, frozenset)):
        return [plain(v) for v in value]
    if isinstance(value, bytes):
        return value.hex()
    return round(value, 5) if isinstance(value, float) else value


async def answers(memory: EpisodicMemory) -> dict[str, Any]:
    """Ask everything that reads."""
    listed = await memory.search_episodes(project="*", limit=50, sort="oldest")
    ids = [row.episode_id for row in listed.episodes]
    patterns = await memory.search_patterns(project="*", limit=50)
    checkpoint = next(row.episode_id for row in listed.episodes if row.state == "open")
    return {
        "listed": plain(listed),
        "searched": plain(await memory.search_episodes(query="date parser", project="*")),
        "tagged": plain(await memory.search_episodes(tags=["edited"])),
        "recall": plain(await memory.recall("fix the date parser", limit=5, detail="full")),
        "recall ops": plain(await memory.recall("deploy the cluster", project="ops")),
        "episodes": {i: plain(await memory.get_episode(i, "full")) for i in ids},
        "related": {i: plain(await memory.related_episodes(i, depth=2)) for i in ids},
        "patterns": plain(patterns),
        "pattern": {p.pattern_id: plain(await memory.get_pattern(p.pattern_id)) for p in patterns.patterns},
        "trends": plain(await memory.analyze_trends(project="*", metric="reward", bucket="week")),
        "playbook": plain(await memory.recommend_playbook("fix the date parser")),
        "lessons": await memory.lessons_markdown(project="*"),
        "suggested": plain(await memory.suggest_next_step(checkpoint)),
        "exported": [line async for text in memory.export_lines() if "record" not in (line := json.loads(text))],  # episodes
    }


async def asked(data_dir: Path) -> dict[str, Any]:
    """Open the memory of *data_dir* without a model, so that answers do not depend on a processor, and ask it."""
    with clock_at(ASKED_MS):
        async with open_memory(settings(data_dir, "off")) as memory:
            await memory.settle()
            found: dict[str, Any] = json.loads(json.dumps(await answers(memory)))
            return found


async def make() -> None:
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        with clock_at(FIRST_MS):
            async with open_memory(settings(data_dir, "local")) as memory:
                await write(memory)
        image = (data_dir / "memory.db").read_bytes()
        assert not (data_dir / "memory.db-wal").exists()
        DATA.mkdir(exist_ok=True)
        (DATA / "memory_v1.db.gz").write_bytes(gzip.compress(image, mtime=0))
        found = json.dumps(await asked(data_dir), ensure_ascii=False, sort_keys=True)
        (DATA / "memory_v1.answers.json.gz").write_bytes(gzip.compress(found.encode(), mtime=0))


if __name__ == "__main__":
    print("asking", bootstrap.__file__, file=sys.stderr)
    asyncio.run(make())
