"""Which tools work no longer: those that failed in each of the latest episodes that used them."""

import numpy as np

from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.views.experience import Experience

LATEST_TRIES = 2  # episodes of a project: a tool that worked in none of those that used it last is gone
_ANY = -2  # among the projects' numbers: all of them (-1 is one without episodes)


class GoneTools:
    """Follows the columns of an `Experience`: a look costs what came since the last one."""

    def __init__(self, experience: Experience) -> None:
        self._x = experience
        self._restart()

    def _restart(self) -> None:
        self._removals, self._rows = self._x.removals, 0
        self._latest: dict[tuple[int, int], list[tuple[int, int, bool]]] = {}  # of project and tool: when it ended, row, whether it worked
        self._gone: dict[str, frozenset[str]] = {}  # by project, of what was asked for

    def of(self, project: str, but: str = "") -> frozenset[str]:
        """Return which of the tools that act worked in neither of the latest two of the project's episodes that used them.

        The episode *but* is passed over: where a run that has just ended asks, it may be among them or may not be yet.
        """
        if self._removals != self._x.removals:
            self._restart()
        if self._rows != self._x.row_count:
            self._follow()
        number = _ANY if project == ANY_PROJECT else self._x.project_number(project)
        if (row := self._x.row(but)) is not None:
            return self._gone_in(number, row)
        if project not in self._gone:
            self._gone[project] = self._gone_in(number)
        return self._gone[project]

    def _gone_in(self, number: int, but: int = -1) -> frozenset[str]:
        used = ((tool, [use for use in uses if use[1] != but]) for (project, tool), uses in self._latest.items() if project == number)
        gone = [tool for tool, uses in used if len(uses) >= LATEST_TRIES and not _worked(uses[-LATEST_TRIES:])]
        return frozenset(str(self._x.tools.value(tool)) for tool in gone)

    def _follow(self) -> None:
        """Take in the episodes that came since the last look."""
        x, first = self._x, int(self._x.first[self._rows])
        acting = np.array([role_of(str(key)) is Role.ACTS for key in x.tools.all()], np.bool_)
        at = first + np.flatnonzero(acting[x.step_tool[first:]])
        row = x.rows_at(at)
        at, row = at[x.alive[row]], row[x.alive[row]]
        order = np.lexsort((x.step_tool[at], row))
        at, row = at[order], row[order]
        tool = x.step_tool[at]
        starts = np.flatnonzero((np.diff(tool, prepend=-1) != 0) | (np.diff(row, prepend=-1) != 0))
        worked = np.logical_or.reduceat(~x.step_failed[at], starts) if len(starts) else np.zeros(0, np.bool_)
        used = zip(row[starts].tolist(), x.ended_at_ms[row[starts]].tolist(), tool[starts].tolist(), worked.tolist(), strict=True)
        for number, ended_at_ms, key, did in used:
            for project in (_ANY, int(x.project[number])):
                uses = self._latest.setdefault((project, key), [])
                uses.append((ended_at_ms, number, did))
                uses.sort()
                del uses[: -LATEST_TRIES - 1]  # one may have to be passed over
        self._rows, self._gone = x.row_count, {}


def _worked(uses: list[tuple[int, int, bool]]) -> bool:
    return any(did for _, _, did in uses)
