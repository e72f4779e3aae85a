"""A shared log that is opened at its first use, where that may wait or fail: the memory is there meanwhile, and says why it is alone."""

from collections.abc import Callable

from mcp_memory.errors import ConfigError, RemoteRefused
from mcp_memory.ports import SharedLog
from mcp_memory.replication.log_before import LogBefore


class LaterLog(LogBefore):
    """See `ports.SharedLog`. What cannot be opened is tried again at the next call. Used by one thread at a time."""

    def __init__(self, opener: Callable[[], SharedLog]) -> None:
        """*opener* may block, and raise ConfigError."""
        self._opener = opener
        self._opened: SharedLog | None = None

    @property
    def _log(self) -> SharedLog:
        if self._opened is None:
            try:
                self._opened = self._opener()
            except ConfigError as error:
                raise RemoteRefused(error.message, hint=error.hint) from error
        return self._opened

    def close(self) -> None:
        """Let go of the connection, where there is one."""
        if self._opened is not None:
            self._opened.close()
