"""Group commit: shared transactions, separate answers."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_memory.errors import InternalError, InvalidInput, Overloaded, StoreUnavailable
from mcp_memory.metrics import Metrics
from mcp_memory.storage.connection import Connection, open_writer
from mcp_memory.storage.write_batcher import WriteBatcher

pytestmark = pytest.mark.anyio
Make = Callable[..., WriteBatcher]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    opened = open_writer(tmp_path / "memory.db", synchronous="OFF", busy_timeout_ms=10, deadline_ms=1_000)
    opened.execute("CREATE TABLE t (value)")
    yield opened
    opened.close()


@pytest.fixture
def make(connection: Connection) -> Make:
    def made(**settings: Any) -> WriteBatcher:
        defaults: dict[str, Any] = {
            "max_queue_size": 100,
            "max_batch_size": 50,
            "busy_deadline_ms": 200,
            "metrics": Metrics(),
            "before_answer": lambda: None,
            "after_batch": lambda _: False,
        }
        return WriteBatcher(connection, **(defaults | settings))

    return made


def insert(value: Any) -> Callable[[Connection], int]:
    def write(connection: Connection) -> int:
        connection.execute("INSERT INTO t VALUES (?)", (value,))
        return int(connection.execute("SELECT count(*) FROM t").fetchone()[0])

    return write


def fail(connection: Connection) -> None:
    connection.execute("INSERT INTO t VALUES ('spoiled')")
    raise InvalidInput("not this one")


def values(connection: Connection) -> list[Any]:
    return [row[0] for row in connection.execute("SELECT value FROM t ORDER BY rowid")]


class Gate:
    """A write that holds the writer's thread until it is opened, so that the next ones share a transaction."""

    def __init__(self) -> None:
        self.entered, self._opened = threading.Event(), threading.Event()

    def __call__(self, connection: Connection) -> None:
        self.entered.set()
        assert self._opened.wait(5)

    async def wait_entered(self) -> None:
        assert await asyncio.to_thread(self.entered.wait, 5)

    def open(self) -> None:
        self._opened.set()


async def held(batcher: WriteBatcher, writes: list[Callable[[Connection], Any]]) -> tuple[Gate, list["asyncio.Task[Any]"]]:
    """Queue *writes* behind a gate; they form one batch when it opens."""
    gate = Gate()
    first = asyncio.create_task(batcher.run(gate))
    await gate.wait_entered()
    tasks = [asyncio.create_task(batcher.run(write)) for write in writes]
    await anyio.wait_all_tasks_blocked()
    return gate, [first, *tasks]


async def test_each_caller_gets_its_own_answer_after_the_commit(make: Make, connection: Connection) -> None:
    batcher = make()
    assert await batcher.run(insert("a")) == 1
    assert await asyncio.gather(*(batcher.run(insert(i)) for i in range(20))) == list(range(2, 22))
    await batcher.aclose()
    assert values(connection) == ["a", *range(20)]


async def test_what_waits_while_a_batch_commits_is_the_next_batch(make: Make) -> None:
    metrics = Metrics()
    batcher = make(metrics=metrics)
    gate, tasks = await held(batcher, [insert(i) for i in range(30)])
    assert batcher.depth == 30
    gate.open()
    await asyncio.gather(*tasks)
    await batcher.aclose()
    assert metrics.counters()["commits"] == 2
    assert metrics.counters()["writes"] == 31


async def test_a_failing_write_does_not_fail_its_neighbours(make: Make, connection: Connection) -> None:
    batcher = make()
    gate, tasks = await held(batcher, [insert("a"), fail, insert("b")])
    gate.open()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    await batcher.aclose()
    assert isinstance(answers[2], InvalidInput)
    assert (answers[1], answers[3]) == (1, 2)
    assert values(connection) == ["a", "b"]


async def test_a_lone_failing_write_leaves_nothing(make: Make, connection: Connection) -> None:
    batcher = make()
    with pytest.raises(InvalidInput):
        await batcher.run(fail)
    assert await batcher.run(insert("a")) == 1
    await batcher.aclose()
    assert values(connection) == ["a"]


async def test_a_transaction_lost_to_a_full_disk_spares_the_writes_that_fit(make: Make, connection: Connection) -> None:
    batcher = make()
    await batcher.run(insert("before"))
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")  # a disk with two free pages
    gate, tasks = await held(batcher, [insert("a"), insert("x" * 100_000), insert("b")])
    gate.open()
    _, first, huge, last = await asyncio.gather(*tasks, return_exceptions=True)
    await batcher.aclose()
    assert isinstance(huge, StoreUnavailable)
    assert "disk is full" in huge.message
    assert (first, last) == (2, 3)
    assert values(connection) == ["before", "a", "b"]


async def test_a_full_queue_refuses_and_writes_nothing(make: Make, connection: Connection) -> None:
    batcher = make(max_queue_size=2)
    gate, tasks = await held(batcher, [insert("a"), insert("b")])
    with pytest.raises(Overloaded):
        await batcher.run(insert("one too many"))
    gate.open()
    await asyncio.gather(*tasks)
    await batcher.aclose()
    assert values(connection) == ["a", "b"]


async def test_a_batch_is_bounded(make: Make) -> None:
    metrics = Metrics()
    batcher = make(max_batch_size=10, metrics=metrics)
    gate, tasks = await held(batcher, [insert(i) for i in range(25)])
    gate.open()
    await asyncio.gather(*tasks)
    await batcher.aclose()
    assert metrics.counters()["commits"] == 1 + 3


async def test_an_accepted_write_happens_though_its_caller_went_away(make: Make, connection: Connection) -> None:
    batcher = make()
    gate, tasks = await held(batcher, [insert("accepted"), insert("neighbour")])
    tasks[1].cancel()
    gate.open()
    assert await tasks[2] == 2
    await batcher.aclose()
    assert tasks[1].cancelled()
    assert values(connection) == ["accepted", "neighbour"]


async def test_closing_writes_what_is_queued_and_refuses_what_comes_after(make: Make, connection: Connection) -> None:
    batcher = make()
    gate, tasks = await held(batcher, [insert("queued")])
    closing = asyncio.create_task(batcher.aclose())
    await anyio.wait_all_tasks_blocked()
    with pytest.raises(StoreUnavailable):
        await batcher.run(insert("late"))
    gate.open()
    await closing
    await asyncio.gather(*tasks)
    await batcher.aclose()
    assert values(connection) == ["queued"]


async def test_a_lock_held_for_a_while_is_waited_for_off_the_event_loop(make: Make, connection: Connection, tmp_path: Path) -> None:
    batcher = make(busy_deadline_ms=5_000)
    other = sqlite3.connect(tmp_path / "memory.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    write = asyncio.create_task(batcher.run(insert("a")))
    for _ in range(50):  # the loop turns while the writer waits
        await asyncio.sleep(0)
    assert not write.done()
    other.execute("COMMIT")
    other.close()
    assert await write == 1
    await batcher.aclose()


async def test_a_lock_held_beyond_the_deadline_is_said_to_be_retryable(make: Make, tmp_path: Path) -> None:
    batcher = make(busy_deadline_ms=50)
    other = sqlite3.connect(tmp_path / "memory.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable) as raised:
        await batcher.run(insert("a"))
    assert raised.value.retryable
    other.close()
    assert await batcher.run(insert("a")) == 1
    await batcher.aclose()


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (lambda _: 1 / 0, ZeroDivisionError),
        (lambda c: c.execute("INSERT INTO t VALUES (?)", (object(),)), sqlite3.Error),
        (lambda c: c.execute("INSERT INTO nowhere VALUES (1)"), sqlite3.OperationalError),
    ],
)
async def test_a_programming_error_in_a_write_is_said_to_be_ours_and_logged_with_its_traceback(
    make: Make, connection: Connection, caplog: pytest.LogCaptureFixture, wrong: Callable[[Connection], Any], kind: type[Exception]
) -> None:
    batcher = make()
    results = await asyncio.gather(batcher.run(insert("a")), batcher.run(wrong), return_exceptions=True)
    good: int | BaseException = results[0]
    bad: BaseException = results[1]
    assert good == 1
    assert isinstance(bad, InternalError)
    assert (bad.code, bad.retryable) == ("internal_error", False)
    assert isinstance(bad.__cause__, kind)
    logged = [r for r in caplog.records if r.exc_info and r.exc_info[1] is bad.__cause__]
    assert len(logged) == 1
    assert logged[0].levelname == "ERROR"
    await batcher.aclose()


def test_a_loop_that_ended_before_the_answer_is_no_harm(make: Make, connection: Connection) -> None:
    batcher = make()
    gate = Gate()

    async def leave() -> None:
        task = asyncio.create_task(batcher.run(gate))
        await gate.wait_entered()
        task.cancel()

    asyncio.run(leave())
    gate.open()

    async def come_back() -> int:
        return await batcher.run(insert("another loop"))

    assert asyncio.run(come_back()) == 1
    asyncio.run(batcher.aclose())


async def test_upkeep_goes_on_between_batches_until_it_is_done(make: Make, connection: Connection) -> None:
    done, left = asyncio.Event(), [5]
    loop = asyncio.get_running_loop()

    def upkeep(_: Connection) -> bool:
        left[0] -= 1
        if left[0] == 0:
            loop.call_soon_threadsafe(done.set)
        return left[0] > 0

    batcher = make(after_batch=upkeep)
    assert await batcher.run(insert("a")) == 1
    with anyio.fail_after(5):
        await done.wait()
    assert await batcher.run(insert("b")) == 2
    await batcher.aclose()
