"""What an operator does with a store: back it up, repair it, give back its unused space. See `ports.Upkeep`."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from mcp_memory.domain.backups import Backup, Compacted
from mcp_memory.domain.episode import Episode
from mcp_memory.ports import Clock, Completion
from mcp_memory.storage import repairing
from mcp_memory.storage.backup_files import write_backup
from mcp_memory.storage.connection import Connection, translated

WRITE_BACK_S, WRITE_BACK_POLL_S = 5.0, 0.02  # for how long a busy log is waited for, and how often it is tried
Write = Callable[..., Awaitable[Any]]  # runs a function of the transaction, with its arguments, in the writer's thread


class SqliteUpkeep:
    """Works beside the store on the same file."""

    def __init__(
        self, path: Path, open_another: Callable[[], Connection], write: Write, clock: Clock, copies: Callable[[], list[Episode]]
    ) -> None:
        """*copies*: reads the sound copies of damaged records."""
        self._path, self._open_another, self._write, self._clock, self._copies = path, open_another, write, clock, copies

    def backup(self, target: Path, program: str) -> Backup:
        return write_backup(self._path, target, self._clock(), program)

    async def repair(self) -> tuple[list[str], list[str]]:
        copies = await asyncio.get_running_loop().run_in_executor(None, self._copies)
        put_back: list[str] = await self._write(repairing.put_back, copies) if copies else []
        done, lost = await self._write(repairing.repair)
        return [*put_back, *done], lost

    async def derive(self, completions: Sequence[Completion]) -> None:
        await self._write(repairing.derive, completions)

    def compact(self) -> Compacted:
        with translated(), closing(self._open_another()) as connection:
            _write_back(connection)  # what is in the log only is in no size of the file
            before = self._path.stat().st_size
            connection.execute("VACUUM")
            _write_back(connection)
        return Compacted(before, self._path.stat().st_size)


def _write_back(connection: Connection) -> None:
    """Move the whole log into the file; where somebody reads or moves some of it himself all the time, as far as that lets."""
    until = time.monotonic() + WRITE_BACK_S
    while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0] and time.monotonic() < until:
        time.sleep(WRITE_BACK_POLL_S)
