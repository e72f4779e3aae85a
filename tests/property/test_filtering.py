"""One meaning of a filter: SQL, the in-memory store, recall and trends admit what `domain/filtering.py` says, and nothing else."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mcp_memory.domain.episode import Context, Episode, OutcomeKind, TaskType
from mcp_memory.domain.filtering import admits, admits_episode
from mcp_memory.domain.query import Filter, Sort
from mcp_memory.learning.reports.trends import trends
from mcp_memory.ports import Store
from mcp_memory.views.catalog import Catalog
from tests.contract.store_samples import completion, episode, open_store

NAMES = st.sampled_from(["", "web", "Web", "WEB", "ärger", "ÄRGER", "straße", "STRASSE", "\u212aelvin", "kelvin", "a*b", "q]"])
TIMES = st.integers(0, 6)
TAGS = st.lists(NAMES.filter(bool), max_size=2, unique=True).map(tuple)
MIDNIGHT_MS, HOUR_MS = 1_700_006_400_000, 3_600_000


@st.composite
def attempts(draw: st.DrawFn) -> list[tuple[Episode, int | None, OutcomeKind]]:
    """Draw episodes with the time of their end (None: open) and their outcome."""
    drawn = []
    for number in range(draw(st.integers(1, 5))):
        started_at_ms = draw(TIMES)
        context = Context(draw(NAMES), draw(NAMES), draw(NAMES), tags=draw(TAGS))
        kind = draw(st.sampled_from([TaskType.OTHER, TaskType.TESTING]))
        begun = episode(f"e{number}", at_ms=started_at_ms, project=draw(st.sampled_from(["p", "P"])), context=context, task_type=kind)
        ended_at_ms = draw(st.none() | st.integers(started_at_ms, 6))
        drawn.append((begun, ended_at_ms, draw(st.sampled_from([OutcomeKind.SUCCESS, OutcomeKind.FAILURE]))))
    return drawn


filters = st.builds(
    Filter,
    project=st.sampled_from(["", "*", "p", "P"]),
    domain=NAMES,
    language=NAMES,
    framework=NAMES,
    tags=TAGS,
    task_type=st.sampled_from(["", "testing"]),
    outcome=st.sampled_from(["", "success"]),
    state=st.sampled_from(["", "open", "completed"]),
    since_ms=st.none() | TIMES,
    until_ms=st.none() | TIMES,
    projects=st.sampled_from([(), ("p",), ("P", "q"), ("p", "P")]),
)
ACROSS_MIDNIGHT = (episode("e0", at_ms=MIDNIGHT_MS - HOUR_MS, context=Context("Web")), MIDNIGHT_MS + HOUR_MS, OutcomeKind.SUCCESS)


async def record(store: Store, drawn: list[tuple[Episode, int | None, OutcomeKind]]) -> None:
    for begun, ended_at_ms, outcome in drawn:
        await store.start_episode(begun)
        if ended_at_ms is not None:
            await store.complete_episode(completion(begun, 0, ended_at_ms=ended_at_ms, outcome=outcome))


def listed(store: Store, where: Filter) -> set[str]:
    return set(store.list_episodes(where, sort=Sort.NEWEST, limit=50, cursor=None).ids)


def no_analysis(function: str, payload: Any) -> Any:
    raise AssertionError("so few episodes need no analysis")


@settings(max_examples=60, deadline=None)
@given(attempts(), filters)
@example([ACROSS_MIDNIGHT], Filter(domain="web", since_ms=MIDNIGHT_MS))
@example([ACROSS_MIDNIGHT], Filter(domain="WEB", until_ms=MIDNIGHT_MS))
def test_every_door_admits_the_same_episodes(drawn: list[tuple[Episode, int | None, OutcomeKind]], where: Filter) -> None:
    async def compare() -> None:
        with tempfile.TemporaryDirectory() as folder:
            stores = [await open_store("memory", Path(folder)), await open_store("sqlite", Path(folder))]
            try:
                for store in stores:
                    await record(store, drawn)
                everything = [e for e in stores[1].get_episodes([begun.id for begun, _, _ in drawn]) if e is not None]
                meant = {e.id for e in everything if admits_episode(where, e)}
                for store in stores:
                    assert listed(store, where) == meant
                traces = stores[1].traces()
                completed = {t.id for t in traces}
                assert {t.id for t in traces if admits(where, t)} == meant & completed
                catalog = Catalog()
                catalog.add(traces)
                allowed = catalog.allowed(where, strict=True)
                assert {t.id for t in traces if allowed is None or t.seq in allowed} == meant & completed
                answer = trends(traces, where, tool="", metric="reward", bucket="day", analyse=no_analysis)
                assert sum(point.count for point in answer.series) == len(meant & completed)
            finally:
                for store in stores:
                    await store.aclose()

    asyncio.run(compare())
