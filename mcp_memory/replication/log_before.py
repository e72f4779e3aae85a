"""What stands before another shared log, and passes on what it has no say in."""

from collections.abc import Collection

from mcp_memory.ports import Batch, LogMark, LogPage, SharedLog


class LogBefore:
    """See `ports.SharedLog`. `_log` is the one behind; it may be opened at its first use."""

    @property
    def _log(self) -> SharedLog:
        raise NotImplementedError

    def ensure(self) -> None:
        """Make the tables where they are missing."""
        self._log.ensure()

    def append(self, batch: Batch) -> bool:
        """Add the facts that are not there; return whether the batch before is there."""
        return self._log.append(batch)

    def read(self, mark: LogMark, origin: str, projects: Collection[str], limit: int) -> LogPage:
        """Return facts after the mark."""
        return self._log.read(mark, origin, projects, limit)

    def newest_batch(self) -> tuple[int, str]:
        """Return number and nonce of the newest batch."""
        return self._log.newest_batch()

    def close(self) -> None:
        """Let go of the connection."""
        self._log.close()
