"""What an operator does with a store: back it up, repair it, give back its unused space. See `ports.Upkeep`."""

import asyncio
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
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # what is in the log only is in no size of the file
            before = self._path.stat().st_size
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return Compacted(before, self._path.stat().st_size)
