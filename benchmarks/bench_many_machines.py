"""Many machines at one log: whether any is refused, and how late a machine hears what another wrote.

    python -m benchmarks.bench_many_machines URL [--machines 64] [--seconds 60] [--json]

Each machine is a thread with a connection of its own. Once a second it appends a batch of one completed episode's size, and four times a
second it looks at the newest batch, as the replicator does while there is news, and reads what is new. Lag is from before an append to when
another machine has read it, so it holds the wait until that machine looks. The log should be empty; what is written stays there.
"""

import argparse
import json
import os
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.harness import circumstances, summary, table
from mcp_memory.domain.shared_facts import Fact, FactKind, fact_id
from mcp_memory.errors import McpMemoryError
from mcp_memory.ports import Batch, LogMark, SharedLog
from mcp_memory.replication.pacing import SHORTEST_S

BATCH_EVERY_S = 1.0
BODY_BYTES = 3_100  # a completed episode of ten steps
READ_FACTS = 1_000


@dataclass
class Measured:
    """What all machines met."""

    appends_ms: list[float] = field(default_factory=list)
    lags_ms: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    batches: int = 0


def opened(url: str) -> SharedLog:
    if url.startswith("postgres"):
        from mcp_memory.replication.postgres_log import PostgresLog

        return PostgresLog(url)
    from mcp_memory.replication.hrana_log import HranaLog

    return HranaLog(url)


class Machine:
    """One writer and reader."""

    def __init__(self, url: str, name: str) -> None:
        self._log, self._name = opened(url), name
        self._mark, self._sent = LogMark(), 0
        self.measured = Measured()

    def run(self, begins_s: float, ends_s: float) -> None:
        chance = random.Random(self._name)
        time.sleep(max(0.0, begins_s - time.monotonic()))
        batch_s = begins_s + chance.uniform(0, BATCH_EVERY_S)
        while (now_s := time.monotonic()) < ends_s:
            try:
                if now_s >= batch_s:
                    self._append()
                    batch_s += BATCH_EVERY_S
                self._look()
            except McpMemoryError as error:
                self.measured.errors[error.code] += 1
            time.sleep(max(0.0, min(batch_s, now_s + SHORTEST_S * chance.uniform(0.75, 1.25)) - time.monotonic()))
        self._log.close()

    def _append(self) -> None:
        started = time.monotonic_ns()
        body = started.to_bytes(8, "big") + os.urandom(BODY_BYTES - 8)
        fact = Fact(fact_id(FactKind.PROBE, f"{self._name}.{self._sent + 1}"), "bench", FactKind.PROBE, 0, self._name, body)
        self._log.append(Batch(self._name, self._sent + 1, (fact,), follows=self._sent))
        self._sent += 1
        self.measured.batches += 1
        self.measured.appends_ms.append((time.monotonic_ns() - started) / 1e6)

    def _look(self) -> None:
        if self._log.newest_batch() == (self._mark.batch, self._mark.nonce):
            return
        page = self._log.read(self._mark, self._name, (), READ_FACTS)
        now = time.monotonic_ns()
        self.measured.lags_ms += [(now - int.from_bytes(f.body[:8], "big")) / 1e6 for f in page.facts if f.origin != self._name]
        self._mark = LogMark(page.epoch, page.facts[-1].seq if page.facts else self._mark.seq, page.batch, page.nonce)


def run(url: str, machines: int, seconds: float) -> Measured:
    """Return what the machines met together."""
    log = opened(url)
    log.ensure()
    log.close()
    made = [Machine(url, f"machine{number}-{os.urandom(4).hex()}") for number in range(machines)]
    begins_s = time.monotonic() + 1.0
    threads = [threading.Thread(target=machine.run, args=(begins_s, begins_s + seconds)) for machine in made]
    for thread in threads:
        thread.start()
    found = Measured()
    for machine, thread in zip(made, threads, strict=True):
        thread.join()
        found.appends_ms += machine.measured.appends_ms
        found.lags_ms += machine.measured.lags_ms
        found.errors += machine.measured.errors
        found.batches += machine.measured.batches
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="a shared log that is empty")
    parser.add_argument("--machines", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = run(arguments.url, arguments.machines, arguments.seconds)
    rows = {"append": summary(found.appends_ms), "lag": summary(found.lags_ms)}
    counts = {"machines": arguments.machines, "batches": found.batches, "wanted": int(arguments.machines * arguments.seconds)}
    if arguments.json:
        print(json.dumps({"about": circumstances(), "ms": rows, "refused": dict(found.errors), **counts}))
    else:
        print(circumstances())
        print(table("ms", rows))
        print(f"{counts['batches']} of {counts['wanted']} batches; refused: {dict(found.errors) or 'none'}")


if __name__ == "__main__":
    main()
