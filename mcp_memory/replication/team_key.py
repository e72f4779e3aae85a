"""Keys that a team's machines share, and the log's server does not have: bodies of facts are sealed with them (AES-256-GCM).

A sealed body: SEALED, four bytes that say by which key, twelve drawn ones (the nonce), what AES-GCM made of the body. Id, kind and project
of the fact are authenticated with it, so that a server cannot pass one fact's body off as another's; who, when and how long stay readable.
"""

import base64
import binascii
import hashlib
import os
from dataclasses import replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mcp_memory.domain.shared_facts import Fact
from mcp_memory.errors import ConfigError, RemoteRefused
from mcp_memory.replication.sealed_log import ID_BYTES, SEALED, SET_THE_KEY, key_id_of

KEY_BYTES, _NONCE_BYTES = 32, 12
_PAYLOAD = 1 + ID_BYTES + _NONCE_BYTES
_HINT = "`mcp-memory remote new-key` makes one; every machine of the team gets the same."


def new_key() -> str:
    """Return a random key, as it is written into MCP_MEMORY_TEAM_KEY."""
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode().rstrip("=")


class TeamKeys:
    """Seals with the first key, opens with each: an earlier one stays behind it while the log has facts of it. Safe from any thread."""

    def __init__(self, text: str) -> None:
        """Take keys separated by commas. Raises ConfigError: one is no key; the message does not show it."""
        keys = [_key(word.strip(), number) for number, word in enumerate(text.split(","), start=1)]
        self._by_id = {_id(key): AESGCM(key) for key in keys}
        self._first = _id(keys[0])

    def seal(self, fact: Fact) -> Fact:
        """Return the fact with its body sealed; one that has none, or is sealed, as it is."""
        if not fact.body or fact.body[0] == SEALED:
            return fact
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._by_id[self._first].encrypt(nonce, fact.body, _bound(fact))
        return replace(fact, body=bytes((SEALED,)) + self._first + nonce + sealed)

    def open(self, fact: Fact) -> Fact:
        """Return a sealed fact with its body. Raises RemoteRefused: no key of ours opens it."""
        key = self._by_id.get(fact.body[1 : 1 + ID_BYTES])
        if key is None:
            raise RemoteRefused(
                f"facts are sealed with the team key {key_id_of(fact)}, and ours are {', '.join(map(bytes.hex, self._by_id))}",
                hint=SET_THE_KEY,
            )
        try:
            body = key.decrypt(fact.body[1 + ID_BYTES : _PAYLOAD], fact.body[_PAYLOAD:], _bound(fact))
        except InvalidTag:
            raise RemoteRefused(
                f"the fact {fact.id} was changed after the team key {key_id_of(fact)} sealed it",
                hint="Whoever can write to the log's database may have done so; restore it from a backup of its own.",
            ) from None
        return replace(fact, body=body)


def _key(word: str, number: int) -> bytes:
    try:
        key = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"team key {number} of MCP_MEMORY_TEAM_KEY is no key of {KEY_BYTES} bytes in base64", hint=_HINT)
    return key


def _id(key: bytes) -> bytes:
    return hashlib.sha256(b"mcp-memory team key\0" + key).digest()[:ID_BYTES]


def _bound(fact: Fact) -> bytes:
    return "\0".join((fact.id, fact.kind, fact.project)).encode("utf-8", "surrogatepass")
