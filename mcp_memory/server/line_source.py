"""Lines from a descriptor into the event loop: by readiness where the loop can watch it (no thread change), else from a daemon thread."""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator

MAX_LINE_BYTES = 64 * 1024 * 1024  # a full log_steps call can reach 22 MB
_CHUNK_BYTES = 256 * 1024
logger = logging.getLogger(__name__)


class LineSource:
    """Hands every line to `on_line` in the event loop, then None at the end. `pause` and `resume` bound what is read ahead."""

    def __init__(self, fd: int, on_line: Callable[[bytes | None], None]) -> None:
        self._fd, self._on_line = fd, on_line
        self._splitter = _Splitter()
        self._watching = self._done = False
        self._may_read = threading.Event()
        self._may_read.set()

    def start(self) -> None:
        """Begin to read, in the running loop."""
        self._loop = asyncio.get_running_loop()
        self._watching = sys.platform != "win32" and self._watch()
        if not self._watching:  # a daemon: a blocked read cannot be interrupted and must not keep the process alive
            threading.Thread(target=self._read_in_thread, name="stdin", daemon=True).start()

    def _watch(self) -> bool:
        """Read when there is something; return whether the loop can tell, which it cannot of a regular file as stdin."""
        try:
            self._loop.add_reader(self._fd, self._readable)
        except (NotImplementedError, OSError):
            return False
        return True

    def pause(self) -> None:
        """Read no further for now."""
        self._may_read.clear()
        if self._watching:
            self._loop.remove_reader(self._fd)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._may_read.set()
        if self._watching and not self._done:
            self._loop.add_reader(self._fd, self._readable)

    def stop(self) -> None:
        """Read no further, ever."""
        self._done = True
        if self._watching:
            self._loop.remove_reader(self._fd)

    def _readable(self) -> None:
        chunk = _read(self._fd)  # one reader and a descriptor that polls readable: this does not block
        if not chunk:
            self.stop()
        for line in self._splitter.lines(chunk):
            self._on_line(line)

    def _read_in_thread(self) -> None:
        try:
            while not self._done:
                self._may_read.wait()
                chunk = _read(self._fd)
                for line in self._splitter.lines(chunk):
                    self._loop.call_soon_threadsafe(self._on_line, line)
                if not chunk:
                    return
        except RuntimeError:  # the loop is closed: the process is ending
            logger.debug("input after the end")


class _Splitter:
    """Chunks in, lines out, then None after the empty chunk of the end. A line over MAX_LINE_BYTES comes out cut, and so unreadable."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def lines(self, chunk: bytes) -> Iterator[bytes | None]:
        """Return the lines that *chunk* completes."""
        if not chunk:
            if self._rest:
                yield bytes(self._rest)
            yield None
            return
        first, *others = chunk.split(b"\n")
        if len(self._rest) < MAX_LINE_BYTES:
            self._rest += first
        if not others:
            return
        yield bytes(self._rest)
        yield from others[:-1]
        self._rest = bytearray(others[-1])


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, _CHUNK_BYTES)
    except OSError as error:
        logger.warning("stdin: %s", error)
        return b""
