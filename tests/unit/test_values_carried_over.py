"""What a command took from its error is told with what this run's error says there, and never with another case's, through the facade."""

from typing import Any

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer

pytestmark = pytest.mark.anyio
THEN, NOW = "3f0c1a2e-9b1d-4c7e-8f00-1234567890ab", "77777777-9b1d-4c7e-8f00-1234567890ef"
LOCKED = "Error: Error acquiring the state lock\n\nLock Info:\n  ID:        {}\n  Path:      prod/terraform.tfstate"
IN_USE = "Error: listen EADDRINUSE: address already in use :::{}"
UNDEFINED = "# example.com/api\n./{}: undefined: backoff\nFAIL\texample.com/api [build failed]"


def command(line: str, error: str | None = None) -> dict[str, Any]:
    return {"tool": "bash", "arguments": {"command": line}, "error": error, "observation": "" if error else "done"}


async def attempt(memory: EpisodicMemory, task: str, *steps: dict[str, Any]) -> None:
    started = await memory.start_episode(task, recall=False)
    await memory.log_steps(started.episode_id, list(steps))
    await memory.complete_episode(started.episode_id, "success")
    await memory.settle()


async def advised(memory: EpisodicMemory, task: str, *steps: dict[str, Any]) -> str:
    started = await memory.start_episode(task, recall=False)
    await memory.log_steps(started.episode_id, list(steps))
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


async def test_an_id_that_an_error_names_is_that_of_this_runs_error(memory: EpisodicMemory) -> None:
    apply = "terraform apply plan.tf"
    unlock = command(f"terraform force-unlock -force {THEN}")
    await attempt(memory, "Apply the network changes", command(apply, LOCKED.format(THEN)), unlock, command(apply))
    told = await advised(memory, "Roll out the new subnet", command("terraform apply p", LOCKED.format(NOW)))
    assert f"After this very error bash `terraform force-unlock -force {NOW}` made the call work" in told
    recalled = recall_text(answer(await memory.recall("Apply the network changes again")))
    assert "worked after `terraform force-unlock -force <id>`" in recalled
    assert THEN not in told + recalled


async def test_a_number_that_an_error_names_is_that_of_this_runs_error(memory: EpisodicMemory) -> None:
    free = command("fuser -k 3000/tcp")
    await attempt(memory, "Start the shop's server", command("npm start", IN_USE.format(3000)), free, command("npm start"))
    told = await advised(memory, "Run the admin pages", command("npm run admin", IN_USE.format(8080)))
    assert "`fuser -k 8080/tcp` made the call work" in told
    assert "fuser -k 3000" not in told


async def test_an_id_that_only_the_other_run_came_by_is_told_by_its_kind(memory: EpisodicMemory) -> None:
    taken = "Conflict. The container name is already in use"
    remove = command("docker rm -f 9c1b22f3a04d")
    await attempt(memory, "Start the database", command("docker run --name db pg", taken), remove, command("docker run --name db pg"))
    told = await advised(memory, "Bring the cache up", command("docker run --name cache redis", taken))
    assert "bash `docker rm -f <id>` made the call work" in told


async def test_where_in_the_code_an_error_was_met_is_not_what_it_is_about(memory: EpisodicMemory) -> None:
    change = {"path": "client.go", "old_string": 'import "net/http"', "new_string": 'import "net/http"\nimport "github.com/x/backoff"'}
    steps = command("go test ./...", UNDEFINED.format("client.go:41:9")), {"tool": "edit", "arguments": change, "observation": "ok"}
    await attempt(memory, "Add retry to the client", *steps, command("go test ./..."))
    told = await advised(memory, "Give the uploader a retry", command("go test ./...", UNDEFINED.format("uploader.go:12:4")))
    assert '+ import "github.com/x/backoff" made the call work' in told
    assert '+ import "github.com/x/backoff"' in recall_text(answer(await memory.recall("undefined: backoff")))


def typed(tool: str, error: str | None = None, **arguments: Any) -> dict[str, Any]:
    return {"tool": tool, "arguments": arguments, "error": error, "observation": "" if error else "done"}


SUSPENDED = "Line {} is suspended for the unpaid bill {}: it must be paid before data can be added"


async def test_the_same_error_about_another_case_is_answered_by_what_answered_it_there_with_this_cases_ids(memory: EpisodicMemory) -> None:
    refused = typed("add_data", SUSPENDED.format("L2078", "B2077"), line="L2078", gb=2)
    paid, resumed = typed("make_payment", customer="C2077", bill="B2077"), typed("resume_line", line="L2078")
    await attempt(memory, "Give Ada more data", refused, paid, resumed, typed("add_data", line="L2078", gb=2))
    told = await advised(memory, "Order a router for Ole", typed("add_data", SUSPENDED.format("L5006", "B5005"), line="L5006", gb=9))
    assert "make_payment(customer, bill=B5005), resume_line(line=L5006) made the call work" in told
    assert "2077" not in told
    assert "2078" not in told


async def test_an_error_of_another_code_is_not_the_same_one(memory: EpisodicMemory) -> None:
    refused = typed("fetch", "Request failed with status code 401", page="P1203")
    await attempt(memory, "Read Ada's pages", refused, typed("sign_in", user="ada"), typed("fetch", page="P1203"))
    told = await advised(memory, "Order a router for Ole", typed("fetch", "Request failed with status code 500", page="P7788"))
    assert "sign_in" not in told


async def test_an_argument_that_was_left_out_is_told_as_left_out(memory: EpisodicMemory) -> None:
    refused = typed("change_plan", "Plan P-200 needs a renewal", plan="P-200")
    await attempt(memory, "Change Ada's plan to P-200", refused, typed("change_plan", plan="P-200", renew=True))
    assert "change_plan failed with “Plan P-200 needs a renewal”: with renew=True it went through" in recall_text(
        answer(await memory.recall("Change Ada's plan to P-200"))
    )
    told = await advised(memory, "Order a router for Ole", typed("change_plan", "Plan P-300 needs a renewal", plan="P-300"))
    assert "change_plan renew=True instead of no renew went through" in told


async def test_a_call_that_failed_with_another_error_is_not_said_to_have_made_it_work(memory: EpisodicMemory) -> None:
    started = await memory.start_episode("Build the ferry", recall=False)
    steps = [
        command("cargo build", "could not find OpenSSL"),
        command("cargo build", "borrow of moved value: `cfg`"),
        command("cargo build"),
    ]
    await memory.log_steps(started.episode_id, steps)
    done = await memory.complete_episode(started.episode_id, "success")
    assert "worked after" not in str(answer(done))


async def test_whose_account_it_was_is_told_of_no_other_case(memory: EpisodicMemory) -> None:
    order, sign_in = typed("order", "Not signed in: please log in", item="lamp"), typed("log_in", username="john", password="hunter")
    await attempt(memory, "Order a lamp for the shop", order, sign_in, typed("order", item="lamp"))
    told = await advised(memory, "Send a letter", typed("order", "Not signed in: please log in", item="stamp"))
    assert "log_in(username, password)" in told
    assert "john" not in told


async def test_what_was_given_for_another_file_is_told_by_its_names(memory: EpisodicMemory) -> None:
    sheet = {"filename": "q1_report.xlsx", "sheet": "Sales"}
    total = typed("write_cell", **sheet, cell="B4", value="=SUM(B2:B3)")
    await attempt(
        memory,
        "Please add a bold row with the total of every region below the Sales of q1_report.xlsx",
        total,
        typed("format_range", **sheet, range="A4:B4", bold=True),
    )
    told = recall_text(
        answer(await memory.recall("Please add a bold row with the total of every region below the Sales of q3_report.xlsx"))
    )
    assert "write_cell(filename, sheet=Sales, cell, value==SUM(…)); format_range(filename, sheet=Sales, range, bold=True)" in told
    assert "filename=q1_report.xlsx" not in told
    assert "at this task" not in told


async def test_a_call_named_in_camel_case_is_about_what_its_error_says(memory: EpisodicMemory) -> None:
    locked = "All doors must be locked first. These are unlocked: {}"
    lock = typed("lockDoors", unlock=False, door=["driver", "rear_left"])
    await attempt(
        memory, "Drive to the lake", typed("startEngine", locked.format("driver"), mode="START"), lock, typed("startEngine", mode="START")
    )
    told = await advised(memory, "Buy some milk", typed("startEngine", locked.format("rear_left"), mode="START"))
    assert "lockDoors(unlock=False" in told


async def test_a_command_on_the_file_that_a_task_names_is_told_with_the_one_that_this_task_names(memory: EpisodicMemory) -> None:
    crack, opened = command("crack -u -d words.txt secret.zip"), command("unzip -l secret.zip")
    await attempt(memory, "Find the password that opens the archive secret.zip and list what is in it", crack, opened)
    told = recall_text(answer(await memory.recall("Find the password that opens the archive backup.zip and list what is in it")))
    assert "`crack -u -d words.txt backup.zip`" in told
    assert "`unzip -l secret.zip`" not in told


async def test_what_a_success_did_about_an_error_with_another_call_comes_before_what_a_failure_did_with_this_one(
    memory: EpisodicMemory,
) -> None:
    apply, plan = "terraform apply tide", "terraform plan -out=tide"
    unlock = command(f"terraform force-unlock -force {THEN}")
    await attempt(memory, "Apply the network changes", command(apply, LOCKED.format(THEN)), unlock, command(apply))
    started = await memory.start_episode("Rotate the keys", recall=False)
    await memory.log_steps(started.episode_id, [command(plan, LOCKED.format(THEN)), command(f"{plan} -lock=false")])
    await memory.complete_episode(started.episode_id, "failure")
    await memory.settle()
    first, second, *_ = (await advised(memory, "Add a bucket", command(plan, LOCKED.format(NOW)))).splitlines()[1:]
    assert f"`terraform force-unlock -force {NOW}` made the call work" in first
    assert "-lock=false` instead of" in second
    assert "in a run that did not succeed" in second


async def test_what_stood_around_the_name_that_an_error_quotes_is_told_around_the_name_of_this_one(memory: EpisodicMemory) -> None:
    moved = "error[E0382]: borrow of moved value: `{}`"
    old, new = "    spawn(cfg);", "    spawn(cfg.clone());"
    edit = {"tool": "edit", "arguments": {"path": "src/boat.rs", "old_string": old, "new_string": new}, "observation": "done"}
    await attempt(memory, "Print the settings of the boat", command("cargo build", moved.format("cfg")), edit, command("cargo build"))
    told = await advised(memory, "Weigh the cargo", command("cargo build", moved.format("manifest")))
    assert "`manifest.clone()` instead of `manifest` went through" in told
    assert "spawn" not in told


async def test_a_value_of_another_kind_that_worked_is_told_by_its_kind(memory: EpisodicMemory) -> None:
    refused = "The receiver must be written as an address"
    sent = typed("send_mail", to="mia@acme.io", file="tides.xlsx")
    await attempt(memory, "Send the tides to Mia", typed("send_mail", refused, to="Mia Li", file="tides.xlsx"), sent)
    told = await advised(memory, "Book a boat", typed("send_mail", refused, to="Bo Ray", file="boats.xlsx"))
    assert "send_mail to=<email> instead of to=Bo Ray went through" in told
    assert "mia@" not in told
