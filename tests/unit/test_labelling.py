"""Saying how an episode ended after all: everything that was made of the outcome follows."""

import json
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config import Config
from mcp_memory.domain.episode import Episode
from mcp_memory.errors import EpisodeClosed, InvalidArguments, InvalidInput, NotFound
from mcp_memory.memory import EpisodicMemory

pytestmark = pytest.mark.anyio

TASK = "round the prices of the basket"
STEPS = [
    {"tool": "shell", "action": "pytest", "status": "error", "error": "AssertionError: 1.0 != 1.01"},
    {"tool": "editor", "action": "edit"},
    {"tool": "shell", "action": "pytest", "observation": "4 passed"},
]


async def _record(memory: EpisodicMemory, outcome: str = "partial", task: str = TASK, **said: Any) -> str:
    started = await memory.start_episode(task, recall=False, domain="shop")
    await memory.log_steps(started.episode_id, STEPS)
    await memory.complete_episode(started.episode_id, outcome, **said)
    return started.episode_id


async def _episode(memory: EpisodicMemory, key: str) -> Episode:
    return (await memory.get_episode(key, detail="full")).episode


async def test_reward_reflection_and_patterns_follow_the_label(memory: EpisodicMemory) -> None:
    key = await _record(memory, "failure", error="it was rejected")
    before = await _episode(memory, key)
    counts = {p.pattern_id: (p.successes, p.failures) for p in (await memory.search_patterns()).patterns}
    done = await memory.label(key, "success", lesson="round half even")
    after = await _episode(memory, key)
    assert (done.outcome, done.before, done.changed) == ("success", "failure", True)
    assert after.outcome is not None
    assert (after.outcome.kind, after.outcome.error, after.outcome.lessons) == ("success", None, ("round half even",))
    assert before.reward is not None
    assert after.reward == done.reward
    assert done.reward.score > before.reward.score
    assert after.reflection == done.reflection != before.reflection
    moved = {p.pattern_id: (p.successes, p.failures) for p in (await memory.search_patterns()).patterns}
    assert counts != moved
    assert all(failures == 0 for _, failures in moved.values())


async def test_what_it_changed_is_told_as_its_new_outcome_has_it(memory: EpisodicMemory) -> None:
    started = await memory.start_episode(TASK, recall=False, domain="shop")
    edit = {"path": "shop/basket.py", "old": "# the old words", "new": "# the new words"}
    await memory.log_steps(started.episode_id, [{"tool": "edit", "arguments": edit}])
    await memory.complete_episode(started.episode_id, "success")
    assert [e.points for e in (await memory.recall(TASK)).episodes] == [("changed shop/basket.py",)]
    await memory.label(started.episode_id, "failure")
    (shown,) = (await memory.recall(TASK)).episodes
    assert not any("changed shop/basket.py" in point for point in shown.points or ())
    await memory.label(started.episode_id, "success")
    assert [e.points for e in (await memory.recall(TASK)).episodes] == [("changed shop/basket.py",)]


async def test_it_is_recalled_with_its_new_outcome_at_once_and_found_by_it(memory: EpisodicMemory) -> None:
    key = await _record(memory)
    assert [e.outcome for e in (await memory.recall(TASK)).episodes] == ["partial"]
    await memory.label(key, "failure", lesson="the tax office rounds down")
    (shown,) = (await memory.recall(TASK)).episodes
    assert shown.outcome == "failure"
    assert shown.lessons == ("the tax office rounds down",)
    assert [e.episode_id for e in (await memory.recall("tax office", strict=True)).episodes] == [key]
    assert (await memory.search_episodes(outcome="partial")).total == 0
    assert [e.episode_id for e in (await memory.search_episodes(outcome="failure")).episodes] == [key]


async def test_the_same_label_again_changes_nothing(memory: EpisodicMemory) -> None:
    key = await _record(memory)
    await memory.label(key, "success", lesson="round half even")
    once = await _episode(memory, key)
    again = await memory.label(key, "success", lesson="round half even")
    assert not again.changed
    assert await _episode(memory, key) == once
    assert (await memory.label(key, "success", lesson="and test it")).changed
    assert set((await _episode(memory, key)).outcome.lessons) == {"round half even", "and test it"}  # type: ignore[union-attr]


async def test_what_was_inferred_is_said_by_somebody_afterwards_even_when_it_was_right(memory: EpisodicMemory) -> None:
    said = "Prices round.\nOutcome inferred: the last check of the work, step #2 (pytest), passed."
    key = await _record(memory, "success", summary=said)
    done = await memory.label(key, "success")
    assert (done.before, done.changed) == ("success, inferred", True)
    episode = await _episode(memory, key)
    assert episode.outcome is not None
    assert episode.outcome.summary == "Prices round."
    await memory.label(key, "failure")
    assert (await _episode(memory, key)).metadata["outcome_before"] == "success, inferred", "what the record says stays known"


async def test_an_imported_outcome_that_was_inferred_is_no_longer_called_so(memory: EpisodicMemory) -> None:
    line = {"external_id": "s/1", "task": TASK, "outcome": {"kind": "partial"}, "metadata": {"outcome_inferred": "nothing tells"}}
    await memory.import_lines([json.dumps(line)])
    key = (await memory.search_episodes()).episodes[0].episode_id
    assert (await memory.label(key, "success")).before == "partial, inferred"
    assert (await _episode(memory, key)).metadata == {"outcome_before": "partial, inferred"}
    assert (await memory.import_lines([json.dumps(line)])).added == 0, "importing it again brings nothing back"
    assert (await memory.search_episodes(outcome="success")).total == 1


async def test_a_vote_that_followed_from_the_outcome_follows_the_label(memory: EpisodicMemory) -> None:
    shown = await _record(memory, "success")
    started = await memory.start_episode(TASK, domain="shop")
    await memory.log_steps(started.episode_id, STEPS)
    await memory.complete_episode(started.episode_id, "success")
    believed = (await memory.recall(TASK, detail="full")).episodes
    await memory.label(started.episode_id, "failure")
    doubted = (await memory.recall(TASK, detail="full")).episodes
    feedback = [{e.episode_id: e.why["feedback"] for e in answer if e.why}[shown] for answer in (believed, doubted)]
    assert feedback[0] > feedback[1]


async def test_an_open_episode_is_completed_with_the_label(memory: EpisodicMemory) -> None:
    started = await memory.start_episode(TASK, recall=False)
    done = await memory.label(started.episode_id, "failure", lesson="ask first")
    assert (done.before, done.changed) == ("open", True)
    assert (await _episode(memory, started.episode_id)).state == "completed"


async def test_what_is_not_there_or_was_given_up_is_not_labelled(memory: EpisodicMemory) -> None:
    with pytest.raises(NotFound):
        await memory.label("nothing", "success")
    with pytest.raises(InvalidArguments, match="success, partial, failure"):
        await memory.label("nothing", "great")
    started = await memory.start_episode(TASK, recall=False)
    await memory._engines.store.abandon_episodes([started.episode_id], 1)
    with pytest.raises(EpisodeClosed, match="abandoned"):
        await memory.label(started.episode_id, "success")


async def test_a_beginning_of_the_id_is_enough(memory: EpisodicMemory) -> None:
    key = await _record(memory)
    assert (await memory.label(key[:13], "success")).episode_id == key


async def test_another_process_follows_and_it_outlives_both(config: Config) -> None:
    async with open_memory(config) as one, open_memory(config) as other:
        key = await _record(one)
        await other.recall(TASK)
        await one.label(key, "success")
        assert [e.outcome for e in (await other.recall(TASK)).episodes] == ["success"]
        assert (await _episode(other, key)).outcome.kind == "success"  # type: ignore[union-attr]
        assert await other.doctor()
    async with open_memory(config) as later:
        assert [e.outcome for e in (await later.recall(TASK)).episodes] == ["success"]
        assert [row for row in await later.doctor() if not row[1]] == []


async def test_feedback_labels_an_episode_of_ones_own_project_or_one_that_was_shown(memory: EpisodicMemory) -> None:
    key = await _record(memory)
    recorded = await memory.give_feedback(episode_id=key, outcome="failure", note="rounding is per line")
    assert recorded.counted == (key,)
    assert (await _episode(memory, key)).outcome.lessons == ("rounding is per line",)  # type: ignore[union-attr]
    assert (await memory.give_feedback(episode_id=key, outcome="failure")).counted == ()
    with memory.working_in("another"):
        with pytest.raises(NotFound):
            await memory.give_feedback(episode_id=key, outcome="success")
        await memory.recall(TASK, project="*")
        assert (await memory.give_feedback(episode_id=key, outcome="success")).counted == (key,)


@pytest.mark.parametrize(
    "given",
    [
        {"outcome": "success"},
        {"outcome": "helped"},
        {"outcome": "helped", "episode_id": "e"},
        {"outcome": "success", "recommendation_id": "r"},
        {"outcome": "success", "recommendation_id": "r", "episode_id": "e"},
        {"outcome": "failure", "episode_id": "e", "rating": 0.5},
    ],
)
async def test_feedback_is_about_a_recommendation_or_about_an_episode(memory: EpisodicMemory, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="id"):
        await memory.give_feedback(**given)


async def test_secrets_in_a_lesson_are_masked(memory: EpisodicMemory, data_dir: Path) -> None:
    key = await _record(memory)
    secret = "ghp_" + "a1B2" * 9
    await memory.label(key, "success", lesson=f"log in with {secret}")
    assert secret not in str(await _episode(memory, key))
