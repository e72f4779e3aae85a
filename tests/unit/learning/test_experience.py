"""The columns over all episodes."""

import random

import numpy as np

from mcp_memory.domain.episode import Context, OutcomeKind
from mcp_memory.views.contexts import Standpoint
from mcp_memory.views.experience import Experience

from .runs import episode, trace_of


def filled(count: int = 3) -> Experience:
    experience = Experience()
    experience.add([trace_of(episode(f"e{i}", ["open", "edit!bad", "test"]), i) for i in range(count)])
    return experience


def test_a_trace_comes_back_as_it_was_added() -> None:
    traces = [trace_of(episode(f"e{i}", ["open", "edit!bad", f"t{i}"]), i) for i in range(4)]
    experience = Experience()
    experience.add(traces)
    assert list(experience.traces()) == traces


def test_adding_twice_changes_nothing() -> None:
    experience = filled()
    experience.add([trace_of(episode("e1", ["other"]))])
    assert len(experience) == 3
    assert experience.step_keys(1) == ("open", "edit", "test")


def test_a_removed_episode_counts_nowhere() -> None:
    experience = filled()
    experience.remove(["e1", "unknown"])
    assert len(experience) == 2
    assert experience.context_weights(Standpoint("p", "web", "flask"))[1] == 0.0
    assert experience.row("e1") is None


def test_which_episodes_used_which_tools_is_what_their_steps_say() -> None:
    rng = random.Random(5)
    runs = [[rng.choice("abcdefgh") for _ in range(rng.randint(0, 9))] for _ in range(60)]
    experience = Experience()
    experience.add([trace_of(episode(f"e{i}", run), i) for i, run in enumerate(runs)])
    rows, tools = rng.sample(range(60), 40), ["h", "a", "c"]
    used = experience.used(np.array(rows), [experience.tools.find(tool) for tool in tools])
    assert used.tolist() == [[tool in runs[row] for tool in tools] for row in rows]
    assert experience.used(np.zeros(0, np.int64), [0, 1]).shape == (0, 2)


def test_many_removals_rebuild_the_columns() -> None:
    experience = filled(600)
    experience.remove([f"e{i}" for i in range(0, 600, 2)])
    assert len(experience) == 300
    assert int(experience.alive.sum()) == 300
    assert {t.id for t in experience.traces()} == {f"e{i}" for i in range(1, 600, 2)}


def test_the_nearer_the_context_the_more_an_episode_counts() -> None:
    experience = Experience()
    contexts = [
        Context("web/shop", "", "flask"),
        Context("web/shop", "", "django"),
        Context("web/blog", "", "rails"),
        Context("math", "", "x"),
    ]
    experience.add([trace_of(episode(f"e{i}", ["a"], context=c)) for i, c in enumerate(contexts)])
    weights = experience.context_weights(Standpoint("p", "web/shop", "flask"))
    assert list(weights) == sorted(weights, reverse=True)
    assert len(set(weights)) == 4


def test_other_projects_are_not_seen() -> None:
    experience = Experience()
    experience.add([trace_of(episode("mine", ["a"])), trace_of(episode("theirs", ["a"], project="q"))])
    assert list(experience.context_weights(Standpoint("p", "web", "flask")) > 0) == [True, False]
    assert list(experience.in_project("*")) == [True, True]


def test_failed_steps_keep_their_fix() -> None:
    experience = filled(1)
    assert experience.tools.value(int(experience.failures.fix[0])) == "test"
    assert (int(experience.failures.index[0]), int(experience.failures.lag[0])) == (1, 1)


def test_success_and_reward_are_columns() -> None:
    experience = Experience()
    experience.add([trace_of(episode("good", ["a"])), trace_of(episode("bad", ["a"], OutcomeKind.FAILURE))])
    assert list(experience.success) == [True, False]
    assert np.allclose(experience.reward, [1.0, 0.0])
