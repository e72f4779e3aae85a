"""Patterns, trends, status, and texts to start from."""

import enum
from typing import Annotated

from mcp_memory.domain import limits
from mcp_memory.domain.episode import TaskType
from mcp_memory.domain.pattern import PatternKind
from mcp_memory.domain.requests.base import Request
from mcp_memory.domain.requests.kinds import Choice, Flag, Id, Name, Text
from mcp_memory.domain.requests.numbers import Fraction, Moment, Whole
from mcp_memory.domain.requests.recording import BUDGET


class Metric(enum.StrEnum):
    """What a trend is of."""

    SUCCESS_RATE = "success_rate"
    REWARD = "reward"
    DURATION = "duration"
    ERRORS = "errors"


class Bucket(enum.StrEnum):
    """How long a point of a trend is."""

    DAY = "day"
    WEEK = "week"


class MemoryStatus(Request, frozen=True):
    pass


class SearchPatterns(Request, frozen=True, kw_only=True):
    query: Annotated[str, Text(max_chars=limits.MAX_QUERY_CHARS)] = ""
    kind: Annotated[str, Choice(of=PatternKind)] = ""
    project: Annotated[str, Name(about="* for all")] = ""
    domain: Annotated[str, Name()] = ""
    min_confidence: Annotated[float, Fraction(shows_bounds=True)] = 0.0
    min_support: Annotated[int, Whole(low=1)] = 1
    telling: Annotated[bool, Flag()] = False  # only what says more than the names of tools
    limit: Annotated[int, Whole(low=1, high=limits.MAX_SEARCH_LIMIT)] = 20
    cursor: Annotated[str | None, Name()] = None


class GetPattern(Request, frozen=True):
    pattern_id: Annotated[str, Id(required=True)]


class ToldPatterns(Request, frozen=True):
    project: Annotated[str, Name(about="* for all")] = ""
    limit: Annotated[int, Whole(low=1, high=limits.MAX_SEARCH_LIMIT)] = 50


class AnalyzeTrends(Request, frozen=True, kw_only=True):
    metric: Annotated[str, Choice(of=Metric)] = Metric.SUCCESS_RATE
    project: Annotated[str, Name(about="* for all")] = ""
    domain: Annotated[str, Name()] = ""
    task_type: Annotated[str, Choice(of=TaskType, shows_words=False)] = ""
    tool: Annotated[str, Name()] = ""
    since: Annotated[str | int | None, Moment(about="ISO 8601")] = None
    bucket: Annotated[str, Choice(of=Bucket)] = Bucket.DAY


class LessonsMarkdown(Request, frozen=True):
    domain: Annotated[str, Name()] = ""
    project: Annotated[str, Name()] = ""
    budget_tokens: Annotated[int, BUDGET] = 1500


class ProjectDigest(Request, frozen=True):
    project: Annotated[str, Name()] = ""
    budget_tokens: Annotated[int, BUDGET] = 1500


class CompareAttempts(Request, frozen=True):
    episode_id: Annotated[str, Id(required=True)]


class MarkSteps(Request, frozen=True):
    episode_id: Annotated[str, Id(required=True)]


class RecentActivity(Request, frozen=True):
    project: Annotated[str, Name(about="* for all")] = ""


class WorkedFiles(Request, frozen=True):
    project: Annotated[str, Name(about="* for all")] = ""
    limit: Annotated[int, Whole(low=1, high=limits.MAX_SEARCH_LIMIT)] = 50


class ForkedTasks(Request, frozen=True):
    project: Annotated[str, Name(about="* for all")] = ""
    limit: Annotated[int, Whole(low=1, high=limits.MAX_SEARCH_LIMIT)] = 50


class MapTasks(Request, frozen=True):
    project: Annotated[str, Name(about="* for all")] = ""
    cell: Annotated[int, Whole(low=-1, about="whose attempts are wanted, too")] = -1
    region: Annotated[int, Whole(low=-1, about="whose attempts are wanted, too")] = -1
