"""Failed steps with what fixed them, and arguments as numbers."""

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.episode import Step
from mcp_memory.domain.fingerprints import answer_kind, fingerprint, pack, pack_answers, shape, unpack, unpack_answers
from mcp_memory.views.fixes import MAX_STEPS_LATER, fixes_of


def test_a_fix_is_the_first_step_that_succeeds_within_five() -> None:
    keys, failed = ["edit", "edit", "open", "edit"], [True, True, False, False]
    assert [(f.index, f.fix_key, f.steps_later) for f in fixes_of(keys, failed, {})] == [(0, "open", 2), (1, "open", 1)]


def test_a_success_later_than_that_fixes_nothing() -> None:
    failed = [True] * (MAX_STEPS_LATER + 1) + [False]
    first = next(iter(fixes_of(["x"] * len(failed), failed, {})))
    assert first.fix_key == ""


@given(st.lists(st.dictionaries(st.text(max_size=5), st.one_of(st.text(max_size=90), st.integers(), st.none())), max_size=20))
def test_fingerprints_survive_packing(arguments: list[dict[str, object]]) -> None:
    steps = [Step("t", arguments=a) for a in arguments]
    exact, like = unpack(pack(steps), len(steps))
    assert list(zip(exact, like, strict=True)) == [fingerprint(s) for s in steps]


def test_equal_arguments_in_any_order_are_equal() -> None:
    assert fingerprint(Step("t", arguments={"a": 1, "b": 2})) == fingerprint(Step("t", arguments={"b": 2, "a": 1}))


def test_the_shape_forgets_names_and_numbers() -> None:
    assert shape({"path": "src/a.py", "line": 3}) == shape({"path": "lib/other.py", "line": 77})
    assert shape({"path": "src/a.py"}) != shape({"path": "three words here"})


def test_answers_of_one_kind_are_alike_whatever_names_and_numbers_are_in_them() -> None:
    def kind(text: str, error: str | None = None) -> int:
        return answer_kind(Step("t", observation=text, error=error))

    assert kind("Found 193 matches for 'a' in /x") == kind("\n Found 2 matches for 'bcd' in /y/z\nmore") != kind("No matches found for 'a'")
    assert kind("", "No matches found for 'q'") == kind("No matches found for 'r'")
    assert kind("") == kind("  \n") == 0 < kind("{") != kind("[")


@given(st.lists(st.text(max_size=40), max_size=4))
def test_kinds_of_answers_survive_packing(answers: list[str]) -> None:
    steps = [Step("t", observation=text) for text in answers]
    assert unpack_answers(pack_answers(steps), len(steps)) == [answer_kind(s) for s in steps]
    assert unpack_answers("", len(steps)) == [0] * len(steps)
