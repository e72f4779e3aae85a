"""The part of `SqliteStore` that shares it: what is told to the logs, and what they tell."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Concatenate, ParamSpec, TypeVar

from mcp_memory.domain.shared_facts import Fact
from mcp_memory.ports import LogMark, Outgoing, RemoteState
from mcp_memory.storage import remote_marks
from mcp_memory.storage.arrivals import Arrival, Derive, decoded
from mcp_memory.storage.codec import Codec
from mcp_memory.storage.store_reads import StoreReads
from mcp_memory.storage.tables import Tables, Transaction

P = ParamSpec("P")
T = TypeVar("T")
SLICE = 40  # facts of one transaction: other writers wait for it, some 50 ms


class StoreSharing(StoreReads):
    """The `Replica` port over one file."""

    _codec: Codec

    async def _write(self, write: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        raise NotImplementedError

    async def _apply(self, url: str, arrivals: Sequence[Arrival], read_seq: int, mark: LogMark | None, derive: Derive) -> None:
        """Apply facts in a transaction of their own, and forget the copies of what they deleted."""
        raise NotImplementedError

    async def share_with(self, urls: Sequence[str]) -> None:
        if set(urls) - set(self.shared_with()):
            await self._write(remote_marks.know_remotes, urls)

    async def share_no_more(self, url: str) -> bool:
        return await self._write(remote_marks.forget_remote, url)

    def shared_with(self) -> list[str]:
        with self._readers.reader() as connection:
            return [row[0] for row in Tables(connection).all("remotes")]

    def remote_state(self, url: str) -> RemoteState:
        with self._readers.reader() as connection:
            return remote_marks.state_of(Tables(connection), url)

    def is_away(self, episode_id: str) -> bool:
        with self._readers.reader() as connection:
            tables = Tables(connection)
            row = tables.value("episode_state", episode_id)
            return row is not None and tables.one("home_of", row) is not None

    def newest_outgoing(self) -> int:
        with self._readers.reader() as connection:
            found: int = Tables(connection).value("newest_outgoing")
            return found

    def outgoing(self, url: str, projects: Collection[str], limit: int) -> Outgoing:
        with self._readers.reader() as connection:
            connection.execute("BEGIN")  # one snapshot: a fact and the place it stands at must fit together
            return remote_marks.outgoing(Tables(connection), self._codec, url, projects, limit)

    async def acknowledge(self, url: str, up_to: int, *, told: bool) -> None:
        await self._write(remote_marks.acknowledge, url, up_to, told=told)

    async def apply(self, url: str, facts: Sequence[Fact], mark: LogMark | None, derive: Derive) -> None:
        loop = asyncio.get_running_loop()
        for start in range(0, max(len(facts), 1), SLICE):
            part = facts[start : start + SLICE]
            arrivals = await loop.run_in_executor(None, self._decoded, part, derive)
            is_last = start + SLICE >= len(facts)
            await self._apply(url, arrivals, part[-1].seq if part else 0, mark if is_last else None, derive)

    def _decoded(self, facts: Sequence[Fact], derive: Derive) -> list[Arrival]:
        with self._readers.reader() as connection:
            return decoded(Tables(connection), facts, derive)

    async def read_again(self, url: str, epoch: str, *, went_back: bool) -> None:
        await self._write(remote_marks.begin_again, url, epoch, went_back=went_back)

    async def note_remote(self, url: str, in_step_at_ms: int | None, error: str) -> None:
        await self._write(remote_marks.note, url, in_step_at_ms, error)
