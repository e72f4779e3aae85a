"""Machines as processes, a real server, a network that fails, and kills of all of them: in the end everybody says the same.

`python -m tests.integration.sharing_torture KIND MACHINES SECONDS SEED` (KIND: sqld or postgres) prints what was done and what was wrong,
and ends with 1 where something was; how far it is goes to the standard error. It is over after SECONDS, or when it has done `ENOUGH`.

Machines write with our store and replicate with our replicator, through a proxy that fails. They and the server are killed at random, and
the server is put back to an older copy of its data; clocks go an hour back; once a data directory is copied, and both are gone on with.
"""

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from mcp_memory.domain.shared_facts import WHILE_OPEN, FactKind, parts_of
from mcp_memory.metrics import Metrics
from mcp_memory.ports import LogMark
from mcp_memory.storage.sqlite_store import SqliteStore
from tests.failing_network import FAULTS, proxied
from tests.integration.sharing_simulation import OVERWRITTEN, facts_of
from tests.integration.torture_machine import ACKNOWLEDGED, DRAIN_S, NOT_WRITES, STORAGE, Notes, log_of
from tests.log_servers import Postgres, Server, Sqld, free_port

ROOT = Path(__file__).resolve().parents[2]
ENOUGH = {"writes": 26_000, "machines killed": 105, "server killed": 35, "faults": 1_050}  # of the long form, which ends with that
WRITES_A_KILL = 90  # a machine that has no time to write shows nothing, however often it is killed
PAUSE_S = 0.2  # of a machine between two episodes, at most
LINE_BYTES = 42  # of a note, on the average
START_S = 60.0  # of a machine, at most
LEAST_WAIT_S = 3.0
SAYS_EVERY_S = 30.0


class Torture:
    """A server, machines, and what is done to them."""

    def __init__(self, kind: str, machines: int, seed: int) -> None:
        self.chance, self.counts = random.Random(seed), Counter[str]()
        self.server: Server = Sqld() if kind == "sqld" else Postgres()
        self.server.start()
        self.folder = Path(tempfile.mkdtemp(prefix="mm-torture-"))
        self.folders = [self.folder / f"m{n}" for n in range(machines)]
        for folder in self.folders:
            folder.mkdir()
        self._ports = [free_port() for _ in range(machines + 1)]
        self._copied: Path | None = None
        self._image = self.folder / "image"
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def url(self, port: int) -> str:
        return self.server.url.replace(str(self.server.port), str(port))

    def start(self, number: int, seconds: float, *, direct: bool = False) -> None:
        url = self.server.url if direct else self.url(self._ports[number])
        arguments = [str(self.folders[number]), url, self.server.url, str(seconds), str(PAUSE_S), str(self.chance.randrange(10**9))]
        command = [sys.executable, "-m", "tests.integration.torture_machine", *arguments]
        with open(self.folder / f"m{number}.log", "ab") as out:
            self._running[number] = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)

    async def run(self, seconds: float) -> list[str]:
        """Torture, let all come into step, and return what is wrong."""
        proxies = [await proxied(port, self.server.port, self.chance, self.counts) for port in self._ports]
        for number in range(len(self.folders)):
            self.start(number, seconds * 2 + START_S)
        await self.some_writes(time.monotonic() + START_S)
        said = begun = time.monotonic()
        until = begun + seconds
        while (now := time.monotonic()) < until and not self.is_enough():
            if now >= said:
                said = now + SAYS_EVERY_S
                self.say("torture")
            await self.some_writes(min(until, now + max(LEAST_WAIT_S, seconds / 20)))
            if self._copied is None and (self.writes() > ENOUGH["writes"] / 2 or time.monotonic() > begun + seconds / 2):
                await self.copy_machine(seconds * 2)
            elif self.chance.random() < 0.7:
                await self.kill_machine(seconds * 2)
            else:
                await asyncio.to_thread(self.kill_server)
        for process in self._running.values():
            process.kill()
            process.wait()
        for turn in range(2):  # the second time everybody has what everybody told
            self.say(f"coming into step, {turn}")
            for number in range(len(self.folders)):
                self.start(number, 0, direct=True)
            for process in self._running.values():
                await asyncio.to_thread(process.wait, DRAIN_S + 30)
        for proxy in proxies:  # not before: asyncio loses, unclosed, a connection that is accepted while its server is closed
            proxy.close()
        self.say("looking")
        return await self.problems()

    def writes(self) -> int:
        """Return how many writes were acknowledged by now, roughly."""
        return sum(os.path.getsize(file) for folder in self.folders if (file := folder / ACKNOWLEDGED).exists()) // LINE_BYTES

    async def some_writes(self, until: float) -> None:
        """Wait until machines have written something, or nothing for too long."""
        wanted = self.writes() + WRITES_A_KILL * self.chance.uniform(0.3, 1.7)
        while self.writes() < wanted and time.monotonic() < until:  # noqa: ASYNC110 - other processes write, and nobody tells
            await asyncio.sleep(0.1)

    def is_enough(self) -> bool:
        done = self.counts | {"writes": self.writes(), "faults": sum(self.counts[fault] for fault in FAULTS)}
        return all(done[what] >= least for what, least in ENOUGH.items())

    def say(self, doing: str) -> None:
        """Tell whoever waits how far it is, and what was done by now."""
        print(time.strftime("%H:%M:%S"), doing, f"writes {self.writes()}", json.dumps(self.counts), file=sys.stderr, flush=True)

    async def kill_machine(self, seconds: float) -> None:
        number = self.chance.randrange(len(self.folders))
        self._running[number].send_signal(signal.SIGKILL)
        self._running[number].wait()
        self.counts["machines killed"] += 1
        self.start(number, seconds)

    async def copy_machine(self, seconds: float) -> None:
        """Copy the directory of a machine that was killed, and go on with both."""
        self._running[0].send_signal(signal.SIGKILL)
        self._running[0].wait()
        self._copied = self.folder / f"m{len(self.folders)}"
        shutil.copytree(self.folders[0], self._copied)
        self.folders.append(self._copied)
        self.counts["directories copied"] += 1
        for number in (0, len(self.folders) - 1):
            self.start(number, seconds)

    def kill_server(self) -> None:
        """Kill it, and put it back as after a power cut that lost the last commits, or by an old backup."""
        self.server.kill()
        self.counts["server killed"] += 1
        if self._image.exists() and self.chance.random() < 0.4:
            copied(self._image, self.server.data)
            self.counts["server put back"] += 1
        elif self.server.data.exists():
            copied(self.server.data, self._image)
        time.sleep(self.chance.uniform(0, 0.5))
        self.server.start()

    async def problems(self) -> list[str]:
        found: list[str] = []
        told: list[dict[str, tuple[str, int, bytes]]] = []
        seen: dict[str, list[str]] = {}
        for folder in self.folders:
            store = await SqliteStore.open(folder, STORAGE, Metrics(), lambda: time.time_ns() // 1_000_000)
            told.append(facts_of(store))
            seen = seen or observations_of(store)
            found += store.check()
            await store.aclose()
        for number, facts in enumerate(told):
            if facts != told[0]:
                differing = [id_ for id_ in facts.keys() | told[0].keys() if facts.get(id_) != told[0].get(id_)]
                found.append(f"machine {number} and machine 0 differ in {len(differing)}: {differing[:3]}")
        ids = await asyncio.to_thread(self.in_log)
        found += [f"{len(ids) - len(set(ids))} facts are in the log twice"] if len(set(ids)) != len(ids) else []
        unknown = [id_ for id_ in set(ids) ^ told[0].keys() if id_.split("/")[1] not in OVERWRITTEN]
        found += [f"log and memories differ in {len(unknown)}: {unknown[:3]}"] if unknown else []
        return found + self.missing(told[0].keys(), seen, ids)

    def missing(self, told: Collection[str], seen: Mapping[str, Sequence[str]], in_log: Collection[str]) -> list[str]:
        """Return what was acknowledged and is not there, and what was forgotten and still is. *seen*: what steps say that are there."""
        notes = {tuple(line) for folder in self.folders for line in Notes.read(folder)}
        forgotten = {id_ for kind, id_, *_ in notes if kind == "forget"}
        gone = {parts_of(id_)[0] for id_ in told if parts_of(id_)[1] == FactKind.TOMBSTONE}
        claimed = {id_ for kind, id_, *_ in notes if kind == "claim"}  # who asked first goes on, and what was given up is open again
        there = {("step", said) for said in seen}
        for owner, kind, rest in map(parts_of, told):
            there |= {(kind, owner), (kind, f"{owner}/{rest[0]}"), (kind, rest[0])} if rest else {(kind, owner)}
        completed = {owner for kind, owner in there if kind == FactKind.EPISODE}  # one record, which has what was told before
        wanted = {("tombstone", id_) for id_ in forgotten}
        for kind, id_, *owners in notes:
            excused = kind in (*NOT_WRITES, "forget") or gone.intersection((id_, *owners)) or (kind == "abandon" and id_ in claimed)
            excused = excused or (kind in WHILE_OPEN and kind != "step" and id_ in completed)
            wanted |= set() if excused else {(kind, id_)}
        found = [f"{len(lost)} acknowledged writes are lost: {sorted(lost)[:3]}"] if (lost := wanted - there) else []
        ghosts = [id_ for id_ in in_log if parts_of(id_)[0] in forgotten and parts_of(id_)[1] != FactKind.TOMBSTONE]
        twice = sorted({where for episodes in seen.values() if len(episodes) > 1 for where in episodes})
        self.counts["episodes kept beside the one that was taken over"] = len(twice) // 2  # after the log went back: none is lost
        found += [f"{len(ghosts)} facts of forgotten episodes are in the log: {ghosts[:3]}"] if ghosts else []
        self.counts.update(f"acknowledged: {kind}" for kind, *_ in notes)
        self.counts["acknowledged writes"] = sum(kind not in NOT_WRITES for kind, *_ in notes)
        self.counts["facts"] = len(in_log)
        self.counts["faults"] = sum(self.counts[fault] for fault in FAULTS)
        return found

    def in_log(self) -> list[str]:
        log, mark, ids = log_of(self.server.url), LogMark(), list[str]()
        while facts := log.read(mark, "", (), 500).facts:
            ids += [fact.id for fact in facts]
            mark = LogMark(seq=facts[-1].seq)
        log.close()
        return ids

    def close(self, *, keep: bool) -> None:
        """End everything; *keep* what the machines have, to be looked at."""
        for process in self._running.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        self.server.stop()
        if keep:
            print(f"the machines' directories are in {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def observations_of(store: SqliteStore) -> dict[str, list[str]]:
    """Return what the steps of all episodes say, with the episodes that say it."""
    with store._readers.reader() as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM episode")]
    found: dict[str, list[str]] = {}
    for episode in (episode for id_ in ids for episode in store.get_episodes([id_]) if episode is not None):
        for step in episode.steps:
            found.setdefault(step.observation.split()[0], []).append(f"{episode.id} ({episode.state}, follows {episode.follows})")
    return found


def copied(source: Path, target: Path) -> None:
    """Put a copy of *source*, with who owns its files, into the place of *target*."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def torture(kind: str, machines: int, seconds: float, seed: int) -> tuple[dict[str, Any], list[str]]:
    """Return what was done, and what is wrong."""
    run, problems = Torture(kind, machines, seed), ["it did not come to its end"]
    try:
        problems = asyncio.run(run.run(seconds))
        return dict(run.counts), problems
    finally:
        run.close(keep=bool(problems))


def main(arguments: list[str]) -> int:
    kind, machines, seconds, seed = arguments
    counts, problems = torture(kind, int(machines), float(seconds), int(seed))
    print(json.dumps(counts))
    print("\n".join(problems) or "all machines say the same, nothing is lost")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
