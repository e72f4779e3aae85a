"""What every SharedLog promises: the one in memory, libSQL's on a real sqld, PostgreSQL's on a real server."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TypeVar

import pytest

from mcp_memory.domain.shared_facts import Fact, FactKind, fact_id
from mcp_memory.errors import RemoteRefused, RemoteUnavailable
from mcp_memory.ports import Batch, LogMark, LogPage, SharedLog
from mcp_memory.replication.sealed_log import SealedLog
from mcp_memory.replication.team_key import TeamKeys, new_key
from mcp_memory.testing import InMemoryLog
from tests.integration.torture_machine import log_of
from tests.log_servers import Postgres, Server, started

KINDS = ("memory", "sealed", "sqld", "postgres")
START = LogMark()
KEYS = TeamKeys(new_key())
Open = Callable[[], SharedLog]
T = TypeVar("T")


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server | None]:
    made = None if request.param in ("memory", "sealed") else started(request.param)
    yield made
    if made is not None:
        made.stop()


@pytest.fixture
def opened(server: Server | None, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens the log that is empty when the test begins, as often as it is called."""
    in_memory, made = InMemoryLog(), list[SharedLog]()
    if server is not None:
        emptied(server)

    def open_log() -> SharedLog:
        log = in_memory if server is None else log_of(server.url)
        if request.node.callspec.params["server"] == "sealed":
            log = SealedLog(log, KEYS)
        made.append(log)
        log.ensure()
        return log

    yield open_log
    for log in made:
        log.close()


def emptied(server: Server) -> None:
    tables = ("mm_fact", "mm_batch", "mm_meta")
    if isinstance(server, Postgres):
        import psycopg

        with psycopg.connect(server.url) as connection:
            for table in tables:
                connection.execute(f"DROP TABLE IF EXISTS {table}")
        return
    from mcp_memory.replication.hrana_log import HranaLog

    log = HranaLog(server.url)
    log._transaction([(f"DROP TABLE IF EXISTS {table}", ()) for table in tables])
    log.close()


@pytest.fixture
def log(opened: Open) -> SharedLog:
    return opened()


def fact(kind: FactKind, owner: str, *rest: object, body: bytes = b"\x01body", project: str = "p", others: tuple[str, ...] = ()) -> Fact:
    return Fact(fact_id(kind, owner, *rest), project, kind, 7, "A", body, others=others)


def step(owner: str, index: int, **fields: object) -> Fact:
    return fact(FactKind.STEP, owner, index, **fields)  # type: ignore[arg-type]


def read(log: SharedLog, mark: LogMark = START, limit: int = 500, projects: tuple[str, ...] = ()) -> LogPage:
    return log.read(mark, "A", projects, limit)


def ids(log: SharedLog) -> list[str]:
    return [found.id for found in read(log).facts]


def test_facts_come_back_as_they_were_in_the_order_of_their_places(log: SharedLog) -> None:
    sent = [step("e1", 0, body=bytes(range(256))), fact(FactKind.EDIT, "é/1", "stamp"), step("e1", 1, body=b"\x01" + b"x" * 100_000)]
    assert log.append(Batch("A", 3, tuple(sent)))
    page = read(log)
    assert [(f.id, f.project, f.kind, f.hlc, f.origin, f.body) for f in page.facts] == [
        (f.id, f.project, f.kind, f.hlc, f.origin, f.body) for f in sent
    ]
    places = [f.seq for f in page.facts]
    assert places == sorted(set(places))
    assert (page.batch, page.own, page.last_seq) == (1, 3, places[-1])
    assert page.epoch
    assert page.nonce
    assert read(log, LogMark(seq=places[0])).facts == page.facts[1:]


def test_a_batch_that_comes_again_changes_nothing(log: SharedLog) -> None:
    batch = Batch("A", 1, (step("e1", 0), step("e1", 1)))
    assert log.append(batch)
    before = read(log)
    assert log.append(batch)
    assert read(log) == before


def test_the_first_fact_of_an_id_stays(log: SharedLog) -> None:
    log.append(Batch("A", 1, (step("e1", 0, body=b"\x01first"),)))
    log.append(Batch("B", 1, (step("e1", 0, body=b"\x01second"), step("e1", 1))))
    assert [f.body for f in read(log).facts] == [b"\x01first", b"\x01body"]


def test_a_tombstone_deletes_what_there_is_and_keeps_out_what_comes_late(log: SharedLog) -> None:
    log.append(Batch("A", 1, (step("e1", 0), step("e10", 0), fact(FactKind.EPISODE, "e2"))))
    log.append(Batch("A", 2, (fact(FactKind.TOMBSTONE, "e1"),)))
    late = (step("e1", 1), fact(FactKind.LINK, "e2", "l", others=("e1",)), step("e3", 0))
    log.append(Batch("B", 1, late))
    assert ids(log) == ["e10/step/0", "e2/episode", "e1/tombstone", "e3/step/0"]


def test_facts_and_their_tombstone_may_come_in_one_batch(log: SharedLog) -> None:
    log.append(Batch("A", 1, (step("e1", 0), fact(FactKind.TOMBSTONE, "e1"), step("e1", 1))))
    assert ids(log) == ["e1/tombstone"]


def test_a_fact_that_has_no_place_beside_another_is_left_out_from_then_on(log: SharedLog) -> None:
    before, after = step("e1", 0), step("e1", 1)
    claim = fact_id(FactKind.CLAIM, "e1", 1)
    log.append(Batch("A", 1, (replace(before, unless=(claim,)),)))
    log.append(Batch("B", 1, (fact(FactKind.CLAIM, "e1", 1),)))
    log.append(Batch("A", 2, (replace(after, unless=(claim,)), step("e2", 0))))
    log.append(Batch("B", 2, (replace(after, unless=(fact_id(FactKind.CLAIM, "e1", 2),)),)))
    assert ids(log) == ["e1/step/0", claim, "e2/step/0", "e1/step/1"]


def test_a_completed_episode_takes_the_place_of_its_steps(log: SharedLog) -> None:
    log.append(Batch("A", 1, (fact(FactKind.OPEN, "e1"), step("e1", 0), fact(FactKind.EDIT, "e1", "s"))))
    log.append(Batch("A", 2, (fact(FactKind.EPISODE, "e1"),)))
    log.append(Batch("A", 1, (fact(FactKind.OPEN, "e1"), step("e1", 0))))  # delivered late
    assert ids(log) == ["e1/edit/s", "e1/episode"]


def test_what_is_erased_goes_with_what_goes_on_from_its_id(log: SharedLog) -> None:
    facts = (fact(FactKind.LINK, "e1", "l1", "s1"), fact(FactKind.LINK, "e1", "l1", "s2"), fact(FactKind.LINK, "e1", "l10", "s"))
    log.append(Batch("A", 1, facts))
    log.append(Batch("A", 2, (), erased=("e1/link/l1",)))
    assert ids(log) == ["e1/link/l10/s"]


def test_only_the_projects_that_are_asked_for_come_and_those_of_all(log: SharedLog) -> None:
    log.append(Batch("A", 1, (step("e1", 0, project="p"), step("e2", 0, project="q"), step("e3", 0, project="*"))))
    page = read(log, projects=("q",))
    assert [f.id for f in page.facts] == ["e2/step/0", "e3/step/0"]
    assert page.last_seq == read(log).facts[-1].seq


def test_pages_end_where_they_are_told_to(log: SharedLog) -> None:
    log.append(Batch("A", 1, tuple(step("e1", i) for i in range(25))))
    seen, mark = [], START
    while (page := read(log, mark, limit=10)).facts:
        seen += [f.id for f in page.facts]
        mark = LogMark(seq=page.facts[-1].seq)
    assert seen == [f"e1/step/{i}" for i in range(25)]


def test_more_than_one_answer_may_hold_comes_all_the_same(log: SharedLog) -> None:
    for i in range(16):
        log.append(Batch("A", i + 1, (step("e1", i, body=b"\x01" + bytes([i]) * 1_000_000),)))
    assert [f.body[1] for f in read(log).facts] == list(range(16))


def test_a_batch_of_several_requests_is_heard_of_with_its_last(log: SharedLog) -> None:
    log.append(Batch("A", None, (step("e1", 0),)))
    assert log.newest_batch() == (0, "")
    log.append(Batch("A", 1, (step("e1", 1),)))
    assert log.newest_batch() == (1, read(log).nonce)


def test_what_a_reader_saw_is_told_by_the_nonce_of_its_batch(log: SharedLog) -> None:
    log.append(Batch("A", 1, (step("e1", 0),)))
    first = read(log)
    log.append(Batch("B", 1, (step("e2", 0),)))
    page = read(log, LogMark(first.epoch, first.last_seq, first.batch, first.nonce))
    assert page.nonce_at_mark == first.nonce
    assert page.nonce != first.nonce
    assert read(log, LogMark(batch=9)).nonce_at_mark == ""


def test_a_writer_hears_that_the_log_lost_its_batch_before(log: SharedLog) -> None:
    log.append(Batch("A", 5, (step("e1", 0),)))
    assert log.append(Batch("A", 7, (step("e1", 1),), follows=5))
    assert not log.append(Batch("A", 9, (step("e1", 2),), follows=8))
    assert not log.append(Batch("B", 1, (step("e2", 0),), follows=7))
    assert ids(log) == ["e1/step/0", "e1/step/1", "e1/step/2", "e2/step/0"]


def test_many_writers_at_once_lose_nothing_and_no_reader_misses_a_place(opened: Open, server: Server | None) -> None:
    writers, batches = 8, 10
    done = threading.Event()
    seen: list[str] = []

    def write(name: str) -> None:
        log = opened()
        for n in range(1, batches + 1):
            batch = Batch(name, n, (step(name, n), fact(FactKind.EDIT, name, n)))
            until_taken(partial(log.append, batch))

    def follow() -> None:
        log, mark = opened(), START
        while True:
            last = done.is_set()
            page = until_taken(partial(read, log, mark))
            seen.extend(f.id for f in page.facts)
            mark = LogMark(seq=page.facts[-1].seq) if page.facts else mark
            if last and not page.facts:
                return

    with ThreadPoolExecutor(writers + 1) as threads:
        following = threads.submit(follow)
        try:
            for writing in [threads.submit(write, f"w{i}") for i in range(writers)]:
                writing.result()
        finally:
            done.set()
        following.result()
    assert len(seen) == len(set(seen)) == 2 * writers * batches


def until_taken(call: Callable[[], T]) -> T:
    """Return what *call* returns; a server that is busy is asked again, as the replicator does."""
    while True:
        try:
            return call()
        except RemoteUnavailable:
            continue


def test_a_log_of_a_later_version_is_refused(log: SharedLog, server: Server | None) -> None:
    if server is None:
        pytest.skip("the log in memory has no versions")
    if isinstance(server, Postgres):
        import psycopg

        with psycopg.connect(server.url) as connection:
            connection.execute("UPDATE mm_meta SET value = '99' WHERE key = 'min_reader'")
    else:
        from mcp_memory.replication.hrana_log import HranaLog

        assert isinstance(log, HranaLog)
        log._transaction([("UPDATE mm_meta SET value = '99' WHERE key = 'min_reader'", ())])
    with pytest.raises(RemoteRefused, match="schema"):
        log.ensure()


def test_a_server_that_is_not_there_is_unavailable(server: Server | None) -> None:
    if server is None:
        pytest.skip("the log in memory has no server")
    gone = type(server).__new__(type(server))
    gone.port = 9
    log = log_of(gone.url)
    with pytest.raises(RemoteUnavailable):
        log.newest_batch()
    log.close()
