"""What the successes at tasks like the one at hand were given alike is their way, whatever these tasks were; through the facade."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import playbook_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import attempt, shell

pytestmark = pytest.mark.anyio


async def test_a_call_that_several_successes_made_alike_is_shown_and_one_with_values_of_each_is_not(memory: EpisodicMemory) -> None:
    for part, number in (("client", "4711882"), ("mailer", "9923771")):
        steps = shell("go get github.com/cenkalti/backoff"), shell(f"jira move API-{number} done"), shell("go test ./...")
        await attempt(memory, f"Add a retry with backoff to the {part} of the shop", "success", *steps)
    told = playbook_text(answer(await memory.recommend_playbook("Add a retry with backoff to the downloader of the shop")))
    assert "`go get github.com/cenkalti/backoff`" in told
    assert "4711882" not in told
    assert "9923771" not in told


async def test_of_a_call_that_differs_from_task_to_task_what_stays_is_shown(memory: EpisodicMemory) -> None:
    for name in ("cart", "search"):
        look = shell(f"kubectl get pods -l app={name}")
        mend = shell(f"kubectl set env deployment/{name} DATABASE_URL=postgres://db:5432/{name}")
        task = f"Of the shop's services the one named {name} crashes again and again after its deploy on the cluster"
        await attempt(memory, task, "success", look, mend, look)
    task = "Of the clinic's services those named mailer and fax crash again after their deploy on the cluster"
    told = playbook_text(answer(await memory.recommend_playbook(task)))
    assert "`kubectl set env deployment/<…> DATABASE_URL=postgres://db:5432/<…>`: in 2 of 2 successful attempts" in told


async def test_where_no_attempt_tells_anything_by_itself_it_is_told_what_several_did_alike(memory: EpisodicMemory) -> None:
    for name in ("cart", "search"):
        task = f"Of the shop's services the one named {name} crashes again and again after its deploy on the cluster"
        mend = shell(f"kubectl set env deployment/{name} DATABASE_URL=postgres://db:5432/{name}")
        await attempt(memory, task, "success", shell(f"kubectl get pods -l app={name}"), mend)
    task = "Of the clinic's services those named mailer and fax crash again after their deploy on the cluster"
    said = "2 of 2 successes at tasks like this did `kubectl set env deployment/<…> DATABASE_URL=postgres://db:5432/<…>`"
    assert said in recall_text(answer(await memory.recall(task)))
    await attempt(memory, f"{task} in the night", "failure", shell("kubectl set env deployment/fax DATABASE_URL=postgres://db:5432/fax"))
    assert said not in recall_text(answer(await memory.recall(task))), "who failed did it, too"
