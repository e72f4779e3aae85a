"""What can be asked of the memory, and what comes back from the engines."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from mcp_memory.domain.episode import Json

ANY_PROJECT = "*"  # a query over every project of the data directory


TEXT_WEIGHTS = (1.0, 0.5, 0.5, 0.4)  # of task, steps, notes (they repeat the task), surroundings (other episodes' tasks) in bm25


class Detail(enum.StrEnum):
    COMPACT = "compact"
    FULL = "full"


class Sort(enum.StrEnum):
    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"
    REWARD = "reward"
    DURATION = "duration"


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions on episodes; empty fields do not restrict. Times are epoch milliseconds, `since` inclusive, `until` exclusive.

    *projects* restricts to any of these, whatever `project` says: what a caller who is bound to several may see.
    """

    project: str = ""
    domain: str = ""
    task_type: str = ""
    language: str = ""
    framework: str = ""
    tags: tuple[str, ...] = ()
    outcome: str = ""
    state: str = ""
    since_ms: int | None = None
    until_ms: int | None = None
    quarantined: bool = False  # with the episodes of quarantined sources: for whoever tends or copies the memory
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A recall. Filters are boosts unless `strict`; the project always restricts, `*` asks all projects."""

    text: str
    filter: Filter = Filter()
    limit: int = 5
    strict: bool = False
    exclude_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TextQuery:
    """Words looked for: an episode is found by any of the terms and phrases, or with `every` by all of them, in any form of each word.

    A term or phrase without a letter or digit is nowhere.
    """

    terms: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()  # words in a row
    every: bool = False
    beginnings: tuple[str, ...] = ()  # of words: each is looked for as any word that begins so
    weights: tuple[float, float, float, float] = TEXT_WEIGHTS


@dataclass(frozen=True, slots=True)
class Match:
    """One recalled episode: its blended score in [0, 1] and the components that explain it (`why`)."""

    episode_id: str
    score: float
    why: Mapping[str, float]  # lexical, semantic, context, value, recency, feedback
    similarity: float  # how alike the tasks are, before any re-weighting, in [0, 1]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The retriever's answer: matches best first, and in which lesser state it was made (empty: none)."""

    matches: tuple[Match, ...]
    considered: int
    seq: int  # change sequence of the views it was made from
    as_of_ms: int  # the time at which age was looked at
    degraded: tuple[str, ...] = ()
    silent: bool = False  # nothing in memory is close enough to be worth reading


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A next step, with why and from where."""

    tool: str
    action: str
    reason: str
    confidence: float
    evidence: tuple[str, ...]
    arguments_example: Mapping[str, Json] | None = None  # of what is verified only
    provenance: str = ""  # the independent sources behind it; begins with "unverified" where there are fewer than two
    basis: str = ""  # why it is more than a habit, in a few words; "" where it is none


@dataclass(frozen=True, slots=True)
class InferredContext:
    """What a task is taken to be about because nobody said it: the context of the earlier episodes most like it."""

    domain: str = ""
    framework: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outlook:
    """The calibrated chance of success of a task like this, and how many episodes it rests on."""

    expected_success: float
    based_on: int  # episodes of similar tasks; 0 where there are none
    evidence: str = "similar tasks"  # or "base rate": nothing similar, how often anything in this context succeeded
    inferred: InferredContext | None = None  # the context it is for, where the request names none
    succeeded: int = 0  # of the episodes that it is based on


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change feed."""

    seq: int
    kind: str  # ChangeKind value
    entity_id: str


class ChangeKind(enum.StrEnum):
    """The kinds of facts, each with what its entity id names.

    Steps have no entry of their own, which would write two more pages for each: they are numbered, so (episode, count) says what is new.
    """

    EPISODE_STARTED = "episode_started"  # the episode
    EPISODE_COMPLETED = "episode_completed"  # the episode
    EPISODE_ABANDONED = "episode_abandoned"  # the episode
    EPISODE_UPDATED = "episode_updated"  # the episode
    EPISODE_DELETED = "episode_deleted"  # the episode
    VECTORS_ADDED = "vectors_added"  # the space
    RECOMMENDATION = "recommendation"  # the recommendation
    FEEDBACK = "feedback"  # the vote
    CORRECTION = "correction"  # the correction
    QUARANTINE = "quarantine"  # the source, as `kind/name`
    LINK = "link"  # the link, put or removed
    CHECKPOINT = "checkpoint"  # the checkpoint


# Nothing that is answered from memory depends on such a fact.
RECORDED_ONLY = frozenset({ChangeKind.RECOMMENDATION, ChangeKind.LINK, ChangeKind.CHECKPOINT})


@dataclass(frozen=True, slots=True)
class Page:
    """Ids of one page of a listing, the cursor of the next (None at the end) and the total.

    Of what very many episodes are found for, counting stops at some number: there are more than `total` then.
    """

    ids: tuple[str, ...]
    next_cursor: str | None
    total: int
    more_than_total: bool = False
