"""Patterns are derived from evidence rows, never overwritten.

The same lesson from two episodes is one pattern with two pieces of evidence.
"""

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from mcp_memory.domain.episode import Json
from mcp_memory.domain.step_keys import SHELL
from mcp_memory.domain.step_roles import WRITES, Role, role_of


class PatternKind(enum.StrEnum):
    TOOL_SEQUENCE = "tool_sequence"
    DECISION_POINT = "decision_point"
    ERROR_RECOVERY = "error_recovery"
    CONTEXT = "context"
    ARGUMENT_CHANGE = "argument_change"


class ArgumentChange(enum.StrEnum):
    """In what a call that was made again differs from the one that failed."""

    LISTED = "listed"  # a value that the error named
    FEWER_WORDS = "fewer_words"
    MORE_WORDS = "more_words"
    INDENTED = "indented"
    WITHOUT_FOLDER = "without_folder"
    WITH_FOLDER = "with_folder"
    OPTION_ADDED = "option_added"
    OPTION_LEFT_OUT = "option_left_out"
    ARGUMENT_ADDED = "argument_added"
    ARGUMENT_LEFT_OUT = "argument_left_out"


ANSWERS = (PatternKind.ERROR_RECOVERY, PatternKind.ARGUMENT_CHANGE)  # to an error: judged by whether they worked, not by how runs ended
PATTERN_PREFIX = "pat_"
REMEMBERED = 4_096  # ids of patterns
_TEXT = frozenset({str})
INSTEAD = "instead"  # in a recovery's content: it did the job instead, the failed call was not fixed
_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode  # one encoder: dumps() makes one a call


def pattern_id(kind: PatternKind, content: Mapping[str, Json]) -> str:
    """Return the stable id of a pattern: a hash of its kind and normalised content, so that equal lessons meet."""
    words = _words_of(content)
    return _hashed(kind, content) if words is None else _remembered(kind, words)


def _words_of(content: Mapping[str, Json]) -> tuple[tuple[str, str | tuple[str, ...]], ...] | None:
    """Return *content* as a key, None where it holds anything but texts and lists of texts (1 and True would be one key)."""
    found: list[tuple[str, str | tuple[str, ...]]] = []
    for name, value in content.items():
        if isinstance(value, str):
            found.append((name, value))
        elif isinstance(value, list) and _TEXT.issuperset(map(type, value)):
            found.append((name, tuple(value)))
        else:
            return None
    return tuple(found)


@lru_cache(REMEMBERED)
def _remembered(kind: PatternKind, words: tuple[tuple[str, str | tuple[str, ...]], ...]) -> str:
    """Most of what an episode tells was told by another one: of a pull it is some forty ids an episode."""
    return _hashed(kind, dict(words))


def _hashed(kind: PatternKind, content: Mapping[str, Any]) -> str:
    text = _canonical([kind.value, content])
    return PATTERN_PREFIX + hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Observation:
    """One episode's evidence for (or against) one pattern, as an extractor emits it.

    `content` is what the id is computed from; `success` is how the episode (or the tried choice) went;
    `detail` is evidence-specific (step indexes, example arguments, how long it took) and does not enter the id.
    """

    kind: PatternKind
    content: Mapping[str, Json]
    description: str
    success: bool
    weight: float = 1.0
    detail: Mapping[str, Json] = field(default_factory=dict)

    @property
    def pattern_id(self) -> str:
        return pattern_id(self.kind, self.content)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stored observation: which episode said what about which pattern."""

    pattern_id: str
    episode_id: str
    success: bool
    weight: float
    at_ms: int
    detail: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regularity with its counts over all evidence in scope. `confidence` is computed at read time (Wilson, decay, feedback)."""

    id: str
    kind: PatternKind
    project: str
    content: Mapping[str, Json]
    description: str
    domain: str
    support: int  # episodes with evidence
    successes: int
    failures: int
    first_at_ms: int
    last_at_ms: int
    helped: float = 0.0  # feedback, explicit and implicit, already shrunk to at most one vote an episode
    hindered: float = 0.0
    shown: int = 0
    used: int = 0
    corrected_by: str | None = None
    retired: bool = False
    confidence: float = 0.0

    @property
    def says_what(self) -> bool:
        """Whether it says what to do: that the same tool worked with other arguments, without saying which, does not."""
        return self.kind is not PatternKind.ERROR_RECOVERY or self.content["try"] != self.content["tool"]

    @property
    def is_telling(self) -> bool:
        """Whether it says more than the names of tools: a correction, how a call was made otherwise, a program that fixed an error."""
        if self.corrected_by:
            return True
        if self.kind is PatternKind.ARGUMENT_CHANGE:
            return str(self.content["change"]) != ArgumentChange.INDENTED  # which the error says itself
        return self.tries_program and self.says_what and not self.content.get(INSTEAD)

    @property
    def tries_program(self) -> bool:
        """Whether it answers an error with a program that does something: that a file was changed is no answer to the next task's error."""
        tried = str(self.content.get("try", ""))
        is_program = tried.startswith(f"{SHELL}:") and not tried.endswith(WRITES) and role_of(tried) is Role.ACTS
        return self.kind is PatternKind.ERROR_RECOVERY and is_program

    provenance: str = ""  # the independent sources of its latest evidence, in words; "" where nobody looked
    is_verified: bool = True  # by two of them at least


@dataclass(frozen=True, slots=True)
class ConfidenceNumbers:
    """What a pattern's confidence was computed from, in the order of the computation, and what came out."""

    successes: int
    failures: int
    age_days: float
    half_life_days: float
    decayed_count: float
    wilson_low: float
    wilson_high: float
    validated_on: int  # later evidence that the earlier was compared with
    predicted: float
    happened: float
    holding_factor: float
    helped: float
    hindered: float
    net_vote: float
    corrected_by: str | None
    retired: bool
    retired_because: str
    confidence: float


@dataclass(frozen=True, slots=True)
class PatternUsage:
    """How often a pattern was shown and used, and how often those episodes succeeded; None where there were none."""

    shown: int = 0
    used: int = 0
    success_when_used: float | None = None
    success_when_not_used: float | None = None


NEVER_SHOWN = PatternUsage()


class Standing(enum.StrEnum):
    """Whether what followed speaks for going on to tell a pattern."""

    ON_TRIAL = "on trial"  # too few attempts used it, or did not, to say
    KEPT = "kept"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class ToldPattern:
    """A pattern that was told, and how the attempts ended that used it and those that did not."""

    pattern_id: str
    kind: PatternKind
    description: str
    told: int  # attempts
    used: int
    used_successes: int
    unused_successes: int
    difference: float  # of the two success rates
    interval: tuple[float, float]  # of it, at 95 %
    standing: Standing
    because: str  # it is retired
