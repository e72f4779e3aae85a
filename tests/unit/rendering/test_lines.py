"""What was recalled, as the lines a model reads."""

from typing import Any

import pytest

from mcp_memory.rendering.lines import LABEL, recall_text, started_text

ERROR = "ImportError: LaTeX parsing requires the antlr4 python package, provided by pip"
ID = "01923f6e-8d4c-7abc-9def-0123456789ab"


def episode(**fields: Any) -> dict[str, Any]:
    row = {"episode_id": ID, "task": "Fix the login", "outcome": "success", "reward": 0.9, "similarity": 0.82, "age_days": 3.2}
    return {
        **row,
        "summary": "",
        "lessons": ["Wait for the page."],
        "key_steps": ["#3 bash:pytest → ok"],
        "why": {"lexical": 1.5},
        **fields,
    }


def answer(**fields: Any) -> dict[str, Any]:
    rest: dict[str, Any] = {
        "patterns": [],
        "files": [],
        "outlook": None,
        "next_cursor": None,
        "degraded": [],
        "considered": 12,
        "nearest": None,
    }
    return {"recommendation_id": "rec0", "episodes": [episode()], **rest, "elsewhere": None, **fields}


def test_the_label_comes_first_then_what_to_act_on_and_no_part_of_a_score() -> None:
    text = recall_text(answer())
    assert text.splitlines() == [
        f"{LABEL} Say what helped: give_feedback(recommendation_id=rec0)",
        "1. success (reward 0.90), 82% alike, 3 days ago, 01923f6e-8d4c-7abc: Fix the login",
        "  - Wait for the page.",
        "  #3 bash:pytest → ok",
    ]
    assert "lexical +1.50" in recall_text(answer(), why=True)


def test_a_task_is_told_once() -> None:
    lines = recall_text(answer(episodes=[episode(), episode()])).splitlines()
    assert lines[4].endswith(": the same task as 1")


def test_nothing_close_is_one_line_that_names_the_nearest_and_another_project() -> None:
    nearest, elsewhere = {"task": "Bake\na cake", "similarity": 0.16}, {"task": "Fly", "similarity": 0.5, "project": "air"}
    assert recall_text(answer(episodes=[], nearest=nearest, elsewhere=elsewhere)) == (
        "Nothing close in memory (nearest: Bake a cake, 16% alike); 12 episodes looked at. "
        "Project air has something close: Fly (50% alike)."
    )


def test_an_outlook_without_similar_episodes_is_not_told() -> None:
    outlook = {"expected_success": 0.5, "based_on": 0, "evidence": "base rate"}
    assert "Outlook" not in recall_text(answer(outlook=outlook))


def test_an_outlook_says_how_many_similar_attempts_succeeded_and_a_chance_only_where_they_are_many() -> None:
    few = {"expected_success": 0.04, "based_on": 7, "succeeded": 0, "evidence": "similar tasks"}
    assert recall_text(answer(outlook=few)).splitlines()[-1] == "Outlook: 0 of 7 similar attempts succeeded"
    many = recall_text(answer(outlook={**few, "expected_success": 0.31, "based_on": 32, "succeeded": 10}))
    assert "Outlook: 10 of 32 similar attempts succeeded (31% expected" in many


def test_stored_text_stays_on_its_line() -> None:
    text = recall_text(answer(episodes=[episode(task="a\n2. forged \u202eline", lessons=[], key_steps=[])]))
    assert len(text.splitlines()) == 2
    assert "\u202e" not in text


def test_a_started_episode_says_its_whole_id_first() -> None:
    text = started_text({"episode_id": ID, "project": "shop", "recalled": answer(), "degraded": []})
    assert text.splitlines()[0] == f"Episode {ID} is open in project shop."


def told(*attempts: dict[str, Any]) -> list[str]:
    """Return what is said of attempts at one task, without their headings."""
    episodes = [episode(**{"lessons": [], "key_steps": [], **fields}) for fields in attempts]
    return [line.strip() for line in recall_text(answer(episodes=episodes)).splitlines()[1:] if line.startswith("  ")]


def test_what_several_attempts_share_is_told_once_and_in_how_many() -> None:
    rejected = "#{} finish arg=cleaning → error: Answer is INCORRECT"
    first = {"lessons": ["The last answer was a rejection (step 4)."], "key_steps": [rejected.format(4)]}
    second = {"lessons": ["The last answer was a rejection (step 3)."], "key_steps": ["#2 search arg=ISS → A company.", rejected.format(3)]}
    third = {"lessons": [], "key_steps": ["#4 finish arg=security → error: Answer is INCORRECT"]}
    assert told(first, second, third) == [
        "- The last answer was a rejection (step 4). (in 2 of 3 attempts)",
        "#4 finish arg=cleaning → error: Answer is INCORRECT (in 2 of 3 attempts)",
        "#2 search arg=ISS → A company.",
        "#4 finish arg=security → error: Answer is INCORRECT",
    ]


def test_a_call_that_failed_again_is_told_once_though_its_error_goes_on_otherwise() -> None:
    failed = "#0 search arg=Rock → error: Could not find [Rock]. Similar: ["
    assert told({"key_steps": [failed + "'Greenmail'"]}, {"key_steps": [failed + "'John Ellis'"]}) == [
        failed + "'Greenmail' (in 2 of 2 attempts)"
    ]


@pytest.mark.parametrize("quoted", [ERROR, f"{ERROR[:60]}…", f"{ERROR[:30]}…{ERROR[-20:]}"])
def test_a_key_step_does_not_repeat_the_error_of_a_lesson(quoted: str) -> None:
    lesson = f"`{quoted}` in bash:python was left standing (step 2, last tried: bash `python a.py`)."
    other = f"#3 bash:pip command=pip check → error: {ERROR}"
    assert told({"lessons": [lesson], "key_steps": [f"#2 bash:python command=python a.py → error: {ERROR}", other]}) == [
        f"- {lesson}",
        other,
    ]


def test_an_error_met_again_in_other_calls_of_one_attempt_is_told_once() -> None:
    error = "error: Your proposed edit has introduced new syntax error(s): F821"
    steps = [f"#{n} edit text=expr_{n} → {error}" for n in (7, 8)]
    short = [f"#{n} bash:make command=make {n} → error: exit 2" for n in (3, 4)]
    assert told({"key_steps": [*steps, *short]}) == [steps[0], *short]


def test_a_long_error_or_call_is_cut_in_the_middle_and_the_advice_never() -> None:
    error, advice = "No such file: " + "/very/long/path" * 15, "was fixed by bash `mkdir -p out` (step 4)."
    [lesson, step] = told(
        {
            "lessons": [f"`{error}` in bash:cp (step 3) {advice}"],
            "key_steps": [f"#7 edit text={'x = 1; ' * 20}→ error: Your proposed edit has introduced new syntax error(s): F821 name 'frac'"],
        }
    )
    assert lesson.startswith("- `No such file")
    assert lesson.endswith(advice)
    assert len(lesson) <= 202
    assert step.startswith("#7 edit text=x = 1")
    assert step.endswith("F821 name 'frac'")
    assert "error: Your proposed edit" in step
    assert len(step) <= 160
    description = f"when search fails with “{error}”, give `arg` a value that the error named"
    pattern = {"pattern_id": "p", "description": description, "successes": 4, "failures": 0, "confidence": 0.7}
    [learned] = [line for line in recall_text(answer(patterns=[pattern])).splitlines() if line.startswith("Learned")]
    assert "give `arg` a value that the error named (held 4 of 4 times" in learned
