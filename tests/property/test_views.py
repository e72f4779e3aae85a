"""Views that follow the change feed equal views that are loaded afresh, whatever happened in between."""

import asyncio
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mcp_memory.domain.episode import Episode, EpisodeState, Outcome, OutcomeKind, Reward, Step
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.ports import Completion, IndexText, VectorRow
from mcp_memory.testing import InMemoryStore
from mcp_memory.views.vector_index import SignBitIndex
from mcp_memory.views.view import View, Views

SPACE = "local:x:4"
NUMBERS = st.integers(0, 9)


def contents(v: View) -> dict[str, Any]:
    index = v.vectors.get(SPACE)
    seqs = sorted(v.catalog.traces)
    return {
        "traces": {t.id: t for t in v.catalog.traces.values()},
        "projects": {p: v.catalog.size_of(p) for p in ("p", "q")},
        "experience": {t.id: t for t in v.experience.traces()},
        "vectors": {v.catalog.traces[s].id: index.rows([s]).tolist() for s in seqs if s in index} if index else {},
        "covered": len(index) if index else 0,
        "votes": {i: (v.votes.nets([i]), len(v.votes.cast(i))) for i in (t.id for t in v.catalog.traces.values())},
    }


class FollowedAgainstLoaded(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.store = InMemoryStore()
        self.followed = Views(self.store, SignBitIndex, lambda: (SPACE,))
        self.followed.load()
        self.votes = 0
        self.forgotten: set[int] = set()  # their ids do not come back

    @rule(n=NUMBERS, project=st.sampled_from("pq"))
    def complete(self, n: int, project: str) -> None:
        if n not in self.forgotten and self.store.get_episodes([f"e{n}"])[0] is None:
            steps = (Step("look"), Step(f"tool{n}"))
            made = Episode(
                f"e{n}", project, f"task {n}", state=EpisodeState.COMPLETED, started_at_ms=1, ended_at_ms=2, steps=steps, step_count=2,
                outcome=Outcome(OutcomeKind.SUCCESS), reward=Reward(1.0),
            )  # fmt: skip
            asyncio.run(self.store.import_episodes([Completion(made, IndexText(made.task, ""))]))

    @rule(n=NUMBERS, value=st.integers(1, 127))
    def embed(self, n: int, value: int) -> None:
        row = VectorRow(0, f"e{n}", 0, 1 / 127, np.array([value, 0, 0, 127 - value], np.int8).tobytes())
        asyncio.run(self.store.put_vectors(SPACE, [row]))

    @rule(n=NUMBERS, tag=st.sampled_from("ab"))
    def tag(self, n: int, tag: str) -> None:
        if self.store.get_episodes([f"e{n}"])[0] is not None:
            asyncio.run(self.store.update_episode(f"e{n}", add_tags=[tag]))

    @rule(n=NUMBERS, m=NUMBERS)
    def reword(self, n: int, m: int) -> None:
        if self.store.get_episodes([f"e{n}"])[0] is not None:
            asyncio.run(self.store.update_episode(f"e{n}", task=f"task {m}, in other words"))

    @rule(n=NUMBERS)
    def vote(self, n: int) -> None:
        if self.store.get_episodes([f"e{n}"])[0] is not None:
            self.votes += 1
            shown = Recommendation(f"r{self.votes}", RecommendationKind.RECALL, "p", None, (f"e{n}",), 0)
            asyncio.run(self.store.put_recommendation(shown))
            asyncio.run(self.store.put_feedback(Feedback(f"f{self.votes}", shown.id, Verdict.HELPED, (), None, "", False, 0)))

    @rule(n=NUMBERS)
    def forget(self, n: int) -> None:
        self.forgotten.add(n)
        asyncio.run(self.store.delete_episodes([f"e{n}"], "", 0))

    @rule()
    def look(self) -> None:
        self.followed.catch_up()

    @invariant()
    def a_reader_sees_what_was_committed(self) -> None:
        loaded = Views(self.store, SignBitIndex, lambda: (SPACE,))
        loaded.load()
        with self.followed.read() as before:
            stale = before.version
        self.followed.catch_up()
        with self.followed.read() as mine, loaded.read() as fresh:
            assert contents(mine) == contents(fresh)
            assert mine.version >= stale

    def teardown(self) -> None:
        asyncio.run(self.store.aclose())


TestFollowedAgainstLoaded = FollowedAgainstLoaded.TestCase
TestFollowedAgainstLoaded.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
