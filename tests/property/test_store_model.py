"""The durable store against dicts: after any sequence of calls both give the same answers, and refuse the same calls."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_memory.domain.episode import Context, OutcomeKind
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.domain.query import ChangeKind, Filter, Sort, TextQuery
from mcp_memory.errors import McpMemoryError
from mcp_memory.ports import Store, VectorRow
from tests.contract.store_samples import completion, episode, observation, open_store, step

IDS = st.sampled_from(["a", "b", "c", "d"])
MAYBE_ID = st.none() | IDS
PROJECTS = st.sampled_from(["p", "q"])
WORDS = st.sampled_from(["alpha", "beta", "gamma", "delta"])
TASKS = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
NAMES = st.lists(st.sampled_from(["x", "y", "z"]), max_size=3)
TAGS = st.lists(st.sampled_from(["s", "t"]), max_size=2, unique=True).map(tuple)
LINKS = st.sampled_from(["parent_child", "depends_on", "references"])
Call = Callable[[Store], Awaitable[Any]]


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """Draw one write."""
    verb = draw(
        st.sampled_from(
            ["start", "append", "complete", "import", "update", "label", "link", "unlink", "vectors", "abandon", "delete", "vote"]
        )
    )
    id_, other, task = draw(IDS), draw(IDS), draw(TASKS)
    at_ms = draw(st.integers(1, 5))
    fields: dict[str, Any] = {"project": draw(PROJECTS), "context": Context("web", tags=draw(TAGS)), "at_ms": at_ms}
    steps, names, flag = draw(st.integers(0, 3)), draw(NAMES), draw(st.booleans())
    observations = tuple(observation(n, success=flag) for n in names)
    if verb == "start":
        return lambda s: s.start_episode(episode(id_, task, parent_id=draw_none(flag, other), **fields))
    if verb == "append":
        return lambda s: s.append_steps(id_, [step(tool=task)] * steps)
    if verb == "complete":
        return lambda s: _complete(s, id_, steps if flag else None, observations, at_ms / 5)
    if verb == "import":
        opened = episode(id_, task, external_id=id_, follows=other, steps=tuple(step(index=i) for i in range(steps)), **fields)
        whole = completion(opened, steps, observations=observations, outcome=OutcomeKind.PARTIAL)
        return lambda s: s.import_episodes([whole if flag else replace(opened, step_count=steps)])
    if verb == "update":
        return lambda s: s.update_episode(
            id_, add_tags=names[:1], remove_tags=names[1:], metadata={"k": at_ms}, task=task if flag else None
        )
    if verb == "label":
        ended = draw(st.sampled_from([OutcomeKind.SUCCESS, OutcomeKind.FAILURE]))
        return lambda s: _label(s, id_, ended, observations, at_ms / 5, [task] if flag else [])
    if verb == "link":
        kind = draw(LINKS)
        return lambda s: s.put_link(id_, other, kind, task, at_ms)
    if verb == "unlink":
        kind = draw(LINKS)
        return lambda s: s.remove_link(id_, other, kind)
    if verb == "vectors":
        return lambda s: s.put_vectors("s", [VectorRow(0, id_, int(flag), 0.5, task.encode())])
    if verb == "abandon":
        return lambda s: s.abandon_episodes([id_], at_ms)
    if verb == "vote":
        return lambda s: _vote(s, id_, other, task)
    return lambda s: s.delete_episodes([id_, other] if flag else [id_], "", at_ms)


def draw_none(flag: bool, value: str) -> str | None:
    return value if flag else None


async def _complete(store: Store, id_: str, steps: int | None, observations: Any, reward: float) -> None:
    """Complete as judged on the stored steps, or on *steps* of them."""
    found = store.get_episodes([id_])[0]
    opened = found or episode(id_)
    count = len(opened.steps) if steps is None else steps
    judged = replace(opened, steps=opened.steps[:count])
    await store.complete_episode(completion(judged, count, observations=observations, reward=reward))


async def _label(store: Store, id_: str, kind: OutcomeKind, observations: Any, reward: float, lessons: list[str]) -> None:
    """Say that a stored episode ended otherwise."""
    found = store.get_episodes([id_])[0] or episode(id_)
    judged = completion(found, len(found.steps), observations=observations, reward=reward, outcome=kind)
    kept = replace(judged.episode, ended_at_ms=found.ended_at_ms)
    await store.replace_outcome(replace(judged, episode=kept), metadata={"before": "partial"}, add_lessons=lessons)


async def _vote(store: Store, id_: str, other: str, note: str) -> None:
    await store.put_recommendation(Recommendation(f"r{id_}", RecommendationKind.RECALL, "p", other, (id_, other), 1))
    await store.put_feedback(Feedback(f"v{id_}{other}", f"r{other}", Verdict.HELPED, (id_,), None, note, False, 1, id_))


def observed(store: Store) -> dict[str, Any]:
    """Return all that can be asked, in a form that does not depend on how a store numbers its rows."""
    ids = ["a", "b", "c", "d"]
    vectors = store.vectors("s")[0]
    return {
        "episodes": store.get_episodes(ids),
        "without steps": store.get_episodes(ids, steps=False),
        "traces": [replace(t, seq=0) for t in store.traces()],
        "listings": {
            sort: [
                store.list_episodes(where, sort=sort, limit=2, cursor=None).ids
                for where in (Filter(), Filter(project="q"), Filter(tags=("t",)))
            ]
            for sort in (Sort.NEWEST, Sort.OLDEST, Sort.REWARD, Sort.DURATION)
        },
        "text": {
            q: {(h.episode_id, h.score > 0) for h in store.search_text(q, project="*", limit=9)}
            for q in (
                TextQuery(("alpha",)),
                TextQuery(("beta", "gamma"), every=True),
                TextQuery(("gamma",), ("alpha beta",)),
                TextQuery(("delta",), weights=(0.0, 0.0, 0.0, 1.0)),
            )
        },
        "text listing": set(store.list_episodes(Filter(), sort=Sort.OLDEST, limit=9, cursor=None, text=TextQuery(("gamma",))).ids),
        "terms": store.term_counts(["alpha", "delta"]),
        "patterns": store.patterns(),
        "patterns of q": store.patterns(project="q", min_support=2),
        "evidence": {k: sorted((e.episode_id, e.success) for e in v) for k, v in store.evidence([p.id for p in store.patterns()]).items()},
        "episode patterns": store.episode_patterns(ids),
        "vectors": [(v.episode_id, v.part, v.codes) for v in vectors],
        "missing": store.missing_vectors("s", 9),
        "votes": [v for v, _ in store.feedback()[0]],
        "shown": [store.recommendations(episode_id=i) for i in ids],
        "links": sorted(astuple(link) for link in store.links(ids).values()),
        "external": store.find_external("p", ids),
        "counts": [dict(store.counts()), dict(store.counts("q"))],
        "facts": [(c.kind, c.kind in OWN_IDS or c.entity_id) for c in store.facts_after(0)],
        "changes": [c.seq for c in store.changes_after(0)],
        "problems": store.check(),
    }


OWN_IDS = (ChangeKind.LINK, ChangeKind.CORRECTION)  # a store's own


async def attempt(store: Store, call: Call) -> Any:
    """Return the answer, or which error it was."""
    try:
        answer = await call(store)
    except McpMemoryError as error:
        return type(error)
    return None if isinstance(answer, str) else answer  # ids of links are a store's own


@settings(max_examples=25, deadline=None)
@given(st.lists(calls(), min_size=1, max_size=14))
def test_the_durable_store_answers_as_dicts_do(sequence: list[Call]) -> None:
    async def compare() -> None:
        with tempfile.TemporaryDirectory() as folder:
            model, real = await open_store("memory", Path(folder)), await open_store("dual on a dict", Path(folder))
            try:
                for call in sequence:
                    assert await attempt(real, call) == await attempt(model, call)
                    assert real.get_episodes(["a", "b"]) == model.get_episodes(
                        ["a", "b"]
                    )  # so that copies are made, and must not grow stale
                assert observed(real) == observed(model)
            finally:
                await real.aclose()
                await model.aclose()

    asyncio.run(compare())
