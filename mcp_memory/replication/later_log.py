"""A shared log that is opened at its first use, where that may wait or fail: the memory is there meanwhile, and says why it is alone."""

from collections.abc import Callable, Collection

from mcp_memory.errors import ConfigError, RemoteRefused
from mcp_memory.ports import Batch, LogMark, LogPage, SharedLog


class LaterLog:
    """See `ports.SharedLog`. What cannot be opened is tried again at the next call. Used by one thread at a time."""

    def __init__(self, opener: Callable[[], SharedLog]) -> None:
        """*opener* may block, and raise ConfigError."""
        self._opener = opener
        self._log: SharedLog | None = None

    def _opened(self) -> SharedLog:
        if self._log is None:
            try:
                self._log = self._opener()
            except ConfigError as error:
                raise RemoteRefused(error.message, hint=error.hint) from error
        return self._log

    def ensure(self) -> None:
        """Make the tables where they are missing."""
        self._opened().ensure()

    def append(self, batch: Batch) -> bool:
        """Add the facts that are not there; return whether the batch before is there."""
        return self._opened().append(batch)

    def read(self, mark: LogMark, origin: str, projects: Collection[str], limit: int) -> LogPage:
        """Return facts after the mark."""
        return self._opened().read(mark, origin, projects, limit)

    def newest_batch(self) -> tuple[int, str]:
        """Return number and nonce of the newest batch."""
        return self._opened().newest_batch()

    def close(self) -> None:
        """Let go of the connection, where there is one."""
        if self._log is not None:
            self._log.close()
