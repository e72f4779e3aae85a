"""Backup and compact: what an operator asks for; and the backups that are made by themselves."""

import logging
from collections.abc import Sequence
from pathlib import Path

import anyio

from mcp_memory import private
from mcp_memory.domain.backups import Backup, Compacted, made_at, name_of, outlived
from mcp_memory.errors import McpMemoryError
from mcp_memory.ports import Completion, Upkeep
from mcp_memory.user_data import expanded
from mcp_memory.verbs.deriving import deriving
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.reporting import package_version

FOLDER = "backups"  # of the data directory
DERIVED_AT_ONCE = 50  # episodes of one transaction
LOOK_EVERY_S = 600.0  # whether a backup is due: another process may have made one, and a laptop sleeps
_HOUR_MS = 3_600_000
logger = logging.getLogger(__name__)


class Recovery:
    """The verbs backup, compact, and what a repair needs of a memory that is open."""

    def __init__(self, engines: Engines, upkeep: Upkeep) -> None:
        self._e, self._upkeep = engines, upkeep

    async def backup(self, target: str) -> Backup:
        """Write a backup to *target*; without one, into the data directory's own folder under the time's name."""
        e = self._e
        with e.metrics.timed("backup"):
            return await e.in_thread(lambda: self._upkeep.backup(self._place(target), package_version()))

    def _place(self, target: str) -> Path:
        return Path(expanded(target)) if target else self._folder() / name_of(self._e.clock())

    async def derive(self, lost: Sequence[str]) -> None:
        """Read episodes again whose traces, texts or evidence a repair had to let go."""
        for start in range(0, len(lost), DERIVED_AT_ONCE):
            await self._upkeep.derive(await self._e.in_thread(self._derived, lost[start : start + DERIVED_AT_ONCE]))

    async def compact(self) -> Compacted:
        """Give the space of what was deleted back to the file system. Writers wait meanwhile, some seconds a gigabyte."""
        return await self._e.in_thread(self._upkeep.compact)

    def _derived(self, ids: Sequence[str]) -> list[Completion]:
        """Return what the completions of these episodes write besides the record, which stays as it is (blocking)."""
        derive = deriving(self._e)
        return [derive(episode) for episode in self._e.store.get_episodes(ids) if episode is not None and episode.outcome is not None]

    def _folder(self) -> Path:
        folder = self._e.config.data_dir / FOLDER
        private.make_folder(folder, ours=True)
        return folder

    async def run_scheduled(self) -> None:
        """Make a backup whenever one is due, until cancelled; a failure is logged and tried again. Without a setting nothing is done."""
        while self._e.config.storage.backup_every_hours > 0:
            try:
                await self.make_due()
            except (McpMemoryError, OSError) as error:
                logger.warning("scheduled backup: %s", error)
            await anyio.sleep(LOOK_EVERY_S)

    async def make_due(self) -> Backup | None:
        """Make a backup when the newest of all processes is older than `storage.backup_every_hours`; let go of older ones."""
        hours, now_ms = self._e.config.storage.backup_every_hours, self._e.clock()
        made = self._made()
        if hours <= 0 or (made and now_ms - max(made) < hours * _HOUR_MS):
            return None
        done = await self.backup("")
        made = self._made()
        for at in outlived(made, now_ms):
            made[at].unlink(missing_ok=True)
        return done

    def _made(self) -> dict[int, Path]:
        return {at: path for path in self._folder().iterdir() if (at := made_at(path.name)) is not None}
