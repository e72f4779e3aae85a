"""A SharedLog on libSQL (Turso Cloud, sqld) over HTTP: the Hrana pipeline, each call one request that is one transaction.

No stream is kept open between requests: an abandoned transaction would hold up every writer for seconds.
"""

import base64
import json
import random
import time
from collections.abc import Collection, Sequence
from typing import Any

import httpx2

from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.domain.shared_facts import WHILE_OPEN, Fact, FactKind
from mcp_memory.errors import McpMemoryError, RemoteRefused, RemoteUnavailable
from mcp_memory.ports import Batch, LogMark, LogPage
from mcp_memory.replication.appending import SCHEMA_VERSION, plan

CONNECT_S, ANSWER_S = 5.0, 15.0
BUSY_S, BUSY_PAUSE_S = 10.0, 0.25  # how long a request is made again that other writers kept out, and the longest pause before that
LEAST_PAGE = 8  # facts; a page whose answer is too large is asked for in halves down to this
PATHS = ("/v3/pipeline", "/v2/pipeline")
_NO_SUCH_PATH = frozenset({404, 405})
_RETRYABLE_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_BUSY_CODE = frozenset({"SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "TRANSACTION_BUSY"})
_RETRYABLE_CODE = frozenset({*_BUSY_CODE, "TRANSACTION_TIMEOUT", "STREAM_EXPIRED"})
_RETRYABLE_WORDS = ("locked", "busy", "within a transaction", "timed out")
_TOO_LARGE = ("RESPONSE_TOO_LARGE", "too large")
_TABLES = (
    "CREATE TABLE IF NOT EXISTS mm_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS mm_fact (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL,"
    " kind TEXT NOT NULL, hlc INTEGER NOT NULL, origin TEXT NOT NULL, body BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS mm_batch (n INTEGER PRIMARY KEY AUTOINCREMENT, origin TEXT NOT NULL, no INTEGER NOT NULL,"
    " last_seq INTEGER NOT NULL, nonce TEXT NOT NULL, UNIQUE (origin, no))",
    f"INSERT INTO mm_meta VALUES ('schema_version', '{SCHEMA_VERSION}'), ('min_reader', '1'),"
    " ('epoch', lower(hex(randomblob(16)))) ON CONFLICT (key) DO NOTHING",
)
_OPEN_KINDS = ", ".join(f"'{kind}'" for kind in sorted(WHILE_OPEN))
_DELETE = f"DELETE FROM mm_fact WHERE id >= ? AND id < ? AND kind != '{FactKind.TOMBSTONE}'"
_CLOSE = f"DELETE FROM mm_fact WHERE id >= ? AND id < ? AND kind IN ({_OPEN_KINDS})"
_ERASE = "DELETE FROM mm_fact WHERE id = ?1 OR (id >= ?1 || '/' AND id < ?1 || '0')"
_ADD_BATCH = (
    "INSERT INTO mm_batch (origin, no, last_seq, nonce) SELECT ?, ?, coalesce(max(seq), 0), lower(hex(randomblob(8))) FROM mm_fact"
    " WHERE true ON CONFLICT DO NOTHING"
)
_LAST_BATCH = "SELECT n, nonce FROM mm_batch ORDER BY n DESC LIMIT 1"
_OWN_BATCH = "SELECT 1 FROM mm_batch WHERE origin = ? AND no = ?"
Statement = tuple[str, Sequence[Any]]


class _TooLarge(RemoteUnavailable):
    """The answer is larger than the server sends."""


class _Busy(RemoteUnavailable):
    """Other writers held the lock until the server gave up; nothing was done."""


class HranaLog:
    """See `ports.SharedLog`."""

    def __init__(self, url: str, token: str = "") -> None:
        """*url* begins with libsql://, https:// or http://; nothing is sent yet."""
        self._url = url.replace("libsql://", "https://", 1).rstrip("/")
        self._path = 0
        headers = {"accept-encoding": "identity", "content-type": "application/json"}  # compressed answers take longer than plain ones
        if token:
            headers["authorization"] = f"Bearer {token}"
        timeout = httpx2.Timeout(ANSWER_S, connect=CONNECT_S)
        limits = httpx2.Limits(max_connections=1, keepalive_expiry=60.0)
        encrypted = self._url.startswith("https:")  # reading the certificates for nothing takes as long as ten requests
        self._http = httpx2.Client(timeout=timeout, headers=headers, limits=limits, verify=encrypted)

    def ensure(self) -> None:
        """Make the tables where they are missing."""
        rows = self._transaction([*((sql, ()) for sql in _TABLES), ("SELECT key, value FROM mm_meta", ())])[-1]
        meta = {row[0]: row[1] for row in rows}
        if int(meta["min_reader"]) > SCHEMA_VERSION:
            raise RemoteRefused(f"the shared log has schema {meta['schema_version']}", hint="Upgrade mcp-episodic-memory.")

    def append(self, batch: Batch) -> bool:
        """Add the facts that are not there; return whether the batch before is there."""
        planned = plan(batch)
        statements: list[Statement] = [(_DELETE, bounds) for bounds in planned.deleted]
        statements += [(_CLOSE, bounds) for bounds in planned.closed]
        statements += [(_ERASE, (id_,)) for id_ in planned.erased]
        for fact, blockers in planned.added:
            absent = f" AND NOT EXISTS (SELECT 1 FROM mm_fact WHERE id IN ({', '.join('?' * len(blockers))}))" if blockers else ""
            sql = f"INSERT INTO mm_fact (id, project, kind, hlc, origin, body) SELECT ?, ?, ?, ?, ?, ? WHERE true{absent}"
            values = (fact.id, fact.project, fact.kind, fact.hlc, fact.origin, fact.body, *blockers)
            statements.append((f"{sql} ON CONFLICT (id) DO NOTHING", values))
        if batch.number is not None:
            statements.append((_ADD_BATCH, (batch.origin, batch.number)))
        found = self._transaction([*statements, (_OWN_BATCH, (batch.origin, batch.follows))])[-1]
        return not batch.follows or bool(found)

    def read(self, mark: LogMark, origin: str, projects: Collection[str], limit: int) -> LogPage:
        """Return facts after the mark; fewer than *limit* only at the end."""
        size = limit
        while True:
            try:
                page = self._read(mark, origin, projects, size)
            except _TooLarge:
                if size <= LEAST_PAGE:
                    raise
                size //= 2
                continue
            break
        if size == limit or len(page.facts) < size:
            return page
        rest = self.read(LogMark(mark.epoch, page.facts[-1].seq, mark.batch, mark.nonce), origin, projects, limit - size)
        return LogPage((*page.facts, *rest.facts), rest.epoch, rest.batch, rest.nonce, rest.nonce_at_mark, rest.own, rest.last_seq)

    def _read(self, mark: LogMark, origin: str, projects: Collection[str], limit: int) -> LogPage:
        wanted = [*projects, ANY_PROJECT] if projects else []
        among = f" AND project IN ({', '.join('?' * len(wanted))})" if wanted else ""
        facts = f"SELECT id, project, kind, hlc, origin, body, seq FROM mm_fact WHERE seq > ?{among} ORDER BY seq LIMIT ?"
        rows, newest, at_mark, own, epoch, last = self._transaction(
            [
                (facts, (mark.seq, *wanted, limit)),
                (_LAST_BATCH, ()),
                ("SELECT nonce FROM mm_batch WHERE n = ?", (mark.batch,)),
                ("SELECT coalesce(max(no), 0) FROM mm_batch WHERE origin = ?", (origin,)),
                ("SELECT value FROM mm_meta WHERE key = 'epoch'", ()),
                ("SELECT coalesce(max(seq), 0) FROM mm_fact", ()),
            ],
            mode="BEGIN",
        )
        n, nonce = newest[0] if newest else (0, "")
        found = tuple(Fact(*row) for row in rows)
        return LogPage(found, epoch[0][0], n, nonce, at_mark[0][0] if at_mark else "", own[0][0], last[0][0])

    def newest_batch(self) -> tuple[int, str]:
        """Return number and nonce of the newest batch."""
        rows = self._transaction([(_LAST_BATCH, ())], mode="BEGIN")[0]
        return (rows[0][0], rows[0][1]) if rows else (0, "")

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def _transaction(self, statements: Sequence[Statement], mode: str = "BEGIN IMMEDIATE") -> list[list[list[Any]]]:
        """Run statements in one transaction, all or none, and return the rows of each; again for a while where others hold the lock."""
        until = time.monotonic() + BUSY_S
        while True:
            try:
                return self._attempt(statements, mode)
            except _Busy:
                if time.monotonic() >= until:
                    raise
            time.sleep(random.uniform(0, BUSY_PAUSE_S))  # they must not come back all at once

    def _attempt(self, statements: Sequence[Statement], mode: str) -> list[list[list[Any]]]:
        count = len(statements)
        steps: list[dict[str, Any]] = [{"stmt": {"sql": mode}}]
        for i, (sql, values) in enumerate(statements):
            steps.append({"condition": {"type": "ok", "step": i}, "stmt": {"sql": sql, "args": [_argument(value) for value in values]}})
        steps.append({"condition": {"type": "ok", "step": count}, "stmt": {"sql": "COMMIT"}})
        steps.append({"condition": {"type": "not", "cond": {"type": "ok", "step": count + 1}}, "stmt": {"sql": "ROLLBACK"}})
        answer = self._post({"requests": [{"type": "batch", "batch": {"steps": steps}}, {"type": "close"}]})
        try:
            first = answer["results"][0]
            if first["type"] != "ok":
                raise _error(first["error"])
            result = first["response"]["result"]
            for error in filter(None, result["step_errors"]):
                raise _error(error)
            done = result["step_results"]
            if len(done) != count + 3 or done[count + 1] is None:
                raise RemoteUnavailable("the shared log did not commit")
            return [[[_value(cell) for cell in row] for row in step["rows"]] for step in done[1 : count + 1]]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise RemoteUnavailable(f"the shared log's answer is not understood ({type(error).__name__})") from error

    def _post(self, body: dict[str, Any]) -> Any:
        try:
            answer = self._http.post(self._url + PATHS[self._path], content=json.dumps(body))
            if answer.status_code in _NO_SUCH_PATH and self._path + 1 < len(PATHS):
                self._path += 1
                return self._post(body)
            if answer.status_code != 200:
                raise _refusal(answer.status_code, answer.text[:200])
            return answer.json()
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, RuntimeError) as error:  # RuntimeError: the client was closed
            if isinstance(error, McpMemoryError):
                raise
            raise RemoteUnavailable(f"the shared log does not answer ({type(error).__name__})") from error


def _refusal(status: int, text: str) -> McpMemoryError:
    said = f"the shared log answered {status}: {text}"
    if any(word in text for word in _TOO_LARGE):
        return _TooLarge(said)
    return RemoteUnavailable(said) if status in _RETRYABLE_STATUS else RemoteRefused(said)


def _error(error: dict[str, Any]) -> McpMemoryError:
    code, text = str(error.get("code")), str(error.get("message"))[:300]
    said = f"the shared log answered {code}: {text}"
    if code in _TOO_LARGE or any(word in text for word in _TOO_LARGE):
        return _TooLarge(said)
    if code in _BUSY_CODE:
        return _Busy(said)
    if code in _RETRYABLE_CODE or any(word in text.lower() for word in _RETRYABLE_WORDS):
        return RemoteUnavailable(said)
    return RemoteRefused(said)


def _argument(value: object) -> dict[str, Any]:
    if isinstance(value, int):
        return {"type": "integer", "value": str(value)}
    if isinstance(value, str):
        return {"type": "text", "value": value}
    assert isinstance(value, bytes)
    return {"type": "blob", "base64": base64.b64encode(value).decode("ascii")}


def _value(cell: dict[str, Any]) -> Any:
    if cell["type"] == "integer":
        return int(cell["value"])
    if cell["type"] == "blob":
        return base64.b64decode(cell["base64"] + "=" * (-len(cell["base64"]) % 4))  # sqld leaves the padding out
    return cell["value"]
