"""The facts that a memory has to tell, made from its rows when they are sent: a fact is named in the outbox and kept once, as the truth.

A body is one byte for its form and a record of `codec`. Everything typed is inside it, for servers change numbers and texts.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from mcp_memory.domain.episode import EpisodeState, Json
from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.domain.shared_facts import Fact, FactKind, fact_id, parts_of
from mcp_memory.storage.codec import Codec, load_json
from mcp_memory.storage.tables import Row, Tables

WHOLE, IN_PARTS = 1, 2  # forms of a body
PART_BYTES = 1_000_000  # of one fact: servers take some five
READ_AGAIN = "`mcp-memory check --repair` removes them, then `mcp-memory sync --full` reads them from the log again"
MAX_NAMED = 5
PROJECT_PREFIX = "project/"  # of the target of a correction of a project's name; the rest is the name
logger = logging.getLogger(__name__)


class FactReads:
    """Makes facts from the rows of one snapshot."""

    def __init__(self, tables: Tables, codec: Codec) -> None:
        self._tables, self._codec = tables, codec
        self._replica_id: str = tables.value("replica")
        self._makers: dict[str, Callable[[str, Sequence[str]], list[Fact]]] = {
            FactKind.OPEN: self._open,
            FactKind.STEP: self._step,
            FactKind.EPISODE: self._episode,
            FactKind.THREAD: self._thread,
            FactKind.ABANDON: self._abandon,
            FactKind.CLAIM: self._claim,
            FactKind.EDIT: self._edit,
            FactKind.LINK: self._link,
            FactKind.RECOMMENDATION: self._recommendation,
            FactKind.FEEDBACK: self._feedback,
            FactKind.CORRECTION: self._correction,
            FactKind.CHECKPOINT: self._checkpoint,
            FactKind.QUARANTINE: self._quarantine,
            FactKind.TOMBSTONE: self._tombstone,
        }

    def made(self, id_: str) -> list[Fact]:
        """Return the fact of that id, in parts where it is large; nothing where it is no longer true: deleted, or said anew since."""
        owner, kind, rest = parts_of(id_)
        maker = self._makers.get(kind)
        found = maker(owner, rest) if maker else []
        return found or parked_facts(self._tables.all("parked_by_id", id_))

    def _fact(
        self, kind: FactKind, owner: str, rest: Sequence[str], project: str, body: Json,
        *, hlc: int = 0, origin: str = "", others: tuple[str, ...] = (), unless: tuple[str, ...] = (),
    ) -> Fact:  # fmt: skip
        payload = body if isinstance(body, bytes) else self._codec.json(body)
        body, by = bytes((WHOLE,)) + payload, origin or self._replica_id
        return Fact(fact_id(kind, owner, *rest), project, kind, hlc, by, body, others=others, unless=unless)

    def _open(self, owner: str, rest: Sequence[str]) -> list[Fact]:
        found = self._tables.original(owner, steps=False)
        if found is None or found.state is EpisodeState.COMPLETED:
            return []
        body = self._codec.episode(replace(found, state=EpisodeState.OPEN, ended_at_ms=None, step_count=0))
        home = self._tables.sound("home_of", self._tables.value("episode_state", owner))
        return [self._fact(FactKind.OPEN, owner, (), found.project, body, origin=home[0][0] if home else self._replica_id)]

    def _step(self, owner: str, rest: Sequence[str]) -> list[Fact]:
        rows = self._tables.sound("shared_step", owner, int(rest[0]))
        return [self._fact(FactKind.STEP, owner, rest, project, body, unless=self._next_claim(owner)) for project, body in rows]

    def _episode(self, owner: str, rest: Sequence[str]) -> list[Fact]:
        found = self._tables.original(owner, steps=True)
        if found is None or found.state is not EpisodeState.COMPLETED:
            return []
        body = self._codec.episode(found)
        if len(body) < PART_BYTES:
            return [self._fact(FactKind.EPISODE, owner, (), found.project, body)]
        digest = hashlib.blake2b(body, digest_size=8).hexdigest()
        pieces = [body[start : start + PART_BYTES] for start in range(0, len(body), PART_BYTES)]
        parts = [self._fact(FactKind.PART, owner, (digest, f"{n:06}"), found.project, piece) for n, piece in enumerate(pieces)]
        whole = self._fact(FactKind.EPISODE, owner, (), found.project, {"digest": digest, "parts": len(pieces)})
        return [*parts, replace(whole, body=bytes((IN_PARTS,)) + whole.body[1:])]

    def _thread(self, owner: str, rest: Sequence[str]) -> list[Fact]:
        found = self._tables.original(owner, steps=False)
        if found is None or not found.follows:
            return []
        return [self._fact(FactKind.THREAD, owner, (), found.project, {"follows": found.follows})]

    def _abandon(self, owner: str, rest: Sequence[str]) -> list[Fact]:
        found = self._tables.original(owner, steps=False)
        if found is None or found.state is not EpisodeState.ABANDONED:
            return []
        body = {"at_ms": found.ended_at_ms, "steps": found.step_count}
        return [self._fact(FactKind.ABANDON, owner, (), found.project, body, unless=self._next_claim(owner))]

    def _claim(self, owner: str, rest: Sequence[str]) -> list[Fact]:
        rows = self._tables.sound("claim_of_number", owner, int(rest[0]))
        return [
            self._fact(FactKind.CLAIM, owner, rest, project, {"at_ms": at_ms}, origin=origin)
            for project, state, at_ms, origin in rows
            if state != EpisodeState.COMPLETED
        ]

    def _next_claim(self, owner: str) -> tuple[str, ...]:
        """Return the claim that is not known here: in a log that has it, what is told of the open episode comes too late."""
        known = self._tables.value("last_claim", self._tables.value("episode_state", owner))
        return (fact_id(FactKind.CLAIM, owner, known + 1),)

    def _edit(self, owner: str, rest: Sequence[str]) -> list[Fact]:
        hlc, origin = stamp_in(rest[0])
        rows = self._tables.sound("edits_of_stamp", owner, hlc, origin)
        if not rows:
            return []
        body = {"at_ms": rows[0][2], "fields": {field: load_json(value) for field, value, _ in rows}}
        return [self._fact(FactKind.EDIT, owner, rest, self._project(owner), body, hlc=hlc, origin=origin)]

    def _link(self, owner: str, rest: Sequence[str]) -> list[Fact]:
        hlc, origin = stamp_in(rest[1])
        rows = self._tables.sound("link_of_stamp", rest[0], hlc, origin)
        return [
            self._fact(
                FactKind.LINK, owner, rest, project,
                {"to": to, "type": kind, "note": note, "removed": removed == 1, "at_ms": at_ms}, hlc=hlc, origin=origin, others=(to,),
            )
            for project, to, kind, note, removed, at_ms in rows
        ]  # fmt: skip

    def _recommendation(self, owner: str, rest: Sequence[str]) -> list[Fact]:
        rows = self._tables.sound("recommendation_by_id", rest[0])
        return [
            self._fact(
                FactKind.RECOMMENDATION, owner, rest, project,
                {"kind": kind, "project": project, "episode": episode, "at_ms": at_ms, "shown": load_json(shown)},
            )
            for _, kind, project, episode, at_ms, shown in rows
        ]  # fmt: skip

    def _feedback(self, owner: str, rest: Sequence[str]) -> list[Fact]:
        made = []
        for verdict, used, rating, note, implicit, at_ms, episode, on, project, shown_to in self._tables.sound("feedback_by_id", rest[0]):
            body = {"on": on, "verdict": verdict, "used": load_json(used), "rating": rating, "note": note, "implicit": implicit}
            others = tuple(x for x in (episode, shown_to) if x)
            made.append(self._fact(FactKind.FEEDBACK, owner, rest, project, body | {"at_ms": at_ms, "episode": episode}, others=others))
        return made

    def _correction(self, owner: str, rest: Sequence[str]) -> list[Fact]:
        rows = self._tables.sound("correction_by_id", rest[0])
        return [
            self._fact(
                FactKind.CORRECTION,
                owner,
                rest,
                self._project(owner),
                {"content": load_json(content), "at_ms": at_ms},
                hlc=hlc,
                origin=origin,
            )
            for _, content, at_ms, hlc, origin in rows
        ]

    def _checkpoint(self, owner: str, rest: Sequence[str]) -> list[Fact]:
        rows = self._tables.sound("shared_checkpoint", rest[0])
        return [
            self._fact(FactKind.CHECKPOINT, owner, rest, project, {"content": load_json(content), "at_ms": at_ms})
            for project, content, at_ms in rows
        ]

    def _tombstone(self, owner: str, rest: Sequence[str]) -> list[Fact]:
        rows = self._tables.sound("tombstone_by_id", owner)
        return [self._fact(FactKind.TOMBSTONE, owner, (), project, {"reason": reason, "at_ms": at_ms}) for reason, at_ms, project in rows]

    def _quarantine(self, owner: str, rest: Sequence[str]) -> list[Fact]:
        kind, _, name = owner.partition("/")
        hlc, origin = stamp_in(rest[0])
        return [
            self._fact(
                FactKind.QUARANTINE, owner, rest, ANY_PROJECT,
                {"active": bool(active), "reason": reason, "by": by, "at_ms": at_ms}, hlc=hlc, origin=origin,
            )
            for active, reason, by, at_ms in self._tables.sound("quarantine_of_stamp", kind, name, hlc, origin)
        ]  # fmt: skip

    def _project(self, owner: str) -> str:
        """Return the project of an episode, of a pattern (any, where it is of several) or of a project's name."""
        if owner.startswith(PROJECT_PREFIX):
            return owner.removeprefix(PROJECT_PREFIX)
        found: str | None = self._tables.value("project_of", owner)
        if found is not None:
            return found
        projects = [row[0] for row in self._tables.all("projects_of_pattern", owner)]
        return projects[0] if len(projects) == 1 else ANY_PROJECT if projects else ""


def stamp_in(text: str) -> tuple[int, str]:
    """Return the stamp that `link_writes.stamped` wrote."""
    reading, _, origin = text.partition("_")
    return int(reading, 16), origin


def parked_facts(rows: Iterable[Row]) -> list[Fact]:
    """Return the facts of rows of `parked`; a damaged one stays aside, for `check` to name it: nothing else has to wait for its repair."""
    found, damaged = [], []
    for row in rows:
        if row[-1]:
            found.append(Fact(*row[:-1]))
        else:
            damaged.append(row[0])
    if damaged:
        logger.warning("facts that wait are damaged, and stay aside: %s; %s", damaged[:MAX_NAMED], READ_AGAIN)
    return found
