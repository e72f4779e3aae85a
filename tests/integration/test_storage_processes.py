"""Several processes on one data directory: no write is lost, none is refused for a lock, and each sees the others' commits."""

import asyncio
import multiprocessing
import os
import signal
import sys
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any, TextIO

import pytest

from mcp_memory.domain.query import Filter, Sort, TextQuery
from tests.contract.store_samples import complete, completion, episode, observation, open_store, step

PROCESSES = 4
EPISODES_EACH = 6
STEPS_EACH = 5
SPAWN = multiprocessing.get_context("spawn")

pytestmark = pytest.mark.anyio


async def _work(folder: str, number: int) -> tuple[int, list[str]]:
    """Open (all migrate at once), write to an episode of one's own and to a shared one; return how many steps the shared one took."""
    store = await open_store("dual", Path(folder))
    ids = []
    for i in range(EPISODES_EACH):
        done = await complete(store, f"p{number}e{i}", observations=(observation("shared"), observation(f"own {number}")))
        assert store.get_episodes([done.id]) == [done]
        await store.append_steps("shared", [step(f"p{number}")] * STEPS_EACH)
        ids.append(done.id)
    await store.aclose()
    return EPISODES_EACH * STEPS_EACH, ids


def _process(folder: str, number: int, start: Any, answers: "Queue[Any]") -> None:
    start.wait(60)
    try:
        answers.put(asyncio.run(_work(folder, number)))
    except BaseException as error:
        answers.put(repr(error))


async def test_four_processes_lose_nothing_and_meet_no_lock(tmp_path: Path) -> None:
    watcher = await open_store("dual", tmp_path)
    await watcher.start_episode(episode("shared"))
    start, answers = SPAWN.Event(), SPAWN.Queue()
    workers = [SPAWN.Process(target=_process, args=(str(tmp_path), n, start, answers)) for n in range(PROCESSES)]
    for worker in workers:
        worker.start()
    start.set()
    found = await asyncio.to_thread(lambda: [answers.get(timeout=90) for _ in workers])
    for worker in workers:
        await asyncio.to_thread(worker.join, 30)
    assert all(isinstance(answer, tuple) for answer in found), found
    ids = [id_ for _, own in found for id_ in own]
    assert all(e is not None and e.step_count == 2 for e in watcher.get_episodes(ids))
    shared = watcher.get_episodes(["shared"])[0]
    assert shared is not None
    assert shared.step_count == sum(steps for steps, _ in found) == PROCESSES * EPISODES_EACH * STEPS_EACH
    assert [s.index for s in shared.steps] == list(range(shared.step_count))
    assert watcher.patterns(project="p")[0].support == PROCESSES * EPISODES_EACH
    assert watcher.list_episodes(Filter(state="completed"), sort=Sort.NEWEST, limit=1, cursor=None).total == len(ids)
    assert watcher.check() == []
    await watcher.aclose()


async def test_a_store_sees_what_another_committed_at_its_next_look(tmp_path: Path) -> None:
    first, second = await open_store("dual on a dict", tmp_path), await open_store("sqlite", tmp_path)
    done = await complete(second, "a")
    assert first.change_seq() == second.change_seq()
    assert first.get_episodes(["a"]) == [done]
    await second.update_episode("a", task="read the manual")
    edited = first.get_episodes(["a"])[0]
    assert edited is not None
    assert edited.task == "read the manual"
    assert [h.episode_id for h in first.search_text(TextQuery(("manual",)), project="p", limit=3)] == ["a"]
    await second.delete_episodes(["a"], "", 1)
    assert first.get_episodes(["a"]) == [None]
    assert [c.kind for c in first.changes_after(done.change_seq)] == ["episode_updated", "episode_deleted"]
    await first.aclose()
    await second.aclose()


async def _write_until_killed(folder: str, log: TextIO) -> None:
    store = await open_store("dual", Path(folder))
    number = 0
    while True:
        opened = episode(f"e{number}")
        await store.start_episode(opened)
        log.write(f"start e{number}\n")
        await asyncio.gather(*(store.append_steps(opened.id, [step()]) for _ in range(4)))
        log.write(f"steps e{number}\n")
        await store.complete_episode(completion(opened, 4, observations=(observation("x"),)))
        log.write(f"complete e{number}\n")
        number += 1


def _victim(folder: str, acknowledged: str) -> None:
    with Path(acknowledged).open("w", buffering=1) as log:
        asyncio.run(_write_until_killed(folder, log))


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("lines", [3, 20, 61])
async def test_every_acknowledged_write_survives_a_kill(tmp_path: Path, lines: int) -> None:
    log = tmp_path / "acknowledged"
    victim = SPAWN.Process(target=_victim, args=(str(tmp_path / "data"), str(log)))
    victim.start()

    def enough() -> None:
        while victim.is_alive() and (not log.exists() or log.read_text().count("\n") < lines):
            victim.join(0.01)

    await asyncio.to_thread(enough)
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    victim.join(30)
    store = await open_store("dual", tmp_path / "data")
    for line in log.read_text().splitlines():
        verb, id_ = line.split()
        found = store.get_episodes([id_])[0]
        assert found is not None
        assert verb == "start" or found.step_count == 4
        assert verb != "complete" or found.state == "completed"
    assert store.check() == []
    await complete(store, "afterwards")
    await store.aclose()
