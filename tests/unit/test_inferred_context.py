"""A recall that names no context says which one its outlook is for, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer

pytestmark = pytest.mark.anyio


async def test_the_context_of_an_outlook_is_said_as_inferred_where_nobody_named_it(memory: EpisodicMemory) -> None:
    for number in range(3):
        started = await memory.start_episode(f"Fix the cart of shop {number}", recall=False, domain="backend", framework="django")
        await memory.complete_episode(started.episode_id, "success")
    bare = await memory.recall("Fix the cart of shop 7")
    assert bare.outlook is not None
    assert bare.outlook.inferred is not None
    assert (bare.outlook.inferred.domain, bare.outlook.inferred.framework) == ("backend", "django")
    assert " in backend · django (inferred)" in recall_text(answer(bare), why=True)
    named = await memory.recall("Fix the cart of shop 7", domain="backend", framework="django")
    assert named.outlook is not None
    assert named.outlook.inferred is None
    assert "inferred" not in recall_text(answer(named), why=True)
