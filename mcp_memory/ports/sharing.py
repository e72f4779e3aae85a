"""One memory on many machines: a log of facts on a server, and the side of a store that is shared through it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from mcp_memory.domain.episode import Episode
from mcp_memory.domain.shared_facts import Fact
from mcp_memory.ports.stored import Completion


@dataclass(frozen=True, slots=True)
class LogMark:
    """How far a replica knows a log, and by what it will notice that the log went back: restored, or its last commits lost."""

    epoch: str = ""  # of the log
    seq: int = 0  # the last fact that was applied
    batch: int = 0  # the newest batch that was seen,
    nonce: str = ""  # and what was drawn for it
    acknowledged: int = 0  # the highest of the replica's own batches that the log took


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request appends. `number` grows with every batch of an origin; None: more of this batch follows."""

    origin: str
    number: int | None
    facts: tuple[Fact, ...]
    erased: tuple[str, ...] = ()  # ids whose facts, with those whose ids go on from them, are deleted
    follows: int = 0  # the origin's batch before it, which the log must have; 0: none


@dataclass(frozen=True, slots=True)
class LogPage:
    """What a log answers to a reader."""

    facts: tuple[Fact, ...]  # after the reader's place, in order, with their `seq`
    epoch: str
    batch: int  # the newest batch, 0 where there is none, and its nonce
    nonce: str
    nonce_at_mark: str  # of the batch that the reader saw last, "" where it is not there
    own: int  # the highest number of the reader's own batches
    last_seq: int  # of all facts, those of other projects too


class SharedLog(Protocol):
    """An append-only log of facts on a server that several machines reach.

    Every call is one transaction, blocks, and may be repeated when its answer was lost: what is there is not added again. A fact has one
    place; readers see places in the order of commits, so that none is missed. Raises RemoteUnavailable (try later), RemoteRefused (a
    person must act). Implementations: `HranaLog`, `PostgresLog`, `testing.InMemoryLog`.
    """

    def ensure(self) -> None:
        """Make the tables where they are missing. Raises RemoteRefused: a later version made them."""

    def append(self, batch: Batch) -> bool:
        """Add the facts that are not there, all or none; return whether the log has the batch that this one follows.

        Where it has not, it went back, and a reader that looked only now would not see it by the numbers.

        A fact whose owner has a tombstone is left out, and a tombstone deletes what there is of its owner. The record of a completed
        episode deletes what was told of it while it was open, which is left out from then on. So is a fact where one of those that its
        `unless` names is there before it.
        """

    def read(self, mark: LogMark, origin: str, projects: Collection[str], limit: int) -> LogPage:
        """Return facts after `mark.seq`, of *projects* where some are named, and what tells whether the log is the one that was marked."""

    def newest_batch(self) -> tuple[int, str]:
        """Return number and nonce of the newest batch, 0 and "" where there is none: one row is read."""

    def close(self) -> None:
        """Let go of the connection; a call that waits in another thread ends with RemoteUnavailable."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Facts for a log: what the outbox names after the last acknowledgement, up to a row."""

    up_to: int
    rows: int  # of the outbox that this is
    facts: tuple[Fact, ...]
    erased: tuple[str, ...] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class RemoteState:
    """How things stand with one log, as the store has it."""

    url: str
    mark: LogMark
    pending: int  # rows of the outbox that the log does not have
    done_up_to: int  # the last row of the outbox that it has, or that is not for it
    resyncs: int  # how often it had gone back
    in_step_at_ms: int | None  # when nothing was left to send and to read
    last_error: str


class Replica(Protocol):
    """The side of a store that is shared. Implementation: `SqliteStore`."""

    async def share_with(self, urls: Sequence[str]) -> None:
        """Keep an outbox for these logs; to one that is new, everything there is goes. Those named before stay."""

    async def share_no_more(self, url: str) -> bool:
        """Forget a log and what waits for it; return whether it was known."""

    def shared_with(self) -> list[str]: ...

    def remote_state(self, url: str) -> RemoteState:
        """Return how things stand; what is pending is counted. Raises NotFound: it is not shared with."""

    def mark(self, url: str) -> LogMark:
        """Return how far a log is known. Raises NotFound: it is not shared with."""

    def has_outgoing(self, url: str) -> bool:
        """Whether the outbox has anything for a log. Raises NotFound: it is not shared with."""

    def is_away(self, episode_id: str) -> bool:
        """Whether the steps of an open episode are numbered by another replica."""

    async def ask_claim(self, episode_id: str, at_ms: int) -> None:
        """Ask the logs to let this replica number the steps of an open episode; it is granted when it comes back. Raises NotFound."""

    def is_asked(self, episode_id: str) -> bool:
        """Whether a claim of this replica is without an answer."""

    async def withdraw_claim(self, episode_id: str) -> None:
        """Ask no longer. Where a log has it already, it is granted all the same."""

    def newest_outgoing(self) -> int:
        """Return the last row of the outbox, which everything committed before is at or below."""

    def outgoing(self, url: str, projects: Collection[str], limit: int) -> Outgoing:
        """Return the facts of up to *limit* rows of the outbox, some 2 MB of them; those that are no longer true are left out."""

    async def acknowledge(self, url: str, up_to: int, *, told: bool) -> None:
        """Note that a log is done with the outbox up to that row; not *told*: nothing of it was for this log, and no batch was sent."""

    async def apply(self, url: str, facts: Sequence[Fact], mark: LogMark | None, derive: Callable[[Episode], Completion]) -> None:
        """Apply facts of a log, each with its place in the log in one transaction; at the last, note *mark*.

        Other writers wait for a part of them only: a transaction ends when one of this process comes, and after a quarter of a second.

        *derive* makes of a completed episode what its completion writes here. Applying a fact again changes nothing. What cannot be applied
        yet (a kind that is not known, an episode that has not come) is kept until it can.
        """

    async def apply_parked(self, derive: Callable[[Episode], Completion]) -> int:
        """Apply, as `apply` does, what was kept until a later version of the program and is known to this one; return how many facts.

        In the order of their clocks, then of their ids; what is still not known is kept on. One look at an index where there is none.
        """

    async def read_again(self, url: str, epoch: str, *, went_back: bool) -> None:
        """Forget the place in the log and queue every fact there is for it."""

    async def note_remote(self, url: str, in_step_at_ms: int | None, error: str) -> None: ...
