"""Update, link, check point, resume, forget, correct, prune."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from mcp_memory.domain import limits
from mcp_memory.domain.feedback import EndedAs
from mcp_memory.domain.requests.base import One, Request
from mcp_memory.domain.requests.context import WhereFields
from mcp_memory.domain.requests.kinds import Choice, Flag, Id, Name, Object, Tags, Text, Texts
from mcp_memory.domain.requests.numbers import Fraction, Number, Whole
from mcp_memory.domain.sources import SourceKind

ID = Id(required=True)


class LinkType(enum.StrEnum):
    PARENT_CHILD = "parent_child"
    DEPENDS_ON = "depends_on"
    FOLLOWS = "follows"
    RELATED_TO = "related_to"
    DUPLICATES = "duplicates"
    REFERENCES = "references"


class Direction(enum.StrEnum):
    BOTH = "both"
    OUT = "out"
    IN = "in"


class UpdateEpisode(Request, frozen=True):
    episode_id: Annotated[str, ID]
    add_tags: Annotated[Sequence[str], Tags()] = ()
    remove_tags: Annotated[Sequence[str], Tags()] = ()
    metadata: Annotated[Mapping[str, Any] | None, Object(max_bytes=limits.MAX_METADATA_BYTES)] = None
    task: Annotated[str | None, Text(max_chars=limits.MAX_TASK_CHARS, may_be_empty=False)] = None


class LinkEpisodes(Request, frozen=True):
    from_id: Annotated[str, ID]
    to_id: Annotated[str, ID]
    type: Annotated[str, Choice(of=LinkType, required=True)]
    note: Annotated[str, Text()] = ""
    remove: Annotated[bool, Flag(default=False)] = False


class RelatedEpisodes(Request, frozen=True):
    episode_id: Annotated[str, ID]
    types: Annotated[Sequence[str], Texts(of=Choice(of=LinkType))] = ()
    direction: Annotated[str, Choice(of=Direction)] = Direction.BOTH
    depth: Annotated[int, Whole(low=1, high=limits.MAX_RELATED_DEPTH, shows_bounds=True, default=1)] = 1


class CheckpointEpisode(Request, frozen=True):
    episode_id: Annotated[str, ID]
    label: Annotated[str, Name(required=True)]
    note: Annotated[str, Text()] = ""
    findings: Annotated[Sequence[str], Texts(about="Facts found out")] = ()
    pending: Annotated[Sequence[str], Texts(about="What is left to do")] = ()


class ResumeEpisode(Request, frozen=True):
    checkpoint_id: Annotated[str | None, Id()] = None
    episode_id: Annotated[str | None, Id()] = None


class Forget(Request, frozen=True, kw_only=True):
    episode_ids: Annotated[Sequence[str], Texts(of=ID, max_items=limits.MAX_SEARCH_LIMIT)] = ()
    filter: Annotated[WhereFields | Mapping[str, Any] | None, One(of=WhereFields)] = None
    confirm: Annotated[bool, Flag(strict=True, default=False)] = False
    reason: Annotated[str, Text()] = ""


class Correct(Request, frozen=True):
    target_id: Annotated[str, ID]
    text: Annotated[str, Text(required=True)]
    reason: Annotated[str, Text()] = ""
    contradicts: Annotated[bool, Flag()] = False
    by: Annotated[str, Name()] = ""


class QuarantineSource(Request, frozen=True):
    name: Annotated[str, Text(max_chars=limits.MAX_ID_CHARS, required=True, may_be_empty=False)]
    kind: Annotated[str, Choice(of=SourceKind)] = ""  # "": the agent of that name, else the session
    undo: Annotated[bool, Flag(strict=True)] = False
    reason: Annotated[str, Text()] = ""
    by: Annotated[str, Name()] = ""


class Label(Request, frozen=True):
    episode_id: Annotated[str, ID]
    outcome: Annotated[str, Choice(of=EndedAs, required=True)]
    lesson: Annotated[str, Text(max_chars=limits.MAX_LIST_ITEM_CHARS)] = ""


class Prune(Request, frozen=True, kw_only=True):
    older_than_days: Annotated[float | None, Number()] = None
    below_reward: Annotated[float | None, Fraction()] = None
    max_bytes: Annotated[int | None, Whole()] = None
    project: Annotated[str, Name()] = ""
    archive: Annotated[str | None, Text(max_chars=limits.MAX_PATH_CHARS)] = None
    apply: Annotated[bool, Flag(strict=True)] = False
