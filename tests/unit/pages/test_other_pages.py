"""Today, Ask, Learned, Files and Health: what they show is what is there, and what is said to it reaches the next answer."""

import json
import re
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx2
import pytest
from starlette.applications import Starlette

from mcp_memory.config import Config
from mcp_memory.domain.activity import FoundSessions, HookedHost, HookState
from mcp_memory.domain.curation import Correction
from mcp_memory.domain.pattern import PatternKind, Standing
from mcp_memory.domain.status import RemoteStatus, Replication
from mcp_memory.memory import EpisodicMemory
from mcp_memory.pages import entering
from mcp_memory.pages import part as part_module
from mcp_memory.pages.health import troubles
from mcp_memory.pages.part import PagesPart
from mcp_memory.pages.templating import ago, rendered
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer
from tests.unit.pages.conftest import LISTS, TASK, URL, Host, Visitor, attempt

pytestmark = pytest.mark.anyio
EDIT = {"path": "jobs/report.py", "old_str": "a", "new_str": "b"}


@asynccontextmanager
async def entered(part: PagesPart, config: Config) -> AsyncIterator[Visitor]:
    """Yield a browser that came in by a link to these pages."""
    part.listening(URL)
    server = entering.announced(config.data_dir)
    assert server is not None
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=Starlette(routes=list(part.routes))), base_url=URL) as client:
        assert (await client.get(server.link())).status_code == 303
        yield Visitor(client)


async def some_work(memory: EpisodicMemory) -> str:
    ids = [await attempt(memory, ["read", "run!no such table: report", "edit", "run"], "success", arguments=EDIT) for _ in range(3)]
    return ids[0]


async def asked(visitor: Visitor) -> dict[str, str]:
    """Ask for the task; return the fields of the first line's forms."""
    text = await visitor.get(f"/ui/ask?q={TASK}")
    names = ("q", "source", "recommendation_id")
    return {name: found[1] for name in names if (found := re.search(rf'name="{name}" value="([^"]+)"', text))}


def test_a_time_to_come_is_named_and_a_clock_a_little_ahead_is_now() -> None:
    now_ms = time.time_ns() // 1_000_000
    assert ago(now_ms + 30_000) == ago(now_ms) == "just now"
    assert ago(253_402_300_799_999) == "9999-12-31 23:59 UTC"
    assert ago(now_ms - 7_200_000) == "2 hours ago"


async def test_pages_are_made_beside_the_event_loop_which_agents_wait_for(
    visitor: Visitor, memory: EpisodicMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_in: set[int] = set()

    def noted(template: str, values: Mapping[str, object]) -> str:
        made_in.add(threading.get_ident())
        return rendered(template, values)

    monkeypatch.setattr(part_module, "rendered", noted)
    for path in LISTS:
        await visitor.get(path)
    assert made_in
    assert threading.get_ident() not in made_in


@pytest.mark.parametrize("path", [*LISTS, "/ui/ask?q=anything"])
async def test_every_page_works_on_an_empty_memory(visitor: Visitor, path: str) -> None:
    assert "<h1>" in await visitor.get(path)


async def test_who_comes_from_a_project_without_attempts_sees_those_of_all(
    stranger: httpx2.AsyncClient, memory: EpisodicMemory, config: Config
) -> None:
    await memory.import_lines([json.dumps({"external_id": "a", "project": "shop", "task": TASK, "outcome": {"kind": "success"}})])
    server = entering.announced(config.data_dir)
    assert server is not None
    for project, shown in (("elsewhere", ""), ("shop", "shop"), ("", "")):
        text = (await stranger.get(server.link(project=project), follow_redirects=True)).text
        assert f'name="project" value="{shown}"' in text, project
        assert TASK in text


@pytest.mark.parametrize("path", ["/ui", "/ui/fork", "/ui/attempts", "/ui/learned", "/ui/map", "/ui/files"])
async def test_a_page_that_a_project_has_nothing_for_names_the_project_and_leads_to_all(
    visitor: Visitor, memory: EpisodicMemory, path: str
) -> None:
    await some_work(memory)
    await visitor.post("/ui/project", project="a typing error")
    text = await visitor.get(path)
    assert "Only attempts of the project a typing error are looked at." in text
    assert '<button name="project" value="">Show all projects</button>' in text


async def test_today_shows_what_was_done_what_is_open_and_which_error_comes_again(visitor: Visitor, memory: EpisodicMemory) -> None:
    await some_work(memory)
    await memory.start_episode(task="an open one", recall=False)
    text = await visitor.get("/ui")
    assert "All 3 attempts" in text
    assert "an open one" in text
    assert "3 attempts met it, 3 worked in the end" in text
    assert "3 worked, 0 did not" in text


async def test_today_says_which_sessions_on_this_machine_were_not_imported_and_what_agents_were_told(
    config: Config, memory: EpisodicMemory
) -> None:
    async def look(asked: EpisodicMemory) -> list[FoundSessions]:
        assert asked is memory
        return [FoundSessions("claude-code", "/home/dev/.claude/projects", 5, 12)]

    async with entered(PagesPart(Host(config, memory), look=look), config) as visitor:
        text = await visitor.get("/ui")
        assert "12 tasks of 5 sessions not imported yet" in text, "also where nothing is remembered yet"
        await some_work(memory)
        told = await memory.recall(query=TASK)
        await memory.give_feedback(recommendation_id=told.recommendation_id, outcome="helped")  # waits until what was shown is noted
        text = await visitor.get("/ui")
        assert "1 so far, to agents and on" in text
        assert "1 vote on whether they helped" in text
        assert "/home/dev/.claude/projects" in text


async def test_ask_shows_the_very_lines_an_agent_gets(visitor: Visitor, memory: EpisodicMemory) -> None:
    await some_work(memory)
    text = await visitor.get(f"/ui/ask?q={TASK}")
    told = await memory.recall(query=TASK, project="*", budget_tokens=800)
    wanted = re.sub(r"recommendation_id=\S+", "recommendation_id=…", recall_text(answer(told)))
    pieces = [re.sub(r"<[^>]+>", "", block) for block in re.findall(r"<pre tabindex=\"0\">(.*?)</pre>", text, re.S)]
    shown = re.sub(r"recommendation_id=\S+", "recommendation_id=…", "\n".join(pieces))
    assert shown.replace("&#39;", "'").replace("&gt;", ">").replace("&#34;", '"') == wanted


async def test_wrong_and_what_is_right_instead_is_in_the_next_answer(visitor: Visitor, memory: EpisodicMemory) -> None:
    await some_work(memory)
    fields = await asked(visitor)
    await visitor.post("/ui/ask/vote", verdict="wrong", instead="Migrate the table first.", fields=fields)
    assert "Corrected by a person: Migrate the table first." in await visitor.get(f"/ui/ask?q={TASK}")
    told = await memory.recall(query=TASK, project="*")
    assert any("Migrate the table first." in lesson for episode in told.episodes for lesson in episode.lessons)


async def test_right_counts_as_a_vote_and_never_withdraws(visitor: Visitor, memory: EpisodicMemory) -> None:
    await some_work(memory)
    fields = await asked(visitor)
    await visitor.post("/ui/ask/vote", verdict="right", fields=fields)
    assert (await memory.memory_status()).counts["feedback"] == 1
    await visitor.post("/ui/ask/vote", verdict="never", fields=fields)
    assert "Withdrawn by a person" in await visitor.get(f"/ui/ask?q={TASK}")


@pytest.mark.parametrize(
    "form", [{}, {"verdict": "maybe"}, {"verdict": "right"}, {"verdict": "wrong", "source": "x", "recommendation_id": "y"}]
)
async def test_a_stale_vote_gets_a_page_that_says_what_to_do(visitor: Visitor, form: dict[str, str]) -> None:
    response = await visitor.client.post("/ui/ask/vote", data={"csrf": visitor.csrf} | form)
    assert response.status_code in (400, 404)
    assert "That did not work" in response.text


async def test_learned_shows_patterns_with_their_evidence_and_takes_a_correction(visitor: Visitor, memory: EpisodicMemory) -> None:
    await some_work(memory)
    text = await visitor.get("/ui/learned?all")
    found = re.search(r"/ui/learned/(pat_\w+)", text)
    assert found
    assert "held" in await visitor.get(f"/ui/learned/{found[1]}")
    await visitor.post(f"/ui/learned/{found[1]}/correct", text="only on Mondays")
    assert "only on Mondays" in await visitor.get(f"/ui/learned/{found[1]}")


async def test_learned_lists_what_says_more_than_which_tools_were_used_and_the_rest_on_request(
    visitor: Visitor, memory: EpisodicMemory
) -> None:
    await some_work(memory)
    assert "/ui/learned/pat_" not in await visitor.get("/ui/learned")
    for number in range(2):
        started = await memory.start_episode(task=f"{TASK} {number}", recall=False)
        for command, error in (("pytest -q", "No module named yaml"), ("pip install pyyaml", None), ("pytest -q", None)):
            await memory.log_step(episode_id=started.episode_id, tool="bash", arguments={"command": command}, error=error, observation="ok")
        await memory.complete_episode(episode_id=started.episode_id, outcome="success")
    told = await visitor.get("/ui/learned")
    assert "fix it with bash:pip install" in told
    assert "bash:pytest → bash:pip install" not in told
    assert 'href="/ui/learned?q=&amp;all"' in told
    assert "bash:pytest → bash:pip install" in await visitor.get("/ui/learned?all")


async def test_files_names_what_was_changed_and_by_whom_with_success(visitor: Visitor, memory: EpisodicMemory) -> None:
    started = await memory.start_episode(task=TASK, recall=False)
    await memory.log_step(episode_id=started.episode_id, tool="read_file", arguments={"path": "jobs/report.py"}, observation="a")
    await memory.log_step(episode_id=started.episode_id, tool="edit", arguments=EDIT)
    await memory.complete_episode(episode_id=started.episode_id, outcome="success")
    text = await visitor.get("/ui/files")
    assert "jobs/report.py" in text
    assert "latest that worked" in text


async def test_health_says_what_is_degraded_and_what_to_do(visitor: Visitor) -> None:
    text = await visitor.get("/ui/health")
    assert "mcp-memory doctor" in text or "Nothing is degraded" in text


async def test_health_says_who_was_seen_last_by_episodes_and_by_hooks(config: Config, memory: EpisodicMemory) -> None:
    for number, agent in enumerate(["codex", "claude-code", "claude-code"]):
        started = await memory.start_episode(task=f"{TASK} {number}", agent=agent, recall=False)
        await memory.complete_episode(episode_id=started.episode_id, outcome="success" if number else "failure")
    state = HookState((HookedHost("gemini", 1_700_000_000_000, 3, 1),), waiting=2)
    async with entered(PagesPart(Host(config, memory), hooks=lambda: state), config) as visitor:
        text = await visitor.get("/ui/health")
    rows = [re.sub(r"<[^>]+>", " ", row) for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", text)]
    seen = {row.split()[0]: " ".join(row.split()) for row in rows}
    assert "3 sessions in two weeks, 1 at work" in seen["gemini"]
    assert "2 attempts, 2 worked" in seen["claude-code"]
    assert "1 attempt, 0 worked" in seen["codex"]
    assert [name for name in seen if name in ("gemini", "claude-code", "codex")] == ["gemini", "claude-code", "codex"]
    assert "Events of 2 sessions wait" in text


async def test_health_draws_each_operation_as_metrics_count_it(visitor: Visitor, memory: EpisodicMemory) -> None:
    await some_work(memory)
    memory.metrics.observe("made_up", 3.0)
    memory.metrics.observe("made_up", 20_000.0)
    text = await visitor.get("/ui/health")
    (row,) = [row for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", text) if "made up" in row]
    assert 'aria-label="1 up to 5 ms, 1 longer than 10,000 ms"' in row
    assert row.count("<rect") == 2
    assert "writes waiting" in text


async def test_health_says_what_to_do_about_each_trouble(memory: EpisodicMemory) -> None:
    status = await memory.memory_status()
    remote = RemoteStatus("libsql://there", "unreachable", None, 3, "refused", None, 0)
    worse = replace(
        status,
        degraded=("the shared log libsql://there is unreachable: what other machines told lately may be missing", "the model is gone"),
        embedding=replace(status.embedding, degraded=("the model is gone",)),
        replication=Replication("unreachable", None, 3, "refused", (remote,)),
        warnings=("on a network drive",),
    )
    told = dict(troubles(worse))
    assert "mcp-memory remote test" in told[worse.degraded[0]]
    assert "doctor" in told["the model is gone"]
    assert "on a network drive" in told


async def test_learned_says_what_followed_where_something_was_told(visitor: Visitor, memory: EpisodicMemory) -> None:
    await some_work(memory)
    first = None
    for number in range(18):
        started = await memory.start_episode(task=TASK)
        assert started.recalled is not None
        first = first or started.recalled.patterns[0]
        used = number >= 12
        await memory.log_step(episode_id=started.episode_id, tool="read")
        await memory.complete_episode(
            episode_id=started.episode_id, outcome="failure" if used else "success", helped=[first.pattern_id] if used else []
        )
    assert first is not None
    rows = {row.pattern_id: row for row in await memory.told_patterns()}
    row = rows[first.pattern_id]
    assert (row.used, row.used_successes) == (6, 0)
    assert 0 < row.told - row.used == row.unused_successes < 5
    assert row.standing == Standing.ON_TRIAL
    assert row.interval[1] < 0
    text = await visitor.get("/ui/learned")
    assert "Told, and what followed" in text
    assert "0 of 6" in text
    assert "on trial" in text
    await memory.label(started.episode_id, "success")
    again = {row.pattern_id: row for row in await memory.told_patterns()}
    assert (again[first.pattern_id].used, again[first.pattern_id].used_successes) == (6, 1), "a label changes what followed"


async def test_what_followed_is_told_of_all_patterns_with_one_look_at_the_corrections(
    memory: EpisodicMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    await some_work(memory)
    started = await memory.start_episode(task=TASK)
    await memory.complete_episode(episode_id=started.episode_id, outcome="success")
    told = await memory.told_patterns()  # names of projects, which are corrections too, are read once a change
    assert told
    store, looks = memory._engines.store, list[object]()
    corrections = store.corrections

    def counted(asked: list[str] | None = None) -> dict[str, Correction]:
        looks.append(asked)
        return corrections(asked)

    monkeypatch.setattr(store, "corrections", counted)
    assert await memory.told_patterns() == told
    assert len(looks) == 1


async def test_a_project_is_chosen_for_all_pages(visitor: Visitor, memory: EpisodicMemory) -> None:
    started = await memory.start_episode(task="of the shop", project="shop", recall=False)
    await memory.complete_episode(episode_id=started.episode_id, outcome="success")
    await visitor.post("/ui/project", project="other")
    assert "of the shop" not in await visitor.get("/ui/attempts")
    await visitor.post("/ui/project", project="")
    assert "of the shop" in await visitor.get("/ui/attempts")
    assert 'value="shop"' in await visitor.get("/ui/projects")


async def test_patterns_of_every_kind_can_be_chosen(visitor: Visitor) -> None:
    text = await visitor.get("/ui/learned")
    assert re.findall(r'<option value="(\w+)"', text) == [str(kind) for kind in PatternKind]
