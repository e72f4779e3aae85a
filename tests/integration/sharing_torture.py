"""Machines as processes, a real server, a network that fails, and kills of all of them: in the end everybody says the same.

`python -m tests.integration.sharing_torture KIND MACHINES SECONDS SEED` (KIND: sqld or postgres) prints what was done and what was wrong,
and ends with 1 where something was. Machines write with our store and replicate with our replicator, through a proxy that resets, cuts,
delays and repeats connections. They and the server are killed at random, and the server is put back to an older copy of its data; clocks
go an hour back; once a data directory is copied, and both are gone on with.

`… machine FOLDER URL ADDRESS SECONDS SEED` is one machine.
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
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from mcp_memory.config import StorageConfig
from mcp_memory.domain.curation import Correction, Handoff
from mcp_memory.domain.episode import Episode, EpisodeState, Outcome, OutcomeKind, Reflection, Reward, Step
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.domain.shared_facts import WHILE_OPEN, FactKind, parts_of
from mcp_memory.domain.sources import Quarantine, Source, SourceKind
from mcp_memory.errors import McpMemoryError
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Clock, LogMark, SharedLog
from mcp_memory.replication.replicator import Replicator
from mcp_memory.replication.worker_thread import WorkerThread
from mcp_memory.storage.sqlite_store import SqliteStore
from tests.integration.sharing_simulation import OVERWRITTEN, derived, facts_of
from tests.log_servers import Postgres, Server, Sqld, free_port

ROOT = Path(__file__).resolve().parents[2]
STORAGE = StorageConfig(synchronous="NORMAL")
DRAIN_S = 1_200.0
FAULT_RATE = 0.2  # of connections or of what passes through them
ACKNOWLEDGED = "acknowledged.txt"  # a line for each write, after its commit: see `Notes`
HOUR_MS = 3_600_000
KILLS = 240  # of a long run, in all
UNHURRIED_S = 300.0  # of a run: a longer one is not to become a larger one
FAULTS = ("cut", "delay", "hang", "lost", "reset", "refused", "broken")
NOT_WRITES = ("refused",)


class Notes:
    """What was acknowledged, a line each: the kind, the id of what must be there in the end, and the episodes without which it goes."""

    def __init__(self, folder: Path) -> None:
        self._file = open(folder / ACKNOWLEDGED, "a", buffering=1)  # noqa: SIM115 - a kill closes it

    def add(self, kind: str, id_: str, *owners: str) -> None:
        self._file.write(" ".join((kind, id_, *owners)) + "\n")

    @staticmethod
    def read(folder: Path) -> list[list[str]]:
        lines = (folder / ACKNOWLEDGED).read_text().splitlines(keepends=True) if (folder / ACKNOWLEDGED).exists() else []
        return [line.split() for line in lines if line.endswith("\n")]  # the last one may have been cut off by a kill


def log_of(url: str) -> SharedLog:
    if url.startswith("postgres"):
        from mcp_memory.replication.postgres_log import PostgresLog

        return PostgresLog(url)
    from mcp_memory.replication.hrana_log import HranaLog

    return HranaLog(url)


# --- one machine ---


async def machine(folder: Path, url: str, address: str, seconds: float, seed: int) -> None:
    """Write and replicate for a while; then, or at once with 0 seconds, only come into step. A third of the machines is an hour late."""
    chance = random.Random(seed)
    skew_ms = chance.choice((0, 0, HOUR_MS))

    def now_ms() -> int:
        return time.time_ns() // 1_000_000 - skew_ms

    store = await SqliteStore.open(folder, STORAGE, Metrics(), now_ms)
    await store.share_with([address])
    thread, log = WorkerThread("log"), log_of(url)
    replicator = Replicator(store, log, address, store.info().replica_id, (), derived, now_ms, thread.run, lambda: None)
    until = time.monotonic() + seconds
    if seconds:
        writer = Writer(store, Notes(folder), chance, now_ms, pause_s=0.02 * max(1.0, seconds / UNHURRIED_S))
        writing = asyncio.create_task(writer.write(until))
        while not writing.done():
            turn = await replicator.turn()
            await asyncio.sleep(0.0 if turn.more else 0.05)
        await writing
    quiet, until = 0, time.monotonic() + DRAIN_S
    while quiet < 3 and time.monotonic() < until:
        turn = await replicator.turn()
        quiet = 0 if turn.was_news or turn.error else quiet + 1
    await store.aclose()
    if quiet < 3:
        raise SystemExit("not in step")


class Writer:
    """Writes facts of every kind, and notes what was acknowledged."""

    def __init__(self, store: SqliteStore, notes: Notes, chance: random.Random, clock: Clock, pause_s: float) -> None:
        self._store, self._notes, self._chance, self._now_ms, self._pause_s = store, notes, chance, clock, pause_s

    async def write(self, until: float) -> None:
        """Begin, complete, tend and now and then forget episodes until the time is up."""
        chance = self._chance
        while time.monotonic() < until:
            id_ = f"e{os.urandom(8).hex()}"
            await self._store.start_episode(Episode(id_, "p", f"task {id_}", agent="x", started_at_ms=self._now_ms()))
            self._notes.add("open", id_)
            for n in range(chance.randint(1, 8)):
                await self._store.append_steps(id_, [Step(chance.choice(("grep", "edit", "pytest")), observation=f"seen {n} " * 20)])
                self._notes.add("step", f"{id_}/{n}", id_)
            if chance.random() < 0.05:
                await self._store.abandon_episodes([id_], self._now_ms())
                self._notes.add("abandon", id_)
                continue
            await self._complete(id_)
            try:
                await self._tend(id_)
            except McpMemoryError:  # another machine forgot it in the meantime
                self._notes.add("refused", id_)
            if chance.random() < 0.05:
                await self._store.delete_episodes([id_], "a test", self._now_ms())
                self._notes.add("forget", id_)
            await asyncio.sleep(chance.uniform(0, self._pause_s))

    async def _complete(self, id_: str) -> None:
        found = self._store.get_episodes([id_])[0]
        assert found is not None
        outcome = Outcome(self._chance.choice((OutcomeKind.SUCCESS, OutcomeKind.FAILURE)), "done")
        closed = replace(found, state=EpisodeState.COMPLETED, ended_at_ms=self._now_ms(), outcome=outcome, reward=Reward(0.5))
        await self._store.complete_episode(derived(replace(closed, reflection=Reflection(), files=())))
        self._notes.add("episode", id_)

    async def _tend(self, id_: str) -> None:
        """Edit, label, link, vote on, correct, mark and quarantine what is there, of any machine."""
        store, notes, chance, now_ms = self._store, self._notes, self._chance, self._now_ms
        known = [trace.id for trace in store.traces(limit=200)] or [id_]
        other = chance.choice(known)
        await store.update_episode(other, add_tags=(chance.choice("abc"),), metadata={"k": chance.randint(0, 9)})
        notes.add("edit", other, other)
        if other != id_:
            notes.add("link", await store.put_link(id_, other, "related_to", "", now_ms()), id_, other)
        shown = Recommendation(f"r{os.urandom(8).hex()}", RecommendationKind.RECALL, "p", id_, (other,), now_ms())
        await store.put_recommendation(shown)
        notes.add("recommendation", shown.id, id_)
        vote = Feedback(f"v{os.urandom(8).hex()}", shown.id, Verdict.HELPED, (other,), None, "", False, now_ms(), id_)
        await store.put_feedback(vote)
        notes.add("feedback", vote.id, id_)
        if chance.random() < 0.1:
            notes.add("correction", await store.put_correction(other, Correction("better"), now_ms()), other)
        if chance.random() < 0.1:
            checkpoint = f"c{os.urandom(8).hex()}"
            await store.put_checkpoint(checkpoint, other, Handoff("x"), now_ms())
            notes.add("checkpoint", checkpoint, other)
        if chance.random() < 0.02:
            given = Quarantine(Source(SourceKind.AGENT, chance.choice("yz")), "a test", "somebody", now_ms())
            await store.put_quarantine(given, active=chance.random() < 0.5)
            notes.add("quarantine", f"{SourceKind.AGENT}/{given.source.name}")


# --- the network ---


async def proxied(port: int, upstream: int, chance: random.Random, counts: Counter[str]) -> asyncio.Server:
    """Serve a proxy that fails: it resets before, in the middle or after, cuts answers, delays, and hangs."""

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter, fault: str) -> None:
        try:
            while data := await source.read(65_536):
                if chance.random() < FAULT_RATE / 4 and fault != "none":
                    counts[fault] += 1
                    if fault == "cut":
                        target.write(data[: len(data) // 2])
                        await target.drain()
                    if fault == "delay":
                        await asyncio.sleep(chance.uniform(0, 0.3))
                        target.write(data)
                        continue
                    if fault == "hang":
                        await asyncio.sleep(2)
                    break
                target.write(data)
                await target.drain()
        except OSError:
            counts["broken"] += 1
        finally:
            target.transport.abort()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if chance.random() < FAULT_RATE / 2:
                counts["reset"] += 1
                return
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", upstream)
            faults = ("none", *FAULTS[:4])
            await asyncio.gather(pump(reader, up_writer, chance.choice(faults)), pump(up_reader, writer, chance.choice(faults)))
        except OSError:
            counts["refused"] += 1
        finally:
            writer.transport.abort()

    return await asyncio.start_server(serve, "127.0.0.1", port)


# --- the torture ---


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
        arguments = ["machine", str(self.folders[number]), url, self.server.url, str(seconds), str(self.chance.randrange(10**9))]
        command = [sys.executable, "-m", "tests.integration.sharing_torture", *arguments]
        with open(self.folder / f"m{number}.log", "ab") as out:
            self._running[number] = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)

    async def run(self, seconds: float) -> list[str]:
        """Torture, let all come into step, and return what is wrong."""
        proxies = [await proxied(port, self.server.port, self.chance, self.counts) for port in self._ports]
        until = time.monotonic() + seconds
        for number in range(len(self.folders)):
            self.start(number, seconds * 2)
        while time.monotonic() < until:
            await asyncio.sleep(self.chance.uniform(0.4, 1.6) * max(0.75, seconds / KILLS))
            if self._copied is None and until - time.monotonic() < seconds / 2:
                await self.copy_machine(seconds * 2)
            elif self.chance.random() < 0.7:
                await self.kill_machine(seconds * 2)
            else:
                await asyncio.to_thread(self.kill_server)
        for number, process in self._running.items():
            process.kill()
            process.wait()
            self._running[number] = process
        for proxy in proxies:
            proxy.close()
        for _ in range(2):  # the second time everybody has what everybody told
            for number in range(len(self.folders)):
                self.start(number, 0, direct=True)
            for process in self._running.values():
                await asyncio.to_thread(process.wait, DRAIN_S + 30)
        return await self.problems()

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
        told = []
        for folder in self.folders:
            store = await SqliteStore.open(folder, STORAGE, Metrics(), lambda: time.time_ns() // 1_000_000)
            told.append(facts_of(store))
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
        return found + self.missing(told[0].keys(), ids)

    def missing(self, told: Collection[str], in_log: Collection[str]) -> list[str]:
        """Return what was acknowledged and is not there, and what was forgotten and still is."""
        notes = {tuple(line) for folder in self.folders for line in Notes.read(folder)}
        forgotten = {id_ for kind, id_, *_ in notes if kind == "forget"}
        gone = {parts_of(id_)[0] for id_ in told if parts_of(id_)[1] == FactKind.TOMBSTONE}
        there = set[tuple[str, str]]()
        for owner, kind, rest in map(parts_of, told):
            there |= {(kind, owner), (kind, f"{owner}/{rest[0]}"), (kind, rest[0])} if rest else {(kind, owner)}
        completed = {owner for kind, owner in there if kind == FactKind.EPISODE}  # one record, which has what was told before
        wanted = {("tombstone", id_) for id_ in forgotten}
        for kind, id_, *owners in notes:
            if kind not in (*NOT_WRITES, "forget") and not gone.intersection((id_, *owners)):
                wanted |= set() if kind in WHILE_OPEN and completed.intersection((id_, *owners)) else {(kind, id_)}
        found = [f"{len(lost)} acknowledged writes are lost: {sorted(lost)[:3]}"] if (lost := wanted - there) else []
        ghosts = [id_ for id_ in in_log if parts_of(id_)[0] in forgotten and parts_of(id_)[1] != FactKind.TOMBSTONE]
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

    def close(self) -> None:
        for process in self._running.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def copied(source: Path, target: Path) -> None:
    """Put a copy of *source*, with who owns its files, into the place of *target*."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def torture(kind: str, machines: int, seconds: float, seed: int) -> tuple[dict[str, Any], list[str]]:
    """Return what was done, and what is wrong."""
    run = Torture(kind, machines, seed)
    try:
        problems = asyncio.run(run.run(seconds))
        return dict(run.counts), problems
    finally:
        run.close()


def main(arguments: list[str]) -> int:
    if arguments[0] == "machine":
        folder, url, address, seconds, seed = arguments[1:]
        asyncio.run(machine(Path(folder), url, address, float(seconds), int(seed)))
        return 0
    kind, machines, seconds, seed = arguments
    counts, problems = torture(kind, int(machines), float(seconds), int(seed))
    print(json.dumps(counts))
    print("\n".join(problems) or "all machines say the same, nothing is lost")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
