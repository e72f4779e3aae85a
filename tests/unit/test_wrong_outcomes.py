"""What is said of an outcome can be wrong; what the steps show is asked as well. Through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory

pytestmark = pytest.mark.anyio
TASK = "Find out who wrote the score of the film about the lighthouse"


async def attempt(memory: EpisodicMemory, answer: str, verdict: str, outcome: str) -> str:
    started = await memory.start_episode(TASK, recall=False, domain="questions")
    await memory.log_step(started.episode_id, "search", arguments={"query": "film lighthouse score"}, observation="Found 3 pages")
    await memory.log_step(started.episode_id, "finish", arguments={"answer": answer}, observation=verdict)
    await memory.complete_episode(started.episode_id, outcome)
    return started.episode_id


@pytest.mark.parametrize("wrong_first", [True, False])
async def test_of_two_claimed_successes_the_one_that_was_not_rejected_is_shown_first(memory: EpisodicMemory, wrong_first: bool) -> None:
    runs = [("Bill Evans", "Answer is INCORRECT"), ("Mark Korven", "Answer is CORRECT")]
    ids = {answer: await attempt(memory, answer, verdict, "success") for answer, verdict in (runs if wrong_first else runs[::-1])}
    found = await memory.recall(TASK, domain="questions")
    assert [e.episode_id for e in found.episodes] == [ids["Mark Korven"], ids["Bill Evans"]]
