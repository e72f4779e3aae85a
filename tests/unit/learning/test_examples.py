"""Arguments shown as an example."""

from mcp_memory.domain.episode import Episode, Step
from mcp_memory.learning.advice.examples import arguments_of

LONG = "x" * 1_000


def episode(**arguments: object) -> Episode:
    return Episode("e", "p", "t", steps=(Step("edit", arguments=arguments),), step_count=1)


def test_short_arguments_are_shown_as_they_were() -> None:
    arguments = {"path": "a.py", "line": 3, "flags": ["-v"], "deep": {"ok": True, "none": None}}
    assert arguments_of(episode(**arguments), 0, 100) == arguments


def test_long_texts_and_lists_are_cut_at_every_depth() -> None:
    shown = arguments_of(episode(text=LONG, deep={"list": [LONG] * 50}), 0, 100)
    assert shown is not None
    assert shown["text"] == "x" * 99 + "…"
    assert shown["deep"] == {"list": ["x" * 99 + "…"] * 10}


def test_without_arguments_there_is_no_example() -> None:
    assert arguments_of(episode(), 0, 100) is None
    assert arguments_of(None, 0, 100) is None
    assert arguments_of(episode(a=1), 1, 100) is None
