"""Under which name a project is kept: its own, or the one that an earlier version kept it under, so that what is there is found.

The first project that has a right to an earlier name gets it, for good: it is a fact in the store, in the form of a correction of the
project's name. A name goes to one project; another client's folder of that name begins anew.
"""

import os

import anyio.to_thread

from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.domain.curation import Correction
from mcp_memory.domain.metadata_keys import WORKING_DIR
from mcp_memory.domain.query import Filter, Sort
from mcp_memory.ports import Clock, Store
from mcp_memory.projects import Project, project_at

ALIAS = "project/"  # what the corrections of projects' names are of
_SESSIONS = 200  # remembered
_LOOKED_AT = 20  # episodes under an earlier name, the newest: whose folder were they made in?


class Projects:
    """The names of projects in one store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._kept: BoundedMap[Project, str] = BoundedMap(_SESSIONS)
        self._heard: BoundedMap[str, str] = BoundedMap(_SESSIONS)  # the projects of sessions that go on

    async def kept_as(self, project: Project, *, dry_run: bool = False) -> str:
        """Return the name a project is kept under. The first time an earlier one is found it is stored, unless it is a *dry_run*."""
        if (known := self._kept.get(project)) is not None:
            return known
        if not project.before:
            return project.name
        found, is_new = await anyio.to_thread.run_sync(self._look_up, project)
        if is_new and not dry_run:
            await self._store.put_correction(ALIAS + project.name, Correction(kept_as=found), self._clock())
        if not dry_run:
            self._kept.put(project, found)
        return found

    def heard_of(self, session_id: str, project: str) -> None:
        """Note which project a session works in; "" when it is over."""
        if project:
            self._heard.put(session_id, project)
        else:
            self._heard.pop(session_id)

    @property
    def only_heard(self) -> str:
        """The one project that sessions work in; "" when there are several, or none."""
        projects = {self._heard.get(session_id) or "" for session_id in list(self._heard)}
        return next(iter(projects)) if len(projects) == 1 else ""

    def aliases(self) -> dict[str, str]:
        """Return the projects that are kept under an earlier name, and which (blocking)."""
        found = self._store.corrections()  # a person's or an agent's word each: there are few
        return {target.removeprefix(ALIAS): told.kept_as for target, told in found.items() if target.startswith(ALIAS)}

    def _look_up(self, project: Project) -> tuple[str, bool]:
        aliases = self.aliases()
        if project.name in aliases:
            return aliases[project.name], False
        if self._newest(project.name):
            return project.name, False
        taken = set(aliases.values())
        for name in project.before:
            if name in aliases:  # the repository before it had a remote, itself kept under an earlier name
                return aliases[name], True
            if name not in taken and self._is_of(name, project):
                return name, True
        return project.name, False

    def _is_of(self, name: str, project: Project) -> bool:
        """Return whether what is kept under an earlier name may be this project's: no folder it was made in says it is another's."""
        folders = self._newest(name)
        there = [folder for folder in folders if folder and os.path.isdir(folder)]
        known = [found.name for folder in there if (found := project_at(folder)) is not None]
        return bool(folders) and (not known or bool({project.name, *project.before} & set(known)))

    def _newest(self, name: str) -> list[str]:
        """Return the folders that the newest episodes of a project were made in, "" where none is told."""
        ids = self._store.list_episodes(Filter(project=name), sort=Sort.NEWEST, limit=_LOOKED_AT, cursor=None).ids
        return [str(found.metadata.get(WORKING_DIR) or "") for found in self._store.get_episodes(ids, steps=False) if found is not None]
