"""What was recalled, as the lines a model reads."""

from typing import Any

from mcp_memory.rendering.lines import LABEL, lines_for_people, recall_text, started_text

ID = "01923f6e-8d4c-7abc-9def-0123456789ab"


def episode(**fields: Any) -> dict[str, Any]:
    row = {"episode_id": ID, "task": "Fix the login", "outcome": "success", "reward": 0.9, "similarity": 0.82, "age_days": 3.2}
    return {
        **row,
        "summary": "",
        "lessons": ["Wait for the page."],
        "key_steps": ["#3 bash:pytest → ok"],
        "points": ["Wait for the page.", "did `pytest -q`"],
        "why": {"lexical": 1.5},
        **fields,
    }


def row(path: str, attempts: int, changed: int, succeeded: int) -> dict[str, Any]:
    return {"path": path, "attempts": attempts, "changed": changed, "succeeded": succeeded}


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
        "1. success at “Fix the login”, 82% alike, 3 days ago (01923f6e-8d4c-7abc): Wait for the page.",
        "  did `pytest -q`",
    ]
    assert "lexical +1.50" in recall_text(answer(), why=True)


def test_a_task_is_told_once_and_that_which_was_asked_for_not_at_all() -> None:
    lines = recall_text(answer(episodes=[episode(), episode(outcome="failure")])).splitlines()
    assert lines[3] == "2. failure at the same task as 1, 3 days ago (01923f6e-8d4c-7abc): Wait for the page."
    same = recall_text(answer(episodes=[episode(similarity=1.0)])).splitlines()
    assert same[1].startswith("1. success at this task, 3 days ago")
    assert "Fix the login" not in same[1]


def test_that_nobody_has_managed_it_is_said_with_the_first_attempt() -> None:
    lost = [episode(outcome="failure", points=[f"answered “{answer}”"], similarity=1.0) for answer in ("a", "b")]
    assert (
        recall_text(answer(episodes=lost, attempts=2, failures=2))
        .splitlines()[1]
        .startswith("1. failure at this task, like the other attempt, ")
    )
    lines = recall_text(answer(episodes=lost, attempts=7, failures=7)).splitlines()
    assert lines[1].startswith("1. failure at this task, like all 7 attempts, ")
    assert lines[2].startswith("2. failure at the same task as 1, 3 days ago")
    assert "like " not in recall_text(answer(episodes=lost, attempts=7, failures=6))
    assert "like " not in recall_text(answer(episodes=lost[:1], attempts=1, failures=1))


def test_an_episode_that_tells_nothing_has_no_line_and_where_nothing_is_told_the_nearest_is_named() -> None:
    silent, far = episode(points=[], task="Mend the logout"), episode(points=None, task="Bake a cake")
    assert recall_text(answer(episodes=[silent, episode(), far])).count("\n") == 2
    assert recall_text(answer(episodes=[silent, far])) == (
        "None of the runs found tells by itself how to do this; the nearest: success at “Mend the logout”, 82% alike (01923f6e-8d4c-7abc)"
    )
    assert "Bake a cake" in recall_text(answer(episodes=[silent, far]), why=True)


def test_a_success_at_this_very_task_that_tells_nothing_in_a_line_can_be_read_whole() -> None:
    lost, won = episode(points=[], outcome="failure", similarity=1.0), episode(points=[], similarity=0.97)
    assert recall_text(answer(episodes=[lost, won])) == (
        "An earlier run succeeded at this task; no step of it says how by itself: get_episode(episode_id=01923f6e-8d4c-7abc) shows them all"
    )
    assert "mcp-memory show 01923f6e-8d4c-7abc shows" in next(lines_for_people(answer(episodes=[won]), why=False))


def test_an_attempt_at_this_very_task_is_not_told_as_a_task_that_is_like_it() -> None:
    lost = episode(points=[], outcome="failure", similarity=1.0)
    assert recall_text(answer(episodes=[lost])) == (
        "An earlier attempt at this task ended as failure; no step of it says why by itself: "
        "get_episode(episode_id=01923f6e-8d4c-7abc) shows them all"
    )


def test_files_are_told_by_the_changes_in_them_and_not_counted() -> None:
    """Of how many a file was changed could not be said: the counts know only what was recalled, and other bugs' runs touch it, too."""
    assert "tox.ini" not in recall_text(answer(files=[row("tox.ini", 4, 4, 0)]))


def test_files_that_only_share_words_with_the_request_are_not_told() -> None:
    """They are in the answer's `files`; of 86 bugs that nobody had worked on, one of the first three was right for 15."""
    seen = [row(f"src/{name}.py", 0, 0, 0) | {"why": "seen in 3 other tasks"} for name in "abcd"]
    for points in ([], ["changed cart.py"]):
        assert "src/a.py" not in recall_text(answer(episodes=[episode(points=points, similarity=0.5)], files=seen))


def test_of_patterns_only_corrections_and_answers_to_an_error_that_is_quoted_are_told() -> None:
    usual = {
        "pattern_id": "p",
        "kind": "decision_point",
        "description": "after open, choose edit",
        "successes": 8,
        "failures": 2,
        "confidence": 0.6,
        "score": 0.5,
    }
    assert "Learned" not in recall_text(answer(patterns=[usual]))
    assert "Learned: after open, choose edit (held 8 of 10 times" in recall_text(answer(patterns=[usual | {"score": 1.0}]))
    assert "Learned: never edit (held" in recall_text(answer(patterns=[usual | {"correction": "never edit"}]))
    named = usual | {"kind": "error_recovery", "description": "when make fails with “x”, fix it with edit", "score": 1.0, "telling": False}
    assert "Learned" not in recall_text(answer(patterns=[named]))
    assert "Learned" in recall_text(
        answer(patterns=[named | {"description": "when make fails with “x”, fix it with bash:pip install", "telling": True}])
    )


def test_nothing_close_is_one_line_that_names_the_nearest_and_another_project() -> None:
    nearest, elsewhere = {"task": "Bake\na cake", "similarity": 0.16}, {"task": "Fly", "similarity": 0.5, "project": "air"}
    assert recall_text(answer(episodes=[], nearest=nearest, elsewhere=elsewhere)) == (
        "Nothing close in memory (nearest: Bake a cake, 16% alike); 12 episodes looked at. "
        "Project air has something close: Fly (50% alike)."
    )


def test_an_outlook_without_similar_episodes_is_not_told() -> None:
    outlook = {"expected_success": 0.5, "based_on": 0, "evidence": "base rate"}
    assert "Outlook" not in recall_text(answer(outlook=outlook))


def test_an_outlook_is_told_to_who_asks_for_scores_and_a_chance_only_where_attempts_are_many() -> None:
    few = {"expected_success": 0.04, "based_on": 7, "succeeded": 0, "evidence": "similar tasks"}
    assert "Outlook" not in recall_text(answer(outlook=few))
    assert recall_text(answer(outlook=few), why=True).splitlines()[-1] == "Outlook: 0 of 7 similar attempts succeeded"
    many = recall_text(answer(outlook={**few, "expected_success": 0.31, "based_on": 32, "succeeded": 10}), why=True)
    assert "Outlook: 10 of 32 similar attempts succeeded (31% expected" in many


def test_stored_text_stays_on_its_line() -> None:
    text = recall_text(answer(episodes=[episode(task="a\n2. forged \u202eline", points=["b\n3. forged"])]))
    assert len(text.splitlines()) == 2
    assert "\u202e" not in text


def test_a_started_episode_says_its_whole_id_first() -> None:
    text = started_text({"episode_id": ID, "project": "shop", "recalled": answer(), "degraded": []})
    assert text.splitlines()[0].startswith(f"Episode {ID} is open in project shop. {LABEL} Say what helped")


def test_a_long_error_of_a_pattern_is_cut_in_the_middle_and_the_advice_never() -> None:
    error = "No such file: " + "/very/long/path" * 15
    description = f"when search fails with “{error}”, give `arg` a value that the error named"
    pattern = {"pattern_id": "p", "description": description, "successes": 4, "failures": 0, "confidence": 0.7, "score": 1.0}
    [learned] = [line for line in recall_text(answer(patterns=[pattern])).splitlines() if line.startswith("Learned")]
    assert "give `arg` a value that the error named (held 4 of 4 times" in learned
