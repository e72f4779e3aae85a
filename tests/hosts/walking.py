"""One person's session with a real agent host: a home, a project whose test fails, the host with our hooks installed, and a memory."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp_memory.hooks import wire
from tests.hosts.dialects import Round
from tests.hosts.judges import ROOT
from tests.raw_client import RawClient

UNIT_TEST = """import unittest

from calc import add


class T(unittest.TestCase):
    def test(self):
        self.assertEqual(add(2, 3), 5)
"""
BROKEN = "def add(a, b):\n    return a - b\n"
ANSWER_S = 120.0
Steps = list[tuple[str, str]]  # (tool, status)
Episodes = list[tuple[Steps, str | None]]  # with the outcome


@dataclass(frozen=True)
class Client:
    """How a host is run by a script. In texts `ADDRESS` stands for the model's, `WORK` for the project's folder.

    `files` are below HOME and there before `install`; `approve` is what a person does between `install` and the first session.
    `fix` is the script of a repair in the host's own tools, `fixed` what of it is to be recorded.
    """

    name: str
    program: str
    options: tuple[str, ...]
    environment: Mapping[str, str]
    fix: Sequence[Round]
    fixed: Steps
    files: Mapping[str, str] = field(default_factory=dict)
    approve: Callable[["Walk"], None] = lambda walk: None


class Walk:
    """A session of a client. `tools` is the folder of the npm packages; *alone*: with no server but the one that the host starts."""

    def __init__(self, client: Client, tools: Path, scratch: Path, address: str, *, alone: bool = False) -> None:
        self._alone = alone
        self.client, self.work, self.home, self.data = client, scratch / "shop", scratch / "home", scratch / "data"
        self.program = tools / client.name / "node_modules" / ".bin" / client.program
        node = tools / "node" / "node_modules" / "node" / "bin"
        path = [str(node), str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]
        self.env = {"HOME": str(self.home), "PATH": os.pathsep.join(path), "MCP_MEMORY_DATA_DIR": str(self.data)}
        self.env |= {name: self._filled(value, address) for name, value in client.environment.items()}
        self.write(self.home, {name: self._filled(text, address) for name, text in client.files.items()})
        self.write(self.work, {"calc.py": BROKEN, "test_calc.py": UNIT_TEST})
        self.installed = self.memory("install", client.name, "--hooks")

    def write(self, folder: Path, files: Mapping[str, str]) -> None:
        """Write files below a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")

    def say(self, prompt: str, *options: str) -> str:
        """Have one prompt worked on to its end; return what the host printed."""
        command = self._command(prompt, *options)
        with subprocess.Popen(
            command, cwd=self.work, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                return process.communicate(timeout=ANSWER_S)[0]
            except subprocess.TimeoutExpired:
                process.kill()
                return f"no answer in {ANSWER_S:.0f} s\n{process.communicate()[0]}"

    def stop(self, prompt: str, how: signal.Signals) -> None:
        """Have a prompt begun, and end the host once its first step is recorded and the second one runs."""
        process = subprocess.Popen(self._command(prompt), cwd=self.work, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + ANSWER_S
        while b"time.sleep(60)" not in subprocess.run(["ps", "-eo", "args"], capture_output=True, check=True).stdout.replace(
            prompt.encode(), b""
        ):
            assert time.monotonic() < until, "the host did not come so far"
            time.sleep(0.2)  # until the command runs: nothing announces it
        process.send_signal(how)
        process.wait(ANSWER_S)

    @contextmanager
    def window(self) -> Iterator[None]:
        """Keep another server of theirs open meanwhile, as in a second window: its door answers from the first event on."""
        if self._alone:
            yield
            return
        with RawClient(self.data, HOME=str(self.home)) as client:
            client.request("tools/call", {"name": "memory_status", "arguments": {}})
            until = time.monotonic() + ANSWER_S
            while not wire.answers(str(self.data / "hooks")):
                assert time.monotonic() < until, "the window opened no door"
                time.sleep(0.05)
            yield

    def episodes(self) -> list[dict[str, Any]]:
        """Return what the memory holds, parents first."""
        found = [line for text in self.memory("export").splitlines() if "record" not in (line := json.loads(text))]
        return sorted(found, key=lambda episode: (bool(episode.get("parent")), episode["started_at_ms"]))

    def recorded(self) -> Episodes:
        """Return the steps and the outcome of each episode."""
        return [
            ([(step["tool"], step["status"]) for step in episode["steps"]], (episode["outcome"] or {}).get("kind"))
            for episode in self.episodes()
        ]

    def newest(self) -> str:
        """Return the id of the episode that began last."""
        return str(json.loads(self.memory("episodes", "--json"))["episodes"][0]["episode_id"])

    def memory(self, *arguments: str) -> str:
        """Run one of our own commands as the person, and return what it prints. Raises CalledProcessError: it failed."""
        command = [sys.executable, "-m", "mcp_memory", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=ANSWER_S, check=True)
        return done.stdout

    def _command(self, prompt: str, *options: str) -> list[str]:
        return [str(self.program), *self.client.options, *options, prompt]

    def _filled(self, text: str, address: str) -> str:
        return text.replace("ADDRESS", address).replace("WORK", str(self.work))
