"""The stdio transport: one JSON-RPC message a line, over this process's standard streams.

Ours instead of the SDK's, for what that one does at the edges: at end of input it drops the answers of calls in flight, its reader thread
keeps an interrupted process alive, and each message costs three thread changes. Both streams fit the SDK's stream protocols.
"""

import json
from collections import Counter, deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import anyio
import anyio.to_thread
from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    jsonrpc_message_adapter,
)

from mcp_memory.domain.limits import MAX_INT
from mcp_memory.server.line_source import LineSource
from mcp_memory.server.stdio_writer import StdioWriter

MAX_WAITING_LINES = 1024
MAX_WAITING_BYTES = 64 * 1024 * 1024  # of them together; one line may be as long as that
MAX_IN_FLIGHT = 128  # requests begun whose answers are not written yet
MAX_HELD = 64  # requests read, and not begun for want of room: behind them may be the answers that others wait for
DRAIN_DEADLINE_S = 10.0  # how long calls in flight may take after the end of input


class StdioPipe:
    """Both directions, and the book-keeping between them: which requests still wait for their answer."""

    def __init__(self, in_fd: int, out_fd: int, *, on_end: Callable[[], None], on_first_answer: Callable[[], None]) -> None:
        self.reader = _Reader(self, in_fd)
        self.writer = StdioWriter(out_fd, on_sent=self.sent, on_gone=self.stop)
        self._on_end, self._on_first_answer = on_end, on_first_answer
        self._unanswered: Counter[tuple[type, Any]] = Counter()  # an id may be in use twice: nothing stops a client
        self._all_answered = anyio.Event()
        self.over = anyio.Event()  # the input has ended, and everything was answered that could be
        self._answered_any = False
        self._ended = False

    def stop(self) -> None:
        """End the input now: what is in flight is cancelled."""
        self.reader.finish()

    async def input_ended(self) -> None:
        """Wait until the calls in flight are answered, then end the input. Bounded by DRAIN_DEADLINE_S."""
        self._ended = True
        self._on_end()
        if self._unanswered:
            with anyio.move_on_after(DRAIN_DEADLINE_S):
                await self._all_answered.wait()
        self.over.set()

    @property
    def has_room(self) -> bool:
        """Whether another request may be begun. A client that does not read its answers gets no further ones made."""
        return self._unanswered.total() < MAX_IN_FLIGHT

    def received(self, message: Any) -> None:
        """Note a message from the client."""
        if isinstance(message, JSONRPCRequest):
            self._unanswered[_key(message.id)] += 1
        elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            request_id = (message.params or {}).get("requestId")
            if _can_be_sent(request_id):  # what is no id cannot have been asked with
                self._settle(request_id)

    def sent(self, message: Any) -> None:
        """Note a message to the client."""
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            self._settle(message.id)
            if not self._answered_any:
                self._answered_any = True
                self._on_first_answer()

    def _settle(self, request_id: Any) -> None:
        key = _key(request_id)
        if self._unanswered[key] <= 1:
            del self._unanswered[key]
        else:
            self._unanswered[key] -= 1
        self.reader.wake()
        if self._ended and not self._unanswered:
            self._all_answered.set()


def _key(request_id: Any) -> tuple[type, Any]:
    return type(request_id), request_id


class _Reader:
    """The SDK's read stream: parsed messages from lines."""

    def __init__(self, pipe: StdioPipe, fd: int) -> None:
        self._pipe = pipe
        self._source = LineSource(fd, self._deliver)
        self._lines: deque[bytes | None] = deque()  # None: the input ended
        self._waiting_bytes = 0
        self._held: deque[JSONRPCRequest] = deque()
        self._arrived = anyio.Event()
        self._started = self._paused = self._finished = False

    def finish(self) -> None:
        """End the stream after what was already handed out."""
        self._finished = True
        if self._started:
            self._source.stop()
        self._arrived.set()

    async def receive(self) -> SessionMessage | Exception:
        try:
            return await self.__anext__()
        except StopAsyncIteration:
            raise anyio.EndOfStream from None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        if not self._started:
            self._started = True
            self._source.start()
        while not self._finished:
            if self._held and self._pipe.has_room:
                return self._begun(self._held.popleft())
            if not self._lines or len(self._held) >= MAX_HELD or (self._held and self._lines[0] is None):
                self._arrived = anyio.Event()
                await self._arrived.wait()
                continue
            line = self._next_line()
            if line is None:
                await self._pipe.input_ended()
                break
            message = await self._parsed(line) if line.strip() else None
            if isinstance(message, JSONRPCRequest) and (self._held or not self._pipe.has_room):
                self._held.append(message)
            elif message is not None:
                return self._begun(message)
        raise StopAsyncIteration

    def wake(self) -> None:
        """Say that there may be room again."""
        if self._held:
            self._arrived.set()

    def _begun(self, message: JSONRPCMessage) -> SessionMessage:
        self._pipe.received(message)
        return SessionMessage(message)

    def _next_line(self) -> bytes | None:
        line = self._lines.popleft()
        self._waiting_bytes -= len(line or b"")
        if self._paused and len(self._lines) < MAX_WAITING_LINES // 2 and self._waiting_bytes < MAX_WAITING_BYTES // 2:
            self._paused = False
            self._source.resume()
        return line

    def _deliver(self, line: bytes | None) -> None:
        self._lines.append(line)
        self._waiting_bytes += len(line or b"")
        self._arrived.set()
        if not self._paused and (len(self._lines) >= MAX_WAITING_LINES or self._waiting_bytes >= MAX_WAITING_BYTES):
            self._paused = True
            self._source.pause()

    async def _parsed(self, line: bytes) -> JSONRPCMessage | None:
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValueError:
            await self._pipe.writer.send(SessionMessage(_refusal(line)))
            return None
        return message

    async def aclose(self) -> None:
        self.finish()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> bool | None:
        await self.aclose()
        return None


def _can_be_sent(request_id: Any) -> bool:
    if isinstance(request_id, str):
        return not any("\ud800" <= character <= "\udfff" for character in request_id)
    return isinstance(request_id, int) and not isinstance(request_id, bool) and abs(request_id) <= MAX_INT


def _refusal(line: bytes) -> JSONRPCError:
    """Return the answer to a line that is no JSON-RPC message; with its id where one can be read."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return JSONRPCError(jsonrpc="2.0", id=None, error=ErrorData(code=PARSE_ERROR, message="The line is not JSON"))
    request_id = data.get("id") if isinstance(data, dict) else None
    known = request_id if _can_be_sent(request_id) else None
    reason = "Batches are not supported" if isinstance(data, list) else "The line is not a JSON-RPC 2.0 message"
    return JSONRPCError(jsonrpc="2.0", id=known, error=ErrorData(code=INVALID_REQUEST, message=reason))
