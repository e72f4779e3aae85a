"""What a caller whose token is bound to projects may name: those projects, and what is of them. Everything else is as if it were not there.

Asked before every verb, so that no verb has to think of it. The answer to a foreign id is that to an unknown one, word for word.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.domain.requests import LessonsMarkdown, SearchPatterns, WhereFields
from mcp_memory.domain.requests.base import Request, fields_of
from mcp_memory.errors import InvalidInput, NotFound
from mcp_memory.verbs.asked import MAX_SHOWN, id_fields
from mcp_memory.verbs.engines import Engines, working_in
from mcp_memory.verbs.shown import Shown

R = TypeVar("R", bound=Request)
MAX_CANDIDATES = 200  # stored ids with the same beginning that are looked at
_OF_SEVERAL = (WhereFields, SearchPatterns, LessonsMarkdown)  # can be about all projects of a caller; everything else is about one


def home_of(bound: Sequence[str], project: str) -> str:
    """Return where a caller works who comes from *project*: there, or in the one project it is bound to; "" where neither says.

    >>> home_of((), "a"), home_of(("b",), "a"), home_of(("a", "b"), "a"), home_of(("b", "c"), "a")
    ('a', 'b', 'a', '')
    """
    if len(bound) == 1:
        return bound[0]
    return project if not bound or project in bound else ""


class Reach:
    """Reads requests as the bound caller's."""

    def __init__(self, engines: Engines, shown: Shown) -> None:
        self._e, self._shown = engines, shown

    async def within(self, asked: R, projects: Sequence[str]) -> R:
        """Return *asked* in one of *projects*, or where it lists and says nothing else in all of them (`*`); its ids whole.

        A request that names no project means the one that its caller works in, else the one that its ids are of.

        Raises:
            NotFound: It names another project, or an id that is of none of these.
            InvalidInput: An id begins several of these projects', or the request is about one project and does not say about which.
        """
        changes: dict[str, Any] = {}
        owners: set[str] = set()
        for name in id_fields(type(asked)):
            if value := getattr(asked, name):
                whole = [await self._whole(name, item, projects) for item in ([value] if isinstance(value, str) else value)]
                owners.update(owner for _, owner in whole)
                changes[name] = whole[0][0] if isinstance(value, str) else tuple(key for key, _ in whole)
        for name in fields_of(type(asked)):
            value = getattr(asked, name)
            if name == "project":
                changes[name] = _named(value, projects) or _meant(asked, projects, owners, anywhere=value == ANY_PROJECT)
            elif isinstance(value, Request):
                changes[name] = await self.within(value, projects)
        return asked.but(**changes) if changes else asked

    async def _whole(self, field: str, given: str, projects: Sequence[str]) -> tuple[str, str]:
        """Return an id in full with the project it is of."""
        if own := await self._e.in_thread(lambda: self._own([given], projects)) or await self._was_shown(given, projects):
            return given, own[given]
        own = await self._e.in_thread(lambda: self._own(self._e.store.ids_starting(given, MAX_CANDIDATES), projects))
        if len(own) > 1:
            keys = list(own)
            shown = ", ".join(keys[:MAX_SHOWN]) + (", …" if len(keys) > MAX_SHOWN else "")
            raise InvalidInput(f"`{field}` {given!r} begins several ids: {shown}", hint="Give more of its characters.")
        if not own:
            raise NotFound(f"`{field}`: there is no {given!r} in {'this project' if len(projects) == 1 else 'these projects'}")
        return next(iter(own.items()))

    def _own(self, ids: Sequence[str], projects: Sequence[str]) -> dict[str, str]:
        """Return those of the ids that are of the projects, with which one (blocking): episodes, patterns, shown answers, checkpoints."""
        store = self._e.store
        found = {e.id: e.project for e in store.get_episodes(ids, steps=False) if e is not None}
        found |= {r.id: r.project for r in store.recommendations(ids=list(ids))} if ids else {}
        for project in reversed(projects if ids else ()):
            found |= {p.id: project for p in store.patterns(ids=list(ids), project=project, limit=len(ids))}
        for key in ids:
            if key not in found and (checkpoint := store.checkpoint(key)) is not None:
                (episode,) = store.get_episodes([checkpoint[0]], steps=False)
                found |= {key: episode.project} if episode is not None else {}
        return {key: found[key] for key in ids if found.get(key) in projects}

    async def _was_shown(self, given: str, projects: Sequence[str]) -> dict[str, str]:
        """Return it with its project if it is a recommendation of these projects whose record may still be on its way."""
        try:
            project = (await self._shown.of(given)).project
        except NotFound:
            return {}
        return {given: project} if project in projects else {}


def _named(value: Any, projects: Sequence[str]) -> str:
    """Return the project that is named; "" where none is."""
    if value in ("", None, ANY_PROJECT):
        return ""
    if value in projects:
        return str(value)
    hint = "Leave `project` out." if len(projects) == 1 else f"This token is for {_listed(projects)}."
    raise NotFound(f"there is no project {value!r}", hint=hint)


def _meant(asked: Request, projects: Sequence[str], owners: Iterable[str], *, anywhere: bool) -> str:
    """Return the project that a request means without naming it, or `*` for all of the caller's."""
    if len(projects) == 1:
        return projects[0]
    if not anywhere:
        if here := working_in.get():
            return here
        if len(of := list(dict.fromkeys(owners))) == 1:
            return of[0]
    if isinstance(asked, _OF_SEVERAL):
        return ANY_PROJECT
    raise InvalidInput(
        "`project` must say which project this is about", hint=f"This token is for {_listed(projects)}: give one of them as `project`."
    )


def _listed(projects: Sequence[str]) -> str:
    return ", ".join(map(repr, projects))
