"""What recording answers, as the lines a model reads."""

from typing import Any

from mcp_memory.rendering.outcome_lines import completed_text, logged_text

from .test_advice_lines import WORKED


def completed(**fields: Any) -> str:
    reflection = {"successes": ["`x` was fixed by edit."], "improvements": ["Took work back (step 3)."], "insights": ["1 of 2 succeeded."]}
    answer = {"episode_id": "ep0", "outcome": "failure", "reward": {"score": 0.1, "components": {"novelty": 0.2}}, "reflection": reflection}
    rest = {"patterns": [], "step_count": 3, "duration_ms": 5, "degraded": [], "question": None, "telling": [], "precedents": []}
    return completed_text({**answer, **rest, **fields})


def test_a_completion_does_not_tell_its_agent_what_it_did_itself() -> None:
    assert completed() == "Recorded as failure."


def test_it_says_what_is_news_what_an_earlier_attempt_did_and_asks_one_question_with_how_to_answer() -> None:
    text = completed(telling=["Ended without a change to any file."], precedents=[WORKED], question="Step 3 failed: say why.")
    assert text.splitlines() == [
        "Recorded as failure.",
        "Ended without a change to any file.",
        "Worked at this task (2 of 3 successes found): edit cart.py:7: + round(total, 2) [01923f6e-8d4c-7abc]",
        "Step 3 failed: say why. (complete_episode again, episode_id=ep0, with lessons)",
    ]


def test_logged_steps_are_one_short_line() -> None:
    assert logged_text({"episode_id": "ep0", "step_index": 4}) == "Logged as step 4."
    assert logged_text({"episode_id": "ep0", "first_index": 4, "last_index": 4}) == "Logged as step 4."
    assert logged_text({"episode_id": "ep0", "first_index": 4, "last_index": 6}) == "Logged as steps 4-6."
