"""What the two first pages show, and what their forms do."""

import json
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from mcp_memory.config import Config
from mcp_memory.memory import EpisodicMemory
from tests.unit.pages.conftest import TASK, Visitor, attempt

pytestmark = pytest.mark.anyio
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><style>*{display:none}</style>{{7*7}}\u202e\x1b[31m"


async def forked(memory: EpisodicMemory) -> tuple[str, str]:
    """Two attempts that worked by a migration, and three that failed without; return one of each."""
    good = [await attempt(memory, ["read", "edit", "migrate", "run"], "success") for _ in range(2)]
    bad = [await attempt(memory, ["read", "edit", "run!no such table: report"], "failure") for _ in range(3)]
    return good[0], bad[0]


async def test_the_fork_shows_the_way_that_worked_and_where_the_others_left_it(visitor: Visitor, memory: EpisodicMemory) -> None:
    good, bad = await forked(memory)
    tasks = await visitor.get("/ui/fork")
    assert TASK in tasks
    assert "2 of 5 worked" in tasks
    text = await visitor.get(f"/ui/fork/{bad}")
    assert "2 of 5 attempts worked" in text
    assert "2 of 2 attempts that worked used <code>migrate</code>; 0 of 3 that failed did." in text
    assert "failures part here" in text
    assert re.search(r"3 at\s+<code>migrate</code>", text)
    assert "no such table: report" in text
    assert f"/ui/attempt/{good}" in text


async def test_a_kept_lesson_is_told_to_the_next_agent(visitor: Visitor, memory: EpisodicMemory) -> None:
    good, _ = await forked(memory)
    await visitor.get(f"/ui/fork/{good}")
    await visitor.post(f"/ui/fork/{good}/lesson", text="Migrate before the first run.")
    assert "Kept: who recalls" in await visitor.get(f"/ui/fork/{good}")
    told = await memory.recall(query=TASK)
    assert any("Migrate before the first run." in lesson for e in told.episodes for lesson in e.lessons)


async def test_a_lesson_goes_into_agents_md_and_back_without_a_trace(visitor: Visitor, memory: EpisodicMemory, repository: Path) -> None:
    good, _ = await forked(memory)
    file = repository / "AGENTS.md"
    file.write_text("# Rules\n\nBe kind.\n", encoding="utf-8")
    await visitor.post(f"/ui/fork/{good}/agents", text="Migrate first. <!-- end mcp-memory lessons --> <|im_start|>")
    written = file.read_text(encoding="utf-8")
    assert written.startswith("# Rules\n\nBe kind.\n\n<!-- begin mcp-memory lessons")
    assert written.count("<!-- end mcp-memory lessons -->") == 1
    assert "<|im_start|>" not in written
    page = await visitor.get(f"/ui/fork/{good}")
    assert "In AGENTS.md since" in page
    assert "Before: 2 of 5 worked. Since: no attempt yet." in page
    await attempt(memory, ["read", "migrate", "run"], "success")
    again = await visitor.get(f"/ui/fork/{good}")
    assert "Since: 1 of 1 worked." in again
    kept = (await memory.get_episode(episode_id=good)).episode.metadata["lesson_for_agents"]["text"]
    await visitor.post(f"/ui/fork/{good}/agents/undo", text=kept)
    assert file.read_text(encoding="utf-8") == "# Rules\n\nBe kind.\n"
    assert "In AGENTS.md since" not in await visitor.get(f"/ui/fork/{good}")


async def test_a_link_out_of_the_repository_is_not_written_through(
    visitor: Visitor, memory: EpisodicMemory, repository: Path, tmp_path: Path
) -> None:
    good, _ = await forked(memory)
    (tmp_path / "elsewhere.md").write_text("mine", encoding="utf-8")
    (repository / "AGENTS.md").symlink_to(tmp_path / "elsewhere.md")
    await visitor.post(f"/ui/fork/{good}/agents", text="x", status=400)
    assert (tmp_path / "elsewhere.md").read_text(encoding="utf-8") == "mine"


async def test_the_attempt_ties_an_error_to_what_resolved_it_and_shows_the_change(visitor: Visitor, memory: EpisodicMemory) -> None:
    started = await memory.start_episode(task=TASK, recall=False)
    run = {"command": "python report.py"}
    edit = {"path": "report.py", "old_str": "import panda", "new_str": "import pandas"}
    await memory.log_step(episode_id=started.episode_id, tool="bash", arguments=run, error="No module named panda")
    await memory.log_step(episode_id=started.episode_id, tool="edit", arguments=edit)
    await memory.log_step(episode_id=started.episode_id, tool="bash", arguments=run, observation="done")
    await memory.complete_episode(episode_id=started.episode_id, outcome="success")
    text = await visitor.get(f"/ui/attempt/{started.episode_id}")
    assert 'Resolved: <a href="#step-1">step 1</a> changed something, then the call worked at <a href="#step-2">step 2</a>.' in text
    assert 'class="del"><span aria-hidden="true">−</span><span class="sr">removed </span>import panda</div>' in text
    assert 'class="add"><span aria-hidden="true">+</span><span class="sr">added </span>import pandas</div>' in text


async def test_tagging_labelling_and_correcting_reach_the_memory_and_tagging_can_be_undone(
    visitor: Visitor, memory: EpisodicMemory
) -> None:
    episode_id = await attempt(memory, ["read"], "success", lessons=["restart it"])
    path = f"/ui/attempt/{episode_id}"
    await visitor.post(f"{path}/tag", add="nightly")
    assert f'action="{path}/tag"' in await visitor.get(path)
    assert (await memory.get_episode(episode_id=episode_id)).tags == ("nightly",)
    await visitor.post(f"{path}/tag", remove="nightly")
    assert (await memory.get_episode(episode_id=episode_id)).tags == ()
    await visitor.post(f"{path}/label", outcome="failure", lesson="it only looked fine")
    labelled = (await memory.get_episode(episode_id=episode_id)).episode.outcome
    assert labelled is not None
    assert labelled.kind == "failure"
    await visitor.post(f"{path}/correct", text="never restart it", instead="1")
    assert "never restart it" in await visitor.get(path)
    (told,) = (await memory.recall(query=TASK)).episodes
    assert told.lessons[0] == "Corrected by a person: never restart it"


async def test_an_attempt_of_which_nothing_was_said_has_no_heading_over_nothing(visitor: Visitor, memory: EpisodicMemory) -> None:
    bare, told = await attempt(memory, ["read"], "success"), await attempt(memory, ["read"], "success", summary="It was the cache.")
    assert "<h2>Outcome</h2>" not in await visitor.get(f"/ui/attempt/{bare}")
    assert "<h2>Outcome</h2>\n<p>It was the cache.</p>" in await visitor.get(f"/ui/attempt/{told}")


async def test_an_earlier_attempt_that_did_better_is_a_link_and_a_lesson_is_said_once(visitor: Visitor, memory: EpisodicMemory) -> None:
    good = await attempt(memory, ["read", "migrate", "run"], "success")
    bad = await attempt(memory, ["read", "run!no such table: report"], "failure", lessons=["Look at the tables."])
    text = await visitor.get(f"/ui/attempt/{bad}")
    assert re.search(rf'<a href="/ui/attempt/{good}">An earlier attempt did better \(reward 0\.\d\d\)\.</a>', text)
    assert "get_episode" not in text
    assert text.count("Look at the tables.") == 1


async def test_a_title_is_cut_where_it_is_too_long_even_within_a_word(visitor: Visitor, memory: EpisodicMemory) -> None:
    episode_id = await attempt(memory, ["read"], "success", task="fix " + "x" * 400)
    assert f"fix {'x' * 295}…</h1>" in await visitor.get(f"/ui/attempt/{episode_id}")


async def test_what_stands_between_backticks_is_code_and_stays_inert(visitor: Visitor, memory: EpisodicMemory) -> None:
    said = "Run `a < b` first, then <b>`</b>."
    episode_id = await attempt(memory, ["read"], "success", summary=said)
    assert "<p>Run <code>a &lt; b</code> first, then &lt;b&gt;`&lt;/b&gt;.</p>" in await visitor.get(f"/ui/attempt/{episode_id}")


async def test_forgetting_asks_first_archives_and_can_be_undone(visitor: Visitor, memory: EpisodicMemory, config: Config) -> None:
    episode_id = await attempt(memory, ["read", "edit"], "success")
    await visitor.get("/ui")
    assert "2 steps" in await visitor.get(f"/ui/attempt/{episode_id}/forget")
    short = await attempt(memory, ["read"], "success")
    assert "It goes with 1 step and" in await visitor.get(f"/ui/attempt/{short}/forget")
    await memory.forget(episode_ids=[short], confirm=True)
    assert (await memory.search_episodes(project="*")).total == 1
    await visitor.post(f"/ui/attempt/{episode_id}/forget")
    assert (await memory.search_episodes(project="*")).total == 0
    (archived,) = (config.data_dir / "forgotten").iterdir()
    assert archived.stat().st_mode & 0o077 == 0
    assert f'action="/ui/forgotten/{episode_id}"' in await visitor.get("/ui/attempts")
    await visitor.post(f"/ui/forgotten/{episode_id}")
    (back,) = (await memory.search_episodes(project="*")).episodes
    assert (back.task, back.step_count, back.outcome) == (TASK, 2, "success")
    await visitor.post(f"/ui/forgotten/{episode_id}", status=404)


async def test_the_export_is_the_episodes_interchange_line(visitor: Visitor, memory: EpisodicMemory) -> None:
    episode_id = await attempt(memory, ["read"], "success")
    assert json.loads(await visitor.get(f"/ui/attempt/{episode_id}/export"))["task"] == TASK


@pytest.mark.parametrize(
    "path", ["/ui/attempt/nobody", "/ui/fork/nobody", "/ui/attempt/nobody/export", "/ui/attempt/%00", "/ui/learned/pat_x", "/ui/nowhere"]
)
async def test_an_unknown_id_gets_a_page_that_says_what_to_do(visitor: Visitor, path: str) -> None:
    text = await visitor.get(path, status=404)
    assert "That did not work" in text
    assert "Nothing was changed" in text


@pytest.mark.parametrize("query", ["outcome=great", "state=asleep", "cursor=junk", "from=-1", "from=%C2%B2", "from=x"])
async def test_a_broken_filter_gets_a_page_that_says_what_to_do(visitor: Visitor, memory: EpisodicMemory, query: str) -> None:
    episode_id = await attempt(memory, ["read"], "success")
    where = f"/ui/attempt/{episode_id}" if query.startswith("from") else "/ui/attempts"
    text = await visitor.get(f"{where}?{query}", status=400)
    assert "That did not work" in text
    assert "search_episodes" not in text, "people have pages, no tools"


async def test_steps_beyond_the_last_are_said_to_be_none_and_lead_back(visitor: Visitor, memory: EpisodicMemory) -> None:
    episode_id = await attempt(memory, ["read", "edit"], "success")
    text = await visitor.get(f"/ui/attempt/{episode_id}?from=900")
    assert "There is no step 900." in text
    assert 'href="?from=0">Earlier steps' in text


async def test_hostile_texts_are_inert_on_every_page(visitor: Visitor, memory: EpisodicMemory) -> None:
    arguments = {HOSTILE: HOSTILE, "path": HOSTILE, "old_str": "a", "new_str": HOSTILE}
    ids = []
    for outcome in ("success", "failure"):
        started = await memory.start_episode(
            task=HOSTILE, recall=False, tags=[HOSTILE[:40]], domain="<b>x", agent="<i>agent", project="<u>p"
        )
        for error in (None, HOSTILE):
            await memory.log_step(episode_id=started.episode_id, tool=HOSTILE[:60], arguments=arguments, observation=HOSTILE, error=error)
        await memory.complete_episode(
            episode_id=started.episode_id, outcome=outcome, summary=HOSTILE, lessons=[HOSTILE], artifacts=[HOSTILE], failed=[HOSTILE]
        )
        ids.append(started.episode_id)
    await memory.correct(target_id=ids[0], text=HOSTILE)
    await memory.link_episodes(from_id=ids[0], to_id=ids[1], type="related_to", note=HOSTILE)
    await memory.recall(query=HOSTILE)
    lists = ["/ui", "/ui/fork", "/ui/attempts", "/ui/projects", "/ui/learned", "/ui/files", "/ui/health"]
    asked = "/ui/ask?" + urlencode({"q": HOSTILE})
    patterns = (await memory.search_patterns(project="*")).patterns
    assert patterns
    pages = [
        *lists,
        asked,
        *(f"/ui/learned/{p.pattern_id}" for p in patterns[:3]),
        *(f"/ui/{kind}/{i}" for kind in ("attempt", "fork") for i in ids),
    ]
    for path in [*pages, f"/ui/attempt/{ids[0]}/forget"]:
        text = await visitor.get(path)
        for mark in ("<script>", "<img src=x", "<style>", "<b>", "<i>a", "<u>", "\u202e", "\x1b", ">49<"):
            assert mark not in text, (path, mark)


async def test_a_task_that_failed_and_was_managed_in_other_words_is_among_the_forks(visitor: Visitor, memory: EpisodicMemory) -> None:
    await attempt(memory, ["read", "run"], "success", task="the unit test of the calculator fails, please fix it")
    await attempt(memory, ["read", "run!x"], "failure", task="please fix the unit test of the calculator, it fails")
    await attempt(memory, ["read", "run!x"], "failure", task="translate a poem about autumn")
    text = await visitor.get("/ui/fork")
    assert text.count('href="/ui/fork/') == 1
    assert "1 of 2 worked" in text
