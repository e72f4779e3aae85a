"""What is known of one agent session between two hooks: a small file per session, held by one process at a time.

Files of a session: `.json` this ledger, and what the hooks leave beside it: `.spool` and `.owed` (spool.py).
"""

import json
import os
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, BinaryIO

import anyio

from mcp_memory.hooks import spool

SUFFIX = ".json"
KEEP_DAYS = 14  # of a session that never said it ended
_LOCKS = 16  # files, never removed: a lock on a removed file would lock nobody out
_LOCK_POLL_S = 0.005
_KEPT_IDS = 200  # of events handled, for those that arrive twice; a hook gives up after seconds


class Turn:
    """The task at hand: the prompt, its episode once the first step is logged, and what the steps show."""

    def __init__(self, prompt: str = "", **fields: Any) -> None:
        self.prompt = prompt
        self.project = ""
        self.working_dir = ""  # the agent's, when the prompt came
        self.prepared_id = ""  # of the episode that what was recalled counts for, until it is begun
        self.episode_id = ""
        self.logged = 0  # steps committed
        self.answer = ""  # what the agent said last
        self.agent_logs = False  # the agent keeps its own episode: the hooks hold back
        self.check = ""  # the last command that checked the work
        self.check_passed = False
        vars(self).update({name: value for name, value in fields.items() if name in vars(self)})


class Session:
    """One session's ledger."""

    def __init__(self, folder: str, session_id: str) -> None:
        self.id = session_id
        self._folder, self._path = folder, os.path.join(folder, spool.file_name(session_id, SUFFIX))
        self._forget()
        self._saved = self._text()  # as if saved: a session nobody touched leaves no file
        self._load()

    def _forget(self) -> None:
        self.turn = Turn()
        self.over = False  # the session's end was its last event
        self.ended: list[Turn] = []  # turns that are over and whose episodes are to be completed
        self.taken, self.taken_of = 0, ""  # bytes of the spool that begins with that event
        self.handled: list[str] = []  # ids of the latest events
        self.doing: list[str] = []  # ids of the events whose steps are being logged just now

    def _load(self) -> None:
        try:
            with open(self._path, encoding="utf-8") as file:
                self._saved = file.read()
            kept = json.loads(self._saved)
            self.turn, self.over = Turn(**kept["turn"]), bool(kept["over"])
            self.ended = [Turn(**turn) for turn in kept["ended"]]
            self.taken, self.taken_of = int(kept["taken"]), str(kept["taken_of"])
            self.handled, self.doing = list(kept["handled"]), list(kept["doing"])
        except FileNotFoundError:
            return
        except (ValueError, TypeError, KeyError):  # half written by a power cut: the session goes on from here
            self._saved = ""

    def save(self) -> None:
        """Put the ledger on disk in one step, if it changed."""
        self.handled = self.handled[-_KEPT_IDS:]
        text = self._text()
        if text == self._saved:
            return
        with open(os.open(self._path + ".part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(self._path + ".part", self._path)
        self._saved = text

    def leave(self) -> None:
        """Save what is known, or, when the session is over and all of it is done, remove its files."""
        if not self.over or self.ended or not spool.remove_taken(self._folder, self.id, self.taken_of, self.taken):
            self.save()
            return
        for suffix in (SUFFIX, spool.OWED_SUFFIX):
            _unlink(os.path.join(self._folder, spool.file_name(self.id, suffix)))

    def _text(self) -> str:
        kept: dict[str, Any] = {
            "session": self.id,
            "turn": vars(self.turn),
            "ended": [vars(turn) for turn in self.ended],
            "over": self.over,
        }
        kept |= {"taken": self.taken, "taken_of": self.taken_of, "handled": self.handled, "doing": self.doing}
        return json.dumps(kept, ensure_ascii=False)


@asynccontextmanager
async def session_of(folder: str, session_id: str) -> AsyncIterator[Session]:
    """Hold a session alone, among all processes, and save what the block makes of it."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    number = zlib.crc32(session_id.encode("utf-8", "replace")) % _LOCKS
    fd = os.open(os.path.join(folder, f"lock-{number:02}"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not spool.try_lock(fd):  # noqa: ASYNC110  (another process tells nobody when it lets go)
            await anyio.sleep(_LOCK_POLL_S)
        session = Session(folder, session_id)
        yield session
    finally:
        os.close(fd)


def waiting(folder: str) -> list[str]:
    """Return the ids of the sessions with something to take, to complete or to clear away."""
    ids = []
    for entry in _entries(folder):
        if not entry.name.endswith((spool.SUFFIX, SUFFIX)):
            continue
        try:
            with open(entry.path, "rb") as file:
                ids += _spooled(file) if entry.name.endswith(spool.SUFFIX) else _unfinished(file)
        except FileNotFoundError:  # another process was quicker
            continue
    return list(dict.fromkeys(ids))


def _spooled(file: BinaryIO) -> list[str]:
    first = next((event for line in file if (event := spool.parsed(line))), None)
    return [first["session"]] if first else []


def _unfinished(file: BinaryIO) -> list[str]:
    try:
        kept = json.load(file)
        return [kept["session"]] if kept["ended"] or kept["over"] else []
    except (ValueError, TypeError, KeyError):
        return []


def remove_stale(folder: str, now_s: float) -> None:
    """Remove the files of sessions that never said they ended."""
    for entry in _entries(folder):
        try:
            if entry.name.endswith((SUFFIX, spool.OWED_SUFFIX)) and entry.stat().st_mtime < now_s - KEEP_DAYS * 86_400:
                _unlink(entry.path)
        except FileNotFoundError:  # another process was quicker
            continue


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
