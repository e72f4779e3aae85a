"""How a hook finds a server that has the memory open and hands it the event: the door file, and one small HTTP request.

This runs with every step an agent makes. `_socket` is the C half of `socket`, whose Python half would double the time of a hook.
"""

import os

try:
    import _socket as socket
except ImportError:  # another Python than CPython
    import socket  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

DOOR_FILE = "door"  # in the folder of the hooks: host, port and key of the process that answers
PING = "ping"  # the event that asks whether anybody is there
KEY_HEADER = "x-mcp-memory-door"
CALL_HEADER = "x-mcp-memory-call"  # names one run of a hook, so that what arrives twice counts once
CONNECT_TIMEOUT_S = 0.25  # a server on this machine accepts at once
ANSWER_TIMEOUT_S = 3.0  # a cold recall under load takes a tenth of it
MAX_ANSWER_BYTES = 1_000_000
_READ_BYTES = 65_536
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Address:
    """Where to ask, and what opens the door: its key, or a bearer token of the HTTP server."""

    __slots__ = ("host", "key", "port", "token")

    def __init__(self, host: str, port: int, key: str = "", token: str = "") -> None:
        self.host, self.port, self.key, self.token = host, port, key, token


def read_door(folder: str) -> Address | None:
    """Return the address in the door file, or None when there is no usable one."""
    try:
        with open(os.path.join(folder, DOOR_FILE), encoding="ascii") as file:
            host, port, key = file.read().split()
        return Address(host, int(port), key)
    except (OSError, ValueError):
        return None


def write_door(folder: str, address: Address) -> None:
    """Write the door file, readable by its owner only."""
    part = os.path.join(folder, f"{DOOR_FILE}.{os.getpid()}.part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(f"{address.host} {address.port} {address.key}\n")
    os.replace(part, os.path.join(folder, DOOR_FILE))


def ask(address: Address, event: str, body: bytes, *, call_id: str = "", project: str = "") -> tuple[int, bytes]:
    """Return the HTTP status and the body of the answer to an event.

    Raises OSError when nobody answers in time, or not in full.
    """
    headers = {
        "Host": f"{address.host}:{address.port}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **({CALL_HEADER: call_id} if call_id else {}),
        **({KEY_HEADER: address.key} if address.key else {}),
        **({"Authorization": f"Bearer {address.token}"} if address.token else {}),
    }
    head = f"POST /hook/{event}?project={_quoted(project)} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
    connection = _connected(address)
    try:
        connection.settimeout(ANSWER_TIMEOUT_S)
        connection.sendall(head.encode("latin-1", "replace") + body)
        return _answer(connection.recv)
    finally:
        connection.close()


def _connected(address: Address) -> "socket.socket":
    connection = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET, socket.SOCK_STREAM)
    connection.settimeout(CONNECT_TIMEOUT_S)
    try:
        # Bytes, since a str would load the codec for international names, which takes as long as the call.
        connection.connect((address.host.encode(), address.port))
    except BaseException:
        connection.close()
        raise
    return connection


def _answer(receive: "Callable[[int], bytes]") -> tuple[int, bytes]:
    """Read one HTTP answer with a known length, as the door gives it."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += _more(receive, raw)
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    length = next((line.partition(":")[2].strip() for line in lines[1:] if line.lower().startswith("content-length:")), "")
    status = lines[0].split(" ")[1] if lines[0].startswith("HTTP/") and " " in lines[0] else ""
    if not (status.isdecimal() and length.isdecimal() and int(length) <= MAX_ANSWER_BYTES):
        raise OSError("what listens there is no server of ours")
    while len(body) < int(length):
        body += _more(receive, body)
    return int(status), body


def _more(receive: "Callable[[int], bytes]", so_far: bytes) -> bytes:
    chunk = receive(_READ_BYTES)
    if not chunk or len(so_far) > MAX_ANSWER_BYTES:
        raise OSError("the answer is not complete")
    return chunk


def _quoted(text: str) -> str:
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode("utf-8", "replace"))
