"""The real Claude Code, from npm, works by a script with our hooks installed: what was recorded is the work done, once, in order.

    python -m tests.hosts.walks [WALK ...] [--tools DIR] [--limit SECONDS]

Needs npm. A scratch HOME, no account, a model of our own on the loopback address. Prints one line a walk; exit status 1 when one fails.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hosts.judges import ROOT
from tests.hosts.run import NODE, PACKAGES, Report, fetch
from tests.hosts.scripted_model import Round, ScriptedModel

TESTS: Round = [("Bash", {"command": "python3 -m unittest -q test_calc"})]
EDIT: Round = [("Edit", {"file_path": "WORK/calc.py", "old_string": "a - b", "new_string": "a + b"})]
READ: Round = [("Read", {"file_path": "WORK/calc.py"})]
SCRIPTS: dict[str, list[Round]] = {
    "fix": [TESTS, READ, EDIT, TESTS],
    "look": [TESTS],
    "startonly": [[("mcp__memory__start_episode", {"task": "Make add() add"})], TESTS, READ, EDIT, TESTS],
    "sub": [[("Bash", {"command": "cat none.txt; true"})], [("Bash", {"command": "echo sub"})]],
    "task": [[("Agent", {"description": "sub", "prompt": "SCRIPT:sub look", "subagent_type": "general-purpose"})], TESTS],
    "zoo": [
        [("Bash", {"command": "echo one; sleep 1"}), ("Bash", {"command": "ls /none"}), *READ],
        [("Edit", {"file_path": "WORK/calc.py", "old_string": "nowhere", "new_string": "x"})],
        [("Grep", {"pattern": "def"})],
    ],
    "slow": [[("Bash", {"command": "echo before"})], [("Bash", {"command": "python3 -c 'import time; time.sleep(60)'"})]],
    "next": [[("Bash", {"command": "echo next"})]],
}
UNIT_TEST = """import unittest

from calc import add


class T(unittest.TestCase):
    def test(self):
        self.assertEqual(add(2, 3), 5)
"""
FIXED = [("Bash", "error"), ("Read", "ok"), ("Edit", "ok"), ("Bash", "ok")]
ANSWER_S = 120.0
Episodes = list[tuple[list[tuple[str, str]], str | None]]


class Walk:
    """One person's session: a home, a project whose test fails, Claude Code, and a memory."""

    def __init__(self, program: Path, node: Path, scratch: Path, address: str) -> None:
        self.program, self.work, home = program, scratch / "shop", scratch / "home"
        self.data = scratch / "data"
        self.env = {"HOME": str(home), "PATH": f"{node}:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin", "IS_SANDBOX": "1"}
        self.env |= {"ANTHROPIC_BASE_URL": address, "ANTHROPIC_API_KEY": "none", "DISABLE_TELEMETRY": "1", "DISABLE_AUTOUPDATER": "1"}
        self.env |= {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "MCP_MEMORY_DATA_DIR": str(self.data)}
        (self.work / ".claude" / "commands").mkdir(parents=True)
        (self.work / ".claude" / "commands" / "fixit.md").write_text("SCRIPT:fix Fix what fails. $ARGUMENTS", encoding="utf-8")
        (self.work / "calc.py").write_text("def add(a, b):\n    return a - b\n", encoding="utf-8")
        (self.work / "test_calc.py").write_text(UNIT_TEST, encoding="utf-8")
        home.mkdir()
        self._memory("install", "claude-code", "--hooks")

    def say(self, prompt: str, *options: str) -> None:
        """Have one prompt worked on to its end."""
        subprocess.run(self._command(prompt, *options), cwd=self.work, env=self.env, capture_output=True, timeout=ANSWER_S, check=False)

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

    def episodes(self) -> list[dict[str, Any]]:
        """Return what the memory holds, parents first."""
        found = [line for text in self._memory("export").splitlines() if "record" not in (line := json.loads(text))]
        return sorted(found, key=lambda episode: (bool(episode.get("parent")), episode["started_at_ms"]))

    def imported(self) -> str:
        """Import the host's own record of it all."""
        return self._memory("import", "--yes")

    def _command(self, prompt: str, *options: str) -> list[str]:
        return [str(self.program), "-p", prompt, "--dangerously-skip-permissions", *options]

    def _memory(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "mcp_memory", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=ANSWER_S, check=True)
        return done.stdout


def recorded(walk: Walk) -> Episodes:
    """Return the steps and the outcome of each episode."""
    return [
        ([(step["tool"], step["status"]) for step in episode["steps"]], (episode["outcome"] or {}).get("kind"))
        for episode in walk.episodes()
    ]


def _fix(walk: Walk) -> Episodes:
    walk.say("SCRIPT:fix The unit test of calc fails. Please fix add().")
    return [(FIXED, "success")]


def _startonly(walk: Walk) -> Episodes:
    walk.say("SCRIPT:startonly The unit test of calc fails. Please fix add().")
    return [(FIXED, "success")]


def _task(walk: Walk) -> Episodes:
    walk.say("SCRIPT:task Have somebody look, then check.")
    return [([("Agent", "ok"), ("Bash", "error")], "failure"), ([("Bash", "ok"), ("Bash", "ok")], "partial")]


def _zoo(walk: Walk) -> Episodes:
    walk.say("SCRIPT:zoo Look around with every tool.")
    return [([("Bash", "ok"), ("Bash", "error"), ("Read", "ok"), ("Edit", "error"), ("Grep", "error")], "partial")]


def _command(walk: Walk) -> Episodes:
    walk.say("/fixit now")
    return [(FIXED, "success")]


def _resumed(walk: Walk) -> Episodes:
    walk.say("SCRIPT:fix The unit test of calc fails. Please fix add().")
    walk.say("SCRIPT:next Something else entirely, if you please", "--continue")
    return [(FIXED, "success"), ([("Bash", "ok")], "partial")]


def _interrupted(walk: Walk) -> Episodes:
    walk.stop("SCRIPT:slow Something that takes long", signal.SIGINT)
    return [([("Bash", "ok")], "partial")]


def _killed(walk: Walk) -> Episodes:
    walk.stop("SCRIPT:slow Something that takes long", signal.SIGKILL)
    walk.say("SCRIPT:look Another session, to see that the test fails")
    return [([("Bash", "ok")], "partial"), ([("Bash", "error")], "failure")]


WALKS: dict[str, Callable[[Walk], Episodes]] = {
    "fix": _fix, "startonly": _startonly, "task": _task, "zoo": _zoo, "command": _command,
    "resumed": _resumed, "interrupted": _interrupted, "killed": _killed,
}  # fmt: skip


def main() -> int:
    """Walk the walks asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("walks", nargs="*", metavar="WALK", help=f"of {', '.join(WALKS)}; default: all")
    parser.add_argument("--tools", type=Path, default=ROOT / ".cache" / "hosts", help="where the npm packages are kept")
    parser.add_argument("--limit", type=float, default=300, metavar="SECONDS", help="for one package to arrive")
    arguments = parser.parse_args()
    tools, report = arguments.tools.absolute(), Report()
    if unknown := set(arguments.walks) - set(WALKS):
        parser.error(f"no such walk: {', '.join(unknown)}")
    if shutil.which("npm") is None:
        print("npm is not here: Claude Code was not run")
        return 0
    node = tools / "node" / "node_modules" / "node" / "bin"
    path = os.environ | {"PATH": f"{node}{os.pathsep}{os.environ['PATH']}"}
    for package, folder in ((NODE, "node"), (PACKAGES["claude-code"], "claude-code")):
        if not fetch(package, tools / folder, path, arguments.limit):
            print(f"npm did not bring {package} within {arguments.limit:.0f} s: Claude Code was not run")
            return 0
    program = tools / "claude-code" / "node_modules" / ".bin" / "claude"
    for name in arguments.walks or WALKS:
        with tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder).resolve()
            scripts = json.loads(json.dumps(SCRIPTS).replace("WORK", str(scratch / "shop")))
            with ScriptedModel(scripts).served() as address:
                walk = Walk(program, node, scratch, address)
                expected = WALKS[name](walk)
                report.add(f"{name}: recorded", (found := recorded(walk)) == expected, str(found))
                told = walk.imported()
                report.add(f"{name}: imported, nothing is added", len(recorded(walk)) == len(expected), told)
    print(f"{report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
