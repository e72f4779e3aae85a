"""What a caller whose token is bound to a project may name: that project, and what is of it. Everything else is as if it were not there.

Asked before every verb, so that no verb has to think of it. The answer to a foreign id is that to an unknown one, word for word.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.domain.requests.base import Request, fields_of
from mcp_memory.errors import InvalidInput, NotFound
from mcp_memory.verbs.asked import MAX_SHOWN, id_fields
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.shown import Shown

R = TypeVar("R", bound=Request)
MAX_CANDIDATES = 200  # stored ids with the same beginning that are looked at


class Reach:
    """Reads requests as the bound caller's."""

    def __init__(self, engines: Engines, shown: Shown) -> None:
        self._e, self._shown = engines, shown

    async def within(self, asked: R, project: str) -> R:
        """Return *asked* in *project*, its ids whole.

        Raises:
            NotFound: It names another project, or an id that is not of this one.
            InvalidInput: An id begins several of this project.
        """
        changes: dict[str, Any] = {}
        for name in fields_of(type(asked)):
            value = getattr(asked, name)
            if name == "project":
                changes[name] = _named(value, project)
            elif isinstance(value, Request):
                changes[name] = await self.within(value, project)
        for name in id_fields(type(asked)):
            if value := getattr(asked, name):
                whole = [await self._whole(name, item, project) for item in ([value] if isinstance(value, str) else value)]
                changes[name] = whole[0] if isinstance(value, str) else tuple(whole)
        return asked.but(**changes) if changes else asked

    async def _whole(self, field: str, given: str, project: str) -> str:
        if await self._e.in_thread(lambda: self._own([given], project)) or await self._was_shown(given, project):
            return given
        own = await self._e.in_thread(lambda: self._own(self._e.store.ids_starting(given, MAX_CANDIDATES), project))
        if len(own) > 1:
            shown = ", ".join(own[:MAX_SHOWN]) + (", …" if len(own) > MAX_SHOWN else "")
            raise InvalidInput(f"`{field}` {given!r} begins several ids: {shown}", hint="Give more of its characters.")
        if not own:
            raise NotFound(f"`{field}`: there is no {given!r} in this project")
        return own[0]

    def _own(self, ids: Sequence[str], project: str) -> list[str]:
        """Return those of the ids that are of the project (blocking): episodes, its patterns, what was shown to it, its checkpoints."""
        store = self._e.store
        found = {e.id for e in store.get_episodes(ids, steps=False) if e is not None and e.project == project}
        found |= {p.id for p in store.patterns(ids=list(ids), project=project, limit=len(ids))} if ids else set()
        found |= {r.id for r in store.recommendations(ids=list(ids)) if r.project == project} if ids else set()
        for key in ids:
            if key not in found and (checkpoint := store.checkpoint(key)) is not None:
                (episode,) = store.get_episodes([checkpoint[0]], steps=False)
                found |= {key} if episode is not None and episode.project == project else set()
        return [key for key in ids if key in found]

    async def _was_shown(self, given: str, project: str) -> bool:
        """Whether it is a recommendation of this project whose record may still be on its way."""
        try:
            return (await self._shown.of(given)).project == project
        except NotFound:
            return False


def _named(value: Any, project: str) -> str:
    if value in ("", None, ANY_PROJECT, project):
        return project
    raise NotFound(f"there is no project {value!r}", hint="Leave `project` out.")
