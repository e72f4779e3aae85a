"""A command that failed and worked when it was given otherwise is told with what made it work, through the facade on real files."""

from collections.abc import Mapping
from typing import Any

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import attempt, shell

pytestmark = pytest.mark.anyio

ERROR = "fatal: the tool chain 21 was not found here"
LATER = "Build the parcels service"


async def advised(memory: EpisodicMemory, command: str, error: str = ERROR) -> str:
    """Return what is advised after a failed command, without the label and the source."""
    started = await memory.start_episode(LATER, recall=False)
    await memory.log_step(started.episode_id, **shell(command, error))
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id))).partition("\n")[2].rpartition(" [")[0]


async def recalled(memory: EpisodicMemory, query: str) -> str:
    return recall_text(answer(await memory.recall(query)))


@pytest.mark.parametrize(
    ("failed", "worked"),
    [
        ("mvn -q verify", "export JAVA_HOME=/opt/jdk-21 && mvn -q verify"),
        ("mvn -q verify", "JAVA_HOME=/opt/jdk-21 mvn -q verify"),
        ("systemctl restart parcels", "sudo systemctl restart parcels"),
        ("ssh web1 systemctl restart parcels", "ssh web1 sudo systemctl restart parcels"),
        ("docker exec -it parcels npm install", "docker exec -it parcels npm install --legacy-peer-deps"),
        ("terraform plan", "cd infra/parcels && terraform plan"),
        ("npm install", "npm install --legacy-peer-deps"),
        ("cd app && npm run build 2>&1 | tail -5", "cd app && npm ci && npm run build"),
        ("ansible-playbook site.yml", "source venv/bin/activate && ansible-playbook site.yml"),
    ],
)
async def test_a_command_that_worked_when_given_otherwise_is_told_with_what_made_it_work(
    memory: EpisodicMemory, failed: str, worked: str
) -> None:
    await attempt(memory, "Build the letters service", "success", shell(failed, ERROR), shell("ls -la"), shell(worked))
    assert await advised(memory, failed) == f"After this very error bash `{worked}` instead of `{failed}` went through"
    assert f"failed with “{ERROR}”, `{worked.removeprefix('cd app && ')}` worked" in await recalled(memory, ERROR)


@pytest.mark.parametrize(
    ("failed", "error", "worked"),
    [
        ("npm test", "FAIL src/cart.test.js: expected 3, received 4", "cd packages/mail && npm test"),
        ("cargo test", "test cart::adds ... FAILED", "cargo test --lib mail"),
        ("cd packages/cart && make", ERROR, "cd packages/mail && make"),
        ("make cart", ERROR, "make mail"),
        ("make cart", ERROR, "make cart || true"),
        ("make cart", ERROR, "sudo make cart | tail -3"),
        ("make cart", ERROR, "time make cart"),
    ],
)
async def test_a_command_about_something_else_or_of_unknown_end_is_not_told_as_the_failed_one(
    memory: EpisodicMemory, failed: str, error: str, worked: str
) -> None:
    await attempt(memory, "Build the letters service", "success", shell(failed, error), shell(worked))
    assert "failed with" not in await recalled(memory, error)


@pytest.mark.parametrize(
    "change",
    [
        {"tool": "Edit", "arguments": {"file_path": "src/cart.py", "old_string": "total = 0", "new_string": "total = 1"}},
        shell("pip install cart"),
    ],
)
async def test_a_change_before_a_command_is_given_otherwise_keeps_the_credit(memory: EpisodicMemory, change: Mapping[str, Any]) -> None:
    await attempt(memory, "Mend the cart's total", "success", shell("pytest", ERROR), change, shell("cd /w/shop && CI=1 pytest"))
    assert "worked after" in await recalled(memory, ERROR)


async def test_what_was_edited_before_it_failed_again_did_not_make_it_work(memory: EpisodicMemory) -> None:
    edit = {"tool": "Edit", "arguments": {"file_path": "pom.xml", "old_string": "<release>17", "new_string": "<release>21"}}
    steps = (shell("mvn verify", ERROR), edit, shell("mvn verify", ERROR), shell("JAVA_HOME=/opt/jdk-21 mvn verify"))
    await attempt(memory, "Build the letters service", "success", *steps)
    assert "`JAVA_HOME=/opt/jdk-21 mvn verify` worked" in await recalled(memory, ERROR)


async def test_a_variable_that_made_a_command_work_twice_is_learnt_as_what_to_add(memory: EpisodicMemory) -> None:
    for name in ("letters", "stamps"):
        steps = (shell(f"gcloud deploy {name}", ERROR), shell(f"CLOUDSDK=legacy gcloud deploy {name}"))
        await attempt(memory, f"Build the {name} bundle", "success", *steps)
    assert "with this difference (2 of 2 times): add `CLOUDSDK=legacy`" in await advised(memory, "gcloud deploy parcels")


async def test_a_command_that_named_nothing_is_answered_by_the_same_one_that_names_something(memory: EpisodicMemory) -> None:
    await attempt(memory, "Publish the letters branch", "success", shell("git push", ERROR), shell("git push -u origin letters"))
    assert "git push -u origin letters" in await advised(memory, "git push")


async def test_an_error_below_its_heading_is_found_by_its_words(memory: EpisodicMemory) -> None:
    error = 'Database Error in model letters (models/letters.sql)\n  column "stamp" does not exist'
    edit = {"tool": "Edit", "arguments": {"file_path": "models/letters.sql", "old_string": "stamp,", "new_string": "postage as stamp,"}}
    await attempt(memory, "Add the letters model", "success", shell("dbt run", error), edit, shell("dbt run"))
    assert '`dbt run` failed with “column "stamp" does not exist” and worked after' in await recalled(
        memory, 'column "stamp" does not exist'
    )
