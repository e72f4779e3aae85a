"""Agents that log no status: an answer that is nothing but an error is a failure, and what a tool submits or transfers is an act."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt

pytestmark = pytest.mark.anyio


def said(tool: str, observation: str, action: str = "", **arguments: object) -> Step:
    return {"tool": tool, "action": action or None, "arguments": arguments, "observation": observation}


async def test_a_step_whose_answer_begins_as_an_error_failed_though_nobody_said_so(memory: EpisodicMemory) -> None:
    refused = said("psql", "FAILED: permission denied to alter role", "alter role app as app")
    await attempt(memory, "Rotate the staging password", "success", refused, said("psql", "OK", "alter role app as superuser"))
    started = await memory.start_episode("Rotate the staging password once more")
    told = recall_text(answer(started.recalled))
    assert "as superuser" in told
    assert "did psql “alter role app as app”" not in told
    await memory.log_step(started.episode_id, **refused)
    assert "as superuser" in next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


@pytest.mark.parametrize(
    ("step", "failures"),
    [
        (said("read_file", "ERROR: disk full on /data\nrestarting the writer", path="app.log"), 0),
        (said("bash", "ERROR: disk full on /data", command="grep ERROR app.log"), 0),
        (said("read_file", "Error: there is no such file", path="app.log"), 1),
        (said("bash", "Error: there is no such script", command="npm run deploy"), 1),
        ({**said("run", "Error: there is no such script"), "status": "ok"}, 0),
    ],
)
async def test_what_a_look_shows_is_no_failure_of_the_look(memory: EpisodicMemory, step: Step, failures: int) -> None:
    started = await memory.start_episode("Look at the writer", recall=False)
    await memory.log_step(started.episode_id, **step)
    episode = (await memory.get_episode(started.episode_id, detail="steps")).episode
    assert sum(step.failed for step in episode.steps) == failures


def ran(command: str, output: str) -> Step:
    return said("run_command", output, command=command)


LOCKED = "Locking. This may take a moment\n╷\n│ Error: Error acquiring the state lock\n│ \n│   ID:        {}\n╵\n"
GAVE_UP = [
    ran("terraform plan", LOCKED.format("7f")),
    ran(
        "cargo build",
        "   Compiling tide v0.1.0\nerror[E0382]: borrow of moved value: `moon`\n --> src/main.rs:3:9\nerror: could not compile `tide`",
    ),
    ran("go vet ./...", "# tide/moon\nmoon/a.go:17:2: undefined: phase"),
    ran("mvn -q verify", "[ERROR] /a/Tide.java:[5,8] cannot find symbol\n[INFO] BUILD FAILURE\n[INFO] Total time: 2 s"),
    ran(
        "./gradlew build", "> Task :moon:compile FAILED\n\nFAILURE: Build failed with an exception.\n\nBUILD FAILED in 4s\n2 tasks executed"
    ),
    ran(
        "make",
        "cc -c a.c\na.c:1:10: fatal error: moon.h: No such file or directory\ncompilation terminated.\nmake: *** [Makefile:3: a.o] Error 1",
    ),
    ran("npx tsc", "src/a.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'."),
    ran("npm i moon", "npm error code E404\nnpm error 404 Not Found"),
    ran("dbt run", "1 of 1 ERROR creating model tides\nDone. PASS=0 WARN=0 ERROR=1 SKIP=0 TOTAL=1"),
    ran("ansible-playbook a.yml", "PLAY RECAP ***\nweb1   : ok=1  changed=0  unreachable=0  failed=1  skipped=0"),
    ran("python3 a.py", "begun\nTraceback (most recent call last):\n  File 'a.py', line 3\nacme.NotReady: call setup first"),
    ran("moon --phase", "/bin/sh: 1: moon: not found"),
    ran("apt-get install -y moon", "Reading package lists...\nE: Unable to locate package moon"),
    ran("pip install moon", "ERROR: No matching distribution found for moon\n[notice] A new release of pip is available"),
    ran("cat moon.txt", "cat: moon.txt: No such file or directory"),
    ran("pytest -q", "FAILED t.py::test_a\n1 failed, 3 passed in 0.02s"),
    ran("python a.py", "<returncode>1</returncode>\n<output>\nno moon\n</output>"),
    ran("./moon", "no moon\n[The command completed with exit code 2.]"),
    ran("./moon", '{"stdout": "", "stderr": "no moon", "exit_code": 2}'),
    ran("./moon", "one\nEXECUTION TIMED OUT"),
    said("run_code", "Traceback (most recent call last):\n  File '<stdin>', line 1\nZeroDivisionError: division by zero", code="1/0"),
    said("post", "Failed to post: the channel is archived"),
    said("create", '{"errorMessages": [], "errors": {"team": "Team is required."}}'),
    said("Task", "API Error: 529 overloaded_error", prompt="Look"),
    ran("mvn -q package", "[ERROR] /a/Tide.java:[5,8] package moon does not exist\n[ERROR] Failed to execute goal compile"),
    said("post", "<error>the channel is archived</error>"),
    said("post", '[{"error": "the channel is archived"}]'),
    said("post", "{'error': 'the channel is archived'}"),
    said("get_user", "User not found"),
    said("post", "Fehler: Der Kanal ist archiviert"),
]
WORKED = [
    ran("make", "cc -Werror=format a.c\nError handling built"),
    ran("cargo build", "   Compiling thiserror v1.0.40\nwarning: unused variable\n    Finished dev in 2.31s"),
    ran("tail -3 app.log", "Traceback (most recent call last):\n  File 'a.py', line 3\nValueError: x"),
    ran("grep -n error: build.log", "a.c:3:5: error: unknown type name"),
    ran("grep -c moon a.txt", "exit code: 1"),
    ran("make || true", "make: *** No rule to make target 'x'.  Stop."),
    ran("python3 a.py", "Traceback (most recent call last):\nValueError: x\ntried again\ndone"),
    ran("./run.sh", "Exit code: 0\nall good"),
    ran("pip install moon", "ERROR: pip's dependency resolver does not look at all of them\nSuccessfully installed moon-1"),
    ran("python3 count.py", "0 errors\n3 warnings"),
    said("search", "Failed states are a list of countries."),
    said("get_ticket", '{"id": 1, "error": "payment failed", "status": "open"}'),
    said("list_errors", '[{"error": "x"}, {"error": "y"}]'),
]


@pytest.mark.parametrize(("step", "failed"), [*((step, True) for step in GAVE_UP), *((step, False) for step in WORKED)])
async def test_a_command_failed_where_its_program_or_its_exit_code_says_so(memory: EpisodicMemory, step: Step, failed: bool) -> None:
    started = await memory.start_episode("Look at the moon", recall=False)
    await memory.log_step(started.episode_id, **step)
    episode = (await memory.get_episode(started.episode_id, detail="steps")).episode
    assert [step.failed for step in episode.steps] == [failed]


async def test_what_made_a_command_work_is_told_though_no_step_was_logged_as_failed(memory: EpisodicMemory) -> None:
    refused, unlock = ran("terraform apply tide", LOCKED.format("7f-11")), ran("terraform force-unlock -force 7f-11", "unlocked")
    await attempt(memory, "Add the bucket of the tides", "success", refused, unlock, ran("terraform apply tide", "Apply complete!"))
    started = await memory.start_episode("Rename the queue of the moons", recall=False)
    await memory.log_step(started.episode_id, **ran("terraform apply tide", LOCKED.format("9a-22")))
    assert "terraform force-unlock -force" in next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


async def test_a_run_that_submitted_a_job_or_transferred_money_did_not_change_nothing(memory: EpisodicMemory) -> None:
    await attempt(memory, "Run the nightly job", "success", said("check_job", "idle", job="j1"), said("submit_job", "accepted", job="j1"))
    await attempt(memory, "Pay the rent for May", "success", said("transfer_funds", "done", to="landlord", amount=90))
    assert "did submit_job “j1”" in recall_text(answer(await memory.recall("Run the nightly job")))
    assert "did transfer_funds to=landlord amount=90" in recall_text(answer(await memory.recall("Pay the rent for May")))


@pytest.mark.parametrize("tool", ["functions.exec", "mcp__desktop__execute_command", "sandbox.shell"])
async def test_a_shell_of_a_server_or_a_group_of_tools_is_the_shell(memory: EpisodicMemory, tool: str) -> None:
    refused, fetched = ran("go build ./...", "moon.go:3:2: no required module provides package tide"), ran("go mod tidy", "added tide")
    await attempt(memory, "Build the moon", "success", refused, fetched, ran("go build ./...", ""))
    started = await memory.start_episode("Ship the boat", recall=False)
    await memory.log_step(started.episode_id, **{**refused, "tool": tool})
    assert "`go mod tidy` made the call work" in next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


@pytest.mark.parametrize(
    "observation",
    [
        "<error>" + " " * 90_000 + "x",
        "Error:" + " " * 90_000 + "1",
        "Error: " + "- " * 45_000 + "1",
        "<" + "a" * 90_000,
        "cc: cannot" + "\ncc: cannot" * 9_000,
    ],
)
async def test_an_answer_of_any_form_is_read_in_a_moment(memory: EpisodicMemory, observation: str) -> None:
    started = await memory.start_episode("Colour the harbour lamps", recall=False)
    command = "cc a.c; " + "\n" * 9_000  # a reading that goes over it again for each of its characters would not end
    logged = await memory.log_steps(started.episode_id, steps=[said("lamp", observation), said("bash", observation, command=command)])
    assert (logged.first_index, logged.last_index) == (0, 1)
