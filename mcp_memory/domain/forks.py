"""All attempts at one task beside the one that worked: what the Fork page shows. Records only."""

import enum
from dataclasses import dataclass
from typing import Literal

from mcp_memory.domain.answers import EpisodeRow


class Did(enum.StrEnum):
    """What an attempt did at a column, seen from the reference."""

    SAME = "same"
    OTHER = "other"  # the same tool on another thing
    FAILED = "failed"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class ForkCell:
    """The steps of one attempt at one column; `before` counts the steps it took since the column before that the reference did not take."""

    did: Did
    step: int = -1  # the first
    count: int = 0  # repetitions in a row taken as one
    brief: str = ""
    error: str = ""
    before: int = 0
    keys_before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ForkColumn:
    """One step of the reference, and how many of the other attempts did the same."""

    step: int
    key: str
    brief: str
    good: int
    bad: int
    parts: bool = False  # failures leave the way of successes here


@dataclass(frozen=True, slots=True)
class ForkRow:
    """One attempt: a cell for each column, and what it did after the last one it shares with the reference."""

    episode: EpisodeRow
    agent: str
    similarity: float
    cells: tuple[ForkCell, ...]
    after: int = 0  # steps after the last column it shares
    keys_after: tuple[str, ...] = ()
    ended: str = ""  # its last error, where one was left standing


@dataclass(frozen=True, slots=True)
class Contrast:
    """Something that attempts of one outcome did and those of the other did not.

    `chance` is how likely a split like this, or a sharper one, is where it makes no difference (Fisher's exact test, one-sided, times
    the number of things compared).
    """

    kind: Literal["used", "changed", "met"]  # also the verb of its sentence
    what: str
    good: int
    goods: int
    bad: int
    bads: int
    chance: float


@dataclass(frozen=True, slots=True)
class KeptLesson:
    """A sentence in an AGENTS.md, and the episode whose metadata says so."""

    episode_id: str
    text: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Fork:
    """`rows` begins with the reference; what is left out of them is in `attempts` and in the counts of `contrasts`."""

    task: str
    project: str
    reference_id: str
    worked: bool  # whether the reference is a success
    attempts: int
    successes: int
    columns: tuple[ForkColumn, ...]
    rows: tuple[ForkRow, ...]
    contrasts: tuple[Contrast, ...]
    longer: int = 0  # steps of the reference that are not shown
    kept: KeptLesson | None = None  # what a person put into an AGENTS.md because of these attempts
    history: tuple[tuple[int, bool], ...] = ()  # when each attempt ended, and whether it worked; oldest first
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepMark:
    """What a step changed, and what came of one that failed: `fixed` (the call then worked), `got on` (another did its job), `gave up`."""

    index: int
    change: str = ""
    came: str = ""
    by: int = -1
    worked_at: int = -1


@dataclass(frozen=True, slots=True)
class ForkedTask:
    """A task with attempts that worked and attempts that did not."""

    task: str
    project: str
    episode_id: str  # one of the attempts
    attempts: int
    successes: int
    last_at_ms: int
