"""Arguments are refused in one readable line, or come out as they were meant."""

from typing import Any

import pytest

from mcp_memory.domain.requests import CompleteEpisode, Forget, GiveFeedback, LogStep, LogSteps, Recall, StartEpisode, SuggestNextStep
from mcp_memory.errors import InvalidArguments, InvalidInput


def refusal(raw: Any) -> str:
    with pytest.raises(InvalidArguments) as refused:
        StartEpisode.read(raw, listed_only=True)
    line = refused.value.line()
    assert line.startswith("invalid_arguments: ")
    assert "\n" not in line
    assert "Arguments of start_episode: task*, " in line
    return line


def test_good_arguments_come_out_as_they_are() -> None:
    good = {"task": "t", "task_type": "debugging", "tags": ("x",), "metadata": {"deep": [1, None]}, "budget_tokens": 300, "recall": False}
    assert StartEpisode.read(good).given() == good


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({}, "missing `task`"),
        ({"task": None}, "missing `task`"),
        ({"task": "t", "episode_id": "x"}, "unknown argument `episode_id`"),
        ({"task": "t", "dommain": "x"}, "unknown argument `dommain`; did you mean `domain`?"),
        ({"task": 5}, "`task` must be a string, not a number"),
        ({"task": "t", "task_type": "gardening"}, "`task_type` must be one of code_generation, "),
        ({"task": "t", "tags": ["x", 1]}, "`tags[1]` must be a string, not a number"),
        ({"task": "t", "metadata": "{broken"}, "`metadata` must be an object, not a string"),
        ({"task": "t", "budget_tokens": True}, "`budget_tokens` must be a whole number, not a boolean"),
        ({"task": "t", "budget_tokens": 100.5}, "`budget_tokens` must be a whole number, not a number"),
        ({"task": "t", "budget_tokens": "five"}, "`budget_tokens` must be a whole number, not a string"),
        ({"task": "t", "budget_tokens": float("nan")}, "`budget_tokens` must be a whole number"),
        ({"task": "t", "recall": 1}, "`recall` must be true or false, not a number"),
        ([], "`arguments` must be an object, not a list"),
    ],
)
def test_bad_arguments_are_refused_naming_field_and_problem(raw: Any, problem: str) -> None:
    assert problem in refusal(raw)


def test_a_problem_inside_a_list_of_records_names_its_place() -> None:
    for steps, problem in (
        ([{"tool": "x"}, {"tool": "x", "observaton": 1}], "unknown argument `steps[1].observaton`; did you mean `observation`?"),
        ([{}], "missing `steps[0].tool`"),
        ([{"tool": "x", "arguments": 5}], "`steps[0].arguments` must be an object, not a number"),
        ([], "`steps` must have 1 to 100 items, not 0"),
    ):
        with pytest.raises(InvalidInput) as refused:
            LogSteps.read({"episode_id": "e", "steps": steps})
        assert problem in refused.value.message


def test_a_record_made_in_python_is_checked_too() -> None:
    with pytest.raises(InvalidInput, match="`limit` must be between 1 and 50, not 51"):
        Recall("x", limit=51)
    with pytest.raises(InvalidInput, match="`task` must not be empty"):
        StartEpisode(" ")
    assert Recall("x", limit="3").limit == 3  # type: ignore[arg-type]


def test_values_are_read_the_way_models_send_them() -> None:
    step = LogStep.read(
        {
            "episode_id": "e",
            "tool": "bash",
            "arguments": "ls -la",
            "observation": {"code": 0, "out": ["a"]},
            "status": "Failed",
            "error": "null",
            "duration_ms": 12.7,
            "tokens": "5",
            "action": "",
        }
    )
    assert step.arguments == {"text": "ls -la"}
    assert step.observation == '{"code":0,"out":["a"]}'
    assert (step.status, step.error, step.duration_ms, step.tokens, step.action) == ("error", None, 13, 5, "")
    assert LogStep.read({"episode_id": "e", "tool": "x", "arguments": '{"path": "a"}'}).arguments == {"path": "a"}
    asked = Recall.read(
        {"query": "null", "limit": 3.0, "strict": "true", "tags": "web", "include": "patterns", "domain": "null", "since": ""}
    )
    assert (asked.query, asked.limit, asked.strict, asked.tags, asked.include) == ("null", 3, True, ("web",), ("patterns",))
    assert (asked.domain, asked.since) == ("", None)
    for word, meant in (("Success", "success"), ("succeeded", "success"), ("FAILED", "failure"), ("partial", "partial")):
        assert CompleteEpisode.read({"episode_id": "e", "outcome": word}).outcome == meant
    assert CompleteEpisode.read({"episode_id": "e", "outcome": "success", "lessons": "One."}).lessons == ("One.",)
    assert CompleteEpisode.read({"episode_id": "e", "outcome": "success", "lessons": '["a", "b"]'}).lessons == ("a", "b")
    assert LogSteps.read({"episode_id": "e", "steps": '{"tool": "x"}'}).steps[0].tool == "x"  # type: ignore[union-attr]
    assert SuggestNextStep.read({"episode_id": "e", "intended": '{"tool": "x"}'}).intended is not None


def test_nul_and_half_surrogates_are_replaced_at_any_depth() -> None:
    step = LogStep.read({"episode_id": "e", "tool": "x", "observation": "a\x00b\ud800", "arguments": {"k\x00": ["\udfff é", 1]}})
    assert step.observation == "a\ufffdb\ufffd"
    assert step.arguments == {"k\ufffd": ["\ufffd é", 1]}


@pytest.mark.parametrize("value", ["true", "yes", 1, "True"])
def test_what_cannot_be_undone_needs_a_true_of_json(value: Any) -> None:
    with pytest.raises(InvalidInput, match="`confirm` must be true or false"):
        Forget.read({"episode_ids": ["a"], "confirm": value})


@pytest.mark.parametrize("value", [10**400, -(10**400), float("inf"), "1" + "0" * 400])
def test_a_number_beyond_all_bounds_is_out_of_bounds(value: Any) -> None:
    for read, says in (
        (lambda: Recall.read({"query": "x", "limit": value}), "between 1 and 50"),
        (lambda: GiveFeedback.read({"recommendation_id": "r", "outcome": "helped", "rating": value}), "between 0 and 1"),
        (lambda: LogStep.read({"episode_id": "e", "tool": "x", "duration_ms": value}), "between 0 and 9007199254740991"),
    ):
        with pytest.raises(InvalidInput) as refused:
            read()
        assert says in refused.value.message
        assert len(refused.value.message) < 200


def test_text_that_looks_like_json_stays_text_where_a_string_is_wanted() -> None:
    assert StartEpisode.read({"task": '{"k": 1}'}).task == '{"k": 1}'


def test_a_long_wrong_value_is_not_echoed_in_full() -> None:
    assert len(refusal({"task": "t", "task_type": "c" * 10_000})) < 600
    assert len(refusal({"task": "t", "u" * 10_000: 1})) < 400
