"""The rows of the outbox are numbered once each, whatever was cleared: a log's acknowledgement is a row number."""

import time
from pathlib import Path

import pytest

from mcp_memory.config import StorageConfig
from mcp_memory.domain.episode import Episode
from mcp_memory.metrics import Metrics
from mcp_memory.storage.connection import open_writer
from mcp_memory.storage.migrations import migrate, shipped
from mcp_memory.storage.sqlite_store import SqliteStore

pytestmark = pytest.mark.anyio
ONE, OTHER = "http://one.invalid", "http://other.invalid"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def opened(folder: Path) -> SqliteStore:
    return await SqliteStore.open(folder, StorageConfig(), Metrics(), now_ms)


async def told(store: SqliteStore, id_: str) -> None:
    await store.start_episode(Episode(id_, "p", f"task {id_}", started_at_ms=now_ms()))


async def test_what_comes_after_everything_was_acknowledged_has_a_row_of_its_own(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await store.share_with([ONE])
    await told(store, "e1")
    await store.acknowledge(ONE, store.outgoing(ONE, (), 10).up_to, told=True)
    before = store.newest_outgoing()
    assert not store.has_outgoing(ONE)
    await told(store, "e2")
    out = store.outgoing(ONE, (), 10)
    assert (out.rows, [fact.id for fact in out.facts], store.remote_state(ONE).pending) == (1, ["e2/open"], 1)
    assert out.up_to > before
    await store.aclose()


async def test_a_log_that_went_back_is_told_everything_also_where_another_log_heard_more(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await store.share_with([ONE, OTHER])
    for n in range(5):
        await told(store, f"e{n}")
    for url in (ONE, OTHER):
        await store.acknowledge(url, store.outgoing(url, (), 100).up_to, told=True)
    for _ in range(2):
        await store.read_again(ONE, "", went_back=True)
        assert {fact.id for fact in store.outgoing(ONE, (), 100).facts} == {f"e{n}/open" for n in range(5)}
    assert not store.has_outgoing(OTHER)
    await store.aclose()


async def test_a_memory_of_before_goes_on_after_the_last_row_it_ever_had(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / "memory.db", synchronous="OFF", busy_timeout_ms=100, deadline_ms=5_000)
    before = [migration for migration in shipped() if migration.version < 7]
    migrate(connection, now_ms, 5_000, before)
    connection.execute("INSERT INTO remote (url, acknowledged, sum) VALUES (?, 41, 0)", (ONE,))
    columns = "url, epoch, read_seq, batch, nonce, acknowledged, own_batch, resyncs, in_step_at_ms, last_error"
    connection.execute(f"UPDATE remote SET sum = row_sum({columns})")
    connection.execute("INSERT INTO outbox (outbox_row, remote_row, fact_id, sum) VALUES (41, 0, 'e/open', row_sum(0, 'e/open'))")
    connection.execute("DELETE FROM outbox")
    connection.close()
    store = await opened(tmp_path)
    assert (store.newest_outgoing(), store.has_outgoing(ONE)) == (41, False)
    await told(store, "e1")
    assert [fact.id for fact in store.outgoing(ONE, (), 10).facts] == ["e1/open"]
    await store.aclose()
