"""One machine of the torture (`sharing_torture.py`): a process that writes facts of every kind and replicates, until it is killed.

`python -m tests.integration.torture_machine FOLDER URL ADDRESS SECONDS PAUSE_S SEED`
"""

import asyncio
import os
import random
import sys
import time
from dataclasses import replace
from pathlib import Path

from mcp_memory.config import StorageConfig
from mcp_memory.domain.curation import Correction, Handoff
from mcp_memory.domain.episode import Episode, EpisodeState, Outcome, OutcomeKind, Reflection, Reward, Step
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.domain.sources import Quarantine, Source, SourceKind
from mcp_memory.errors import McpMemoryError
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Clock, SharedLog
from mcp_memory.replication.replicator import Replicator
from mcp_memory.replication.worker_thread import WorkerThread
from mcp_memory.storage.sqlite_store import SqliteStore
from tests.integration.sharing_simulation import derived

STORAGE = StorageConfig(synchronous="NORMAL")
DRAIN_S = 1_200.0
ACKNOWLEDGED = "acknowledged.txt"  # a line for each write, after its commit: see `Notes`
HOUR_MS = 3_600_000
CLAIM_S = 5.0
NOT_WRITES = ("refused", "claim", "taken")


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


async def machine(folder: Path, url: str, address: str, seconds: float, pause_s: float, seed: int) -> None:
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
        writer = Writer(store, Notes(folder), chance, now_ms, pause_s)
        writing = asyncio.create_task(writer.write(until))
        while not writing.done():
            turn = await replicator.turn()
            await asyncio.sleep(0.0 if turn.more else 0.03)
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
        self._left: list[str] = []  # open ones of this process

    async def write(self, until: float) -> None:
        """Begin, go on with, complete, tend and now and then forget episodes until the time is up."""
        while time.monotonic() < until:
            try:
                if (id_ := await self._opened()) is not None:
                    await self._worked_at(id_)
            except McpMemoryError:  # another machine forgot it in the meantime, or took it over
                self._notes.add("refused", "-")
            await asyncio.sleep(self._chance.uniform(0, self._pause_s))

    async def _opened(self) -> str | None:
        """Return an open episode that is numbered here: a new one, one that was left, or one that another machine began."""
        which = self._chance.random()
        if which < 0.1 and self._left:
            return self._left.pop(self._chance.randrange(len(self._left)))
        if which < 0.2 and (away := self._away()):
            return await self._claimed(self._chance.choice(away))
        id_ = f"e{os.urandom(8).hex()}"
        await self._store.start_episode(Episode(id_, "p", f"task {id_}", agent="x", started_at_ms=self._now_ms()))
        self._notes.add("open", id_)
        return id_

    def _away(self) -> list[str]:
        with self._store._readers.reader() as connection:
            open_ = [row[0] for row in connection.execute("SELECT id FROM episode WHERE state = 'open' ORDER BY episode_row DESC LIMIT 50")]
        return [id_ for id_ in open_ if self._store.is_away(id_)]

    async def _claimed(self, id_: str) -> str | None:
        """Take an episode over, as far as the network lets through who asks; see `Sharing.claim`."""
        until = time.monotonic() + CLAIM_S
        self._notes.add("claim", id_)
        await self._store.ask_claim(id_, self._now_ms())
        while self._store.is_away(id_) and self._store.is_asked(id_) and time.monotonic() < until:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
        await self._store.withdraw_claim(id_)
        taken = not self._store.is_away(id_)
        if taken:
            self._notes.add("taken", id_)
        return id_ if taken else None

    async def _worked_at(self, id_: str) -> None:
        chance, notes = self._chance, self._notes
        for _ in range(chance.randint(1, 8)):
            seen = f"s{os.urandom(8).hex()}"  # told once: whatever becomes of its episode, it is known by that
            await self._store.append_steps(id_, [Step(chance.choice(("grep", "edit", "pytest")), observation=f"{seen} " + "seen " * 20)])
            notes.add("step", seen, id_)
        if chance.random() < 0.1:
            self._left.append(id_)
            return
        if chance.random() < 0.05:
            if await self._store.abandon_episodes([id_], self._now_ms()):
                notes.add("abandon", id_)
            return
        await self._complete(id_)
        await self._tend(id_)
        if chance.random() < 0.05:
            await self._store.delete_episodes([id_], "a test", self._now_ms())
            notes.add("forget", id_)

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


if __name__ == "__main__":
    folder, url, address, seconds, pause_s, seed = sys.argv[1:]
    asyncio.run(machine(Path(folder), url, address, float(seconds), float(pause_s), int(seed)))
