"""Machines as processes, a real server, a network that fails, and kills of all of them: in the end everybody says the same.

`python -m tests.integration.sharing_torture KIND MACHINES SECONDS SEED` (KIND: sqld or postgres) prints what was done and what was wrong,
and ends with 1 where something was. Machines write with our store and replicate with our replicator, through a proxy that resets, cuts,
delays and repeats connections. They and the server are killed at random; sqld is put back to an older copy of its data at random.

`… machine FOLDER URL SECONDS SEED` is one machine.
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
from dataclasses import replace
from pathlib import Path
from typing import Any

from mcp_memory.config import StorageConfig
from mcp_memory.domain.curation import Correction
from mcp_memory.domain.episode import Episode, EpisodeState, Outcome, OutcomeKind, Reflection, Reward, Step
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.errors import McpMemoryError
from mcp_memory.metrics import Metrics
from mcp_memory.ports import LogMark, SharedLog
from mcp_memory.replication.replicator import Replicator
from mcp_memory.replication.worker_thread import WorkerThread
from mcp_memory.storage.sqlite_store import SqliteStore
from tests.integration.sharing_simulation import OVERWRITTEN, derived, facts_of
from tests.log_servers import Postgres, Server, Sqld, free_port

ROOT = Path(__file__).resolve().parents[2]
STORAGE = StorageConfig(synchronous="NORMAL")
DRAIN_S = 120.0
FAULT_RATE = 0.2  # of connections or of what passes through them
ACKNOWLEDGED = "acknowledged.txt"  # a line for each completed episode, after its commit; `-id` where it was forgotten


def log_of(url: str) -> SharedLog:
    if url.startswith("postgres"):
        from mcp_memory.replication.postgres_log import PostgresLog

        return PostgresLog(url)
    from mcp_memory.replication.hrana_log import HranaLog

    return HranaLog(url)


# --- one machine ---


async def machine(folder: Path, url: str, address: str, seconds: float, seed: int) -> None:
    """Write and replicate for a while; then, or at once with 0 seconds, only come into step."""
    store = await SqliteStore.open(folder, STORAGE, Metrics(), lambda: time.time_ns() // 1_000_000)
    await store.share_with([address])
    thread, log = WorkerThread("log"), log_of(url)
    replicator = Replicator(store, log, address, store.info().replica_id, (), derived, now_ms, thread.run, lambda: None)
    until = time.monotonic() + seconds
    if seconds:
        writing = asyncio.create_task(write(store, folder, until, random.Random(seed)))
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


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def write(store: SqliteStore, folder: Path, until: float, chance: random.Random) -> None:
    """Write facts of every kind, and note what was acknowledged."""
    with open(folder / ACKNOWLEDGED, "a", buffering=1) as acknowledged:  # noqa: ASYNC230 - a line at a time
        while time.monotonic() < until:
            id_ = f"e{os.urandom(8).hex()}"
            opened = Episode(id_, "p", f"task {id_}", agent="x", started_at_ms=now_ms())
            await store.start_episode(opened)
            for n in range(chance.randint(1, 8)):
                await store.append_steps(id_, [Step(chance.choice(("grep", "edit", "pytest")), observation=f"seen {n} " * 20)])
            found = store.get_episodes([id_])[0]
            assert found is not None
            outcome = Outcome(chance.choice((OutcomeKind.SUCCESS, OutcomeKind.FAILURE)), "done")
            closed = replace(found, state=EpisodeState.COMPLETED, ended_at_ms=now_ms(), outcome=outcome, reward=Reward(0.5))
            await store.complete_episode(derived(replace(closed, reflection=Reflection(), files=())))
            acknowledged.write(f"{id_}\n")
            await tend(store, chance, id_)
            if chance.random() < 0.05:
                await store.delete_episodes([id_], "a test", now_ms())
                acknowledged.write(f"-{id_}\n")
            await asyncio.sleep(chance.uniform(0, 0.02))


async def tend(store: SqliteStore, chance: random.Random, id_: str) -> None:
    """Edit, link, vote on and correct what is there, of any machine."""
    known = [trace.id for trace in store.traces(limit=200)] or [id_]
    other = chance.choice(known)
    try:
        await store.update_episode(other, add_tags=(chance.choice("abc"),), metadata={"k": chance.randint(0, 9)})
        if other != id_:
            await store.put_link(id_, other, "related_to", "", now_ms())
        shown = Recommendation(f"r{os.urandom(8).hex()}", RecommendationKind.RECALL, "p", id_, (other,), now_ms())
        await store.put_recommendation(shown)
        await store.put_feedback(Feedback(f"v{os.urandom(8).hex()}", shown.id, Verdict.HELPED, (other,), None, "", False, now_ms(), id_))
        if chance.random() < 0.1:
            await store.put_correction(other, Correction("better"), now_ms())
    except McpMemoryError:  # forgotten in the meantime
        return


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
            faults = ("none", "cut", "delay", "hang", "lost")
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
        self._ports = [free_port() for _ in self.folders]
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
            await asyncio.sleep(self.chance.uniform(0.3, 1.2))
            if self.chance.random() < 0.7:
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

    def kill_server(self) -> None:
        self.server.kill()
        self.counts["server killed"] += 1
        if isinstance(self.server, Sqld):  # a power cut that lost the last commits, or a restored backup
            if self._image.exists() and self.chance.random() < 0.4:
                shutil.rmtree(self.server.data)
                shutil.copytree(self._image, self.server.data)
                self.counts["server put back"] += 1
            elif self.server.data.exists():
                shutil.rmtree(self._image, ignore_errors=True)
                shutil.copytree(self.server.data, self._image)
        time.sleep(self.chance.uniform(0, 0.5))
        self.server.start()

    async def problems(self) -> list[str]:
        found: list[str] = []
        told = []
        for folder in self.folders:
            store = await SqliteStore.open(folder, STORAGE, Metrics(), now_ms)
            told.append(facts_of(store))
            found += store.check()
            await store.aclose()
        for number, facts in enumerate(told):
            if facts != told[0]:
                differing = [id_ for id_ in facts.keys() | told[0].keys() if facts.get(id_) != told[0].get(id_)]
                found.append(f"machine {number} and machine 0 differ in {len(differing)}: {differing[:3]}")
        lines = [line for folder in self.folders for line in (folder / ACKNOWLEDGED).read_text().split()]
        forgotten = {line[1:] for line in lines if line.startswith("-")}
        kept = {line for line in lines if not line.startswith("-")} - forgotten
        lost = [id_ for id_ in kept if f"{id_}/episode" not in told[0] and f"{id_}/tombstone" not in told[0]]
        found += [f"{len(lost)} acknowledged episodes are lost: {lost[:3]}"] if lost else []
        ids = await asyncio.to_thread(self.in_log)
        found += [f"{len(ids) - len(set(ids))} facts are in the log twice"] if len(set(ids)) != len(ids) else []
        ghosts = [id_ for id_ in ids if id_.partition("/")[0] in forgotten and not id_.endswith("/tombstone")]
        found += [f"{len(ghosts)} facts of forgotten episodes are in the log: {ghosts[:3]}"] if ghosts else []
        unknown = [id_ for id_ in set(ids) ^ told[0].keys() if id_.split("/")[1] not in OVERWRITTEN]
        found += [f"log and memories differ in {len(unknown)}: {unknown[:3]}"] if unknown else []
        self.counts |= Counter({"acknowledged episodes": len(kept | forgotten), "forgotten": len(forgotten), "facts": len(ids)})
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
