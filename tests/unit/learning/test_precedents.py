"""What attempts at the very task did, as the next one is told."""

from collections.abc import Sequence
from dataclasses import replace

from mcp_memory.domain import facts
from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.episode import Episode, FileUse, OutcomeKind, Reflection, Step, StepStatus, Use
from mcp_memory.learning.telling.precedents import precedents as precedents_of
from mcp_memory.learning.telling.same_case import ids_in
from mcp_memory.learning.telling.told_attempts import MAX_READ, Showable, ToldAttempt, ToldAttempts
from mcp_memory.views.experience import Experience

from .runs import episode, trace_of

TASK = "The total of `Cart` is off by a cent"
FAILURE = OutcomeKind.FAILURE


def edit(new: str, path: str = "shop/cart.py", old: str = "return total") -> Step:
    return Step("edit", arguments={"path": path, "old": old, "new": new})


def attempt(name: str, *steps: Step, outcome: OutcomeKind = OutcomeKind.SUCCESS, task: str = TASK, told: str = "") -> Episode:
    placed = tuple(replace(step, index=i) for i, step in enumerate(steps))
    made = replace(episode(name, [], outcome, task=task), steps=placed, step_count=len(placed))
    paths = dict.fromkeys(str(step.arguments["path"]) for step in placed if step.tool == "edit")
    reflection = Reflection((), (facts.Rejected(0, False, told),) if told else (), ())
    return replace(made, files=tuple(FileUse(path, Use.CHANGED) for path in paths), reflection=reflection)


def precedents(task: str, attempts: Sequence[Episode], showable: Showable = lambda _id, _index: True) -> tuple[Precedent, ...]:
    return precedents_of(task, [ToldAttempt.of(made) for made in attempts], showable)


def test_what_worked_with_ids_that_this_run_has_met_is_told_in_whatever_words_the_task_was_put() -> None:
    task, asked = "Hi, can you cancel the trip that I booked for May?", "Hello! I would like to have my trip in May cancelled, please."
    look, cancel = Step("get_booking", arguments={"id": "M20IZO"}), Step("cancel_booking", arguments={"id": "M20IZO"})
    won = ToldAttempt.of(attempt("a", look, cancel, task=task))
    assert precedents_of(asked, [won]) == () == precedents_of(asked, [won], met=ids_in("booking 59XX6W of mia_li_3668"))
    (found,) = precedents_of(asked, [won], met=ids_in("booking M20IZO of mia_li_3668"))
    assert (found.did, found.times, found.attempts) == (("cancel_booking “M20IZO”",), 1, 1)


def test_who_did_that_and_more_is_counted_with_who_did_that() -> None:
    cancel, refund = Step("cancel_booking", arguments={"id": "M20IZO"}), Step("send_refund", arguments={"id": "M20IZO", "amount": 50})
    task = "Cancel the booking M20IZO"
    found = precedents(task, [attempt("a", cancel, task=task), attempt("b", cancel, refund, task=task), attempt("c", cancel, task=task)])
    assert [(p.did, p.times, p.attempts) for p in found] == [
        (("cancel_booking “M20IZO”",), 3, 3),
        (("cancel_booking “M20IZO”", "send_refund id=M20IZO amount=50"), 1, 3),
    ]


def answer(text: str) -> Step:
    return Step("finish", arguments={"answer": text})


def test_the_change_that_worked_comes_first_then_the_one_that_failed() -> None:
    good, bad = attempt("a", edit("return round(total, 2)")), attempt("b", edit("return int(total)"), outcome=FAILURE)
    found = precedents(TASK, [good, bad])
    assert [(p.worked, p.did, p.times, p.attempts, p.episode_id) for p in found] == [
        (True, ("changed shop/cart.py: - return total + return round(total, 2)",), 1, 1, "a"),
        (False, ("changed shop/cart.py: - return total + return int(total)",), 1, 1, "b"),
    ]


def test_a_change_is_told_with_its_further_lines_and_without_comments_and_docstrings() -> None:
    new = 'def total(self):\n    """Sum.\n\n    Exactly.\n    """\n    # as Decimal\n    cents = sum(self.cents)\n    return cents / 100'
    (found,) = precedents(TASK, [attempt("a", edit(new, old="pass"))])
    assert found.did == ("changed shop/cart.py: - pass + def total(self): ⏎ cents = sum(self.cents) ⏎ return cents / 100",)


def test_attempts_that_did_the_same_count_together() -> None:
    found = precedents(TASK, [attempt(name, answer(said), outcome=FAILURE) for name, said in (("a", "41"), ("b", "41"), ("c", "7"))])
    assert [(p.did, p.times, p.attempts) for p in found] == [(("answered “41”",), 2, 3), (("answered “7”",), 1, 3)]


def test_attempts_that_did_nothing_to_tell_count_among_those_that_ended_so() -> None:
    silent = [attempt(name, Step("search", arguments={"text": name}), outcome=FAILURE) for name in "defg"]
    (found,) = precedents(TASK, [attempt("a", answer("41"), outcome=FAILURE), *silent])
    assert (found.times, found.attempts) == (1, 5)


def test_of_more_attempts_than_are_read_nothing_is_counted() -> None:
    (found,) = precedents(TASK, [attempt(f"a{i}", answer("41"), outcome=FAILURE) for i in range(MAX_READ)])
    assert (found.times, found.attempts) == (0, 0)


def test_changes_that_differ_in_a_sign_are_two() -> None:
    found = precedents(TASK, [attempt("a", edit("return total - voucher")), attempt("b", edit("return total + voucher"))])
    assert [p.times for p in found] == [1, 1]
    again = precedents(TASK, [attempt("a", edit("return total - voucher")), attempt("b", edit("return total -  voucher"))])
    assert [p.times for p in again] == [2]


def test_changes_that_differ_in_quotes_comments_and_names_of_their_own_are_one() -> None:
    first = 'cents = sum("a")  # all\n    return cents / 100'
    found = precedents(TASK, [attempt("a", edit(first)), attempt("b", edit("pence = sum('a')\n    # as usual\n    return pence / 100"))])
    assert [(p.times, p.attempts) for p in found] == [(2, 2)]
    other = precedents(TASK, [attempt("a", edit(first)), attempt("b", edit("cents = sum('b')\n    return cents / 100"))])
    assert [p.times for p in other] == [1, 1]


def test_a_failure_is_told_by_what_no_success_left_and_one_that_left_just_that_not_at_all() -> None:
    both = edit("\n".join(f"total_{i} = self.total_of_the_cart_with_a_long_name(argument_{i}, other_{i})" for i in range(20)), old="a = 1")
    also = edit("x = 7", old="x = 1")
    won, lost = attempt("a", both), attempt("b", both, also, outcome=FAILURE)
    found = precedents(TASK, [won, lost])
    assert [p.episode_id for p in found] == ["a", "b"]
    assert "- x = 1 + x = 7" in found[1].did[0].partition(": ")[2][:20]
    assert [p.episode_id for p in precedents(TASK, [won, attempt("c", both, outcome=FAILURE)])] == ["a"]


def test_of_a_loop_the_line_that_does_the_work_is_told() -> None:
    loop = Step("bash", "for", {"command": "for f in data/*; do\n  encrypt -p rev -o out/$f $f\n  echo $f\ndone"})
    assert precedents("Encrypt set 7", [attempt("a", loop, task="Encrypt set 7")])[0].did == ("`encrypt -p rev -o out/$f $f`",)


def test_deeds_that_differ_in_a_word_are_told_once() -> None:
    tried = [
        attempt(name, answer(said), outcome=FAILURE) for name, said in (("a", "Sir Patrick John Vallance"), ("b", "Patrick John Vallance"))
    ]
    assert [(p.did, p.times) for p in precedents(TASK, tried)] == [(("answered “Patrick John Vallance” or nearly so",), 2)]
    tried.append(attempt("c", answer("The patrick john vallance."), outcome=FAILURE))
    assert [p.times for p in precedents(TASK, tried)] == [3], "with those that answered nearly so"


def test_a_change_that_shows_a_heading_or_a_comment_alone_is_not_told() -> None:
    for new in ("def total(self):", "# TODO: exactly", "@property"):
        assert precedents(TASK, [attempt("a", edit(new, old=""), outcome=FAILURE)]) == ()
        (found,) = precedents(TASK, [attempt("a", edit(new, old=""))])
        assert found.did == ("changed shop/cart.py",), "of a success the file alone tells something"


def test_a_failure_says_what_it_was_told_in_the_end() -> None:
    (found,) = precedents(TASK, [attempt("a", answer("41"), outcome=FAILURE, told="The answer is incorrect")])
    assert found.came == "The answer is incorrect"


def test_what_worked_once_is_not_told_as_what_failed() -> None:
    found = precedents(TASK, [attempt("a", edit("return 1")), attempt("b", edit("return 1"), outcome=FAILURE)])
    assert [p.worked for p in found] == [True]


def test_scratch_files_and_files_without_what_is_in_them_are_no_precedent() -> None:
    made = Step("create", arguments={"args": "reproduce_bug.py"})
    written = Step("bash", "cat >", {"command": "cat > Makefile <<'EOF'\nall:\nEOF"})
    for outcome in (OutcomeKind.SUCCESS, FAILURE):
        assert precedents(TASK, [attempt("a", made, written, edit("x", "repro.py"), outcome=outcome)]) == ()


def test_running_what_only_that_run_wrote_is_a_precedent_with_what_it_wrote_alone() -> None:
    written = Step("bash", "cat >", {"command": "cat > solve.py <<'EOF'\nfill(1)\nEOF"})
    ran, packed = (Step("bash", arguments={"command": command}) for command in ("python3 solve.py", "tar -xf data.tar"))
    (alone,) = precedents("Solve puzzle 7", [attempt("a", written, ran, task="Solve puzzle 7")])
    assert alone.did == ("wrote solve.py: fill(1)",)
    assert precedents("Solve puzzle 7", [attempt("a", ran, task="Solve puzzle 7", outcome=FAILURE)]) == ()
    assert precedents("Unpack set 7", [attempt("a", written, ran, packed, task="Unpack set 7")])[0].did == ("`tar -xf data.tar`",)


def test_what_makes_room_or_hides_whether_it_worked_is_no_precedent() -> None:
    steps = [
        Step("bash", arguments={"command": c}) for c in ("lock --help || man lock", "mkdir -p out", "lock -p rev a.txt", "curl -s :80/a")
    ]
    (found,) = precedents(TASK, [attempt("a", *steps)])
    assert found.did == ("`lock -p rev a.txt`",)


def test_what_was_done_before_a_script_of_its_own_is_not_told_as_what_worked() -> None:
    probe, written = Step("bash", arguments={"command": "maze 1"}), Step("bash", arguments={"command": "cat > solve.py <<'EOF'\nx\nEOF"})
    solve, after = Step("bash", arguments={"command": "python3 solve.py"}), Step("bash", arguments={"command": "deploy --all"})
    assert precedents(TASK, [attempt("a", probe, written, solve)]) == ()
    summary = Step("bash", arguments={"command": "cat > SUMMARY.md <<'EOF'\nIt works.\nEOF"})
    (kept,) = precedents(TASK, [attempt("a", written, after, solve, summary)])
    assert kept.did == ("`deploy --all`",), "of which the script that was there before is only tried again"
    (found,) = precedents(TASK, [attempt("a", probe, written, solve, after)])
    assert found.did == ("`deploy --all`",)


def test_a_changed_test_is_told_only_where_nothing_else_was_changed() -> None:
    both = attempt("a", edit("return 1"), edit("assert 1", "tests/test_cart.py"))
    assert precedents(TASK, [both])[0].did == ("changed shop/cart.py: - return total + return 1",)
    alone = attempt("a", edit("assert 1", "tests/test_cart.py"))
    assert precedents(TASK, [alone])[0].did == ("changed tests/test_cart.py: - return total + assert 1",)


def test_answers_and_calls_are_told_of_the_very_case_alone() -> None:
    paid = Step("pay", arguments={"booking": "B7"})
    assert precedents("Pay booking B7", [attempt("a", paid, task="Pay booking B7")])[0].did == ("pay “B7”",)
    assert precedents("Pay booking B8", [attempt("a", paid, task="Pay booking B7")]) == ()
    assert precedents("Hi, I want to pay", [attempt("a", paid, task="Hi, I want to pay")]) == ()


def test_a_call_that_failed_is_not_told_as_what_worked() -> None:
    failed = Step("pay", arguments={"booking": "B7"}, status=StepStatus.ERROR, error="declined")
    assert precedents("Pay booking B7", [attempt("a", failed, task="Pay booking B7")]) == ()


def test_what_may_not_be_shown_is_not() -> None:
    assert precedents(TASK, [attempt("a", edit("return 1"))], lambda _id, _index: False) == ()


def test_a_few_attempts_of_each_outcome_are_read_and_each_once() -> None:
    made = [attempt(f"{kind}{i}", edit(str(i)), outcome=kind) for kind in (OutcomeKind.SUCCESS, FAILURE) for i in range(MAX_READ + 2)]
    experience = Experience()
    experience.add([trace_of(e, i) for i, e in enumerate(made)])
    known, asked = {e.id: e for e in made}, list[str]()

    def read(ids: Sequence[str]) -> list[Episode | None]:
        asked.extend(ids)
        return [known.get(key) for key in ids]

    attempts = experience.derived(ToldAttempts)
    ids = attempts.at([(e.id, 1.0) for e in made] + [("elsewhere", 0.5)])
    assert [sum(key.startswith(str(kind)) for key in ids) for kind in (OutcomeKind.SUCCESS, FAILURE)] == [MAX_READ, MAX_READ]
    first = attempts.read(ids, read)
    assert attempts.read(ids, read) == first
    assert asked == ids


def test_lines_are_chosen_anew_for_a_task_that_was_edited() -> None:
    long = "x" * 180
    made = attempt(
        "a", edit(f"rounded = '{long}'", old="rounded = 0"), edit(f"voucher = '{long}'", old="voucher = 0"), task="what is rounded is off"
    )
    experience = Experience()
    experience.add([trace_of(made)])
    attempts = experience.derived(ToldAttempts)
    (told,) = attempts.read(["a"], lambda _ids: [made])
    edited = replace(made, task="the voucher is not taken off")
    experience.remove(["a"])
    experience.add([trace_of(edited)])
    (again,) = attempts.read(["a"], lambda _ids: [edited])
    assert "+ rounded" in told.changes[0][1]
    assert "+ voucher" in again.changes[0][1]


def test_a_chain_that_stopped_where_a_program_was_not_found_is_not_told_as_what_worked() -> None:
    chain = "hexpack data && shardctl push --all & sleep 3"
    stopped = Step("bash", arguments={"command": chain}, observation="/bin/sh: 1: hexpack: not found\nHealth: PASSED")
    assert precedents(TASK, [attempt("a", stopped)]) == ()
    (went,) = precedents(TASK, [attempt("a", replace(stopped, observation="Health: PASSED"))])
    assert went.did == (f"`{chain}`",)
    written = Step("bash", "cat >", {"command": "cat > app.py <<'EOF'\nserve(1)\nEOF"})
    killed = Step("bash", arguments={"command": "pkill app && python3 app.py"}, observation="/bin/sh: 1: pkill: not found")
    assert precedents(TASK, [attempt("a", written, killed)]) == ()
    assert precedents(TASK, [attempt("a", written, replace(killed, observation="served"))]) != ()


def test_what_succeeded_in_part_comes_before_what_failed_more_often() -> None:
    failures = [attempt(name, edit("return int(total)"), outcome=FAILURE) for name in "ab"]
    partly = attempt("c", edit("return round(total)"), outcome=OutcomeKind.PARTIAL)
    assert [p.partly for p in precedents(TASK, [*failures, partly])] == [True, False]


def test_answers_in_almost_the_same_words_are_counted_as_one() -> None:
    said = (
        "a large shopping mall in the south of Oslo",
        "a large shopping mall in the south of Oslo",
        "a big shopping mall in the south of Oslo",
    )
    found = precedents(TASK, [attempt(name, answer(text), outcome=FAILURE) for name, text in zip("abc", said, strict=True)])
    assert [(p.did, p.times, p.attempts) for p in found] == [((f"answered “{said[0]}” or nearly so",), 3, 3)]


def test_answers_that_have_the_same_words_but_for_little_ones_and_endings_are_counted_as_one() -> None:
    for said in (
        ("from the port of Oslo to Sandy Hook", "the Oslo port to Sandy Hook", "Oslo port to Sandy Hook"),
        ("ferry harbour", "Ferry harbours"),
    ):
        found = precedents(TASK, [attempt(name, answer(text), outcome=FAILURE) for name, text in zip("abc", said, strict=False)])
        assert [(p.times, p.attempts) for p in found] == [(len(said), len(said))]
        assert found[0].did[0].endswith("or nearly so")
    tried = [attempt(name, answer(text), outcome=FAILURE) for name, text in (("a", "it did float"), ("b", "it did not float"))]
    assert [p.times for p in precedents(TASK, tried)] == [1, 1]


def test_failed_changes_that_put_a_message_in_other_words_are_told_once() -> None:
    texts = [f'raise CartError("No voucher can be {word} with a cart that is empty.")' for word in ("used together", "used", "spent")]
    tried = [attempt(name, edit(text), outcome=FAILURE) for name, text in zip("abc", texts, strict=True)]
    (told,) = precedents(TASK, tried[:2])
    assert (told.times, told.attempts, told.did[0].endswith("or nearly so")) == (2, 2, True)
    keys = [
        attempt(name, edit(f'return self.rows["{key}"]'), outcome=FAILURE) for name, key in (("a", "paid_in_the_first_week"), ("b", "owed"))
    ]
    assert [p.times for p in precedents(TASK, keys)] == [1, 1]


def test_of_failures_that_left_a_part_of_what_another_left_the_whole_is_told() -> None:
    one, other = edit("return round(total, 2)"), edit("self.cents = 0", old="self.cents = None")
    tried = [attempt("a", one, outcome=FAILURE), attempt("b", one, other, outcome=FAILURE)]
    (told,) = precedents(TASK, tried)
    assert (told.times, told.attempts, told.episode_id) == (2, 2, "b")
    assert "self.cents = 0" in told.did[0]
    assert told.did[0].endswith("(1 of them only in part)")
    third = attempt("c", one, edit("self.cents = 1", old="self.cents = None"), outcome=FAILURE)
    assert sorted(row.times for row in precedents(TASK, [*tried, third])) == [1, 2], "two that differ are not one"
    assert len(precedents(TASK, [attempt("a", one), attempt("b", one, other)])) == 2, "of what worked the less is told"


def test_of_failures_that_changed_but_the_same_test_and_of_successes_by_a_script_of_their_own_one_is_told() -> None:
    tests = [attempt(name, edit(f"assert total() == {n}", "tests/test_cart.py"), outcome=FAILURE) for name, n in (("a", 1), ("b", 2))]
    (told,) = precedents(TASK, tests)
    assert told.did == ("changed no code, but beside it tests/test_cart.py: - return total + assert total() == 1",)
    scripts = [
        attempt(
            name,
            Step("bash", "cat >", {"command": f"cat > {name}.py <<'EOF'\n{line}\nEOF"}),
            Step("bash", arguments={"command": f"python3 {name}.py"}),
            task="Solve puzzle 7",
        )
        for name, line in (("fill", "cells.fill(1)"), ("walk", "path = rows.walked(9)"))
    ]
    assert len(precedents("Solve puzzle 7", scripts)) == 1
