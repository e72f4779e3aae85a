"""The part of `SqliteStore` that shares it: what is told to the logs, and what they tell."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

from mcp_memory.domain.shared_facts import Fact
from mcp_memory.ports import LogMark, Outgoing, RemoteState
from mcp_memory.storage import claim_writes, remote_marks
from mcp_memory.storage.arrivals import Arrival, Decoder, Derive
from mcp_memory.storage.codec import Codec
from mcp_memory.storage.fact_reads import parked_facts
from mcp_memory.storage.fact_writes import LATER, Applied, apply_facts, is_for_later
from mcp_memory.storage.store_reads import StoreReads
from mcp_memory.storage.tables import Tables, Transaction

P = ParamSpec("P")
T = TypeVar("T")
Apply = Callable[[Transaction, Sequence[Arrival], Callable[[], bool]], Applied]  # the last says when it is enough
PIECE = 250  # facts that are decoded while those before them are applied


class StoreSharing(StoreReads):
    """The `Replica` port over one file."""

    _codec: Codec

    async def _write(self, write: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        raise NotImplementedError

    async def _apply(self, arrivals: Sequence[Arrival], apply: Apply) -> int:
        """Apply facts in a transaction of their own, and forget the copies of what they deleted; return how many it were."""
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

    def mark(self, url: str) -> LogMark:
        with self._readers.reader() as connection:
            return remote_marks.mark_of(Tables(connection), url)

    def has_outgoing(self, url: str) -> bool:
        with self._readers.reader() as connection:
            return remote_marks.has_pending(Tables(connection), url)

    def is_away(self, episode_id: str) -> bool:
        with self._readers.reader() as connection:
            tables = Tables(connection)
            row = tables.value("episode_state", episode_id)
            return row is not None and tables.one("home_of", row) is not None

    async def ask_claim(self, episode_id: str, at_ms: int) -> None:
        await self._write(claim_writes.ask, episode_id, at_ms)

    def is_asked(self, episode_id: str) -> bool:
        with self._readers.reader() as connection:
            tables = Tables(connection)
            row = tables.value("episode_state", episode_id)
            return row is not None and tables.one("asked_claim", row) is not None

    async def withdraw_claim(self, episode_id: str) -> None:
        await self._write(claim_writes.withdraw, episode_id)

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
        pieces = [facts[start : start + PIECE] for start in range(0, max(len(facts), 1), PIECE)]
        decoder = Decoder(derive)
        ahead = self._ahead(decoder, pieces[0])
        try:
            for number, _ in enumerate(pieces, 1):
                arrivals = await ahead
                if number < len(pieces):
                    ahead = self._ahead(decoder, pieces[number])
                last = mark if number == len(pieces) else None
                await self._apply_all(arrivals, partial(remote_marks.apply_page, url=url, mark=last, derive=derive))
        finally:
            ahead.cancel()

    async def apply_parked(self, derive: Derive) -> int:
        with self._readers.reader() as connection:
            ids = [row[0] for row in Tables(connection).all("parked_ids_for", LATER)]
        decoder, applied = Decoder(derive), 0
        for start in range(0, len(ids), PIECE):
            arrivals = [each for each in await self._parked(decoder, ids[start : start + PIECE]) if not is_for_later(each)]
            if arrivals:
                await self._apply_all(arrivals, partial(apply_facts, derive=derive, parked=True))
            applied += len(arrivals)
        return applied

    async def _apply_all(self, arrivals: Sequence[Arrival], apply: Apply) -> None:
        done = await self._apply(arrivals, apply)
        while done < len(arrivals):
            done += await self._apply(arrivals[done:], apply)

    def _parked(self, decoder: Decoder, ids: Sequence[str]) -> "asyncio.Future[list[Arrival]]":
        def decoded() -> list[Arrival]:
            with self._readers.reader() as connection:
                tables = Tables(connection)
                return decoder.arrivals(tables, parked_facts(row for id_ in ids for row in tables.all("parked_by_id", id_)))

        return asyncio.get_running_loop().run_in_executor(None, decoded)

    def _ahead(self, decoder: Decoder, facts: Sequence[Fact]) -> "asyncio.Future[list[Arrival]]":
        def decoded() -> list[Arrival]:
            with self._readers.reader() as connection:
                return decoder.arrivals(Tables(connection), facts)

        return asyncio.get_running_loop().run_in_executor(None, decoded)

    async def read_again(self, url: str, epoch: str, *, went_back: bool) -> None:
        await self._write(remote_marks.begin_again, url, epoch, went_back=went_back)

    async def note_remote(self, url: str, in_step_at_ms: int | None, error: str) -> None:
        await self._write(remote_marks.note, url, in_step_at_ms, error)
