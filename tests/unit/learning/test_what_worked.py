"""Advice goes by what worked, newest tries first, and by the context that is likeliest where none is named."""

from dataclasses import replace

import numpy as np
import pytest

from mcp_memory.domain.episode import Context, Episode
from mcp_memory.learning.history.inferring import inferred
from mcp_memory.learning.history.recency import tracked
from mcp_memory.ports import Situation
from mcp_memory.views.columns import fading
from mcp_memory.views.contexts import Standpoint
from mcp_memory.views.experience import Experience

from .runs import WEB, episode, trace_of
from .test_adviser import adviser, keys, now

OPS = Context("ops", "shell", "ansible")


def at(made: Episode, time: int) -> Episode:
    return replace(made, ended_at_ms=time)


def first(memory: list[Episode], *steps: str) -> str:
    advice = adviser(*(at(e, i) for i, e in enumerate(memory)))
    return keys(advice.suggest(Situation(now(*steps), []), 1, None).suggestions)[0]


@pytest.mark.parametrize("old", [5, 20])
def test_a_renamed_tool_is_followed_though_everybody_tries_the_old_name_first(old: int) -> None:
    before = [episode(f"o{i}", ["open", "save", "submit"]) for i in range(old)]
    after = [episode(f"n{i}", ["open", "save!Unknown tool: save", "save_v2", "submit"]) for i in range(8)]
    assert first(before, "open") == "save"
    assert first(before + after, "open") == "save_v2"


def test_a_step_that_failed_each_time_is_not_what_to_do_next() -> None:
    memory = [episode(f"e{i}", ["open", "patch!does not apply", "edit", "submit"]) for i in range(4)]
    assert first(memory, "open") == "edit"


def test_what_others_have_lately_done_instead_is_followed() -> None:
    before = [episode(f"o{i}", ["open", "fetch!offline", "cache", "submit"]) for i in range(20)]
    after = [episode(f"n{i}", ["open", "fetch!offline", "mirror", "submit"]) for i in range(6)]
    assert first(before, "open", "fetch!offline") == "cache"
    assert first(before + after, "open", "fetch!offline") == "mirror"


def test_one_odd_try_is_no_change() -> None:
    usual = [episode(f"o{i}", ["open", "edit"]) for i in range(10)]
    assert first([*usual, episode("odd", ["open", "dance"])], "open") == "edit"


def test_where_nothing_changes_the_long_memory_keeps_its_say() -> None:
    rng = np.random.default_rng(7)
    shares = []
    for _ in range(100):
        tries = (rng.random(60) < 0.3).astype(np.int64)
        shares.append(tracked(tries, np.ones(60), np.full(2, 0.5), np.arange(60))[1] / 60)
    assert np.mean(shares) == pytest.approx(0.3, abs=0.03)
    assert np.std(shares) < 0.1  # counting alone has 0.06


def test_tries_of_one_episode_are_one_try_when_the_memories_are_compared() -> None:
    tries = np.array([0] * 20 + [1] * 4)
    apart = tracked(tries, np.ones(24), np.full(2, 0.5), np.arange(24))
    of_one = tracked(tries, np.ones(24), np.full(2, 0.5), np.array([*range(20), 20, 20, 20, 20]))
    assert of_one[1] < apart[1]


def test_fading_halves_within_its_group_only() -> None:
    faded = fading(np.array([0, 0, 0, 4, 4]), np.ones(5), 1.0)
    assert faded.tolist() == [1.0, 0.5, 0.25, 1.0, 0.5]


def experience(*episodes: Episode) -> Experience:
    x = Experience()
    x.add([trace_of(e, i) for i, e in enumerate(episodes)])
    return x


def test_a_context_that_nobody_names_is_that_of_the_tasks_most_like_it() -> None:
    x = experience(episode("web", ["open"]), episode("ops", ["ping"], context=OPS))
    found = inferred(x, Standpoint("p"), [("ops", 0.9), ("web", 0.2)], ())
    assert (found.domain, found.framework) == ("ops", "ansible")


def test_tools_used_so_far_decide_between_tasks_equally_like_it() -> None:
    x = experience(episode("web", ["open"]), episode("ops", ["ping"], context=OPS))
    assert inferred(x, Standpoint("p"), [("ops", 0.5), ("web", 0.5)], ["open"]).domain == "web"


def test_what_is_named_is_kept_and_what_contradicts_it_is_no_source() -> None:
    x = experience(episode("web", ["open"]), episode("ops", ["ping"], context=OPS))
    assert inferred(x, Standpoint("p", "web", "flask"), [("ops", 0.9)], ()) == Standpoint("p", "web", "flask")
    assert inferred(x, Standpoint("p", "web"), [("ops", 0.9), ("web", 0.1)], ()).framework == "flask"
    assert inferred(x, Standpoint("p"), [], ()) == Standpoint("p")


def test_an_episode_without_a_context_neither_matches_nor_contradicts() -> None:
    x = experience(episode("web", ["open"]), episode("bare", ["open"], context=Context()), episode("ops", ["ping"], context=OPS))
    same, unknown, other = x.context_weights(Standpoint("p", WEB.domain, WEB.framework))
    assert same > unknown > other
    assert len(set(x.context_weights(Standpoint("p")))) == 1


def test_after_a_failure_a_chance_is_no_more_than_what_came_true() -> None:
    memory = [episode(f"e{i}", ["test!broken", "edit", "test"] if i % 2 else ["test!broken", "look", "test"]) for i in range(8)]
    suggestion = adviser(*memory).suggest(Situation(now("test!broken"), []), 1, None).suggestions[0]
    assert suggestion.confidence <= 0.5
