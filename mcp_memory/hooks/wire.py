"""How a hook finds a server that has the memory open and hands it the event: a socket in the folder of the hooks, and one HTTP request.

The socket stands in a folder that only its owner can enter, so whoever listens there is us. A server on the network, which the settings
name, is asked by its address and with its token. This runs with every step an agent makes: `_socket` is the C half of `socket`, whose
Python half would double the time of a hook.
"""

import os
import stat
import time

try:
    import _socket as socket
except ImportError:  # another Python than CPython
    import socket  # type: ignore[no-redef]

from mcp_memory.hooks import signs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SOCKET = "door.sock"  # in the folder of the hooks
PING = "ping"  # the event that asks whether anybody is there
CALL_HEADER = "x-mcp-memory-call"  # names one run of a hook, so that what arrives twice counts once; a page of a browser cannot send it
HOST_HEADER = "x-mcp-memory-host"  # the agent host whose hook it is
PROCESS_HEADER = "x-mcp-memory-process"  # the host's process: when it is gone without a word, so is its session
CONNECT_TIMEOUT_S = 0.25  # a server on this machine accepts at once
ANSWER_TIMEOUT_S = 3.0  # a cold recall under load takes a tenth of it
OPENING_WAIT_S = 1.0  # of a prompt, for a server that the host may start together with it
STARTING_WAIT_S = 4.0  # for one that has been started
MAX_ANSWER_BYTES = 1_000_000
_POLL_S = 0.02
_READ_BYTES = 65_536
_MAX_PATH_BYTES = 100  # of a socket; systems take 104 to 108
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Address:
    """A server on the network: where it is, and the bearer token that it wants."""

    __slots__ = ("host", "port", "token")

    def __init__(self, host: str, port: int, token: str = "") -> None:
        self.host, self.port, self.token = host, port, token

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Letter:
    """One event on its way: its kind, the host's JSON, and what names this run of the hook."""

    __slots__ = ("before", "body", "event", "headers", "project")

    def __init__(
        self, event: str, body: bytes, project: str = "", headers: "dict[str, str] | None" = None, before: "Sequence[str]" = ()
    ) -> None:
        self.event, self.body, self.project, self.headers = event, body, project, headers or {}
        self.before = before  # names under which earlier versions kept the project


def folder_of(data_dir: "str | os.PathLike[str]") -> str:
    """Return where the hooks of a data directory keep their files."""
    return os.path.join(data_dir, "hooks")


def is_private(folder: str) -> bool:
    """Return whether *folder* is ours and nobody else can put anything into it. Raises FileNotFoundError."""
    if os.name == "nt":  # folders below a user's profile are that user's
        return os.path.isdir(folder)
    found = os.stat(folder)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022


def is_used(folder: str) -> bool:
    """Return whether hooks are set up, or have run, on this data directory."""
    return os.path.isdir(folder)


def ask_door(folder: str, letter: Letter, *, wait_s: float = 0.0, starting_wait_s: float = 0.0) -> tuple[int, bytes]:
    """Return the HTTP status and the body of the answer given at the door of this machine.

    Args:
        wait_s: How long to wait for a door to open, where servers do open one.
        starting_wait_s: How long to wait for that of a server that has been started.

    Raises:
        FileNotFoundError, ConnectionRefusedError: Nobody is there.
        PermissionError: The folder could be somebody else's.
        OSError: No answer, or none of ours; for a minute the door is left alone.
    """
    if not is_private(folder):
        raise PermissionError(f"{folder} belongs to somebody else, or others can write into it")
    if signs.is_silent(folder):
        raise FileNotFoundError("the door gave no answer within the last minute")
    try:
        with _Open(_at_the_door(folder, wait_s, starting_wait_s)) as connection:
            return _asked(connection, letter, "localhost", {})
    except (FileNotFoundError, ConnectionRefusedError):
        raise
    except OSError:
        signs.note_silence(folder)
        raise


def ask_server(address: Address, letter: Letter) -> tuple[int, bytes]:
    """Return the HTTP status and the body of a server's answer. Raises OSError: nobody answers in time, or not in full."""
    with _Open(socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET, socket.SOCK_STREAM)) as connection:
        connection.settimeout(CONNECT_TIMEOUT_S)
        # Bytes, since a str would load the codec for international names, which takes as long as the call.
        connection.connect((address.host.encode(), address.port))
        token = {"Authorization": f"Bearer {address.token}"} if address.token else {}
        return _asked(connection, letter, str(address), token)


def answers(folder: str) -> bool:
    """Return whether somebody answers at the door."""
    try:
        with _Open(connected(folder)) as connection:
            return _asked(connection, Letter(PING, b""), "localhost", {})[0] == 200
    except OSError:
        return False


def connected(folder: str) -> "socket.socket":
    """Return a connection to whoever keeps the door. Raises OSError."""
    if not hasattr(socket, "AF_UNIX"):
        raise FileNotFoundError("this system has no sockets in folders")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(CONNECT_TIMEOUT_S)
        with SocketPath(folder, SOCKET) as path:
            connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


class _Open:
    """A connection that is closed at the end of the block: the C half of `socket` has no `with`."""

    def __init__(self, connection: "socket.socket") -> None:
        self._connection = connection

    def __enter__(self) -> "socket.socket":
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()


class SocketPath:
    """The path of a socket in *folder*, short enough for the system, while the block runs. Raises OSError: there is none."""

    def __init__(self, folder: str, name: str) -> None:
        self._folder, self._name, self._fd = folder, name, -1

    def __enter__(self) -> str:
        path = os.path.join(self._folder, self._name)
        if len(os.fsencode(path)) <= _MAX_PATH_BYTES:
            return path
        if not os.path.isdir("/proc/self/fd"):
            raise OSError(f"the path of {self._folder} is too long for a socket in it")
        self._fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._fd}/{self._name}"

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)


def _at_the_door(folder: str, wait_s: float, starting_wait_s: float) -> "socket.socket":
    begun = time.monotonic()
    while True:
        try:
            return connected(folder)
        except (FileNotFoundError, ConnectionRefusedError):
            waited = time.monotonic() - begun
            if waited >= starting_wait_s or not signs.starts(folder):
                if not wait_s or not signs.opens(folder):
                    raise
                if waited >= wait_s:
                    signs.note_nobody(folder)
                    raise
        time.sleep(_POLL_S)


def _asked(connection: "socket.socket", letter: Letter, host: str, more: dict[str, str]) -> tuple[int, bytes]:
    headers = {
        "Host": host,
        "Content-Type": "application/json",
        "Content-Length": str(len(letter.body)),
        "Connection": "close",
        **letter.headers,
        **more,
    }
    query = "".join([f"project={_quoted(letter.project)}", *(f"&before={_quoted(name)}" for name in letter.before)])
    head = f"POST /hook/{letter.event}?{query} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    connection.settimeout(ANSWER_TIMEOUT_S)
    connection.sendall(head.encode("latin-1", "replace") + letter.body)
    return _answer(connection, time.monotonic() + ANSWER_TIMEOUT_S)


def _answer(connection: "socket.socket", until: float) -> tuple[int, bytes]:
    """Read one HTTP answer with a known length, as the door gives it."""

    def more(so_far: bytes) -> bytes:
        connection.settimeout(max(0.001, until - time.monotonic()))  # of the whole answer: drops of it must not hold us up
        chunk = connection.recv(_READ_BYTES)
        if not chunk or len(so_far) > MAX_ANSWER_BYTES:
            raise OSError("the answer is not complete")
        return so_far + chunk

    raw = b""
    while b"\r\n\r\n" not in raw:
        raw = more(raw)
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    length = next((line.partition(":")[2].strip() for line in lines[1:] if line.lower().startswith("content-length:")), "")
    status = lines[0].split(" ")[1] if lines[0].startswith("HTTP/") and " " in lines[0] else ""
    if not (status.isdecimal() and length.isdecimal() and int(length) <= MAX_ANSWER_BYTES):
        raise OSError("what listens there is no server of ours")
    while len(body) < int(length):
        body = more(body)
    return int(status), body


def _quoted(text: str) -> str:
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode("utf-8", "replace"))
