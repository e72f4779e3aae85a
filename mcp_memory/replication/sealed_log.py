"""A shared log whose server does not read what is in the facts: bodies are sealed on the way out and opened on the way in.

What nobody here can open stays in the log: the place it is read from does not move on, so that it is read once the key is there.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Protocol

from mcp_memory.domain.shared_facts import Fact
from mcp_memory.errors import RemoteRefused
from mcp_memory.ports import Batch, LogMark, LogPage, SharedLog
from mcp_memory.replication.log_before import LogBefore

ID_BYTES = 4  # by which a key is named, after the first byte of a sealed body
SET_THE_KEY = "Set MCP_MEMORY_TEAM_KEY to the team's key; they are read then, nothing is lost."
SEALED = 0x45  # the first byte of a sealed body; other forms are in `storage/fact_reads.py`


class Keys(Protocol):
    """What seals and opens. Implementation: `replication.team_key.TeamKeys`."""

    def seal(self, fact: Fact) -> Fact: ...

    def open(self, fact: Fact) -> Fact:
        """Return a sealed fact with its body. Raises RemoteRefused."""


class SealedLog(LogBefore):
    """See `ports.SharedLog`; stands before another one. Without keys, what is sent goes as it is; what is not sealed is read."""

    def __init__(self, log: SharedLog, keys: Keys | None) -> None:
        self._behind, self._keys = log, keys

    @property
    def _log(self) -> SharedLog:
        return self._behind

    def append(self, batch: Batch) -> bool:
        """Add the facts that are not there, sealed; return whether the batch before is there."""
        return super().append(batch if self._keys is None else replace(batch, facts=tuple(map(self._keys.seal, batch.facts))))

    def read(self, mark: LogMark, origin: str, projects: Collection[str], limit: int) -> LogPage:
        """Return facts after the mark, opened. Raises RemoteRefused: one of them is sealed by a key that is not here."""
        page = super().read(mark, origin, projects, limit)
        return replace(page, facts=tuple(map(self._opened, page.facts)))

    def _opened(self, fact: Fact) -> Fact:
        if not fact.body or fact.body[0] != SEALED:
            return fact
        if self._keys is None:
            raise RemoteRefused(
                f"facts are sealed with the team key {key_id_of(fact)}, and there is none here",
                hint=SET_THE_KEY,
            )
        return self._keys.open(fact)


def key_id_of(fact: Fact) -> str:
    """Return by which key a fact is sealed, as it is told."""
    return fact.body[1 : 1 + ID_BYTES].hex()
