"""`mcp-memory quarantine`: at once, in every process, for what arrives later too, and all of it comes back."""

from pathlib import Path

import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.cli.main import main
from mcp_memory.config import Config
from mcp_memory.config_sources import load_config
from mcp_memory.domain.metadata_keys import SESSION_ID
from mcp_memory.errors import NotFound
from mcp_memory.memory import EpisodicMemory

pytestmark = pytest.mark.anyio
TASK = "install the dependencies of the shop"


@pytest.fixture
def config(data_dir: Path) -> Config:
    """Settings of a scratch memory with the model: vectors must follow, too."""
    return load_config(env={}, flags={"storage.data_dir": str(data_dir), "server.project": "shop"})


async def work(memory: EpisodicMemory, agent: str, number: int, session: str = "") -> str:
    """Record one episode of an agent's."""
    metadata = {SESSION_ID: session} if session else {}
    started = await memory.start_episode(f"{TASK}, part {number}", agent=agent, recall=False, metadata=metadata)
    await memory.log_step(started.episode_id, "bash", arguments={"command": f"{agent} install"}, error="no network")
    await memory.log_step(started.episode_id, "bash", arguments={"command": f"{agent}-mirror install"})
    await memory.complete_episode(started.episode_id, "success", lessons=[f"{agent} knows"])
    return started.episode_id


async def shown(memory: EpisodicMemory) -> set[str]:
    """Return the episodes that a recall, a suggestion and a playbook rest on."""
    recalled = await memory.recall(TASK, limit=20, budget_tokens=20_000)
    opened = await memory.start_episode(TASK, recall=False, agent="ana")
    await memory.log_step(opened.episode_id, "bash", arguments={"command": "ana install"}, error="no network")
    advice = await memory.suggest_next_step(opened.episode_id)
    playbook = (await memory.recommend_playbook(TASK)).playbook
    found = {e.episode_id for e in recalled.episodes} | {key for s in advice.suggestions for key in s.evidence}
    found |= {key for fix in (advice.recovery.fixes if advice.recovery else ()) for key in fix.evidence}
    return found | {key for key in (playbook.evidence if playbook else ()) if not key.startswith("pat_")}


async def test_another_process_follows_at_once_and_the_release_brings_everything_back(config: Config) -> None:
    async with open_memory(config) as memory, open_memory(config) as other:
        honest = {await work(memory, "ana", n) for n in range(3)}
        bad = {await work(memory, "mallory", n) for n in range(3)}
        await memory.settle()
        before = await shown(other)
        assert before & bad
        done = await memory.quarantine("mallory", reason="it lies", by="ana")
        assert (done.kind, done.episodes, done.active) == ("agent", 3, True)
        late = await work(memory, "mallory", 9)
        await memory.settle()
        for one in (memory, other):
            assert await shown(one) <= honest
            assert "mallory" not in await one.lessons_markdown()
            assert "mallory" not in str(await one.search_patterns())
            assert "part 9" not in await one.project_digest()
        assert [q.reason for q in await other.quarantines()] == ["it lies"]
        await other.quarantine("mallory", undo=True)
        for one in (memory, other):
            assert {*before, late} >= await shown(one) > before & honest
            found = await one.recall(TASK, limit=20, budget_tokens=20_000)
            assert {e.episode_id for e in found.episodes} == honest | bad | {late}
            assert not found.degraded


async def test_it_outlives_a_restart_and_takes_a_session_as_well(config: Config) -> None:
    async with open_memory(config) as memory:
        kept = await work(memory, "ana", 1, "good")
        await work(memory, "ana", 2, "poisoned")
        assert (await memory.quarantine("poisoned")).kind == "session"
    async with open_memory(config) as memory:
        assert [e.episode_id for e in (await memory.recall(TASK)).episodes] == [kept]
        with pytest.raises(NotFound, match="not in quarantine"):
            await memory.quarantine("good", undo=True)


def test_the_command_lists_quarantines_and_releases(config: Config, data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> str:
        assert main(["quarantine", *arguments, "--data-dir", str(data_dir)]) == 0
        return capsys.readouterr().out

    assert "nothing" in run()
    assert "quarantined session s9: 0 episodes" in run("s9", "--reason", "odd")
    assert "odd" in run()
    assert "released session s9" in run("s9", "--undo")
