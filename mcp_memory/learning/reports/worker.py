"""Heavy analyses in a process of their own: started on demand, gone after a minute of idleness, its crash an error to one call only.

Clusters of thousands of tasks take seconds of a processor, which the serving process needs for its answers. Frames on its pipes are a
length and a msgpack value;
its standard output is moved to standard error first, so that nothing a library prints can spoil a frame. It owns no data: killing it
at any moment is safe, and when its parent goes away its input ends and so does it.
"""

import contextlib
import importlib
import os
import queue
import struct
import subprocess
import sys
import threading
import weakref
from typing import IO, Any

import msgspec

from mcp_memory.errors import AnalysisFailed

_LENGTH = struct.Struct(">I")
_IDLE_EXIT = 0
_MAX_FRAME_BYTES = 512 * 1024 * 1024
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # the server needs the other cores
_BOOT = "import sys; sys.path[:] = {path!r}; from mcp_memory.learning.reports.worker import serve; serve({idle_s!r})"


class AnalysisWorker:
    """Calls functions in the worker process, one at a time, from any thread."""

    def __init__(self, *, timeout_s: float = 60.0, idle_s: float = 60.0) -> None:
        """Prepare; no process is started before the first call.

        Args:
            timeout_s: Of one call, starting the process included; then the process is killed.
            idle_s: After which the process ends by itself.
        """
        self._timeout_s, self._idle_s = timeout_s, idle_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stop: weakref.finalize[..., Any] | None = None

    @property
    def pid(self) -> int | None:
        """The worker's process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def call(self, function: str, payload: Any) -> Any:
        """Return `function(payload)` as computed in the worker process. Blocking.

        Args:
            function: `module:name`, importable there.
            payload: Anything msgpack can carry; so must be what comes back.

        Raises:
            AnalysisFailed: The function raised, the process died, or the time is up; the next call starts afresh.
        """
        request = msgspec.msgpack.encode([function, payload])
        with self._lock:
            fresh = self.pid is None
            try:
                answer = self._exchange(request)
            except _Gone:
                if fresh:  # a process that just ended by idleness is no failure: once more with a new one
                    raise AnalysisFailed(f"the analysis process ended while it worked on {function}") from None
                answer = self._retry(function, request)
        kind, value = answer
        if kind == "error":
            raise AnalysisFailed(f"{function}: {value}")
        return value

    def _retry(self, function: str, request: bytes) -> Any:
        try:
            return self._exchange(request)
        except _Gone:
            raise AnalysisFailed(f"the analysis process ended while it worked on {function}") from None

    def _exchange(self, request: bytes) -> Any:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Event()

        def kill() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self._timeout_s, kill)
        timer.daemon = True
        timer.start()
        try:
            _write(process.stdin, request)
            reply = _read(process.stdout)
        except OSError:
            reply = None
        finally:
            timer.cancel()
        if reply is None:
            self._close()
            if late.is_set():
                raise AnalysisFailed(f"the analysis took longer than {self._timeout_s:g} s and was stopped")
            raise _Gone
        return msgspec.msgpack.decode(reply)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._close()
            boot = _BOOT.format(path=[p or os.getcwd() for p in sys.path], idle_s=self._idle_s)
            self._process = subprocess.Popen(
                [sys.executable, "-c", boot],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | _ONE_THREAD,
                start_new_session=True,  # an interrupt at the terminal is the server's to handle
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
            self._stop = weakref.finalize(self, _end, self._process)
        return self._process

    def _close(self) -> None:
        """End the process, with the lock held."""
        if self._stop is not None:
            self._stop()
        self._process = self._stop = None

    def close(self) -> None:
        """End the process when it runs; a later call starts it again."""
        with self._lock:
            self._close()


class _Gone(Exception):
    """The process ended without an answer."""


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what was still to be written to a dead process
                pipe.close()


def _write(pipe: IO[bytes], frame: bytes) -> None:
    pipe.write(_LENGTH.pack(len(frame)))
    pipe.write(frame)
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes | None:
    """Return the next frame; None at the end of the input."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    size = _LENGTH.unpack(head)[0]
    assert size <= _MAX_FRAME_BYTES
    frame = pipe.read(size)
    return frame if len(frame) == size else None


def serve(idle_s: float) -> None:
    """Answer calls from standard input until it ends or nothing came for *idle_s*. Runs in the worker process."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    frames: queue.Queue[bytes | None] = queue.Queue()

    def listen() -> None:  # a thread, because pipes cannot be waited for with a time-out everywhere
        while (frame := _read(sys.stdin.buffer)) is not None:
            frames.put(frame)
        frames.put(None)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        try:
            frame = frames.get(timeout=idle_s)
        except queue.Empty:
            frame = None
        if frame is None:
            out.close()
            os._exit(_IDLE_EXIT)  # the listener may sit in a read that never returns
        try:
            _write(out, msgspec.msgpack.encode(_answer(frame)))
        except BrokenPipeError:  # the parent is gone
            os._exit(_IDLE_EXIT)


def _answer(frame: bytes) -> list[Any]:
    try:
        function, payload = msgspec.msgpack.decode(frame)
        module, _, name = function.partition(":")
        return ["ok", getattr(importlib.import_module(module), name)(payload)]
    except Exception as error:  # whatever a library raises is the answer to this call
        return ["error", f"{type(error).__name__}: {error}"]
