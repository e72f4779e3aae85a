"""Bearer tokens that we hand out ourselves: made, kept as hashes in a file, listed, revoked, recognised.

A token is 256 random bits, so one round of SHA-256 protects it at rest; a slow hash is for secrets that people choose. The file has an
entry a line, `name=sha256:<hex>  # created <time>`, so it can be read and edited by hand.
"""

import hashlib
import hmac
import itertools
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote

from mcp_memory import private
from mcp_memory.errors import ConfigError, InvalidInput, NotFound
from mcp_memory.user_data import expanded

PREFIX = "mcpm_"  # lets scanners, ours too, recognise a leaked token
_TOKEN_BYTES = 32
_MIN_TOKEN_CHARS = 16  # of a token the operator chose
_NAME = re.compile(r"[\w.@-]{1,64}")
_HASHED = re.compile(rf"(?:(?P<name>{_NAME.pattern})=)?sha256:(?P<digest>[0-9a-f]{{64}})(?P<projects>(?:\s+project=\S+)*)")
_CREATED = re.compile(r"#\s*created\s+(?P<at>\S+)")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a token, and the projects it is for; none: all."""

    name: str
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tokens:
    """The accepted tokens, as SHA-256 digests with who holds them."""

    holders: tuple[tuple[bytes, Holder], ...] = ()

    def holder(self, token: str) -> Holder | None:
        """Return who holds *token*, or None. Takes the same time whichever it is."""
        digest, found = _digest(token), None
        for accepted, holder in self.holders:
            if hmac.compare_digest(accepted, digest):
                found = holder
        return found

    def __bool__(self) -> bool:
        return bool(self.holders)


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """One line of a token file."""

    name: str
    created_at: str  # ISO 8601 UTC; empty when the line does not say
    projects: tuple[str, ...] = ()  # those it is for; none: all


def new_token() -> str:
    """Return a random token."""
    return PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def entry_of(token: str, name: str = "", projects: Sequence[str] = ()) -> str:
    """Return the entry that stands for *token* in a token file or in the setting `server.token`, without the token itself.

    One for *projects* is for a file only: an earlier version of the program refuses it, and lets nobody in with it.
    """
    bound = "".join(f"  project={quote(project, safe='')}" for project in projects)
    return (f"{name}=" if name else "") + f"sha256:{_digest(token).hex()}" + bound


def free_name(path: str | os.PathLike[str]) -> str:
    """Return `token-1`, or the first such name that the file does not have. Raises ConfigError: the file cannot be read."""
    file = Path(expanded(path))
    taken = {entry.name for entry in list_tokens(file)} if file.exists() else set()
    return next(name for number in itertools.count(1) if (name := f"token-{number}") not in taken)


def create_token(path: str | os.PathLike[str], name: str, projects: Sequence[str] = ()) -> str:
    """Return a new token for *name*, for *projects* alone if given, after its hash was added to the file; itself it is stored nowhere.

    The file is created readable by its owner only.

    Raises:
        InvalidInput: The name is taken, or has other characters than letters, digits and `_.@-`.
        ConfigError: The file cannot be read or written.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"a token's name takes letters, digits and _.@-, at most 64, not {name[:80]!r}")
    file = Path(expanded(path))
    if file.exists() and any(entry.name == name for entry in list_tokens(file)):
        raise InvalidInput(f"there is already a token named {name!r}", hint="Revoke it first, or choose another name.")
    token = new_token()
    line = f"{entry_of(token, name, projects)}  # created {datetime.now(UTC).isoformat(timespec='seconds')}\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        private.tighten(file)
        if file.exists() and not file.read_bytes().endswith(b"\n") and file.stat().st_size:
            line = "\n" + line
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as out:
            out.write(line)
    except OSError as error:
        raise ConfigError(f"the token file {file} cannot be written: {error}") from error
    return token


def list_tokens(path: str | os.PathLike[str]) -> list[TokenEntry]:
    """Return the entries of a token file, in its order. Raises ConfigError: not readable, or a line is no entry."""
    return [entry for entry, _ in _entries(_read(Path(expanded(path))))]


def revoke_token(path: str | os.PathLike[str], name: str) -> None:
    """Take *name*'s token out of the file; a server that reads the file refuses it from the next request on.

    Raises:
        NotFound: The file has no such name.
        ConfigError: The file cannot be read or written.
    """
    file = Path(expanded(path))
    lines = _read(file).splitlines()
    kept = [line for line in lines if not any(entry.name == name for entry, _ in _entries(line))]
    if len(kept) == len(lines):
        raise NotFound(f"there is no token named {name!r} in {file}", hint="List the tokens to see their names.")
    draft = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            out.write("".join(f"{line}\n" for line in kept))
        os.replace(draft, file)
    except OSError as error:
        raise ConfigError(f"the token file {file} cannot be written: {error}") from error


def read_tokens(setting: str) -> Tokens:
    """Return the tokens of a setting: entries separated by commas or white space.

    An entry is a token, `sha256:<hex>` of one, or `<name>=sha256:<hex>`. Raises ConfigError: a token is too short to be safe.
    """
    return _tokens(re.split(r"[,\s]+", setting.strip()) if setting.strip() else ())


class TokenFile:
    """A token file, read again whenever it has changed, so that tokens come and go while the server runs."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Raises ConfigError: the file cannot be read, or a line is no entry."""
        self._path = Path(expanded(path))
        self._stamp = self._changed()
        self._tokens = self._load()

    def tokens(self) -> Tokens:
        """Return the tokens in force. Raises ConfigError: the file is gone or broken; then no token of it is in force."""
        stamp = self._changed()
        if stamp != self._stamp:
            self._tokens = Tokens()
            self._tokens = self._load()
            self._stamp = stamp
        return self._tokens

    def _load(self) -> Tokens:
        return Tokens(tuple((digest, Holder(entry.name, entry.projects)) for entry, digest in _entries(_read(self._path))))

    def _changed(self) -> tuple[int, int, int]:
        try:
            status = self._path.stat()
        except OSError as error:
            raise ConfigError(f"the token file {self._path} cannot be read: {error}", hint="`mcp-memory token FILE` makes one.") from error
        return status.st_mtime_ns, status.st_size, status.st_ino


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the token file {path} cannot be read: {error}", hint="`mcp-memory token FILE` makes one.") from error


def _entries(text: str) -> list[tuple[TokenEntry, bytes]]:
    """Return the entries of a token file's text with their digests. Raises ConfigError."""
    entries = []
    for number, line in enumerate(text.splitlines(), start=1):
        entry, created = line.partition("#")[0].strip(), _CREATED.search(line)
        if entry:
            digest, holder = _accepted(entry, number)
            entries.append((TokenEntry(holder.name, created["at"] if created else "", holder.projects), digest))
    return entries


def _tokens(entries: Iterable[str]) -> Tokens:
    return Tokens(tuple(_accepted(entry, number) for number, entry in enumerate(entries, start=1)))


def _accepted(entry: str, number: int) -> tuple[bytes, Holder]:
    """Return digest and holder of an entry. Raises ConfigError; the message does not show the entry."""
    if hashed := _HASHED.fullmatch(entry):
        projects = [unquote(word.removeprefix("project=")) for word in hashed["projects"].split()]
        return bytes.fromhex(hashed["digest"]), Holder(hashed["name"] or f"token-{number}", tuple(dict.fromkeys(projects)))
    if len(entry) < _MIN_TOKEN_CHARS or " " in entry:
        raise ConfigError(
            f"bearer token {number} must have at least {_MIN_TOKEN_CHARS} characters and no space",
            hint="`mcp-memory token` makes a good one.",
        )
    return _digest(entry), Holder(f"token-{number}")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
