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
        "wrote fit_model.py: model = fit(a) ⏎ … ⏎ accuracy = score(model)"
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
    assert told("model = fit(a)", "x", *cut, "save(model)") == "wrote fit_model.py: model = fit(a) ⏎ … ⏎ save(model)"


def test_of_a_long_script_the_lines_that_do_the_work_are_told_and_none_is_cut_before_them() -> None:
    setting_up = [f"setting_{name} = prepare(path_{name})" for name in "abcdefghij"]
    said = told("import a", *setting_up, "def reach(model):", "    return model.accuracy >= 0.62", *setting_up, "main()")

    assert said == "wrote fit_model.py: return model.accuracy >= 0.62"


def test_what_an_earlier_version_of_a_script_had_already_comes_after_what_was_changed_in_it() -> None:
    filling = [f"reach_{n} = accuracy('part {n}')" for n in range(12)]
    texts = ("\n".join([*filling, f"reached = depth.grown('{name}')"]) for name in ("wide", "deep"))
    steps = [Step("bash", arguments={"command": f"cat > fit_model.py <<'EOF'\n{text}\nEOF"}) for text in texts]
    steps.append(Step("bash", arguments={"command": "python3 fit_model.py"}))
    made = Episode("e", "p", "reach the accuracy", steps=tuple(steps), outcome=Outcome(OutcomeKind.SUCCESS))
    assert "reached = depth.grown('deep')" in wrote(made)[0][1]


def wrote_by(*commands: str, task: str = "store the rates in rates.json", said: str = "") -> list[str]:
    """What is told of a run of shell commands that succeeded; the last one answers what is *said*."""
    steps = [Step("bash", arguments={"command": command}, index=i) for i, command in enumerate(commands)]
    steps[-1] = Step("bash", arguments={"command": commands[-1]}, observation=said, index=len(commands) - 1)
    return [text for _, text in wrote(Episode("e", "p", task, steps=tuple(steps), outcome=Outcome(OutcomeKind.SUCCESS)))]


DRAFT = "cat > rates.json <<'EOF'\n{\"eur\": 0.1}\nEOF"


def test_a_draft_that_a_later_command_wrote_over_is_not_told_but_what_that_command_did() -> None:
    script = "import json\nrates = fetched('bank.zip')\nwith open('rates.json', 'w') as f:\n    json.dump(rates, f)"
    (told_of,) = wrote_by(DRAFT, f'python3 -c "\n{script}\n"')
    assert "0.1" not in told_of
    assert "rates = fetched('bank.zip')" in told_of
    cut = "import json\nrates = fetched('bank.zip')\nwith op\n...[900 chars cut]...\n' + 'kept')"
    (told_of,) = wrote_by(DRAFT, f'python3 -c "\n{cut}\n"', said="Rates saved to rates.json")
    assert "rates = fetched('bank.zip')" in told_of
    assert wrote_by(DRAFT, "cp /srv/bank.json rates.json") == []


def test_a_draft_that_a_script_of_the_run_wrote_over_gives_way_to_the_script() -> None:
    script = "cat > fetch.py <<'EOF'\nrates = fetched('bank.zip')\nopen('rates.json', 'w').write(rates)\nEOF"
    told_of = wrote_by(DRAFT, script, "python3 fetch.py")
    assert told_of[0].startswith("wrote fetch.py: rates = fetched('bank.zip')")
    assert not any("0.1" in text for text in told_of)


def test_what_a_later_command_only_read_is_told_as_it_was_written() -> None:
    read = "python3 -c \"\nimport json\nprint(json.load(open('rates.json')))\n\""
    assert wrote_by(DRAFT, read, said="{'eur': 0.1}") == ['wrote rates.json: {"eur": 0.1}']
