"""What an episode's start, steps, completion and label are answered with."""

from dataclasses import dataclass

from mcp_memory.domain.answers.advising import Precedent
from mcp_memory.domain.answers.recalling import Recall
from mcp_memory.domain.episode import Reflection, Reward
from mcp_memory.domain.facts import Said


@dataclass(frozen=True, slots=True)
class StartedEpisode:
    episode_id: str
    project: str
    started_at_ms: int
    recalled: Recall | None
    holdout: bool = False  # in the control group: no recall was made
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoggedSteps:
    episode_id: str
    first_index: int
    last_index: int


@dataclass(frozen=True, slots=True)
class LearnedPattern:
    pattern_id: str
    kind: str
    description: str
    support: int
    successes: int
    failures: int
    confidence: float
    is_new: bool


@dataclass(frozen=True, slots=True)
class CompletedEpisode:
    episode_id: str
    outcome: str
    reward: Reward
    reflection: Reflection
    patterns: tuple[LearnedPattern, ...]
    step_count: int
    duration_ms: int
    degraded: tuple[str, ...] = ()
    question: str | None = None  # worth a sentence of the agent's own, as a lesson: complete_episode again with `lessons`
    telling: tuple[Said, ...] = ()  # of the reflection, what the agent did not know or said otherwise
    precedents: tuple[Precedent, ...] = ()  # of an attempt that did not succeed: what the best earlier one did


@dataclass(frozen=True, slots=True)
class Labelled:
    """An episode's outcome as it stands now, and what follows from it."""

    episode_id: str
    outcome: str
    before: str  # what was taken for its outcome; ", inferred" where nobody had said so
    changed: bool  # False: it was said and stored already
    reward: Reward
    reflection: Reflection
    patterns: tuple[LearnedPattern, ...]
    degraded: tuple[str, ...] = ()
