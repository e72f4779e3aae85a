"""How many calls one token may make."""

import pytest

from mcp_memory.errors import Overloaded
from mcp_memory.server.allowance import Allowance


def test_a_token_over_its_calls_is_told_when_to_call_again_and_others_go_on() -> None:
    now = [0.0]
    allowance = Allowance(6, clock=lambda: now[0])
    for _ in range(6):
        allowance.take("ann")
    with pytest.raises(Overloaded, match="6 calls a minute") as refused:
        allowance.take("ann")
    assert refused.value.hint == "Call again in 10 s."
    allowance.take("bob")
    now[0] += 10
    allowance.take("ann")
    with pytest.raises(Overloaded):
        allowance.take("ann")


def test_without_a_setting_there_is_no_limit() -> None:
    allowance = Allowance(0)
    for _ in range(1_000):
        allowance.take("ann")
