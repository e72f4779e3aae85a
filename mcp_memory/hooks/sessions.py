"""Which sessions have files in the folder of the hooks, and what is to be done about them."""

import json
import os
from collections.abc import Iterator

from mcp_memory.domain.activity import HookedHost, HookState
from mcp_memory.hooks import spool
from mcp_memory.hooks.ledger import HELD_SUFFIX, OVER_SUFFIX, SUFFIX, unlink

KEEP_DAYS = 14  # of a session that never said it ended, and of one that may be resumed


def waiting(folder: str) -> Iterator[str]:
    """Yield the ids of the sessions with something to take, to complete or to clear away. What is not understood is put right or aside."""
    seen = set()
    for entry in _entries(folder):
        try:
            if entry.name.endswith(spool.SUFFIX):
                found = _spooled(folder, entry)
            elif entry.name.endswith(SUFFIX):
                found = _unfinished(entry.path)
            else:
                continue
        except FileNotFoundError:  # another process was quicker
            continue
        if found and found not in seen:
            seen.add(found)
            yield found


def open_sessions(folder: str) -> Iterator[tuple[str, str, float]]:
    """Yield (id, the host's process, when it was last heard of in epoch seconds) of the sessions that did not say they ended."""
    for entry in _entries(folder):
        if not entry.name.endswith(SUFFIX):
            continue
        try:
            with open(entry.path, encoding="utf-8") as file:
                kept = json.load(file)
            if not kept["over"] and (kept["turn"]["prompt"] or kept["ended"] or kept["agents"]):
                yield str(kept["session"]), str(kept.get("process", "")), entry.stat().st_mtime
        except (OSError, ValueError, TypeError, KeyError):
            continue


def state_of(folder: str) -> HookState:
    """Return which hosts' hooks were heard of, by the files of their sessions. Reads every one of them."""
    heard: dict[str, list[tuple[float, bool]]] = {}
    waiting = 0
    for entry in _entries(folder):
        waiting += entry.name.endswith(spool.SUFFIX)
        if not entry.name.endswith((SUFFIX, OVER_SUFFIX)):
            continue
        try:
            with open(entry.path, encoding="utf-8") as file:
                kept = json.load(file)
            at_work = entry.name.endswith(SUFFIX) and not kept["over"]
            heard.setdefault(str(kept["turn"]["host"]), []).append((entry.stat().st_mtime, at_work))
        except (OSError, ValueError, TypeError, KeyError):  # taken away, half written, or of another version
            continue
    hosts = [HookedHost(name, int(max(of)[0] * 1000), len(of), sum(at_work for _, at_work in of)) for name, of in heard.items()]
    return HookState(tuple(sorted(hosts, key=lambda host: -host.last_at_ms)), waiting)


def _spooled(folder: str, entry: os.DirEntry[str]) -> str:
    """Return the session of a spool file. One under an earlier version's name is taken apart: several sessions may have met in it."""
    with open(entry.path, "rb") as file:
        first = next((event for line in file if (event := spool.parsed(line))), None)
    if first is not None and entry.name == spool.file_name(first["session"], spool.SUFFIX):
        return str(first["session"])
    return spool.take_apart(folder, entry.path)


def _unfinished(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)
        return str(kept["session"]) if kept["ended"] or kept["over"] else ""
    except (ValueError, TypeError, KeyError):
        return ""


def remove_stale(folder: str, now_s: float) -> None:
    """Remove the files of sessions that never said they ended."""
    suffixes = (SUFFIX, OVER_SUFFIX, HELD_SUFFIX, spool.OWED_SUFFIX)
    for entry in _entries(folder):
        try:
            if entry.name.endswith(suffixes) and entry.stat().st_mtime < now_s - KEEP_DAYS * 86_400:
                unlink(entry.path)
        except FileNotFoundError:  # another process was quicker
            continue


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
