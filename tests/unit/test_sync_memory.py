"""The memory for programs without an event loop: the same methods, the same answers, the same errors, from any thread."""

import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import assert_type

import pytest

from mcp_memory import EpisodicMemory, SyncMemory, load_config, open_memory_sync
from mcp_memory.config import Config
from mcp_memory.domain import answers, reports, requests
from mcp_memory.errors import EpisodeClosed, InvalidArguments, NotFound, StoreUnavailable


def public(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def test_every_method_that_waits_says_what_the_one_it_waits_for_says_and_is_no_coroutine() -> None:
    for name in public(SyncMemory) - {"run"}:
        waited, method = getattr(EpisodicMemory, name), getattr(SyncMemory, name)
        if inspect.iscoroutinefunction(waited):
            assert method.__doc__ == waited.__doc__
            assert inspect.signature(method) == inspect.signature(waited)
        assert not inspect.iscoroutinefunction(method)


def test_type_checkers_see_the_fields_and_the_answers(config: Config) -> None:
    """The static checks read this test: an ignored error that is none is itself an error."""
    with open_memory_sync(config) as memory:
        begun = assert_type(memory.start_episode("Type the façade", domain="library"), answers.StartedEpisode)
        assert_type(memory.recall(requests.Recall("types")), answers.Recall)
        assert_type(memory.quarantines(), list[reports.Quarantined])
        assert_type(next(memory.export_lines()), str)
        with pytest.raises(InvalidArguments, match="did you mean `domain`"):
            memory.start_episode("Type the façade", domian="library")  # type: ignore[call-overload]
        with pytest.raises(InvalidArguments):
            memory.log_step(begun.episode_id)  # type: ignore[call-overload]


def test_an_attempt_is_recorded_and_found_again_after_closing(config: Config) -> None:
    with open_memory_sync(config) as memory:
        begun = memory.start_episode("Rotate the signing keys")
        memory.log_steps(begun.episode_id, [{"tool": "shell", "arguments": {"command": "make keys"}}])
        memory.complete_episode(begun.episode_id, "success", summary="rotated")
        with pytest.raises(EpisodeClosed):
            memory.log_step(begun.episode_id, "shell")
    with open_memory_sync(config) as memory:
        assert [e.episode_id for e in memory.recall("rotate signing keys").episodes] == [begun.episode_id]
        assert memory.get_episode(begun.episode_id[:-4]).episode.task == "Rotate the signing keys"


def test_many_threads_write_at_once_and_each_gets_its_own_answer(config: Config) -> None:
    with open_memory_sync(config) as memory:
        episode_id = memory.start_episode("Count together", recall=False).episode_id
        with ThreadPoolExecutor(8) as threads:
            logged = list(threads.map(lambda n: memory.log_step(episode_id, "count", action=f"n{n}").first_index, range(64)))
        assert sorted(logged) == list(range(64))
        steps = memory.get_episode(episode_id, "steps", step_limit=100).episode.steps
        assert [steps[index].action for index in logged] == [f"n{n}" for n in range(64)]


def test_the_project_of_a_thread_is_that_of_its_calls_and_of_no_other_threads(config: Config) -> None:
    with open_memory_sync(config) as memory:
        entered, checked = threading.Event(), threading.Event()

        def elsewhere() -> str:
            with memory.working_in("elsewhere"):
                entered.set()
                assert checked.wait(30)
                return memory.start_episode("There", recall=False).project

        with ThreadPoolExecutor(1) as other:
            answer = other.submit(elsewhere)
            assert entered.wait(30)
            assert memory.start_episode("Here", recall=False).project == memory.project
            checked.set()
            assert answer.result() == "elsewhere"


def test_work_can_be_taken_to_the_memorys_event_loop(config: Config) -> None:
    async def work(memory: EpisodicMemory) -> int:
        await memory.start_episode("Work over there", recall=False)
        return (await memory.search_episodes()).total

    with open_memory_sync(config) as memory:
        assert assert_type(memory.run(work), int) == 1


def test_an_export_can_be_left_half_read_and_imported_elsewhere(config: Config, tmp_path: Path) -> None:
    other = load_config(env={}, flags={"storage.data_dir": str(tmp_path / "other"), "embedding.provider": "off"})
    with open_memory_sync(config) as memory, open_memory_sync(other) as elsewhere:
        for n in range(3):
            memory.complete_episode("", "success", task=f"Task number {n}")
        assert next(memory.export_lines())
        report = elsewhere.import_lines(memory.export_lines())
        assert (report.added, report.errors) == (3, ())


def test_an_error_of_the_memory_and_one_of_the_block_come_out_as_they_are(config: Config) -> None:
    with pytest.raises(NotFound, match="no episode"), open_memory_sync(config) as memory:
        memory.get_episode("no-such-episode")
    with pytest.raises(KeyError, match="mine"), open_memory_sync(config):
        raise KeyError("mine")


def test_after_the_block_a_call_says_that_the_memory_is_closed(config: Config) -> None:
    with open_memory_sync(config) as memory:
        lines = memory.export_lines()
    with pytest.raises(StoreUnavailable, match="closed"):
        memory.recall("anything")
    with pytest.raises(StoreUnavailable, match="closed"):
        next(lines)
    assert not [thread for thread in threading.enumerate() if thread.name == "memory"]


def test_without_settings_those_of_the_environment_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MCP_MEMORY_DATA_DIR", str(tmp_path / "of-the-environment"))
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING__PROVIDER", "off")
    with open_memory_sync() as memory:
        assert memory.memory_status().data_dir == str(tmp_path / "of-the-environment")
