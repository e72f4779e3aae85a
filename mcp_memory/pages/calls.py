"""One request of somebody who is in, and what a page's function answers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

from starlette.requests import Request

from mcp_memory.domain.activity import FoundSessions, HookState
from mcp_memory.errors import InvalidInput, NotFound
from mcp_memory.pages.kept import Kept
from mcp_memory.pages.sessions import Session

if TYPE_CHECKING:
    from mcp_memory.memory import EpisodicMemory

MAX_FORM_BYTES = 64 * 1024
MAX_FIELDS = 50
PATIENCE_S = 1.0  # after which a page says that something is being made
T = TypeVar("T")


class Refused(InvalidInput):
    """What came with a request cannot be used. The hint is for the person who sent it."""

    default_hint = "Go back, and use what the page offers."


class NotKept(NotFound):
    """There is no such thing. The hint is for the person who asked for it."""

    default_hint = "It may have been forgotten, or be of another memory: Attempts and Learned list what is there."


@dataclass(frozen=True, slots=True)
class Call:
    """`form` is empty for what only reads."""

    memory: "EpisodicMemory"
    session: Session
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]
    data_dir: Path
    is_part: bool = False  # asked by a script of the page, which takes a piece of one
    kept: Kept = field(default_factory=Kept)
    look: "Look | None" = None
    hooks: "HookLook | None" = None
    ages_s: list[float] = field(default_factory=list)  # of the answers that were kept

    async def dear(self, name: str, ask: Callable[[], Awaitable[T]], *of: str) -> T:
        """Return what *ask* answers about this project, or in a large memory did a short while ago where that takes long.

        Args:
            name: Of the question.
            ask: Asks it.
            of: What the question depends on, besides the project that is shown.
        """
        if not self.memory.is_large:
            return await ask()
        value, age_s = await self.kept.answer((name, self.session.project, *of), ask)
        self.ages_s.append(age_s)
        return value

    async def soon(self, name: str, ask: Callable[[], Awaitable[T]], *of: str) -> T | None:
        """As `dear`, but None where the very first answer takes longer than a person waits for a page."""
        value, age_s = await self.kept.soon((name, self.session.project, *of), ask, PATIENCE_S)
        self.ages_s.append(age_s)
        return value


@dataclass(frozen=True, slots=True)
class Page:
    """A template and what it shows."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Download:
    """A file for the person to keep."""

    content: str
    file_name: str


@dataclass(frozen=True, slots=True)
class GoTo:
    """Where a person is after a change."""

    path: str


Answer = Page | Download | GoTo
HookLook = Callable[[], HookState]  # reads what the hooks of this machine left (blocking)
Look = Callable[["EpisodicMemory"], Awaitable[Sequence[FoundSessions]]]  # for sessions of agent hosts that were not imported
Handler = Callable[[Call], Awaitable[Answer]]


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form that was sent. Raises Refused: no form, or larger than one of ours can be."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise Refused("that is not a form of these pages")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise Refused(f"a form holds at most {MAX_FORM_BYTES // 1024} kB")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=MAX_FIELDS))
    except ValueError as error:
        raise Refused("that is not a form of these pages") from error
