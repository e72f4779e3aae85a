"""The learner on a store in dicts and the views of it."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from mcp_memory.config import LearningConfig
from mcp_memory.domain.episode import Episode, EpisodeState, OutcomeKind
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.domain.pattern import PatternKind, PatternUsage
from mcp_memory.domain.query import Filter, Query
from mcp_memory.learning.learner import Learner
from mcp_memory.learning.reading.file_uses import touches_in
from mcp_memory.learning.reports import guide
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Completion, Extraction, IndexText, Neighbours, Situation
from mcp_memory.testing import InMemoryStore
from mcp_memory.views.vector_index import SignBitIndex
from mcp_memory.views.view import Views
from tests.unit.learning.runs import episode, step, trace_of

pytestmark = pytest.mark.anyio
QUERY = Query("fix the login page", Filter(project="p", domain="web", framework="flask"))
GOOD = ["open", "edit", "bash:pytest", "submit"]
BAD = ["open", "submit"]


class Engine:
    """A learner whose methods are given what the views are now."""

    def __init__(self, store: InMemoryStore, learner: Learner) -> None:
        self.views, self._learner = Views(store, SignBitIndex, tuple), learner
        self.views.load()
        self.in_holdout = learner.in_holdout

    def extract(self, made: Episode) -> Extraction:
        return self._learner.extract(made, touches_in(made.steps))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def asked(*args: Any, **how: Any) -> Any:
            self.views.catch_up()
            with self.views.read() as v:
                return getattr(self._learner, name)(v, *args, **how)

        return asked


def learner(store: InMemoryStore, **settings: Any) -> Engine:
    return Engine(store, Learner(store, replace(LearningConfig(), **settings), Metrics(), lambda: 2_000))


async def live(store: InMemoryStore, engine: Engine, made: Episode, neighbours: Neighbours = ()) -> Completion:
    """Take one episode the whole way: started, judged, extracted, committed, followed."""
    await store.start_episode(replace(made, steps=(), step_count=0, outcome=None, reward=None, state=EpisodeState.OPEN))
    await store.append_steps(made.id, made.steps) if made.steps else None
    judged = engine.judge(made, neighbours)
    done = replace(made, reward=judged.reward, reflection=judged.reflection, key_steps=judged.key_steps)
    extraction = engine.extract(done)
    assert engine.judge(made, neighbours, (), extraction) == judged  # with what was extracted, and without
    completion = Completion(done, IndexText(done.task, ""), extraction.observations, extraction.errors, extraction.digest)
    await store.complete_episode(completion)
    return completion


async def filled(store: InMemoryStore, engine: Engine, good: int = 4, bad: int = 4) -> list[tuple[str, float]]:
    for i in range(good):
        await live(store, engine, episode(f"good{i}", GOOD))
    for i in range(bad):
        await live(store, engine, episode(f"bad{i}", BAD, OutcomeKind.FAILURE))
    return [(f"good{i}", 1.0) for i in range(good)] + [(f"bad{i}", 1.0) for i in range(bad)]


async def test_a_success_is_rewarded_above_a_failure_and_key_steps_are_steps() -> None:
    engine = learner(InMemoryStore())
    good = engine.judge(episode("g", GOOD), [])
    bad = engine.judge(episode("b", ["edit!bad", "edit!bad"], OutcomeKind.FAILURE), [])
    assert 0.0 <= bad.reward.score < good.reward.score <= 1.0
    assert set(good.key_steps) <= set(range(len(GOOD)))
    assert bad.reflection.improvements


@pytest.mark.parametrize("alike", [0.6, 0.9])
async def test_an_attempt_is_measured_by_how_long_successes_at_tasks_of_its_kind_were_whether_stored_or_beside_it(alike: float) -> None:
    store = InMemoryStore()
    engine = learner(store)
    await filled(store, engine, good=3, bad=0)
    engine.views.catch_up()
    with engine.views.read() as v:
        beside = [(v.experience.full_trace(row), alike) for row in range(3)]
    long = episode("long", ["open", *["look"] * 30, "submit"])
    stored = engine.judge(long, [(trace.id, alike) for trace, _ in beside])
    assert stored == engine.judge(long, [], beside)
    assert stored.reward.score < engine.judge(long, []).reward.score


async def test_extraction_keeps_signatures_and_fingerprints_for_the_trace() -> None:
    extraction = learner(InMemoryStore()).extract(episode("e", ["open", "edit!no such file /a/b", "write"]))
    assert extraction.errors == ((1, "no such file <path>"),)
    assert len(extraction.digest["args"]) == 3 * 8
    assert {o.kind for o in extraction.observations} == set(PatternKind) - {PatternKind.ARGUMENT_CHANGE}  # no call was made again


async def test_learning_can_be_switched_off() -> None:
    assert learner(InMemoryStore(), enabled=False).extract(episode("e", GOOD)).observations == ()


async def test_the_view_after_following_the_store_equals_the_trace_of_the_episode() -> None:
    store = InMemoryStore()
    engine = learner(store)
    await live(store, engine, episode("e", ["open", "edit!bad", "edit"]))
    (trace,) = store.traces()
    plain = trace_of(episode("e", ["open", "edit!bad", "edit"]))
    assert replace(plain, reward=trace.reward, seq=trace.seq, digest={**plain.digest, "quality": trace.soundness}) == trace


async def test_patterns_that_tell_success_from_failure_come_first() -> None:
    store = InMemoryStore()
    engine = learner(store)
    neighbours = await filled(store, engine)
    found = engine.relevant_patterns(QUERY, neighbours, 5)
    assert found
    scores = [score for _, score, _ in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= s <= 1.0 for s in scores)
    best = found[0][0]
    assert best.successes == 4
    assert best.failures == 0
    shown = [p.content["tools"] for p, _, _ in found if p.kind is PatternKind.TOOL_SEQUENCE]
    assert ["edit", "submit"] not in shown, "a part of a longer sequence with the same counts is left out"


async def test_patterns_of_other_projects_are_not_counted() -> None:
    store = InMemoryStore()
    engine = learner(store)
    neighbours = await filled(store, engine, good=2, bad=0)
    await live(store, engine, episode("theirs", GOOD, project="q"))
    assert all(p.support <= 2 for p, _, _ in engine.relevant_patterns(QUERY, neighbours, 5))


async def test_a_vote_moves_confidence_a_little_and_only_that() -> None:
    store = InMemoryStore()
    engine = learner(store)
    neighbours = await filled(store, engine)
    pattern = engine.relevant_patterns(QUERY, neighbours, 1)[0][0]
    shown = Recommendation("r", RecommendationKind.RECALL, "p", "x", (pattern.id,), 0)
    await store.put_recommendation(shown)
    await store.put_feedback(Feedback("f", "r", Verdict.HELPED, (pattern.id,), None, "", False, 0))
    (after,) = engine.confidence([pattern])
    assert pattern.confidence < after.confidence < pattern.confidence + 0.3
    assert engine.explain_confidence(pattern).helped == 1.0


async def test_use_is_reported_with_how_the_episodes_ended() -> None:
    store = InMemoryStore()
    engine = learner(store)
    neighbours = await filled(store, engine, good=2, bad=0)
    pattern = next(p for p, _, _ in engine.relevant_patterns(QUERY, neighbours, 20) if p.kind is PatternKind.CONTEXT)
    shown = Recommendation("r", RecommendationKind.RECALL, "p", "later", (pattern.id, "good0"), 0)
    await store.start_episode(replace(episode("later"), state=EpisodeState.OPEN, outcome=None))
    await store.put_recommendation(shown)
    votes = engine.implicit_feedback(episode("later", GOOD), [shown])
    assert [v.verdict for v in votes] == [Verdict.HELPED]
    await store.put_feedback(votes[0])
    await store.append_steps("later", episode("later", GOOD).steps)
    await store.complete_episode(
        Completion(replace(episode("later", GOOD), reward=engine.judge(episode("later", GOOD), []).reward), IndexText("", ""))
    )
    assert engine.usage(pattern.id) == PatternUsage(shown=1, used=1, success_when_used=1.0)
    assert engine.usage("pat_unknown") == PatternUsage()


async def test_a_playbook_is_made_of_what_worked_and_refused_without_evidence() -> None:
    store = InMemoryStore()
    engine = learner(store)
    neighbours = await filled(store, engine)
    made, reason = engine.playbook(QUERY, neighbours, 8)
    assert made is not None
    assert reason == ""
    assert [s.tool for s in made.steps] == ["edit", "bash"], "looks and endings that failures have as well tell nothing"
    nothing, reason = engine.playbook(QUERY, [], 8)
    assert nothing is None
    assert reason


async def test_lessons_are_markdown_within_the_budget() -> None:
    store = InMemoryStore()
    engine = learner(store)
    await filled(store, engine)
    text = engine.lessons_markdown(domain="", project="p", budget_tokens=400)
    assert text.startswith("# Lessons")
    assert len(text) / 4 <= 400


async def test_a_guide_tells_the_errors_of_its_own_project_and_not_that_lines_were_indented_wrongly() -> None:
    store = InMemoryStore()
    engine = learner(store)
    for project in ("other", "p"):
        for i in range(2):
            name = f"{project}{i}.py"
            found = (
                step(f'find_file!No matches found for "sql/{name}" in /{project}', 0, args=f"sql/{name}"),
                step("find_file", 1, args=name),
            )
            text = (step("edit!unexpected indent", 2, code="  a\n  b"), step("edit", 3, code="a\nb"))
            made = episode(f"{project}{i}", ["x"] * 4, task=f"task {i} of {project}", project=project)
            await live(store, engine, replace(made, steps=(*found, *text)))
    text = engine.lessons_markdown(domain="", project="p", budget_tokens=900)
    assert "(“p1.py” instead of “sql/p1.py”) (worked in 2 of 2)" in text
    assert "other" not in text
    assert "indent" not in text
    assert "From 2 attempts, of which 2 succeeded" in text


async def test_a_guide_tells_an_answer_however_many_habits_are_better_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guide, "MAX_PATTERNS", 3)
    store = InMemoryStore()
    engine = learner(store)
    for i in range(4):
        await live(store, engine, episode(f"usual{i}", ["read", "edit", "bash", "read"], task=f"usual {i}"))
    for i in range(2):
        missed = step(f'find_file!No matches found for "sql/{i}.py" in /p', 0, args=f"sql/{i}.py")
        made = episode(f"p{i}", ["x"] * 2, task=f"task {i}")
        await live(store, engine, replace(made, steps=(missed, step("find_file", 1, args=f"{i}.py"))))
    assert "(“1.py” instead of “sql/1.py”) (worked in 2 of 2)" in engine.lessons_markdown(domain="", project="p", budget_tokens=900)


async def test_the_outlook_follows_how_similar_tasks_went() -> None:
    store = InMemoryStore()
    engine = learner(store)
    assert engine.outlook(QUERY, []) is None
    await filled(store, engine)
    high = engine.outlook(QUERY, [("good0", 1.0), ("good1", 1.0)])
    low = engine.outlook(QUERY, [("bad0", 1.0), ("bad1", 1.0)])
    assert high is not None
    assert low is not None
    assert low.expected_success < 0.5 < high.expected_success


async def test_forgotten_episodes_advise_no_more() -> None:
    store = InMemoryStore()
    engine = learner(store)
    await filled(store, engine, good=2, bad=0)
    open_one = episode("now", ["open"], None)
    assert engine.suggest(Situation(open_one, [("good0", 1.0)]), 3, None).suggestions
    await store.delete_episodes(["good0", "good1"], "", 0)
    assert engine.suggest(Situation(open_one, [("good0", 1.0)]), 3, None).suggestions == ()
    with engine.views.read() as v:
        assert v.experience.stats().episodes == 0


async def test_the_control_group_is_a_fixed_share_and_is_reported() -> None:
    store = InMemoryStore()
    engine = learner(store, holdout=0.5)
    ids = [f"episode-{i}" for i in range(200)]
    members = [i for i in ids if engine.in_holdout(i)]
    assert 70 < len(members) < 130
    assert members == [i for i in ids if engine.in_holdout(i)]
    for i in ids[:6]:
        await live(store, engine, episode(i, GOOD))
    report = engine.holdout_report("p")
    assert report.with_memory.episodes + report.without_memory.episodes == 6


def loaded_modules(statements: Sequence[str]) -> set[str]:
    code = "; ".join([*statements, "import sys", "print(' '.join(sys.modules))"])
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


async def test_the_serving_process_never_imports_the_analysis_libraries() -> None:
    loaded = loaded_modules(
        ["import mcp_memory.bootstrap", "import mcp_memory.learning.reports.trends", "import mcp_memory.learning.reports.worker"]
    )
    assert not loaded & {"sklearn", "scipy", "ruptures", "pandas", "matplotlib"}
