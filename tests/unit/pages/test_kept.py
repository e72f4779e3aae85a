"""Answers that are dear are kept: nobody waits for a second one, and what is easy is asked every time."""

import anyio
import pytest

from mcp_memory.errors import StoreUnavailable
from mcp_memory.pages.kept import EASY_S, REST, Kept

pytestmark = pytest.mark.anyio
DEAR_S = 10 * EASY_S


class Asked:
    """A question that takes some seconds of a clock that only it moves."""

    def __init__(self, takes_s: float) -> None:
        self.now_s, self.takes_s, self.times = 0.0, takes_s, 0
        self.refused = False
        self.answered = anyio.Event()

    def clock(self) -> float:
        return self.now_s

    async def ask(self) -> int:
        self.answered.set()
        if self.refused:
            raise StoreUnavailable("the disk is full")
        self.times += 1
        self.now_s += self.takes_s
        return self.times


async def test_what_is_easy_is_asked_every_time() -> None:
    asked = Asked(EASY_S / 2)
    kept = Kept(asked.clock)
    assert [await kept.answer("status", asked.ask) for _ in range(3)] == [(1, 0.0), (2, 0.0), (3, 0.0)]


async def test_what_is_dear_is_shown_again_with_its_age_and_made_anew_behind_the_page() -> None:
    asked = Asked(DEAR_S)
    kept = Kept(asked.clock)
    async with anyio.create_task_group() as kept.behind:
        assert await kept.answer("status", asked.ask) == (1, 0.0)
        asked.now_s += 1
        assert await kept.answer("status", asked.ask) == (1, pytest.approx(1))
        asked.now_s += REST * DEAR_S
        asked.answered = anyio.Event()
        assert (await kept.answer("status", asked.ask))[0] == 1, "who comes after the rest does not wait either"
        with anyio.fail_after(5):
            await asked.answered.wait()
    assert await kept.answer("status", asked.ask) == (2, 0.0)


async def test_a_change_on_a_page_is_seen_at_once() -> None:
    asked = Asked(DEAR_S)
    kept = Kept(asked.clock)
    await kept.answer("status", asked.ask)
    kept.forget()
    assert await kept.answer("status", asked.ask) == (2, 0.0)


async def test_a_failure_behind_a_page_leaves_the_last_answer_and_is_tried_again_after_a_rest() -> None:
    asked = Asked(DEAR_S)
    kept = Kept(asked.clock)
    async with anyio.create_task_group() as kept.behind:
        await kept.answer("status", asked.ask)
        asked.now_s += 2 * REST * DEAR_S
        asked.refused, asked.answered = True, anyio.Event()
        await kept.answer("status", asked.ask)
        with anyio.fail_after(5):
            await asked.answered.wait()
    asked.refused = False
    assert (await kept.answer("status", asked.ask))[0] == 1
    async with anyio.create_task_group() as kept.behind:
        asked.now_s += 2 * REST * DEAR_S
        await kept.answer("status", asked.ask)
    assert (await kept.answer("status", asked.ask))[0] == 2


async def test_a_question_that_cannot_be_answered_is_told_to_who_asks() -> None:
    asked = Asked(DEAR_S)
    asked.refused = True
    with pytest.raises(StoreUnavailable):
        await Kept(asked.clock).answer("status", asked.ask)
