"""The door on its own: who may use it, before the memory is open and after, and what a hook does that comes too early."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mcp_memory.cli.main import main
from mcp_memory.config import Config
from mcp_memory.config_sources import load_config
from mcp_memory.hooks import keeper, signs, spool, wire
from mcp_memory.hooks.part import HookPart
from mcp_memory.memory import EpisodicMemory

pytestmark = pytest.mark.anyio
PROMPT = {"session_id": "s", "cwd": "/home/ana/shop", "prompt": "Make the mean of an empty list zero"}
SENT_BY_A_HOOK = {wire.CALL_HEADER: "1", "content-type": "application/json"}


class Opened:
    """Whoever has the memory: at once, or when told to."""

    def __init__(self, memory: Any, config: Config, *, is_open: bool = True) -> None:
        self._memory, self.config = memory, config
        self.state = "ready" if is_open else "opening"
        self._calls: list[Callable[[Any], None]] = []

    def on_open(self, call: Callable[[Any], None]) -> None:
        if self.state == "ready":
            call(self._memory)
        self._calls.append(call)

    def open(self) -> None:
        self.state = "ready"
        for call in self._calls:
            call(self._memory)

    async def memory(self) -> Any:
        return self._memory


def client_of(tmp_path: Path, *, state: str = "failed") -> TestClient:
    config = load_config(env={}, flags={"storage.data_dir": str(tmp_path)})
    host = Opened(None, config, is_open=False)
    host.state = state
    return TestClient(Starlette(routes=HookPart(host).routes))


@pytest.mark.parametrize("headers", [{"content-type": "text/plain"}, {"content-type": "application/json"}, {wire.CALL_HEADER: "1"}])
def test_what_a_page_of_a_browser_can_send_without_being_asked_is_refused(tmp_path: Path, headers: dict[str, str]) -> None:
    assert client_of(tmp_path).post("/hook/stop", content=json.dumps(PROMPT), headers=headers).status_code == 403


def test_a_hook_is_told_to_keep_its_event_when_the_memory_cannot_be_opened(tmp_path: Path) -> None:
    assert client_of(tmp_path).post("/hook/stop", content=json.dumps(PROMPT), headers=SENT_BY_A_HOOK).status_code == 503


def test_an_event_of_another_version_is_told_apart_from_one_that_is_not_understood(tmp_path: Path) -> None:
    client = client_of(tmp_path)
    assert client.post("/hook/pre-compact", content="{}", headers=SENT_BY_A_HOOK).status_code == 404
    assert client.post("/hook/stop", content="[", headers=SENT_BY_A_HOOK).status_code == 400


async def test_the_door_opens_before_the_memory_and_an_event_waits_for_it(memory: EpisodicMemory, config: Config) -> None:
    host = Opened(memory, config, is_open=False)
    folder = str(config.data_dir / "hooks")
    spool.make_private(folder)
    told: list[tuple[int, bytes]] = []

    def ask() -> None:
        told.append(wire.ask_door(folder, wire.Letter("user-prompt-submit", json.dumps(PROMPT).encode(), headers={wire.CALL_HEADER: "1"})))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(HookPart(host).run)
            while not await anyio.to_thread.run_sync(wire.answers, folder):
                await anyio.lowlevel.checkpoint()
            async with anyio.create_task_group() as asking:
                asking.start_soon(anyio.to_thread.run_sync, ask)
                host.open()
            group.cancel_scope.cancel()
    assert told[0][0] == 200
    assert wire.SOCKET not in os.listdir(folder)


async def test_of_two_servers_the_second_leaves_the_door_to_the_first_and_takes_it_when_that_is_gone(
    memory: EpisodicMemory, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "LOOK_EVERY_S", 0.02)
    folder = str(config.data_dir / "hooks")
    spool.make_private(folder)
    path = Path(folder) / wire.SOCKET

    async def answered() -> int:
        while not await anyio.to_thread.run_sync(wire.answers, folder):
            await anyio.lowlevel.checkpoint()
        return path.stat().st_ino

    with anyio.fail_after(30):
        async with anyio.create_task_group() as second:
            async with anyio.create_task_group() as first:
                first.start_soon(HookPart(Opened(memory, config)).run)
                kept_by_the_first = await answered()
                second.start_soon(HookPart(Opened(memory, config)).run)
                await anyio.wait_all_tasks_blocked()
                assert await answered() == kept_by_the_first
                first.cancel_scope.cancel()
            await answered()
            second.cancel_scope.cancel()


async def test_no_trouble_with_the_hooks_ends_the_server(memory: EpisodicMemory, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "LOOK_EVERY_S", 0.0)
    looks = 0

    def broken(folder: str) -> None:
        nonlocal looks
        looks += 1
        raise [PermissionError("belongs to somebody else"), KeyError("step"), RecursionError()][looks % 3]

    monkeypatch.setattr("mcp_memory.hooks.spool.make_private", broken)
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(HookPart(Opened(memory, config), always=True).run)
            while looks < 6:
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()


async def test_what_a_hook_that_gave_up_would_have_told_the_sessions_next_one_tells(
    memory: EpisodicMemory, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Opened(memory, config)
    folder = str(config.data_dir / "hooks")
    spool.make_private(folder)
    handles, gone = anyio.Event(), anyio.Event()

    async def handle(_: Any, record: dict[str, Any]) -> tuple[str, str]:
        handles.set()
        await gone.wait()
        return "what is known", "e1"

    monkeypatch.setattr("mcp_memory.hooks.intake.Hooks.handle", handle)
    monkeypatch.setattr(wire, "ANSWER_TIMEOUT_S", 0.5)
    letter = wire.Letter("user-prompt-submit", json.dumps(PROMPT).encode(), headers={wire.CALL_HEADER: "1"})

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await anyio.to_thread.run_sync(wire.ask_door, folder, letter)
        assert signs.is_silent(folder)
        gone.set()

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(HookPart(host).run)
            while not await anyio.to_thread.run_sync(wire.answers, folder):
                await anyio.lowlevel.checkpoint()
            group.start_soon(give_up)
            await handles.wait()
            while not (owed := spool.take_owed(folder, PROMPT["session_id"])):
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
    assert owed == "what is known"
    assert not signs.is_silent(folder), "whoever keeps the door answers again"


def test_a_prompt_waits_a_moment_for_a_door_where_doors_are_opened(tmp_path: Path) -> None:
    import socket

    folder = tmp_path / "hooks"
    spool.make_private(str(folder))
    letter = wire.Letter("user-prompt-submit", b"{}")
    with pytest.raises(FileNotFoundError):
        wire.ask_door(str(folder), letter, wait_s=30.0)  # nobody opens doors here: no wait
    signs.note_open(str(folder))
    waits = threading.Event()

    def late() -> None:
        waits.wait(10)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(folder / wire.SOCKET))
            listener.listen()
            with listener.accept()[0] as connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    thread = threading.Thread(target=late)
    thread.start()
    waits.set()
    assert wire.ask_door(str(folder), letter, wait_s=10.0) == (200, b"hi")
    thread.join()
    (folder / wire.SOCKET).unlink()
    with pytest.raises(FileNotFoundError):
        wire.ask_door(str(folder), letter, wait_s=0.05)
    assert not (folder / signs.OPENS).exists(), "nobody came: the next prompt does not wait"
    signs.note_start(str(folder))
    thread = threading.Thread(target=late)
    thread.start()
    assert wire.ask_door(str(folder), letter, starting_wait_s=10.0) == (200, b"hi"), "a server that is on its way is waited for"
    thread.join()
    (folder / wire.SOCKET).unlink()
    os.utime(folder / signs.STARTS, (1, 1))
    with pytest.raises(FileNotFoundError):
        wire.ask_door(str(folder), letter, starting_wait_s=30.0)  # it did not come up


@pytest.mark.parametrize("used", [True, False])
def test_a_server_says_that_it_starts_before_it_loads_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, used: bool) -> None:
    said: list[bool] = []
    folder = tmp_path / "hooks"
    if used:
        spool.make_private(str(folder))

    def serve(config: Config, parent: int) -> int:
        said.append(signs.starts(str(folder)))
        return 0

    monkeypatch.setattr("mcp_memory.server.stdio.serve", serve)
    assert main(["stdio", "--data-dir", str(tmp_path)]) == 0
    assert (said, folder.exists()) == ([used], used)
    signs.note_open(str(folder))
    assert not signs.starts(str(folder))
