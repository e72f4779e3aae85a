"""Tries on the user's own server what a shared log rests on, and leaves nothing behind but the numbers of a few batches."""

import time
from collections.abc import Callable

from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.domain.shared_facts import Fact, FactKind, fact_id
from mcp_memory.errors import McpMemoryError
from mcp_memory.ports import Batch, LogMark, SharedLog

LARGE_BYTES = 1_000_000  # of one fact, as `storage.fact_reads` cuts them
Check = tuple[str, bool, str]  # what, whether it is so, in words


def probe(log: SharedLog, name: str) -> list[Check]:
    """Return what the server can do (blocking). *name* is one that no other probe has; readers pass these facts over."""
    checks: list[Check] = []

    def check(what: str, work: Callable[[], str]) -> bool:
        started = time.perf_counter()
        try:
            wrong = work()
        except McpMemoryError as error:
            wrong = error.line()
        took_ms = (time.perf_counter() - started) * 1000
        checks.append((what, not wrong, wrong or f"{took_ms:.0f} ms"))
        return not wrong

    def ensured() -> str:
        log.ensure()
        return ""

    if not check("connection and tables", ensured):
        return checks
    try:
        check("places in the order of writing", lambda: _ordered(log, name))
        check("a request that comes twice changes nothing", lambda: _idempotent(log, name))
        check(f"a fact of {LARGE_BYTES // 1000:,} kB", lambda: _large(log, name))
    finally:
        check("deletion", lambda: _cleared(log, name))
    return checks


def _fact(name: str, rest: object, body: bytes = b"\x01") -> Fact:
    return Fact(fact_id(FactKind.PROBE, name, rest), ANY_PROJECT, FactKind.PROBE, 0, name, body)


def _found(log: SharedLog, name: str, after: int) -> list[Fact]:
    """Return the probe's facts after a place."""
    found: list[Fact] = []
    while True:
        page = log.read(LogMark(seq=after), name, (), 100)
        found += [fact for fact in page.facts if fact.owner == name]
        if not page.facts:
            return found
        after = page.facts[-1].seq


def _end(log: SharedLog, name: str) -> int:
    return log.read(LogMark(seq=2**62), name, (), 1).last_seq


def _ordered(log: SharedLog, name: str) -> str:
    before = _end(log, name)
    for number in (1, 2):
        log.append(Batch(name, number, tuple(_fact(name, f"{number}.{i}") for i in range(3))))
    found = [fact.id for fact in _found(log, name, before)]
    wanted = [_fact(name, f"{number}.{i}").id for number in (1, 2) for i in range(3)]
    return "" if found == wanted else f"{len(found)} of {len(wanted)} facts came, in the order {found}"


def _idempotent(log: SharedLog, name: str) -> str:
    before = _end(log, name)
    log.append(Batch(name, 1, tuple(_fact(name, f"1.{i}") for i in range(3))))
    return "they were added again" if _found(log, name, before) else ""


def _large(log: SharedLog, name: str) -> str:
    before, body = _end(log, name), b"\x01" + bytes(range(250)) * (LARGE_BYTES // 250)
    log.append(Batch(name, 3, (_fact(name, "large", body),)))
    return "" if [fact.body for fact in _found(log, name, before)] == [body] else "it came back as something else"


def _cleared(log: SharedLog, name: str) -> str:
    before = max(0, _end(log, name) - 1_000)
    log.append(Batch(name, 4, (), erased=(f"{name}/{FactKind.PROBE}",)))
    return "facts that were deleted are still there" if _found(log, name, before) else ""
