"""Recall, search, get."""

import enum
from collections.abc import Sequence
from typing import Annotated

from mcp_memory.domain import limits
from mcp_memory.domain.query import Detail, Sort
from mcp_memory.domain.requests.base import Request
from mcp_memory.domain.requests.context import Where, WhereFields
from mcp_memory.domain.requests.kinds import Choice, Flag, Id, Name, Text, Texts
from mcp_memory.domain.requests.numbers import Whole
from mcp_memory.domain.requests.recording import BUDGET


class Part(enum.StrEnum):
    """What a recall can hold."""

    EPISODES = "episodes"
    PATTERNS = "patterns"


class Shown(enum.StrEnum):
    """How much of an episode is read."""

    SUMMARY = "summary"
    STEPS = "steps"
    FULL = "full"


class Recall(Where, frozen=True):
    query: Annotated[str, Text(max_chars=limits.MAX_QUERY_CHARS)]
    limit: Annotated[int, Whole(low=1, high=limits.MAX_RECALL_LIMIT)] = 5
    include: Annotated[Sequence[str], Texts(of=Choice(of=Part))] = (Part.EPISODES, Part.PATTERNS)
    strict: Annotated[bool, Flag()] = False  # filters only boost unless
    budget_tokens: Annotated[int, BUDGET] = 1500
    detail: Annotated[str, Choice(of=Detail)] = Detail.COMPACT
    cursor: Annotated[str | None, Name()] = None


class SearchEpisodes(WhereFields, frozen=True):
    query: Annotated[str, Text(max_chars=limits.MAX_QUERY_CHARS)] = ""
    sort: Annotated[str, Choice(of=Sort, shows_words=False)] = Sort.RELEVANCE
    limit: Annotated[int, Whole(low=1, high=limits.MAX_SEARCH_LIMIT)] = 20
    cursor: Annotated[str | None, Name()] = None


class GetEpisode(Request, frozen=True):
    episode_id: Annotated[str, Id(required=True)]
    detail: Annotated[str, Choice(of=Shown)] = Shown.SUMMARY
    step_from: Annotated[int, Whole()] = 0
    step_limit: Annotated[int, Whole(low=1, high=limits.MAX_STEPS_PER_EPISODE)] = 50
