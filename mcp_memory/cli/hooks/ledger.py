"""What the hooks of one agent session know between two calls: one small file per session, and a lock, for hooks run side by side."""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

LOCK_DEADLINE_S = 3.0  # a hook holds the lock for milliseconds; one that was killed leaves a stale file
_LOCK_POLL_S = 0.005
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
KEEP_DAYS = 14


@dataclass(slots=True)
class Turn:
    """The task at hand: the prompt, its episode once the first step is logged, and steps that wait for a server."""

    prompt: str = ""
    episode_id: str = ""
    answer: str = ""  # what the agent said last
    agent_logs: bool = False  # the agent keeps its own episode: the hooks hold back
    step_count: int = 0
    check: str = ""  # the last command that checked the work
    check_passed: bool = False
    waiting: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def turn_of(folder: Path, session_id: str) -> Iterator[Turn]:
    """Yield the session's turn, alone, and keep what the block makes of it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (_UNSAFE.sub("_", session_id)[:100] + ".json")
    with _locked(path.with_suffix(".lock")):
        turn = _read(path)
        before = asdict(turn)
        try:
            yield turn
        finally:
            if asdict(turn) != before:
                part = path.with_suffix(".part")
                part.write_text(json.dumps(asdict(turn), ensure_ascii=False), encoding="utf-8")
                part.replace(path)


def drop(folder: Path, session_id: str, now_s: float) -> None:
    """Remove an ended session's file, and those of sessions that never said they ended."""
    for path in folder.glob("*.json"):
        if path.stem == _UNSAFE.sub("_", session_id)[:100] or path.stat().st_mtime < now_s - KEEP_DAYS * 86_400:
            path.unlink(missing_ok=True)


def _read(path: Path) -> Turn:
    try:
        return Turn(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):  # none yet, or of another version: the session begins anew
        return Turn()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    deadline = time.monotonic() + LOCK_DEADLINE_S
    while True:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except (FileExistsError, PermissionError):  # PermissionError: Windows, while the other one removes it
            if time.monotonic() > deadline:
                path.unlink(missing_ok=True)
            time.sleep(_LOCK_POLL_S)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
