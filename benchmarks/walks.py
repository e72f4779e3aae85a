"""What a reader walks through: the files of the package that one call of each kind runs through, and the ways between them.

In process, on a temporary memory, from the facade down, in every thread but those that work in the background.
"""

import asyncio
import json
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any

import mcp_memory
from mcp_memory.bootstrap import open_memory
from mcp_memory.config_sources import load_config
from mcp_memory.hooks.events import record_of
from mcp_memory.hooks.intake import Hooks

PACKAGE = str(Path(mcp_memory.__file__).parent)
QUIET_S = 0.5  # in which what a call left to the background is done
EARLIER = 12  # episodes in memory before the walks
STEPS: list[dict[str, Any]] = [
    {"tool": "bash", "action": "pytest", "arguments": {"command": "pytest -x"}, "status": "error", "error": "ValueError: bad date"},
    {"tool": "edit", "arguments": {"path": "app/dates.py"}, "observation": "ok"},
    {"tool": "bash", "action": "pytest", "arguments": {"command": "pytest -x"}, "observation": "5 passed"},
]
BACKGROUND = ("embed", "memory-cache", "memory-wal-checkpointer")  # beginnings of the names of threads that no call waits for
BEFORE_MS = 1_700_000_000_000


class Walk:
    """The files that ran and the changes from one to another, while it is on. Profile of every thread that starts after `watch`."""

    def __init__(self) -> None:
        self.on = False
        self.files: set[str] = set()
        self.changes: set[tuple[str, str]] = set()
        self.crossings = 0

    def watch(self) -> None:
        threading.setprofile(self._event)
        sys.setprofile(self._event)

    def begin(self) -> None:
        self.files, self.changes, self.crossings, self.on = set(), set(), 0, True

    def _event(self, frame: FrameType, event: str, _: object) -> None:
        if not self.on or event != "call" or not frame.f_code.co_filename.startswith(PACKAGE):
            return
        if threading.current_thread().name.startswith(BACKGROUND):
            return
        name = frame.f_code.co_filename[len(PACKAGE) + 1 :]
        self.files.add(name)
        caller = frame.f_back
        while caller is not None and not caller.f_code.co_filename.startswith(PACKAGE):
            caller = caller.f_back
        if caller is not None and caller.f_code.co_filename != frame.f_code.co_filename:
            self.changes.add((caller.f_code.co_filename[len(PACKAGE) + 1 :], name))
            self.crossings += 1


def line(n: int) -> str:
    record = {
        "external_id": f"w/{n}",
        "task": f"Fix the date parser of shop {n}",
        "started_at_ms": BEFORE_MS + n,
        "ended_at_ms": BEFORE_MS + n + 9,
        "steps": [step | {"at_ms": BEFORE_MS + n} for step in STEPS],
        "outcome": {"kind": "success", "lessons": ["Parse with the offset."]},
    }
    return json.dumps(record)


def told(n: int) -> dict[str, Any]:
    return {
        "session_id": "s1", "cwd": "/w/shop", "prompt": "Fix the date parser of the shop", "tool_name": "Bash", "tool_use_id": f"t{n}",
        "tool_input": {"command": "pytest -x"}, "tool_response": {"stdout": "5 passed", "stderr": ""},
    }  # fmt: skip


async def walks(folder: str) -> dict[str, Walk]:
    """Return the walk of each kind of call, each the second of its kind: what is loaded once does not count."""
    found: dict[str, Walk] = {}
    walk = Walk()
    walk.watch()
    async with open_memory(load_config(env={}, flags={"storage.data_dir": folder})) as memory:
        await memory.import_lines([line(n) for n in range(EARLIER)])
        ids = [(await memory.start_episode(f"Fix the date parser of page {n}", recall=False)).episode_id for n in range(2)]
        hooks = Hooks(memory, str(Path(folder) / "hooks"))

        async def hook(n: int, event: str = "post-tool-use") -> None:
            await hooks.handle(record_of(event, told(n), call_id=f"{event}{n}", project="p", at_ms=BEFORE_MS + n))

        await hook(0, "user-prompt-submit")

        kinds: dict[str, Callable[[int], Awaitable[Any]]] = {
            "start": lambda n: memory.start_episode(f"Fix the date parser of mail {n}"),
            "log": lambda n: memory.log_step(ids[n], **STEPS[0]),
            "suggest": lambda n: memory.suggest_next_step(ids[n]),
            "recall": lambda n: memory.recall(f"fix the date parser {n}"),
            "complete": lambda n: memory.complete_episode(ids[n], "success"),
            "a hook event": hook,
            "an imported line": lambda n: memory.import_lines([line(EARLIER + n)]),
        }
        for kind, call in kinds.items():
            await call(0)
            await asyncio.sleep(QUIET_S)
            walk.begin()
            await call(1)
            walk.on = False
            found[kind] = made = Walk()
            made.files, made.changes, made.crossings = set(walk.files), set(walk.changes), walk.crossings
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(walks(folder))
    sys.setprofile(None)
    if sys.argv[1:2] == ["--files"]:
        for kind, walk in found.items():
            print(kind, *sorted(walk.files), sep="\n  ")
    print("| call | files | file changes | calls across files |\n|---|---|---|---|")
    for kind, walk in found.items():
        print(f"| {kind} | {len(walk.files)} | {len(walk.changes)} | {walk.crossings} |")


if __name__ == "__main__":
    main()
