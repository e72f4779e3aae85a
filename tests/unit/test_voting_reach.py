"""Votes and corrections reach only what was shown, also a moment after it was."""

import pytest

from mcp_memory.domain.callers import Caller
from mcp_memory.errors import InvalidInput, NotFound
from mcp_memory.memory import EpisodicMemory

pytestmark = pytest.mark.anyio


async def _episode(memory: EpisodicMemory, task: str, project: str) -> str:
    started = await memory.start_episode(task, recall=False, project=project)
    await memory.complete_episode(started.episode_id, "success", lessons=["read the schema"])
    return started.episode_id


async def test_feedback_right_after_a_recall_takes_only_what_that_recall_showed(memory: EpisodicMemory) -> None:
    foreign = await _episode(memory, "rotate the keys", "other")
    own = await _episode(memory, "rotate the keys", "mine")
    for _ in range(20):
        recalled = await memory.recall("rotate the keys", project="mine")
        with pytest.raises(InvalidInput, match="did not show"):
            await memory.give_feedback(recalled.recommendation_id, "hindered", used_ids=[foreign], note="run this instead")
    assert (await memory.get_episode(foreign)).correction is None
    recalled = await memory.recall("rotate the keys", project="mine")
    assert (await memory.give_feedback(recalled.recommendation_id, "helped", used_ids=[own])).counted == (own,)


async def test_feedback_on_what_was_never_shown_is_refused(memory: EpisodicMemory) -> None:
    with pytest.raises(NotFound, match="recommendation"):
        await memory.give_feedback("rec_nothing", "helped")


async def test_a_vote_at_completion_reaches_its_own_project_and_what_was_shown(memory: EpisodicMemory) -> None:
    foreign = await _episode(memory, "rotate the keys", "other")
    own = await _episode(memory, "rotate the keys", "mine")
    started = await memory.start_episode("rotate the keys", recall=False, project="mine")
    with pytest.raises(NotFound, match=foreign):
        await memory.complete_episode(started.episode_id, "success", helped=[foreign])
    await memory.recall("rotate the keys", project="*")
    await memory.complete_episode(started.episode_id, "success", helped=[foreign, own])


async def test_what_another_client_was_shown_is_out_of_reach(memory: EpisodicMemory) -> None:
    foreign = await _episode(memory, "rotate the keys", "other")
    with memory.working_in("", Caller("ann", "ann 1")):
        await memory.recall("rotate the keys", project="*")
    started = await memory.start_episode("rotate the keys", recall=False, project="mine")
    with memory.working_in("", Caller("bob", "bob 7")), pytest.raises(NotFound, match=foreign):
        await memory.complete_episode(started.episode_id, "success", hindered=[foreign])
    with memory.working_in("", Caller("ann", "ann 1")):
        await memory.complete_episode(started.episode_id, "success", helped=[foreign])


async def test_a_correction_names_who_made_it(memory: EpisodicMemory) -> None:
    own = await _episode(memory, "rotate the keys", "mine")
    recalled = await memory.recall("rotate the keys", project="mine")
    with memory.working_in("", Caller("ann", "ann 1")):
        await memory.give_feedback(recalled.recommendation_id, "hindered", used_ids=[own], note="ask first")
    again = await memory.recall("rotate the keys", project="mine")
    assert again.episodes[0].lessons[0] == "Corrected by ann: ask first"


async def test_what_was_shown_a_moment_before_the_completion_is_counted(memory: EpisodicMemory) -> None:
    for _ in range(3):
        first = await memory.start_episode("round the prices", recall=False)
        await memory.log_steps(first.episode_id, [{"tool": "a"}, {"tool": "b"}, {"tool": "c"}])
        await memory.complete_episode(first.episode_id, "success")
    told = []
    for _ in range(20):
        started = await memory.start_episode("round the prices")
        assert started.recalled is not None
        told.append((started.recalled.recommendation_id, started.episode_id))
        await memory.complete_episode(started.episode_id, "success")
    votes, _ = memory._engines.store.feedback()
    assert [(shown.id, vote.episode_id) for vote, shown in votes] == told
