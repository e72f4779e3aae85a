"""What a store is given and gives, where the domain has no noun for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mcp_memory.domain.episode import Episode, Json
from mcp_memory.domain.feedback import Feedback
from mcp_memory.domain.pattern import Observation


@dataclass(frozen=True, slots=True)
class IndexText:
    """What is searched by words of a completed episode; the fields are weighed by `TextQuery.weights`."""

    task: str
    steps: str  # tools, arguments, errors, parts of observations
    notes: str = ""  # summary, lessons, artifacts
    surroundings: str = ""  # tasks of the neighbouring episodes of the same thread


@dataclass(frozen=True, slots=True)
class Completion:
    """Everything that one completion writes, in one transaction."""

    episode: Episode  # state completed, with outcome, reward, reflection, steps
    index_text: IndexText
    observations: tuple[Observation, ...] = ()
    errors: tuple[tuple[int, str], ...] = ()  # (step index, error signature), kept in the trace
    digest: Mapping[str, Json] | None = None  # the learner's compact extras, kept in the trace
    feedback: tuple[Feedback, ...] = ()  # implicit votes


class TextHit(NamedTuple):
    """One lexical candidate: higher score is better (negated bm25)."""

    seq: int
    episode_id: str
    score: float


@dataclass(frozen=True, slots=True)
class VectorRow:
    """One stored embedding: int8 codes (dimension bytes) with their scale; vector = codes * scale."""

    seq: int  # the episode's row number
    episode_id: str
    part: int  # 0 = the task; further parts as the retriever defines them
    scale: float
    codes: bytes


class PatternTally(NamedTuple):
    """That an episode is evidence for a pattern, and how often the pattern held."""

    episode_id: str
    pattern_id: str
    kind: str
    successes: int
    failures: int
