"""How a person gets in: `mcp-memory ui` makes a link that works once, for two minutes; it becomes a cookie.

A serving process leaves its address and a secret in the data directory, in a file that is its owner's only. Whoever can read it may look
at the memory anyway. A link holds a time, a random word, where the person works, and the HMAC of these under the secret; the server keeps
the words that were used.
"""

import base64
import hmac
import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mcp_memory import private

FILE_NAME = "pages.json"
TICKET_S = 120  # how long a link works
ENTER = "/ui/enter"
_PROOF_BYTES = 32  # of SHA-256


@dataclass(frozen=True, slots=True)
class Server:
    """A process that serves the pages of a data directory."""

    url: str
    secret: str = field(repr=False)
    pid: int

    def link(self, folder: str = "", project: str = "", now_s: float | None = None) -> str:
        """Return an address that lets a person in, once, within two minutes.

        Args:
            folder: Of the repository they work in, whose AGENTS.md a lesson may be put into; "" for none.
            project: Whose episodes they want to see first; "" for all. Where it has none, all are shown.
            now_s: The time, for tests.
        """
        until = int((time.time() if now_s is None else now_s) + TICKET_S)
        told = json.dumps([until, secrets.token_urlsafe(16), folder, project]).encode()
        ticket = base64.urlsafe_b64encode(_proof(self.secret, told) + told).decode()
        return f"{self.url}{ENTER}?ticket={ticket}"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who was let in: where they work, and what they want to see first."""

    folder: str = ""
    project: str = ""


def new_secret() -> str:
    """Return a secret that lives as long as the process."""
    return secrets.token_urlsafe(32)


def announce(data_dir: Path, url: str, secret: str) -> None:
    """Leave where the pages are; the newest server of a data directory is the one that is found. Raises OSError."""
    server = Server(url, secret, os.getpid())
    part = data_dir / f"{FILE_NAME}.{server.pid}"
    with os.fdopen(private.create(part), "w", encoding="utf-8") as file:
        json.dump(asdict(server), file)
    part.replace(data_dir / FILE_NAME)


def withdraw(data_dir: Path) -> None:
    """Remove what this process announced, and nothing that another one did since."""
    found = announced(data_dir)
    if found is not None and found.pid == os.getpid():
        (data_dir / FILE_NAME).unlink(missing_ok=True)


def announced(data_dir: Path) -> Server | None:
    """Return the server that announced itself; None where none did. It may be gone since."""
    try:
        return Server(**json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


class Tickets:
    """Lets each link in once."""

    def __init__(self, secret: str, clock: Callable[[], float] = time.time) -> None:
        self._secret, self._clock = secret, clock
        self._used: dict[str, int] = {}  # words, and until when they would be good

    def take(self, ticket: str) -> Visitor | None:
        """Return whom a link lets in, where it is ours, in time and new; from now on it is not."""
        try:
            raw = base64.urlsafe_b64decode(ticket.encode("ascii"))
            proof, told = raw[:_PROOF_BYTES], raw[_PROOF_BYTES:]
            if not hmac.compare_digest(proof, _proof(self._secret, told)):
                return None
            until, word, folder, project = json.loads(told)
        except ValueError:  # not ASCII, not base64
            return None
        now = self._clock()
        self._used = {known: end for known, end in self._used.items() if end >= now}
        if not now <= until <= now + TICKET_S or word in self._used:
            return None
        self._used[word] = until
        return Visitor(folder, project)


def _proof(secret: str, told: bytes) -> bytes:
    return hmac.digest(secret.encode(), told, "sha256")
