"""What was shown, what was used, and whether it helped."""

import enum
from dataclasses import dataclass


class RecommendationKind(enum.StrEnum):
    RECALL = "recall"
    NEXT_STEP = "next_step"
    PLAYBOOK = "playbook"


class Verdict(enum.StrEnum):
    HELPED = "helped"
    NO_EFFECT = "no_effect"
    HINDERED = "hindered"


class EndedAs(enum.StrEnum):
    """How an episode ended after all."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILURE = "failure"


class Told(enum.StrEnum):
    """What feedback can say: a verdict on a recommendation, or how an episode ended after all."""

    HELPED = Verdict.HELPED
    NO_EFFECT = Verdict.NO_EFFECT
    HINDERED = Verdict.HINDERED
    SUCCESS = EndedAs.SUCCESS
    PARTIAL = EndedAs.PARTIAL
    FAILURE = EndedAs.FAILURE


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One answer that was shown: the ids in it, in order, and the episode it was shown to (when known)."""

    id: str
    kind: RecommendationKind
    project: str
    episode_id: str | None
    shown_ids: tuple[str, ...]
    at_ms: int


@dataclass(frozen=True, slots=True)
class Feedback:
    """One vote on a recommendation. `implicit` votes are derived at completion and count less."""

    id: str
    recommendation_id: str
    verdict: Verdict
    used_ids: tuple[str, ...]
    rating: float | None
    note: str
    implicit: bool
    at_ms: int
    episode_id: str | None = None
