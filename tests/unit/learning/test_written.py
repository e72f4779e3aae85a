"""What is told of a script that a run wrote and ran."""

from mcp_memory.domain.episode import Episode, EpisodeState, Outcome, OutcomeKind, Step
from mcp_memory.learning.advice.written import wrote


def told(*lines: str) -> str:
    text = "\n".join(lines)
    steps = (
        Step("bash", arguments={"command": f"cat > fit_model.py <<'EOF'\n{text}\nEOF"}, index=0),
        Step("bash", arguments={"command": "python3 fit_model.py"}, observation="accuracy: 0.37", index=1),
    )
    outcome = Outcome(OutcomeKind.PARTIAL)
    return wrote(Episode("e", "p", "reach an accuracy of 0.62", steps=steps, state=EpisodeState.COMPLETED, outcome=outcome))[0][1]


def test_lines_that_say_nothing_are_marked_where_they_are_left_out() -> None:
    assert told("import a", "model = fit(a)", "print(model)", "accuracy = score(model)", "print(accuracy)") == (
        "wrote fit_model.py:2: model = fit(a) ⏎ … ⏎ accuracy = score(model) ⏎ …"
    )


def test_a_branch_whose_beginning_was_cut_is_not_told_for_it_may_never_have_run() -> None:
    cut = (
        "...[7000 chars cut]...",
        'nt("Good")',
        "    accuracy = full(model)",
        "    if accuracy >= 0.62:",
        '        print("reached")',
        "else:",
    )
    assert told("model = fit(a)", "x", *cut, "save(model)") == "wrote fit_model.py:1: model = fit(a)"
