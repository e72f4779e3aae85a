"""What every Store promises about quarantined sources: nothing of them is read, by nobody, until they are released."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.domain.curation import Correction
from mcp_memory.domain.episode import OutcomeKind
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.domain.metadata_keys import SESSION_ID
from mcp_memory.domain.query import ChangeKind, Filter, Sort, TextQuery
from mcp_memory.domain.sources import Quarantine, Source, SourceKind
from mcp_memory.ports import Store, VectorRow
from tests.contract.store_samples import KINDS, completion, episode, observation, open_store

pytestmark = pytest.mark.anyio

MALLORY = Quarantine(Source(SourceKind.AGENT, "mallory"), "it lies", "ana", 5)
SESSION = Quarantine(Source(SourceKind.SESSION, "s1"), "", "", 6)


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(request.param, tmp_path)
    yield opened
    assert not opened.check()
    await opened.aclose()


async def add(store: Store, id_: str, agent: str, *, session: str = "", opened: bool = False, external: str | None = None) -> None:
    """Add an episode with a pattern, a vector, a vote and a correction of its agent's."""
    started = episode(id_, f"mend {id_} parser", agent=agent, metadata={SESSION_ID: session} if session else {}, external_id=external)
    await store.start_episode(started)
    if opened:
        return
    done = completion(started, 0, observations=(observation("shared"), observation(agent)), outcome=OutcomeKind.SUCCESS)
    await store.complete_episode(done)
    await store.put_vectors("local:m:2", [VectorRow(0, id_, 0, 0.5, b"\x01\x02")])
    await store.put_recommendation(Recommendation(f"r{id_}", RecommendationKind.RECALL, "p", id_, ("honest",), 7))
    await store.put_feedback(Feedback(f"v{id_}", f"r{id_}", Verdict.HELPED, (), None, "", False, 8, id_))
    await store.put_correction("honest", Correction(f"as {agent} says", by=agent), 9)


def seen(store: Store) -> dict[str, Any]:
    """Return everything that answers are made from."""
    shared = observation("shared").pattern_id
    return {
        "traces": [t.id for t in store.traces()],
        "by id": [t.id for t in store.traces(ids=["honest", "m1", "m2"])],
        "text": sorted(hit.episode_id for hit in store.search_text(TextQuery(("parser",)), project="p", limit=9)),
        "text anywhere": sorted(hit.episode_id for hit in store.search_text(TextQuery(("parser",)), project="*", limit=9)),
        "vectors": [row.episode_id for row in store.vectors("local:m:2")[0]],
        "listed": list(store.list_episodes(Filter(), sort=Sort.OLDEST, limit=9, cursor=None).ids),
        "patterns": sorted((p.description, p.support, p.successes) for p in store.patterns()),
        "evidence": sorted(e.episode_id for e in store.evidence([shared]).get(shared, ())),
        "votes": [vote.id for vote, _ in store.feedback()[0]],
        "corrections": store.corrections(["honest"]),
        "all corrections": store.corrections(),
    }


async def test_nothing_of_a_quarantined_agent_is_read_and_all_of_it_after_its_release(store: Store) -> None:
    await add(store, "honest", "ana")
    only_honest = seen(store)
    await add(store, "m1", "mallory")
    await add(store, "m2", "mallory")
    with_all = seen(store)
    assert with_all != only_honest
    assert await store.put_quarantine(MALLORY, active=True) == 2
    assert seen(store) == only_honest
    assert store.quarantines() == [MALLORY]
    assert store.quarantined_episodes() == {"m1", "m2"}
    assert await store.put_quarantine(MALLORY, active=False) == 2
    assert seen(store) == with_all
    assert store.quarantines() == []


async def test_what_arrives_later_from_a_quarantined_source_is_kept_and_not_read(store: Store) -> None:
    await add(store, "honest", "ana")
    only_honest = seen(store)
    await add(store, "m1", "mallory", opened=True)
    await store.put_quarantine(MALLORY, active=True)
    await store.complete_episode(completion(replace(episode("m1", agent="mallory")), 0, observations=(observation("shared"),)))
    await add(store, "m2", "mallory")
    imported = episode("m3", "mend m3 parser", agent="mallory", external_id="x/3")
    await store.import_episodes([completion(imported, 0, observations=(observation("shared"),))])
    assert seen(store) == only_honest
    assert [e and e.id for e in store.get_episodes(["m1", "m3"])] == ["m1", "m3"]
    assert await store.put_quarantine(MALLORY, active=False) == 3
    assert seen(store)["traces"] == ["honest", "m1", "m2", "m3"]


async def test_an_episode_of_two_quarantined_sources_comes_back_with_the_last_of_them(store: Store) -> None:
    await add(store, "m1", "mallory", session="s1")
    await add(store, "b1", "ben", session="s1")
    assert await store.put_quarantine(SESSION, active=True) == 2
    await store.put_quarantine(MALLORY, active=True)
    assert store.quarantines() == [MALLORY, SESSION]
    await store.put_quarantine(SESSION, active=False)
    assert seen(store)["traces"] == ["b1"]
    await store.put_quarantine(MALLORY, active=False)
    assert seen(store)["traces"] == ["m1", "b1"]


async def test_who_tends_the_memory_lists_quarantined_episodes_and_can_delete_them(store: Store) -> None:
    await add(store, "m1", "mallory")
    await store.put_quarantine(MALLORY, active=True)
    assert store.list_episodes(Filter(quarantined=True), sort=Sort.OLDEST, limit=9, cursor=None).ids == ("m1",)
    await store.delete_episodes(["m1"], "", 1)
    assert store.quarantined_episodes() == set()


async def test_quarantine_is_a_fact_of_the_feed_that_answers_depend_on(store: Store) -> None:
    before = store.change_seq()
    await store.put_quarantine(MALLORY, active=True)
    (change,) = store.changes_after(before)
    assert (change.kind, change.entity_id) == (ChangeKind.QUARANTINE, "agent/mallory")
