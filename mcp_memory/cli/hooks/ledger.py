"""What the hooks of one agent session know between two calls: one small file per session, and a lock, for hooks run side by side."""

import json
import os
import time
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LOCK_DEADLINE_S = 3.0  # a hook holds the lock for milliseconds; one that was killed leaves a stale file
_LOCK_POLL_S = 0.005
_MAX_NAME_CHARS = 100
KEEP_DAYS = 14


class Turn:
    """The task at hand: the prompt, its episode once the first step is logged, and steps that wait for a server."""

    def __init__(self, prompt: str = "") -> None:
        self.reset(prompt)

    def reset(self, prompt: str) -> None:
        """Begin anew with another task."""
        self.prompt = prompt
        self.episode_id = ""
        self.answer = ""  # what the agent said last
        self.agent_logs = False  # the agent keeps its own episode: the hooks hold back
        self.step_count = 0
        self.check = ""  # the last command that checked the work
        self.check_passed = False
        self.waiting: list[dict[str, Any]] = []


@contextmanager
def turn_of(folder: str, session_id: str) -> "Iterator[Turn]":
    """Yield the session's turn, alone, and keep what the block makes of it."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, _file_name(session_id))
    with _locked(path + ".lock"):
        before = _read(path)
        turn = Turn()
        vars(turn).update(json.loads(before) if before else {})
        try:
            yield turn
        finally:
            after = json.dumps(vars(turn), ensure_ascii=False)
            if after != before:
                with open(path + ".part", "w", encoding="utf-8") as file:
                    file.write(after)
                os.replace(path + ".part", path)


def drop(folder: str, session_id: str, now_s: float) -> None:
    """Remove an ended session's file, and those of sessions that never said they ended."""
    ended = _file_name(session_id)
    for entry in list(os.scandir(folder)) if os.path.isdir(folder) else ():
        if entry.name == ended or entry.stat().st_mtime < now_s - KEEP_DAYS * 86_400:
            os.unlink(entry.path)


def _file_name(session_id: str) -> str:
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in session_id)
    return safe[:_MAX_NAME_CHARS] + ".json"


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


@contextmanager
def _locked(path: str) -> "Iterator[None]":
    deadline = time.monotonic() + LOCK_DEADLINE_S
    while True:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except (FileExistsError, PermissionError):  # PermissionError: Windows, while the other one removes it
            if time.monotonic() > deadline and os.path.exists(path):
                os.unlink(path)
            time.sleep(_LOCK_POLL_S)
    try:
        yield
    finally:
        os.unlink(path)
