"""Where episodes come from, and which of these sources are not to be listened to. Pure."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from mcp_memory.domain.episode import Json
from mcp_memory.domain.metadata_keys import session_of


class SourceKind(enum.StrEnum):
    """What a source can be."""

    AGENT = "agent"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Source:
    """An agent by its name, or an agent host's session by its id."""

    kind: SourceKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A source whose episodes, votes and corrections count for nothing while it stands."""

    source: Source
    reason: str
    by: str  # who said so
    at_ms: int


def sources_of(agent: str, metadata: Mapping[str, Json]) -> tuple[Source, ...]:
    """Return the sources an episode belongs to.

    >>> [str(source) for source in sources_of("coder", {"session_id": "s1"})]
    ['agent/coder', 'session/s1']
    """
    named = ((SourceKind.AGENT, agent), (SourceKind.SESSION, session_of(metadata)))
    return tuple(Source(kind, name) for kind, name in named if name)
