"""What is told of a script that a run wrote and ran."""

from dataclasses import replace

from mcp_memory.domain.episode import Episode, EpisodeState, Outcome, OutcomeKind, Step, StepStatus
from mcp_memory.learning.telling.points import points_of
from mcp_memory.learning.telling.written import wrote


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


def run(outcome: OutcomeKind, task: str, *steps: Step) -> Episode:
    placed = tuple(replace(step, index=i) for i, step in enumerate(steps))
    return Episode("e", "p", task, steps=placed, state=EpisodeState.COMPLETED, outcome=Outcome(outcome))


def shell(command: str, said: str = "", error: str = "") -> Step:
    return Step("bash", "", {"command": command}, said, status=StepStatus.ERROR if error else StepStatus.OK, error=error or None)


def script(name: str, *lines: str) -> Step:
    return shell("\n".join([f"cat > {name} <<'EOF'", *lines, "EOF"]))


FILLING = [f"def part_{n}(rows):\n    rows = rows.sorted(part_{n})\n    return rows" for n in range(9)]


def test_of_a_long_script_what_it_runs_calls_reads_and_writes_is_told_and_no_line_that_every_script_has() -> None:
    lines = (
        "url = f'{API}/rates/{day}'",
        "found = requests.put(url, json=rates)",
        "with open('bank.csv') as f:",
        "    rows = csv.reader(f)",
        "day = row['weekday'].split(';')",
        "subprocess.run(['./till.sh', day])",
        "with open('out/rates.json', 'w') as f:",
        "    json.dump(rows, f)",
        "main()",
    )
    made = run(
        OutcomeKind.SUCCESS, "bring the rates of the day to the till", script("rates.py", *FILLING, *lines), shell("python3 rates.py")
    )
    ((_, said),) = wrote(made)
    assert said == (
        "wrote rates.py: day = row['weekday'].split(';'); runs ./till.sh; PUT /rates/{day}; reads bank.csv; writes out/rates.json"
    )


INVENTED = script("scores.py", "scores = {'mean': 0.72}  # realistic for such a model", "json.dump(scores, open('scores.json', 'w'))")
KILLED = shell("bench run --all", error="command timed out and was killed")


def test_what_an_attempt_made_up_after_the_call_failed_that_should_have_made_it_is_told_as_that_call() -> None:
    made = run(OutcomeKind.FAILURE, "score the model", KILLED, KILLED, INVENTED, shell("python3 scores.py"))
    ((_, said),) = wrote(made)
    call = "`bench run --all` failed with “command timed out and was killed”"
    assert said == f"made its result up (scores.py) after {call}, as 2 calls did"
    drawn = script("scores.py", "import random", "mean = random.uniform(0.1, 0.9)", "json.dump(mean, open('scores.json', 'w'))")
    made = run(OutcomeKind.FAILURE, "score the model", KILLED, drawn, shell("python3 scores.py"))
    assert wrote(made)[0][1] == f"made its result up (scores.py) after {call}"


def test_values_that_the_task_asks_to_be_made_up_or_that_a_script_reads_are_none_that_an_attempt_made_up() -> None:
    for task, text in (
        ("write realistic scores", INVENTED),
        ("score the model", script("scores.py", "scores = json.load(open('log.json'))  # no mock", "save(scores)")),
        ("score the model", script("scores.py", "from unittest.mock import patch", "scores = fake_server.scored(7)", "save(scores)")),
    ):
        assert "made its result up" not in str(wrote(run(OutcomeKind.FAILURE, task, KILLED, text, shell("python3 scores.py"))))
    assert "made its result up" not in str(wrote(run(OutcomeKind.SUCCESS, "score it", KILLED, INVENTED, shell("python3 scores.py"))))


WALK = script("walk.py", "path = steps + ['exit']", "for maze in sys.argv[1:]: walk(maze, path)")


def test_of_a_script_that_was_run_for_one_thing_after_the_other_the_calls_are_told_with_the_one_without_it_that_failed() -> None:
    each = [shell(f"python3 walk.py {n}") for n in (1, 2, 3, 4)]
    made = run(OutcomeKind.SUCCESS, "walk every maze", WALK, each[0], shell("python3 walk.py", error="timed out"), *each[1:])
    assert wrote(made)[1][1] == "did `python3 walk.py 4`, the last of 4 such calls; `python3 walk.py` failed with “timed out”"


def test_the_bare_call_of_a_script_is_told_only_with_what_its_output_says_of_how_it_went() -> None:
    for said, ran in (
        ("Mazes: 4\nall walked", ()),
        (
            "Maze 4 too small\nOnly 2 of 4 walked, needs improvement",
            ("did `python3 walk.py`, which said “Only 2 of 4 walked, needs improvement”",),
        ),
        ("Using existing map 7\nall walked", ("did `python3 walk.py`, which said “Using existing map 7”",)),
        ("0 failed, no errors", ()),
    ):
        made = run(OutcomeKind.PARTIAL, "walk every maze", WALK, shell("python3 walk.py", said))
        assert tuple(text for _, text in wrote(made)[1:]) == ran, said


def test_a_script_whose_run_says_that_it_failed_gives_way_to_an_earlier_one_whose_run_does_not() -> None:
    later = script("walk_all.py", "path = bridges + ['exit']")
    lost = shell("python3 walk_all.py", "Error: could not walk")
    made = run(OutcomeKind.PARTIAL, "walk every maze", WALK, shell("python3 walk.py", "walked"), later, lost)
    assert [text.partition(":")[0] for _, text in wrote(made)] == ["wrote walk.py"]


def test_a_script_that_was_run_in_the_call_that_wrote_it_is_told_where_nothing_was_done_after_it() -> None:
    both = shell("cat > walk.py <<'EOF'\npath = steps + ['exit']\nEOF\npython3 walk.py")
    assert wrote(run(OutcomeKind.SUCCESS, "walk every maze", both))[0][1] == "wrote walk.py: path = steps + ['exit']"
    assert wrote(run(OutcomeKind.SUCCESS, "walk every maze", both, shell("walkctl finish"))) == ()


def test_files_of_before_that_only_a_run_names_are_told_where_the_script_was_cut_and_none_that_the_task_names() -> None:
    cut = script("clean.py", "for path in paths:", "...[900 chars cut]...", "x", "clean(paths)")
    listed = shell("ls -R", "conf/aws.yaml\nconf/hub.yaml")
    ran = shell("python3 clean.py", "Updated conf/aws.yaml\nUpdated conf/hub.yaml")
    for task, names in (("clean the keys", "conf/aws.yaml, conf/hub.yaml"), ("clean the keys of hub.yaml", "conf/aws.yaml")):
        ((_, said),) = wrote(run(OutcomeKind.SUCCESS, task, listed, cut, ran))
        assert said.endswith(f"(names {names})"), said


def test_of_attempts_none_of_which_succeeded_one_that_did_the_work_is_told_before_one_that_made_its_result_up() -> None:
    invented = run(OutcomeKind.FAILURE, "score the model into scores.json", KILLED, INVENTED, shell("python3 scores.py"))
    worked = script("score_all.py", "scores = bench.scored(open('model.bin'), 7)", "json.dump(scores, open('scores.json', 'w'))")
    real = replace(run(OutcomeKind.FAILURE, "score the model into scores.json", worked, shell("python3 score_all.py")), id="real")
    told_of = points_of([(invented, 1.0), (real, 1.0)], real.task)
    assert told_of["e"] == ()
    assert told_of["real"][0].startswith("wrote score_all.py: scores = bench.scored(open('model.bin'), 7)")
