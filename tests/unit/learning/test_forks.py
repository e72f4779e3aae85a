"""Attempts at one task aligned to the one that worked, and what tells the others from it."""

from mcp_memory.domain.episode import OutcomeKind
from mcp_memory.domain.forks import Did
from mcp_memory.learning.reports.contrasts import contrasts
from mcp_memory.learning.reports.forks import aligned
from mcp_memory.verbs.presenting import episode_row
from tests.unit.learning.runs import episode, trace_of

FAILED = OutcomeKind.FAILURE


def table(*attempts: list[str], outcomes: tuple[OutcomeKind, ...] = ()):  # type: ignore[no-untyped-def]
    kinds = outcomes or (OutcomeKind.SUCCESS, *(FAILED for _ in attempts[1:]))
    made = [episode(f"e{i}", steps, kind) for i, (steps, kind) in enumerate(zip(attempts, kinds, strict=True))]
    return aligned(made[0], [(e, episode_row(e), 1.0) for e in made[1:]], episode_row(made[0]))


def test_a_step_that_only_the_reference_took_is_where_the_failed_attempt_left() -> None:
    columns, rows, longer = table(["read", "edit", "test", "submit"], ["read", "edit", "submit"])
    assert [c.did for c in rows[1].cells] == [Did.SAME, Did.SAME, Did.NOTHING, Did.SAME]
    assert [c.parts for c in columns] == [False, False, True, False]
    assert longer == 0


def test_repetitions_are_one_move_and_other_steps_are_counted_between_the_columns() -> None:
    columns, rows, _ = table(["read", "read", "edit"], ["read", "think", "search", "edit", "submit"])
    assert [c.key for c in columns] == ["read", "edit"]
    assert rows[0].cells[0].count == 2
    assert (rows[1].cells[1].before, rows[1].cells[1].keys_before) == (2, ("think", "search"))
    assert (rows[1].after, rows[1].keys_after) == (1, ("submit",))


def test_a_success_holds_no_column_for_a_call_that_failed_in_it_and_a_failed_call_is_shown_as_one() -> None:
    columns, rows, _ = table(["test!no module x", "install", "test"], ["install", "test!no module x"])
    assert [c.key for c in columns] == ["install", "test"]
    assert (rows[1].cells[1].did, rows[1].cells[1].error) == (Did.FAILED, "no module x")
    assert rows[1].ended == "no module x"


def test_the_same_tool_on_another_thing_is_told_apart() -> None:
    one, other = episode("a", ["edit"]), episode("b", ["edit"], FAILED)
    paths = [e.steps[0].arguments.update(path=p) for e, p in ((one, "cart.py"), (other, "test_cart.py"))]  # type: ignore[attr-defined]
    _, rows, _ = aligned(one, [(other, episode_row(other), 1.0)], episode_row(one))
    assert len(paths) == 2
    assert rows[1].cells[0].did is Did.OTHER


def test_what_all_successes_did_and_no_failure_did_is_found_with_its_chance() -> None:
    good = [trace_of(episode(f"g{i}", ["read", "edit", "migrate"])) for i in range(5)]
    bad = [trace_of(episode(f"b{i}", ["read", "edit"], FAILED)) for i in range(5)]
    (found,) = contrasts(good, bad)
    assert (found.kind, found.what, found.good, found.goods, found.bad, found.bads) == ("used", "migrate", 5, 5, 0, 5)
    assert found.chance == 2 / 252  # two tools act, and one split in 252 is this sharp


def test_one_attempt_alone_tells_nothing_and_neither_does_the_verdict_on_it() -> None:
    good = [trace_of(episode("g", ["edit", "migrate"]))]
    assert contrasts(good, [trace_of(episode("b", ["edit"], FAILED))]) == ()
    ended_badly = [trace_of(episode(f"b{i}", ["edit", "submit!wrong answer"], FAILED)) for i in range(3)]
    assert contrasts([trace_of(episode(f"g{i}", ["edit"])) for i in range(3)], ended_badly) == ()


def test_an_error_that_failed_attempts_met_on_their_way_is_found() -> None:
    good = [trace_of(episode(f"g{i}", ["edit", "test"])) for i in range(3)]
    bad = [trace_of(episode(f"b{i}", ["test!no module named pandas", "edit"], FAILED)) for i in range(3)]
    assert [(c.kind, c.what) for c in contrasts(good, bad)] == [("met", "no module named pandas")]
