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
