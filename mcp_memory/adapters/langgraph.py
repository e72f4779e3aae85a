"""LangGraph: `MemoryStore` is a `BaseStore` whose items are episodes: searched by meaning, kept on disk, shared like everything here.

    graph = builder.compile(store=MemoryStore(memory))

A value with a `task` and `steps` or an `outcome` is an attempt, in the words of the interchange file: patterns, advice and pages know it as
they know any other. Every other value is an item to be found again.
"""

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import anyio.to_thread
from langgraph.store.base import BaseStore, GetOp, Item, ListNamespacesOp, Op, PutOp, Result, SearchItem, SearchOp, get_text_at_path
from langgraph.store.memory import InMemoryStore

from mcp_memory.domain import limits, requests
from mcp_memory.domain.clipping import clip
from mcp_memory.errors import InvalidInput, NotFound
from mcp_memory.sync_memory import SyncMemory

AGENT = KEY = "langgraph"
NOTE = "An item that a graph stored."
_ATTEMPT = ("steps", "outcome", "task_type", "started_at_ms", "ended_at_ms")  # of the interchange file


class MemoryStore(BaseStore):
    """Items as LangGraph's own stores keep them; secrets in values are replaced, and a value has at most some 19 kB as JSON.

    `index` names the fields that are searched, False none. There is no expiry. A put waits for its commit. A query looks at the 50 items
    that fit it best.
    """

    __slots__ = ("_lock", "_memory", "_project")

    def __init__(self, memory: SyncMemory, *, project: str = "langgraph") -> None:
        """Take a synchronous memory, which graphs with and without an event loop can use, and the project that items are kept in."""
        self._memory, self._project, self._lock = memory, project, threading.Lock()

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Answer in the order of *ops*; what is read is as before what is put, and of two puts of a key the last counts."""
        asked = list(ops)
        answers = [self._read(op) for op in asked]
        puts = {(op.namespace, op.key): op for op in asked if isinstance(op, PutOp)}
        with self._lock:
            for op in puts.values():
                self._put(op)
        return answers

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """As `batch`, without keeping the event loop waiting."""
        return await anyio.to_thread.run_sync(self.batch, list(ops))

    def _read(self, op: Op) -> Result:
        if isinstance(op, GetOp):
            return next((item for _, item in self._items(self._ids(_tag(op.namespace, op.key)))), None)
        if isinstance(op, SearchOp):
            return self._search(op)
        if isinstance(op, ListNamespacesOp):  # LangGraph's own store says which match, and how they are cut
            return _scratch(item for _, item in self._items(self._ids(KEY))).batch([op])[0]
        return None

    def _search(self, op: SearchOp) -> list[SearchItem]:
        tag = _tag(op.namespace_prefix) if op.namespace_prefix else KEY
        scores = self._alike(op.query, tag) if op.query else {}
        found = list(islice(self._items(scores if op.query else self._ids(tag)), None if op.filter else op.offset + op.limit))
        if op.filter:
            fits = _scratch(item for _, item in found).search((), filter=op.filter, limit=len(found) or 1)
            names = {(item.namespace, item.key) for item in fits}
            found = [(name, item) for name, item in found if (item.namespace, item.key) in names]
        shown = found[op.offset : op.offset + op.limit]
        return [SearchItem(x.namespace, x.key, x.value, x.created_at, x.updated_at, scores.get(name)) for name, x in shown]

    def _alike(self, query: str, tag: str) -> dict[str, float]:
        """Return how alike the items with a tag are that fit a query best, the best first."""
        most = requests.Recall("", limit=limits.MAX_RECALL_LIMIT, budget_tokens=limits.MAX_BUDGET_TOKENS, include=["episodes"], strict=True)
        asked = most.but(query=clip(query, limits.MAX_QUERY_CHARS), project=self._project, tags=[tag])
        return {row.episode_id: row.similarity for row in self._memory.recall(asked).episodes}

    def _put(self, op: PutOp) -> None:
        known = dict(self._items(self._ids(_tag(op.namespace, op.key))))
        if op.value is not None:
            now = datetime.now(UTC).isoformat()
            begun = next((item.created_at.isoformat() for item in known.values()), now)
            kept = {KEY: {"namespace": list(op.namespace), "key": op.key, "value": dict(op.value), "created_at": begun, "updated_at": now}}
            if known and not any(map(_is_attempt, (op.value, *(item.value for item in known.values())))):
                self._memory.update_episode(next(iter(known)), metadata=kept, task=_text(op))
                return
            self._add(op, op.value, kept)
        if known:
            self._memory.forget(episode_ids=list(known), confirm=True, reason="its graph deleted or replaced it")

    def _add(self, op: PutOp, value: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
        tags = [KEY, _tag(op.namespace, op.key), *(_tag(op.namespace[:n]) for n in range(1, len(op.namespace) + 1))]
        line = {"task": _text(op), "agent": AGENT, "project": self._project, "metadata": kept, "context": {"tags": tags}}
        line["outcome"] = {"kind": "partial", "summary": NOTE}
        if _is_attempt(value):
            line |= {name: value[name] for name in _ATTEMPT if name in value}
        report = self._memory.import_lines([json.dumps(line)])
        if report.errors:
            raise InvalidInput(f"the item {op.key!r} of {'.'.join(op.namespace)} cannot be kept: {report.errors[0][1]}")

    def _ids(self, tag: str) -> Iterator[str]:
        """Yield the ids of the items with a tag, the newest first."""
        asked = requests.SearchEpisodes(project=self._project, tags=[tag], sort="newest", limit=limits.MAX_SEARCH_LIMIT)
        while page := self._memory.search_episodes(asked):
            yield from (row.episode_id for row in page.episodes)
            if page.next_cursor is None:
                return
            asked = asked.but(cursor=page.next_cursor)

    def _items(self, ids: Iterable[str]) -> Iterator[tuple[str, Item]]:
        for episode_id in ids:
            try:
                kept: Any = self._memory.get_episode(episode_id).episode.metadata[KEY]
            except NotFound:  # deleted meanwhile
                continue
            yield episode_id, Item(**kept | {"namespace": tuple(kept["namespace"])})


def _scratch(items: Iterable[Item]) -> InMemoryStore:
    """Return LangGraph's own store with these items: its rules for filters and namespaces are the ones that count."""
    store = InMemoryStore()
    store.batch([PutOp(item.namespace, item.key, item.value) for item in items])
    return store


def _tag(namespace: tuple[str, ...], key: str | None = None) -> str:
    """Return the tag of the items at or below a namespace, or of the one item."""
    return f"{KEY}:{hashlib.sha256(json.dumps([*namespace, {'key': key}]).encode()).hexdigest()[:32]}"


def _is_attempt(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("task"), str) and any(name in value for name in ("steps", "outcome"))


def _text(op: PutOp) -> str:
    """Return what an item is found by."""
    value = dict(op.value or {})
    if _is_attempt(value):
        return str(value["task"])
    parts = [f"{name}: {text}" for name in value for text in get_text_at_path(value, name)] if op.index is None else []
    if op.index:
        parts = [text for path in op.index for text in get_text_at_path(value, path)]
    return clip("\n".join(parts) or " ".join((*op.namespace, op.key)), limits.MAX_TASK_CHARS)
