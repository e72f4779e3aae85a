"""A session seen from below, by its system calls: nothing is written outside the data directory, nothing read but the program and what is
named, no name looked up, no socket to anywhere else."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.raw_client import RawClient

ROOT = Path(__file__).parents[2]
STRACE = shutil.which("strace")
TRACED = ("-f", "-qq", "-y", "-s", "4096", "-e", "trace=%file,connect,bind,sendto,socket")
# What the interpreter, its libraries and the kernel's own files are; `/etc` is the loader's and the clock's, not a look-up's.
PROGRAM = (str(ROOT), sys.prefix, sys.base_prefix, "/usr", "/lib", "/opt", "/proc", "/sys", "/dev/null", "/dev/urandom", "/dev/shm")
OF_ETC = tuple(map(Path, ("/etc/ld.so.cache", "/etc/localtime", "/etc/os-release", "/etc/ld.so.preload")))
_WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT")
_WRITING_CALLS = {
    "mkdir",
    "mkdirat",
    "unlink",
    "unlinkat",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "chmod",
    "fchmodat",
}
_CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)$")


def traceable() -> bool:
    """Whether system calls may be watched here; containers often forbid it."""
    if STRACE is None or not sys.platform.startswith("linux"):
        return False
    return subprocess.run([STRACE, "-qq", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


pytestmark = [
    pytest.mark.skipif(
        not traceable(), reason="system calls cannot be watched: no strace (Debian: apt-get install strace), or not allowed"
    ),
    pytest.mark.timeout(180),
]


def calls(log: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (call, its line, the absolute paths in it) of every call that succeeded."""
    for line in log.read_text(errors="replace").splitlines():
        found = _CALL.match(line)
        if found and " = -1 E" not in line:
            base = re.search(r"(?:AT_FDCWD|\d+)<(/[^>]*)>", line)
            names = re.findall(r'"([^"]*)"', line.rpartition(" = ")[0])
            yield found[1], line, [os.path.normpath(os.path.join(base[1] if base else "/", name)) for name in names if name]


def judged(log: Path, data: Path, named: tuple[Path, ...]) -> list[str]:
    """Return the calls that a private program has no reason to make."""
    wrong = []
    for call, line, paths in calls(log):
        if call in ("socket", "connect", "bind", "sendto"):
            if "AF_INET" in line or ("sun_path" in line and str(data) not in line):
                wrong.append(line)
            continue
        writes = call in _WRITING_CALLS or bool(_WRITES.search(line))
        if writes or call.startswith("open"):  # looking whether there is something reads nothing of it
            allowed = (data, *(() if writes else (*map(Path, PROGRAM), *OF_ETC, *named)))
            wrong += [line for path in paths if path != "/dev/null" and not any(Path(path).is_relative_to(place) for place in allowed)]
    return wrong


def environment(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ".", "LANG": "C.UTF-8"}


def test_a_stdio_session_touches_its_data_directory_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, work, log = tmp_path / "data", tmp_path / "work", tmp_path / "calls"
    work.mkdir()
    (work / "json.py").write_text("raise SystemExit('imported from the project')")
    (work / "secret.txt").write_text("not for a memory")
    given = environment(tmp_path)
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(work)
    python = (str(STRACE), *TRACED, "-o", str(log), sys.executable, "-I", "-B")
    with RawClient(data, "stdio", "--tools", "full", python=python) as server:
        episode_id = server.call("start_episode", task="mend the parser")["episode_id"]
        server.call("log_step", episode_id=episode_id, tool="bash", arguments={"command": "pytest"}, error="E: no such file")
        server.call("suggest_next_step", episode_id=episode_id)
        server.call("complete_episode", episode_id=episode_id, outcome="success", lessons=["look first"])
        assert server.call("recall", query="mend the parser")["episodes"]
        server.call("analyze_trends")
        server.call("memory_status")
    wrong = judged(log, data, ())
    assert not wrong, "\n".join(wrong)
    assert any(str(data) in line for _, line, _ in calls(log)), "the log shows what the server did"


def test_a_hook_touches_its_data_directory_and_nothing_else(tmp_path: Path) -> None:
    data, work, log = tmp_path / "data", tmp_path / "work", tmp_path / "calls"
    work.mkdir()
    (work / "json.py").write_text("raise SystemExit('imported from the project')")
    step = {"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_response": {"stdout": "ok", "stderr": ""}}
    events: dict[str, dict[str, Any]] = {
        "user-prompt-submit": {"prompt": "Mend the parser", "prompt_id": "p"},
        "post-tool-use": step,
        "session-end": {"reason": "other"},
    }
    for event, fields in events.items():
        told = {"session_id": "s", "cwd": str(work), "transcript_path": "t.jsonl", **fields}
        command = [
            str(STRACE),
            *TRACED,
            "-A",
            "-o",
            str(log),
            sys.executable,
            "-I",
            "-B",
            "-m",
            "mcp_memory",
            "hook",
            event,
            "--data-dir",
            str(data),
        ]
        done = subprocess.run(
            command, input=json.dumps(told).encode(), env=environment(tmp_path), cwd=work, capture_output=True, check=True
        )
        assert not done.stderr, done.stderr
    wrong = judged(log, data, (work,))  # the project's name is read off the folder that the event names
    assert not wrong, "\n".join(wrong)
    assert any(data.rglob("*"))


def test_the_judge_notices_a_look_up_a_foreign_file_and_a_foreign_socket(tmp_path: Path) -> None:
    log = tmp_path / "calls"
    program = "import socket; open('/etc/hostname').read(); open('x', 'w'); socket.create_connection(('127.0.0.1', 9), 1)"
    subprocess.run([str(STRACE), *TRACED, "-o", str(log), sys.executable, "-c", program], cwd=tmp_path, capture_output=True, check=False)
    found = "\n".join(judged(log, tmp_path / "data", ()))
    assert all(words in found for words in ("/etc/hostname", '"x"', "AF_INET")), found
