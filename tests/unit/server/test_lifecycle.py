"""One memory per process: opened on demand, retried after a failure, closed in the task that opened it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from mcp_memory.config import Config
from mcp_memory.errors import MigrationError, StoreUnavailable
from mcp_memory.server.lifecycle import MemoryHost, parent_gone
from tests.unit.server.fake_memory import FakeMemory

pytestmark = pytest.mark.anyio


class Opener:
    """Opens a scripted memory; fails as often as told."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.opened = self.closed = 0
        self.gate = anyio.Event()
        self.gate.set()

    @asynccontextmanager
    async def __call__(self, config: Config) -> AsyncIterator[FakeMemory]:
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.opened += 1
        try:
            yield FakeMemory()
        finally:
            self.closed += 1


@asynccontextmanager
async def hosting(opener: Opener) -> AsyncIterator[MemoryHost]:
    host = MemoryHost(Config(), opener)  # type: ignore[arg-type]
    async with anyio.create_task_group() as group:
        group.start_soon(host.keep_open)
        yield host
        with anyio.fail_after(5):
            await host.aclose()


async def test_nothing_is_opened_before_it_is_wanted_and_then_only_once() -> None:
    opener = Opener()
    async with hosting(opener) as host:
        await anyio.wait_all_tasks_blocked()
        assert opener.opened == 0
        assert await host.memory() is await host.memory()
        assert host.state == "ready"
    assert (opener.opened, opener.closed) == (1, 1)


async def test_callers_wait_for_the_opening_together() -> None:
    opener, found = Opener(), []
    opener.gate = anyio.Event()
    async with hosting(opener) as host:

        async def ask() -> None:
            found.append(await host.memory())

        async with anyio.create_task_group() as callers:
            for _ in range(3):
                callers.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            assert found == []
            assert host.state == "opening"
            opener.gate.set()
    assert len(found) == 3
    assert len(set(map(id, found))) == 1


async def test_a_failed_opening_is_told_and_tried_again_by_the_next_call() -> None:
    opener = Opener(ExceptionGroup("tasks", [MigrationError("too new")]), StoreUnavailable())
    async with hosting(opener) as host:
        with pytest.raises(MigrationError, match="too new"):
            await host.memory()
        assert host.state == "failed"
        with pytest.raises(StoreUnavailable):
            await host.memory()
        assert await host.memory()
        assert host.state == "ready"


async def test_closing_before_anything_was_opened_returns() -> None:
    opener = Opener()
    async with hosting(opener):
        pass
    assert opener.opened == 0


async def test_watchers_are_told_of_the_memory_once_it_is_open() -> None:
    seen: list[object] = []
    async with hosting(Opener()) as host:
        host.on_open(seen.append)
        memory = await host.memory()
    assert seen == [memory]


async def test_a_changed_parent_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = iter([10, 1])
    monkeypatch.setattr("mcp_memory.server.lifecycle.os.getppid", lambda: next(parents))
    with anyio.fail_after(5):
        await parent_gone(10, poll_s=0.001)
