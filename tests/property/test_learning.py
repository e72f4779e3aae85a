"""What learning promises for every history: the order of learning and forgetting does not matter."""

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_memory.domain.episode import Context, Episode, Outcome, OutcomeKind, Step
from mcp_memory.learning.advice.next_tool import NextTool, Prefix
from mcp_memory.learning.advice.outlook import OutlookEstimator
from mcp_memory.learning.history.recoveries import Recoveries
from mcp_memory.learning.patterns.extractors import observations_of
from mcp_memory.learning.reading.file_uses import MAX_FILES, files_of
from mcp_memory.learning.reading.run import run_of_episode
from mcp_memory.views.contexts import Standpoint
from mcp_memory.views.experience import Experience
from tests.unit.learning.runs import episode, run_of_trace, trace_of

STEP = st.sampled_from(
    ["open", "edit", "edit!bad syntax", "bash:pytest", "bash:pytest!2 failed", "submit", "look", "x:y!no such file /a/b"]
)
EPISODES = st.lists(
    st.builds(
        episode,
        st.just("?"),
        st.lists(STEP, max_size=12),
        st.sampled_from([OutcomeKind.SUCCESS, OutcomeKind.FAILURE, OutcomeKind.PARTIAL]),
        task=st.sampled_from(["fix the login page", "open the door and submit", ""]),
        context=st.sampled_from([Context("web", "", "flask", tags=("a",)), Context("web", "", ""), Context()]),
    ),
    max_size=12,
)
STANDPOINT = Standpoint("p", "web", "flask", frozenset({"a"}))


def named(episodes: list[Episode]) -> list[Episode]:
    return [replace(e, id=f"e{i}") for i, e in enumerate(episodes)]


@settings(deadline=None)
@given(EPISODES)
def test_extraction_from_the_trace_equals_extraction_from_the_episode(episodes: list[Episode]) -> None:
    for made in named(episodes):
        assert run_of_trace(trace_of(made)) == run_of_episode(made)
        from_trace = {o.pattern_id: o.success for o in observations_of(run_of_trace(trace_of(made)))}
        assert from_trace == {o.pattern_id: o.success for o in observations_of(run_of_episode(made))}


@settings(deadline=None)
@given(EPISODES, st.integers(0, 2**16))
def test_learning_one_at_a_time_in_any_order_equals_a_full_pass(episodes: list[Episode], seed: int) -> None:
    made = named(episodes)

    def counted(order: list[Episode]) -> dict[str, tuple[int, int]]:
        counts: dict[str, list[int]] = {}
        for e in order:
            for o in observations_of(run_of_episode(e)):
                counts.setdefault(o.pattern_id, [0, 0])[not o.success] += 1
        return {key: (good, bad) for key, (good, bad) in counts.items()}

    shuffled = made[:]
    random.Random(seed).shuffle(shuffled)
    assert counted(shuffled) == counted(made)


@settings(max_examples=40, deadline=None)
@given(EPISODES, st.sets(st.integers(0, 11)), st.lists(STEP, max_size=6))
def test_forgetting_equals_never_having_known(episodes: list[Episode], gone: set[int], steps: list[str]) -> None:
    made = named(episodes)
    forgetful, never = Experience(), Experience()
    never.add([trace_of(e) for i, e in enumerate(made) if i not in gone])
    forgetful.add([trace_of(e) for e in made])
    forgetful.remove([f"e{i}" for i in gone])
    prefix = Prefix.of("", episode("now", steps, None).steps)
    neighbours = [("e1", 0.9), ("e3", 0.5)]
    answers = []
    for experience in (forgetful, never):
        forecast = NextTool(experience).forecast(STANDPOINT, neighbours, "fix the login page", prefix)
        counted = [] if forecast is None else sorted(experience.tools.value(int(t)) for t in experience.step_tool[forecast.steps])
        recovered = Recoveries(experience).after(STANDPOINT, neighbours, "edit", "bad syntax")
        estimate = OutlookEstimator(experience).estimate(STANDPOINT, neighbours)
        answers.append((counted, recovered is None, round(estimate.probability, 9), estimate.based_on))
    assert answers[0] == answers[1]


@settings(deadline=None)
@given(EPISODES, st.lists(STEP, max_size=6))
def test_a_forecast_is_a_distribution_over_known_tools(episodes: list[Episode], steps: list[str]) -> None:
    experience = Experience()
    experience.add([trace_of(e) for e in named(episodes)])
    known = len(experience.tools)
    now = episode("now", steps, None)
    prefix = Prefix.of(now.task, now.steps)
    forecast = NextTool(experience).forecast(STANDPOINT, [], now.task, prefix)
    if forecast is not None:
        assert abs(float(forecast.next.sum()) - 1.0) < 1e-9
        assert (forecast.next >= 0).all()
        assert len(forecast.next) == len(forecast.later) == len(experience.tools) + len(forecast.new)
        assert len(experience.tools) == known


VALUES = st.one_of(
    st.text(max_size=40), st.sampled_from(["/a/b.py", "./c.py", "d.py:3", "*** Update File: e.py"]), st.none(), st.integers()
)
NAMES = st.sampled_from(["path", "file_path", "command", "args", "text", "input"]) | st.text(max_size=5)
TOUCHES = st.builds(
    Step,
    st.sampled_from(["Read", "edit", "create", "bash", "str_replace_editor"]),
    arguments=st.dictionaries(NAMES, VALUES | st.lists(VALUES, max_size=2), max_size=3),
    observation=st.text(max_size=60) | st.sampled_from(["[File: /r/a/b.py (2 lines)]", "diff --git a/x.py b/x.py", "/r/c.py"]),
)


@given(st.lists(TOUCHES, max_size=12), st.lists(st.text(max_size=20), max_size=3), st.sampled_from(OutcomeKind))
def test_whatever_the_steps_say_the_files_of_an_episode_are_few_and_each_is_told_once(
    steps: list[Step], artifacts: list[str], outcome: OutcomeKind
) -> None:
    made = Episode("e", "p", "t", steps=tuple(steps), outcome=Outcome(outcome, artifacts=tuple(artifacts)))
    files = files_of(made)
    assert len(files) <= MAX_FILES
    assert len({file.path for file in files}) == len(files)
    assert all(file.path and "\n" not in file.path for file in files)
    assert files_of(made) == files
