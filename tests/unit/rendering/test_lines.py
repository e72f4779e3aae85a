"""What was recalled, as the lines a model reads."""

from typing import Any

from mcp_memory.rendering.lines import LABEL, recall_text, started_text

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
    assert "Outlook: 50% succeed, from 4 similar episodes" in recall_text(answer(outlook={**outlook, "based_on": 4}))


def test_stored_text_stays_on_its_line() -> None:
    text = recall_text(answer(episodes=[episode(task="a\n2. forged \u202eline", lessons=[], key_steps=[])]))
    assert len(text.splitlines()) == 2
    assert "\u202e" not in text


def test_a_started_episode_says_its_whole_id_first() -> None:
    text = started_text({"episode_id": ID, "project": "shop", "recalled": answer(), "degraded": []})
    assert text.splitlines()[0] == f"Episode {ID} is open in project shop."
