"""What the successes at tasks like the one at hand were given alike is their way, whatever these tasks were; through the facade."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import playbook_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import attempt, shell

pytestmark = pytest.mark.anyio


async def test_a_call_that_several_successes_made_alike_is_shown_and_one_with_values_of_each_is_not(memory: EpisodicMemory) -> None:
    for part, number in (("client", "4711882"), ("mailer", "9923771")):
        steps = shell("go get github.com/cenkalti/backoff"), shell(f"jira move API-{number} done"), shell("go test ./...")
        await attempt(memory, f"Add a retry with backoff to the {part} of the shop", "success", *steps)
    told = playbook_text(answer(await memory.recommend_playbook("Add a retry with backoff to the downloader of the shop")))
    assert "`go get github.com/cenkalti/backoff`" in told
    assert "4711882" not in told
    assert "9923771" not in told
