"""Machines that share a memory, in one process and by a script that a seed writes: what every run must come to, whatever happens.

Two to four stores and one log in memory. They write facts of every kind, take turns at the log at random moments, meet lost requests,
lost answers and requests delivered late; the log is put back to an older state; a machine dies and starts again; a data directory is
copied; clocks go back. At the end all of them say the same, and nothing that was acknowledged is missing but what was forgotten.

`python -m tests.integration.sharing_simulation FIRST COUNT [fence|unique|lock]` runs seeds by hand; with a name, without that guard.
"""

import asyncio
import logging
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mcp_memory.config import StorageConfig
from mcp_memory.domain.curation import Correction, Handoff
from mcp_memory.domain.episode import Context, Episode, EpisodeState, Outcome, OutcomeKind, Reflection, Reward, Step
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.domain.pattern import Observation, PatternKind
from mcp_memory.domain.shared_facts import Fact, FactKind, parts_of, tombstone_id
from mcp_memory.domain.sources import Quarantine, Source, SourceKind
from mcp_memory.errors import EpisodeClosed, InvalidInput, NotFound, RemoteUnavailable
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Batch, Completion, IndexText, LogMark, LogPage, SharedLog
from mcp_memory.replication.replicator import Replicator
from mcp_memory.storage.fact_reads import FactReads
from mcp_memory.storage.sqlite_store import SqliteStore
from mcp_memory.storage.tables import Tables
from mcp_memory.testing import InMemoryLog

URL = "memory://log"
STORAGE = StorageConfig(synchronous="NORMAL", cache_enabled=False, busy_deadline_ms=60_000)
RAM = "/dev/shm"
ACTIONS = 60
MAX_DRAIN_TURNS = 2_000
OVERWRITTEN = (FactKind.EDIT, FactKind.LINK, FactKind.QUARANTINE)  # the last one counts, those before it stay in the log
CLAIM_TURNS = 8
TOOLS = ("grep", "edit", "pytest", "ls")


class UnguardedLog(InMemoryLog):
    """Without the unique id."""

    def _has(self, id_: str) -> bool:
        return id_.endswith((f"/{FactKind.TOMBSTONE}", f"/{FactKind.EPISODE}")) and super()._has(id_)


class UnlockedLog(InMemoryLog):
    """Gives out places before the commit, in no order: what a reader has passed by then, it never sees."""

    def __init__(self) -> None:
        super().__init__()
        self._late: list[Fact] = []

    def append(self, batch: Batch) -> bool:
        before = set(map(id, self._image.facts))
        there = super().append(batch)
        fresh = [fact for fact in self._image.facts if id(fact) not in before]
        with self._lock:
            self._image.facts = sorted([f for f in self._image.facts if f not in fresh] + self._late, key=lambda fact: fact.seq)
            self._late = fresh
        return there


class UnfencedReplicator(Replicator):
    """Does not look whether the log went back."""

    def _went_back(self, mark: LogMark, page: LogPage) -> bool:
        return False


class FaultyLog:
    """A log behind a bad network."""

    def __init__(self, log: SharedLog, chance: random.Random, *, unfenced: bool) -> None:
        self._log, self._chance, self._unfenced = log, chance, unfenced
        self.rate = 0.3
        self.delayed: list[Batch] = []  # requests that are still under way, although their sender gave up

    def ensure(self) -> None:
        self._fail()
        self._log.ensure()

    def append(self, batch: Batch) -> bool:
        if self._chance.random() < self.rate / 3:
            self.delayed.append(batch)
            raise RemoteUnavailable("the answer did not come in time")
        self._fail()
        there = self._log.append(batch)
        self._fail()
        return there or self._unfenced

    def read(self, mark: LogMark, origin: str, projects: Collection[str], limit: int) -> LogPage:
        self._fail()
        return self._log.read(mark, origin, projects, limit)

    def newest_batch(self) -> tuple[int, str]:
        self._fail()
        return self._log.newest_batch()

    def close(self) -> None:
        """Nothing is to be let go of."""

    def deliver(self) -> None:
        """Let what is under way arrive."""
        for batch in self.delayed:
            self._log.append(batch)
        self.delayed = []

    def _fail(self) -> None:
        if self._chance.random() < self.rate / 3:
            raise RemoteUnavailable("the network is bad")


def derived(episode: Episode) -> Completion:
    """Return what a completion of *episode* writes, as a learner would: from the episode alone."""
    success = episode.outcome is not None and episode.outcome.kind is OutcomeKind.SUCCESS
    pairs = dict.fromkeys((a.tool, b.tool) for a, b in zip(episode.steps, episode.steps[1:], strict=False))
    seen = tuple(
        Observation(PatternKind.TOOL_SEQUENCE, {"tools": list(pair)}, " then ".join(pair), success, detail={"n": len(episode.steps)})
        for pair in pairs
    )
    notes = "\n".join([episode.outcome.summary, *episode.outcome.lessons]) if episode.outcome else ""
    return Completion(episode, IndexText(episode.task, " ".join(step.tool for step in episode.steps), notes), seen)


def scratch() -> str | None:
    """Return where directories are made that need not outlive anything: in memory where that can be had."""
    return RAM if os.access(RAM, os.W_OK) else None


async def at_once(call: Callable[[], Any]) -> Any:
    return call()


@dataclass
class Machine:
    """A store with its replicator."""

    folder: Path
    log: FaultyLog
    unfenced: bool
    skew_ms: int = 0
    store: SqliteStore = field(init=False)
    replicator: Replicator = field(init=False)
    own_open: set[str] = field(default_factory=set)

    async def start(self, clock: Callable[[], int]) -> None:
        def now_ms() -> int:
            return clock() + self.skew_ms

        self.store = await SqliteStore.open(self.folder, STORAGE, Metrics(), now_ms)
        await self.store.share_with([URL])
        made = UnfencedReplicator if self.unfenced else Replicator
        with self.store._readers.reader() as connection:
            origin = str(Tables(connection).value("replica"))
        self.replicator = made(self.store, self.log, URL, origin, (), derived, now_ms, at_once, lambda: None)


class World:
    """The machines, the log, and what was acknowledged."""

    def __init__(self, seed: int, folder: Path, without: str = "") -> None:
        self.chance, self.folder, self._without = random.Random(seed), folder, without
        self.log: InMemoryLog = {"unique": UnguardedLog, "lock": UnlockedLog}.get(without, InMemoryLog)()
        self._now_ms, self._names = 1_700_000_000_000, 0
        self.machines: list[Machine] = []
        self.images = [self.log.image()]
        self.completed: set[str] = set()
        self.forgotten: set[str] = set()
        self.logged: dict[str, str] = {}  # the episode of each observation, which is told once

    def now_ms(self) -> int:
        self._now_ms += 1
        return self._now_ms

    def name(self, prefix: str) -> str:
        self._names += 1
        return f"{prefix}{self._names}"

    async def add_machine(self, copied: Machine | None = None) -> None:
        folder = self.folder / self.name("m")
        shutil.copytree(copied.folder if copied is not None else await empty_directory(), folder)
        unfenced = self._without == "fence"
        machine = Machine(folder, FaultyLog(self.log, self.chance, unfenced=unfenced), unfenced)
        await machine.start(self.now_ms)
        self.machines.append(machine)

    # --- what may happen ---

    async def start_episode(self, m: Machine) -> None:
        id_ = self.name("e")
        follows = self.chance.choice([None, *self._known(m)])
        context = Context("web", tags=(self.chance.choice("abc"),))
        episode = Episode(id_, self.chance.choice("pq"), f"task {id_}", context=context, agent=self.chance.choice(("x", "y")))
        await m.store.start_episode(replace(episode, started_at_ms=self.now_ms(), follows=follows))
        m.own_open.add(id_)

    async def log_steps(self, m: Machine) -> None:
        if m.own_open:
            steps = [Step(self.chance.choice(TOOLS), observation=self.name("seen ")) for _ in range(self.chance.randint(1, 4))]
            id_ = self.chance.choice(sorted(m.own_open))
            try:
                await m.store.append_steps(id_, steps)
            except (EpisodeClosed, NotFound):  # another machine has taken it over, or forgotten it
                m.own_open.discard(id_)
                return
            self.logged |= {step.observation: id_ for step in steps}

    async def claim(self, m: Machine) -> None:
        """Take over what another machine began, as far as the network lets through who asks."""
        known = m.store.get_episodes(self._known(m), steps=False)
        away = [x.id for x in known if x and x.state is EpisodeState.OPEN and m.store.is_away(x.id)]
        if not away:
            return
        id_ = self.chance.choice(away)
        await m.store.ask_claim(id_, self.now_ms())
        for _ in range(CLAIM_TURNS):
            await m.replicator.turn()
        await m.store.withdraw_claim(id_)
        found = m.store.get_episodes([id_], steps=False)[0]
        if found is not None and found.state is EpisodeState.OPEN and not m.store.is_away(id_):
            m.own_open.add(id_)

    async def complete(self, m: Machine) -> None:
        if not m.own_open:
            return
        id_ = self.chance.choice(sorted(m.own_open))
        found = m.store.get_episodes([id_])[0]
        if found is None or found.state is not EpisodeState.OPEN or m.store.is_away(id_):
            m.own_open.discard(id_)
            return
        kind = self.chance.choice((OutcomeKind.SUCCESS, OutcomeKind.FAILURE))
        outcome = Outcome(kind, self.name("summary "), lessons=("first lesson",))
        closed = replace(found, state=EpisodeState.COMPLETED, ended_at_ms=self.now_ms(), outcome=outcome, reward=Reward(0.5))
        await m.store.complete_episode(derived(replace(closed, reflection=Reflection(), files=())))
        m.own_open.discard(id_)
        self.completed.add(id_)

    async def abandon(self, m: Machine) -> None:
        if m.own_open:
            id_ = self.chance.choice(sorted(m.own_open))
            await m.store.abandon_episodes([id_], self.now_ms())
            m.own_open.discard(id_)

    async def edit(self, m: Machine) -> None:
        if known := self._known(m):
            tag = self.chance.choice("abc")
            await m.store.update_episode(
                self.chance.choice(known),
                add_tags=(tag,) if self.chance.random() < 0.5 else (),
                remove_tags=(tag,) if self.chance.random() < 0.3 else (),
                metadata={self.chance.choice("kl"): self.chance.randint(0, 9)},
                task=self.name("reworded ") if self.chance.random() < 0.3 else None,
                add_lessons=(self.chance.choice(("first lesson", "second", "third")),) if self.chance.random() < 0.4 else (),
            )

    async def label(self, m: Machine) -> None:
        done = [id_ for id_ in self._known(m) if id_ in self.completed]
        if done:
            found = m.store.get_episodes([self.chance.choice(done)])[0]
            if found is not None and found.outcome is not None:
                kind = self.chance.choice((OutcomeKind.SUCCESS, OutcomeKind.FAILURE))
                judged = replace(found, outcome=replace(found.outcome, kind=kind), reward=Reward(0.25), reflection=Reflection())
                await m.store.replace_outcome(derived(judged), metadata={}, add_lessons=())

    async def link(self, m: Machine) -> None:
        known = self._known(m)
        if len(known) >= 2:
            from_id, to_id = self.chance.sample(known, 2)
            kind = self.chance.choice(("related_to", "depends_on"))
            try:
                if self.chance.random() < 0.3:
                    await m.store.remove_link(from_id, to_id, kind)
                else:
                    await m.store.put_link(from_id, to_id, kind, self.name("note "), self.now_ms())
            except InvalidInput:  # a cycle
                return

    async def vote(self, m: Machine) -> None:
        if known := self._known(m):
            shown_to = self.chance.choice([None, *known])
            shown = Recommendation(self.name("r"), RecommendationKind.RECALL, "p", shown_to, (self.chance.choice(known),), self.now_ms())
            await m.store.put_recommendation(shown)
            by = self.chance.choice([None, *known])
            vote = Feedback(self.name("v"), shown.id, Verdict.HELPED, shown.shown_ids, 0.5, "", False, self.now_ms(), by)
            await m.store.put_feedback(vote)

    async def correct(self, m: Machine) -> None:
        if known := self._known(m):
            await m.store.put_correction(self.chance.choice(known), Correction(self.name("better ")), self.now_ms())

    async def checkpoint(self, m: Machine) -> None:
        if known := self._known(m):
            await m.store.put_checkpoint(self.name("c"), self.chance.choice(known), Handoff("x"), self.now_ms())

    async def quarantine(self, m: Machine) -> None:
        given = Quarantine(Source(SourceKind.AGENT, self.chance.choice(("x", "y"))), "a test", "somebody", self.now_ms())
        await m.store.put_quarantine(given, active=self.chance.random() < 0.4)

    async def forget(self, m: Machine) -> None:
        if known := [id_ for id_ in self._known(m) if id_ not in m.own_open]:
            id_ = self.chance.choice(known)
            others_open = {open_ for machine in self.machines for open_ in machine.own_open}
            if id_ not in others_open:
                found = m.store.get_episodes([id_])[0]
                for step in found.steps if found is not None else ():
                    self.logged.pop(step.observation, None)
                await m.store.delete_episodes([id_], "a test", self.now_ms())
                self.forgotten.add(id_)

    async def turn(self, m: Machine) -> None:
        for _ in range(self.chance.randint(1, 6)):
            await m.replicator.turn()

    async def deliver_late(self, m: Machine) -> None:
        m.log.deliver()

    async def keep_image(self, m: Machine) -> None:
        self.images.append(self.log.image())

    async def put_back(self, m: Machine) -> None:
        self.log.put_back(self.chance.choice(self.images))

    async def restart(self, m: Machine) -> None:
        await m.store.aclose()
        await m.start(self.now_ms)

    async def turn_clock(self, m: Machine) -> None:
        m.skew_ms = self.chance.choice((0, -3_600_000, 60_000))

    async def copy(self, m: Machine) -> None:
        if len(self.machines) < 4:
            await m.store.aclose()
            await self.add_machine(m)
            await m.start(self.now_ms)

    def _all(self, m: Machine) -> list[Episode]:
        return [x for x in m.store.get_episodes(self._known(m)) if x is not None]

    def _known(self, m: Machine) -> list[str]:
        connection = m.store._writer  # no write is under way
        return [row[0] for row in connection.execute("SELECT id FROM episode ORDER BY id")]

    # --- a run ---

    async def run(self) -> None:
        """Let everything happen, then let everybody come into step."""
        weights: dict[Callable[[Machine], Awaitable[None]], int] = {
            self.start_episode: 10, self.log_steps: 12, self.complete: 9, self.abandon: 1, self.edit: 7, self.label: 2, self.link: 6,
            self.vote: 5, self.claim: 4, self.correct: 2, self.checkpoint: 2, self.quarantine: 1, self.forget: 3, self.turn: 22,
            self.deliver_late: 2, self.keep_image: 2, self.put_back: 1, self.restart: 1, self.turn_clock: 1, self.copy: 1,
        }  # fmt: skip
        for _ in range(self.chance.randint(2, 3)):
            await self.add_machine()
        for _ in range(ACTIONS):
            action = self.chance.choices(list(weights), list(weights.values()))[0]
            await action(self.chance.choice(self.machines))
        for machine in self.machines:
            machine.log.deliver()
            machine.log.rate = 0.0
        await self.drain()

    async def drain(self) -> None:
        quiet = 0
        for _ in range(MAX_DRAIN_TURNS):
            turns = [await machine.replicator.turn() for machine in self.machines]
            quiet = 0 if any(turn.was_news or turn.error for turn in turns) else quiet + 1
            if quiet == 2:
                return
        raise AssertionError("they never come into step")

    async def close(self) -> None:
        for machine in self.machines:
            await machine.store.aclose()

    # --- what must be ---

    def problems(self) -> list[str]:
        """Return what is wrong at the end."""
        found: list[str] = []
        told = [facts_of(machine.store) for machine in self.machines]
        for number, facts in enumerate(told[1:], 1):
            if facts != told[0]:
                differing = sorted(id_ for id_ in facts.keys() | told[0].keys() if facts.get(id_) != told[0].get(id_))
                found.append(f"machine {number} and machine 0 differ in {differing[:4]}")
        views = [view_of(machine.store) for machine in self.machines]
        found += [f"machine {number} derives something else: {difference(v, views[0])}" for number, v in enumerate(views) if v != views[0]]
        there = {episode for episode in told[0] if episode.endswith("/episode")}
        missing = sorted(id_ for id_ in self.completed - self.forgotten if f"{id_}/episode" not in there)
        found += [f"lost: {missing}"] if missing else []
        there = {step.observation for x in self._all(self.machines[0]) for step in x.steps}
        gone = sorted(seen for seen, id_ in self.logged.items() if seen not in there and id_ not in self.forgotten)
        found += [f"steps are lost: {gone[:4]} of {self.logged[gone[0]]}"] if gone else []
        ids = [fact.id for fact in self.log.image().facts]
        found += [f"the log has {len(ids) - len(set(ids))} facts twice"] if len(set(ids)) != len(ids) else []
        ghosts = sorted(id_ for id_ in ids if any(id_.startswith(f"{gone}/") and id_ != tombstone_id(gone) for gone in self.forgotten))
        found += [f"forgotten, but in the log: {ghosts[:4]}"] if ghosts else []
        found += [f"in memory, but not in the log: {sorted(told[0].keys() - set(ids))[:4]}"] if told[0].keys() - set(ids) else []
        unknown = sorted(id_ for id_ in set(ids) - told[0].keys() if parts_of(id_)[1] not in OVERWRITTEN)
        found += [f"in the log, but not in memory: {unknown[:4]}"] if unknown else []
        for machine in self.machines:
            found += machine.store.check()
        return found


_EMPTY: list[tempfile.TemporaryDirectory[str]] = []  # made when it is first asked for: most processes that load this never do


async def empty_directory() -> Path:
    """Return a data directory with the schema and nothing in it: a copy of it gets an identity of its own, in a fifth of the time."""
    if not _EMPTY:
        _EMPTY.append(tempfile.TemporaryDirectory(prefix="mm-sim-", dir=scratch()))
        await (await SqliteStore.open(_EMPTY[0].name, STORAGE, Metrics(), lambda: 0)).aclose()
    return Path(_EMPTY[0].name)


def facts_of(store: SqliteStore) -> dict[str, tuple[str, int, bytes]]:
    """Return every fact that the store would tell an empty log."""
    with store._readers.reader() as connection:
        connection.execute("BEGIN")
        tables = Tables(connection)
        from mcp_memory.storage.queries import QUERIES

        listing = QUERIES["queue_everything"].partition("FROM (")[2].rpartition(") ORDER BY")[0]
        reads = FactReads(tables, store._codec)
        facts = [fact for (id_, *_) in tables.rows(listing, []) for fact in reads.made(id_)]
    return {fact.id: (fact.project, fact.hlc, fact.body) for fact in facts}


def view_of(store: SqliteStore) -> dict[str, Any]:
    """Return what is derived, without what is counted in order of arrival."""
    patterns = store.patterns(limit=10_000)
    ids = sorted(trace.id for trace in store.traces())
    links = store.links(ids)
    traces = {trace.id: replace(trace, seq=0) for trace in store.traces()}
    return {
        "patterns": sorted((p.id, p.project, p.support, p.successes, p.failures) for p in patterns),
        "traces": {id_: replace(trace, tags=tuple(sorted(trace.tags))) for id_, trace in traces.items()},
        "links": sorted(map(repr, links)),
        "votes": sorted(vote.id for vote, _ in store.feedback()[0]),
        "corrections": store.corrections(),
        "open": sorted(x.id for x in store.get_episodes(store.ids_starting("e", 10_000), steps=True) if x and x.state is EpisodeState.OPEN),
    }


def difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    return "; ".join(f"{key}: {str(one[key])[:200]} / {str(other[key])[:200]}" for key in one if one[key] != other[key])


def simulate(seed: int, without: str = "") -> list[str]:
    """Run one seed in a scratch folder and return what is wrong; without a guard (fence, unique, lock) where that is named."""

    async def run() -> list[str]:
        with tempfile.TemporaryDirectory(prefix="mm-sim-", dir=scratch()) as folder:
            world = World(seed, Path(folder), without)
            try:
                await world.run()
                return world.problems()
            except AssertionError as error:
                return [f"{error}"]
            finally:
                await world.close()

    return asyncio.run(run())


def main() -> int:
    logging.disable(logging.WARNING)
    first, count, without = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
    started, failed = time.monotonic(), 0
    for seed in range(first, first + count):
        if problems := simulate(seed, without):
            failed += 1
            print(f"seed {seed}: {problems}", flush=True)
    print(f"{count} seeds, {failed} failed, {time.monotonic() - started:.0f} s")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
