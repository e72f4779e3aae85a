"""What was different when a failed call was made again: a pattern of its own, told from the second episode on."""

from dataclasses import replace

import pytest

from mcp_memory.domain.episode import Episode, Step, StepStatus
from mcp_memory.domain.pattern import Observation, Pattern, PatternKind
from mcp_memory.learning.patterns.extractors import observations_of
from mcp_memory.learning.patterns.relevance import tells
from mcp_memory.learning.reading.argument_changes import argument_change
from mcp_memory.learning.reading.run import run_of_episode
from mcp_memory.ports import Situation

from .runs import episode
from .test_adviser import adviser, now


def searched(*queries: str, worked: bool = True) -> Episode:
    steps = [
        Step("search", arguments={"query": q}, status=StepStatus.ERROR, error=f"Could not find [{q}]", index=i)
        for i, q in enumerate(queries)
    ]
    steps[-1] = replace(steps[-1], status=StepStatus.OK, error=None) if worked else steps[-1]
    return replace(episode("e", ["search"] * len(queries)), steps=tuple(steps))


def changes(made: Episode) -> list[Observation]:
    return [o for o in observations_of(run_of_episode(made)) if o.kind is PatternKind.ARGUMENT_CHANGE]


def test_two_episodes_that_searched_for_less_are_one_pattern_whatever_they_searched_for() -> None:
    first, second = changes(searched("Gator Country guitarist", "Gator Country")), changes(searched("the Beatles drummer", "the Beatles"))
    assert [o.pattern_id for o in first] == [o.pattern_id for o in second]
    assert first[0].success
    assert first[0].description == (
        "when search fails with an error like “Could not find [Gator Country guitarist]”, give `query` fewer words "
        "(“Gator Country” instead of “Gator Country guitarist”)"
    )


def test_a_change_that_did_not_help_counts_against_it() -> None:
    assert [o.success for o in changes(searched("the Beatles drummer", "the Beatles", worked=False))] == [False]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ({"q": "SAS"}, {"q": "Special Air Service"}, "listed"),
        ({"text": "a = 1\nb = 2"}, {"text": "  a = 1\n  b = 2"}, "indented"),
        ({"path": "a.py"}, {"path": "src/a.py"}, "with_folder"),
        ({"command": "pip install -q x"}, {"command": "pip install x"}, "option_left_out"),
        ({"path": "a.py", "limit": 3}, {"path": "a.py"}, "argument_left_out"),
        ({"q": "black hole"}, {"q": "black hole mass"}, "more_words"),
    ],
)
def test_kinds_of_changes(before: dict[str, object], after: dict[str, object], kind: str) -> None:
    failed = Step("t", arguments=before, status=StepStatus.ERROR, error="Could not find [SAS]. Similar: ['Special Air Service']")
    change = argument_change(failed, Step("t", arguments=after))
    assert change is not None
    assert change.kind == kind


@pytest.mark.parametrize(("before", "after"), [({"q": "cat"}, {"q": "dog"}), ({"q": "cat", "n": 1}, {"q": "cats", "n": 2}), ({}, {})])
def test_another_call_altogether_is_no_change_of_arguments(before: dict[str, object], after: dict[str, object]) -> None:
    assert argument_change(Step("t", arguments=before, status=StepStatus.ERROR, error="no"), Step("t", arguments=after)) is None


def test_after_the_same_error_again_the_change_that_worked_is_named() -> None:
    memory = [replace(searched(f"{name} guitarist", name), id=name, agent=name) for name in ("Gator Country", "the Beatles", "the Who")]
    recovery = adviser(*memory).suggest(Situation(now("search!Could not find [the Byrds guitarist]"), []), 3, None).recovery
    assert recovery is not None
    assert recovery.fixes[0].change == "give `query` fewer words"


def test_what_a_single_episode_changed_is_not_named() -> None:
    recovery = (
        adviser(searched("Gator Country guitarist", "Gator Country"))
        .suggest(Situation(now("search!Could not find [x y]"), []), 3, None)
        .recovery
    )
    assert recovery is not None
    assert recovery.fixes[0].change is None


@pytest.mark.parametrize(
    ("kind", "confidence", "contrast", "told"),
    [
        (
            PatternKind.TOOL_SEQUENCE,
            0.2,
            0.3,
            False,
        ),  # it fails more often than is usual: what hopeless cases have in common decides nothing
        (PatternKind.TOOL_SEQUENCE, 0.8, 0.3, True),
        (PatternKind.DECISION_POINT, 0.8, 0.0, False),
        (PatternKind.ARGUMENT_CHANGE, 0.5, 0.0, True),
    ],
)
def test_what_does_not_hold_or_is_usual_is_not_told(kind: PatternKind, confidence: float, contrast: float, told: bool) -> None:
    pattern = Pattern("pat_1", kind, "p", {}, "", "", 5, 4, 1, 0, 0, confidence=confidence)
    assert tells(pattern, contrast) is told
