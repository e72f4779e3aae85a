"""A SharedLog on PostgreSQL (psycopg 3, the extra `postgres`). One connection, kept; a call is one transaction in one or two round trips.

Writers take one advisory lock before their first insert: places are given out before the commit, and a reader would miss the slow one.
"""

from collections.abc import Callable, Collection
from contextlib import nullcontext
from typing import Any, TypeAlias, TypeVar

import psycopg
from psycopg import sql

from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.domain.shared_facts import WHILE_OPEN, Fact
from mcp_memory.errors import RemoteRefused, RemoteUnavailable
from mcp_memory.ports import Batch, LogMark, LogPage
from mcp_memory.replication.appending import SCHEMA_VERSION, Plan, plan

CONNECT_S = 5
STATEMENT_MS, LOCK_MS = 15_000, 10_000
_TAKE_LOCK = "SELECT pg_advisory_xact_lock(%s)"
LOCK = 0x4D454D31  # the advisory lock of our writers
_TABLES = (
    "CREATE TABLE IF NOT EXISTS mm_meta (key text PRIMARY KEY, value text NOT NULL)",
    # Ids are compared byte by byte, for a range of them is what was told of one episode.
    'CREATE TABLE IF NOT EXISTS mm_fact (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text COLLATE "C" NOT NULL UNIQUE,'
    " project text NOT NULL, kind text NOT NULL, hlc bigint NOT NULL, origin text NOT NULL, body bytea NOT NULL)",
    "CREATE TABLE IF NOT EXISTS mm_batch (n bigint PRIMARY KEY, origin text NOT NULL, no bigint NOT NULL,"
    " last_seq bigint NOT NULL, nonce text NOT NULL, UNIQUE (origin, no))",
    f"INSERT INTO mm_meta VALUES ('schema_version', '{SCHEMA_VERSION}'), ('min_reader', '1'), ('epoch', gen_random_uuid()::text)"
    " ON CONFLICT (key) DO NOTHING",
)
_DELETE = "DELETE FROM mm_fact WHERE id >= %s AND id < %s AND kind <> 'tombstone'"
_CLOSE = "DELETE FROM mm_fact WHERE id >= %s AND id < %s AND kind = ANY(%s)"
_ERASE = "DELETE FROM mm_fact WHERE id = %s OR (id >= %s AND id < %s)"
_BLOCKING = "SELECT id FROM mm_fact WHERE id = ANY(%s)"
_ADD = (
    "INSERT INTO mm_fact (id, project, kind, hlc, origin, body) SELECT id, project, kind, hlc, origin, body"
    " FROM unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::text[], %b::bytea[])"
    " WITH ORDINALITY AS told (id, project, kind, hlc, origin, body, place) ORDER BY place ON CONFLICT (id) DO NOTHING"
)
_ADD_BATCH = (
    "INSERT INTO mm_batch (n, origin, no, last_seq, nonce) SELECT (SELECT coalesce(max(n), 0) + 1 FROM mm_batch), %s, %s,"
    " coalesce(max(seq), 0), gen_random_uuid()::text FROM mm_fact ON CONFLICT DO NOTHING"
)
_OWN_BATCH = "SELECT 1 FROM mm_batch WHERE origin = %s AND no = %s"
_LAST_BATCH = "SELECT n, nonce FROM mm_batch ORDER BY n DESC LIMIT 1"
_FACTS = (
    "SELECT id, project, kind, hlc, origin, body, seq FROM mm_fact"
    " WHERE seq > %s AND (%s::text[] IS NULL OR project = ANY(%s)) ORDER BY seq LIMIT %s"
)
_ABOUT = (
    "SELECT coalesce((SELECT nonce FROM mm_batch WHERE n = %s), ''),"
    " (SELECT coalesce(max(no), 0) FROM mm_batch WHERE origin = %s),"
    " coalesce((SELECT value FROM mm_meta WHERE key = 'epoch'), ''),"
    " (SELECT coalesce(max(seq), 0) FROM mm_fact)"
)
T = TypeVar("T")
Connection: TypeAlias = Any  # psycopg's: an extra, which type checkers may not have


class PostgresLog:
    """See `ports.SharedLog`."""

    def __init__(self, url: str, password: str = "") -> None:
        """*url* begins with postgresql:// or postgres://; nothing is sent yet."""
        self._url, self._password = url, password
        self._connection: Connection | None = None

    def ensure(self) -> None:
        """Make the tables where they are missing."""

        def work(connection: Connection) -> Callable[[], dict[str, str]]:
            connection.execute(_TAKE_LOCK, (LOCK,))
            for statement in _TABLES:
                connection.execute(sql.SQL(statement))
            found = connection.execute("SELECT key, value FROM mm_meta")
            return lambda: dict(found.fetchall())

        meta = self._run(work)
        if int(meta["min_reader"]) > SCHEMA_VERSION:
            raise RemoteRefused(f"the shared log has schema {meta['schema_version']}", hint="Upgrade mcp-episodic-memory.")

    def append(self, batch: Batch) -> bool:
        """Add the facts that are not there; return whether the batch before is there."""
        planned = plan(batch)

        def work(connection: Connection) -> Callable[[], bool]:
            connection.execute(_TAKE_LOCK, (LOCK,))
            _add(connection, planned)
            if batch.number is not None:
                connection.execute(_ADD_BATCH, (batch.origin, batch.number))
            found = connection.execute(_OWN_BATCH, (batch.origin, batch.follows))
            return lambda: not batch.follows or found.fetchone() is not None

        return self._run(work)

    def read(self, mark: LogMark, origin: str, projects: Collection[str], limit: int) -> LogPage:
        """Return facts after the mark; fewer than *limit* only at the end."""
        wanted = [*projects, ANY_PROJECT] if projects else None

        def work(connection: Connection) -> Callable[[], LogPage]:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            rows = connection.execute(_FACTS, (mark.seq, wanted, wanted, limit), binary=True)
            newest = connection.execute(_LAST_BATCH)
            about = connection.execute(_ABOUT, (mark.batch, origin))

            def page() -> LogPage:
                at_mark, own, epoch, last = about.fetchone()
                n, nonce = newest.fetchone() or (0, "")
                return LogPage(tuple(Fact(*row) for row in rows), epoch, n, nonce, at_mark, own, last)

            return page

        return self._run(work)

    def newest_batch(self) -> tuple[int, str]:
        """Return number and nonce of the newest batch."""

        def work(connection: Connection) -> Callable[[], tuple[int, str]]:
            found = connection.execute(_LAST_BATCH)
            return lambda: found.fetchone() or (0, "")

        return self._run(work)

    def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _run(self, work: Callable[[Connection], Callable[[], T]]) -> T:
        """Run *work* in one transaction, then what it returned; after a failure of the connection the next call makes a new one.

        Statements go out together; reading a result before the end costs a round trip.
        """
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            with self._connection.pipeline() if psycopg.Pipeline.is_supported() else nullcontext(), self._connection.transaction():
                answer = work(self._connection)
            return answer()
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidAuthorizationSpecification, psycopg.ProgrammingError) as error:
            self.close()
            raise RemoteRefused(f"PostgreSQL refuses: {_said(error)}") from error
        except psycopg.OperationalError as error:
            self.close()
            said = _said(error)
            if "authentication failed" in said or "does not exist" in said or "no password supplied" in said:
                raise RemoteRefused(f"PostgreSQL refuses: {said}") from error
            raise RemoteUnavailable(f"PostgreSQL does not answer: {said}") from error
        except psycopg.Error as error:
            self.close()
            raise RemoteUnavailable(f"PostgreSQL answered: {_said(error)}") from error

    def _connect(self) -> Connection:
        options = f"-c statement_timeout={STATEMENT_MS} -c idle_in_transaction_session_timeout={STATEMENT_MS} -c lock_timeout={LOCK_MS}"
        given: dict[str, Any] = {"password": self._password} if self._password else {}
        return psycopg.connect(
            self._url, autocommit=True, connect_timeout=CONNECT_S, options=options, tcp_user_timeout=STATEMENT_MS, **given
        )


def _add(connection: Connection, planned: Plan) -> None:
    for bounds in planned.deleted:
        connection.execute(_DELETE, bounds)
    for low, high in planned.closed:
        connection.execute(_CLOSE, (low, high, sorted(WHILE_OPEN)))
    for id_ in planned.erased:
        connection.execute(_ERASE, (id_, id_ + "/", id_ + "0"))
    asked = sorted({blocker for _, blockers in planned.added for blocker in blockers})
    there = {row[0] for row in connection.execute(_BLOCKING, (asked,))} if asked else set()
    added = [(f.id, f.project, f.kind, f.hlc, f.origin, f.body) for f, blockers in planned.added if not there.intersection(blockers)]
    if added:
        connection.execute(_ADD, [list(column) for column in zip(*added, strict=True)])


def _said(error: psycopg.Error) -> str:
    return str(error).strip().replace("\n", " ")[:200]
