"""A hook without a server keeps its event and returns; a process that takes in what waits is started rarely, and stays out of the way."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.cli.install.launching import hook_command
from mcp_memory.hooks import spool, spooling, standby
from mcp_memory.hooks.kinds import EVENTS
from mcp_memory.hooks.settings import HookSettings

SESSION = {"session_id": "s", "cwd": "/home/ana/shop", "prompt": "Mend the parser"}
STEP = {"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_response": {"stdout": "ok", "stderr": ""}}


class Spooled:
    """Hooks of a data directory without a server. `started` counts the processes that would take in what waits."""

    def __init__(self, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.data_dir, self.started = data_dir, 0
        self._settings = HookSettings(str(data_dir), "", None)
        monkeypatch.setattr(spooling, "_start", self._start)

    def __call__(self, event: str, **fields: Any) -> int:
        """Keep an event; return how many processes it started."""
        before = self.started
        spooling.keep(event, json.dumps(SESSION | fields).encode(), f"{event}{os.urandom(4).hex()}", self._settings)
        return self.started - before

    def _start(self, command: list[str], folder: str) -> None:
        self.started += 1


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spooled:
    return Spooled(tmp_path / "data", monkeypatch)


def test_only_a_sessions_end_is_worth_a_process_while_there_is_nothing_to_tell(hook: Spooled) -> None:
    assert {event for event in EVENTS if hook(event, **STEP)} == {"session-end"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_a_hook_that_comes_first_makes_a_data_directory_that_nobody_else_can_read(hook: Spooled) -> None:
    old = os.umask(0o022)
    try:
        hook("post-tool-use", **STEP)
    finally:
        os.umask(old)
    assert {path.stat().st_mode & 0o077 for path in (hook.data_dir, hook.data_dir / "hooks")} == {0}


def test_a_prompt_is_worth_one_where_something_may_be_known_about_it(hook: Spooled) -> None:
    hook.data_dir.mkdir()
    (hook.data_dir / "memory.db").touch()
    assert {event for event in EVENTS if hook(event, **STEP)} == {"user-prompt-submit", "user-prompt-expansion", "session-end"}


def test_a_session_without_an_end_is_taken_in_each_time_that_much_waits(hook: Spooled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "MANY_BYTES", 10_000)
    said = STEP | {"tool_response": {"stdout": "word " * 400, "stderr": ""}}
    started = [hook("post-tool-use", **said) for _ in range(20)]
    (path,) = (hook.data_dir / "hooks").glob("*.spool")
    assert sum(started) == path.stat().st_size // 10_000 > 2
    assert sum(started[:4]) == 0


def test_nobody_is_started_while_somebody_stands_by(hook: Spooled) -> None:
    hook("session-start")
    lock = spool.hold(str(hook.data_dir / "hooks"), standby.LOCK)
    assert lock is not None
    assert hook("session-end") == 0
    os.close(lock)
    assert hook("session-end") == 1


class Clock:
    """Time that passes while somebody sleeps; an event comes during each of the first *busy* sleeps."""

    def __init__(self, hook: Spooled, busy: int = 0, *, taken_in: bool = False) -> None:
        self.now, self._hook, self._busy, self._taken_in = 1_000_000.0, hook, busy, taken_in
        self.slept: list[float] = []
        self._event()

    def stand_by(self) -> bool:
        return standby.stand_by(str(self._hook.data_dir), sleep=self._sleep, now=lambda: self.now)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        if len(self.slept) <= self._busy:
            self._event()
        if self._taken_in:
            self._path.unlink()

    def _event(self) -> None:
        self._hook("post-tool-use", **STEP)
        (self._path,) = (self._hook.data_dir / "hooks").glob("*.spool")
        os.utime(self._path, (self.now, self.now))


def test_what_waits_is_taken_in_when_the_hooks_have_a_lull(hook: Spooled) -> None:
    clock = Clock(hook, busy=3)
    assert clock.stand_by()
    assert clock.slept == pytest.approx([standby.LULL_S + 0.01] * 4)


def test_hooks_that_never_have_a_lull_are_not_waited_for_for_ever(hook: Spooled) -> None:
    clock = Clock(hook, busy=1_000_000)
    assert clock.stand_by()
    assert sum(clock.slept) == pytest.approx(standby.LONGEST_S, abs=2 * standby.LULL_S)


def test_nothing_is_opened_for_what_somebody_else_took_in_meanwhile(hook: Spooled) -> None:
    clock = Clock(hook, taken_in=True)
    assert not clock.stand_by()
    assert len(clock.slept) == 1


def test_one_process_at_a_time_stands_by_and_readers_do_not_wait_for_it(hook: Spooled) -> None:
    clock = Clock(hook)
    lock = spool.hold(str(hook.data_dir / "hooks"), standby.LOCK)
    assert lock is not None
    assert not clock.stand_by()
    assert clock.slept == []
    reading = spool.hold(str(hook.data_dir / "hooks"), spool.DRAIN_LOCK)
    assert reading is not None, "a reader takes in what waits itself"
    os.close(reading)
    os.close(lock)


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="no such classes of processes here")
def test_who_stands_by_has_loaded_little_and_lets_everything_else_go_first(hook: Spooled) -> None:
    Clock(hook)
    command = spooling.drain_command(str(hook.data_dir))
    first, marker, _ = command[3].partition("; from mcp_memory.cli")
    assert marker
    seen = "; import os; print(os.nice(0), os.sched_getscheduler(0) == os.SCHED_BATCH, 'argparse' in sys.modules)"
    done = subprocess.run([*command[:3], first + seen, *command[4:]], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == [str(min(os.nice(0) + 5, 19)), "True", "False"]


@pytest.mark.parametrize("writes_none", [True, False])
def test_a_process_that_writes_no_bytecode_starts_one_that_writes_none(
    hook: Spooled, monkeypatch: pytest.MonkeyPatch, *, writes_none: bool
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", writes_none)
    command = spooling.drain_command(str(hook.data_dir))
    said = [*command[:2], "-c", "import sys; print(sys.dont_write_bytecode, sys.flags.isolated)"]
    done = subprocess.run(said, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == [str(writes_none), "1"]


def test_the_installed_command_searches_for_no_packages_and_reads_any_settings(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[server]\nlog_format = "json"\n', encoding="utf-8")
    command = [*hook_command(), "post-tool-use", "--config", str(config), "--data-dir", str(tmp_path / "data")]
    told = json.dumps(SESSION | STEP)
    done = subprocess.run(command, input=told, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list((tmp_path / "data" / "hooks").glob("*.spool"))
    code = f"{hook_command()[-1].removesuffix('main()')}print('site' in sys.modules)"
    seen = subprocess.run([*hook_command()[:-1], code], capture_output=True, text=True, timeout=60, check=True)
    assert seen.stdout == f"{sys.platform == 'win32'}\n"
