"""Who vouches for what was done: how many independent sources there are behind a tool, a call, or an episode.

Where one agent works alone, its occasions are its sources: sessions, or pieces of work on different days. Where several agents share a
project, each of the others is one source, however much it says: an agent that repeats itself forty times is one voice.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mcp_memory.domain.text import shorten
from mcp_memory.views.columns import Ints, distinct
from mcp_memory.views.experience import Experience
from mcp_memory.views.kept import Kept

MIN_SOURCES = 2  # independent ones, from which advice counts as verified
MAX_NAMED, MAX_NAME_CHARS = 3, 24  # agents named as sources, and characters of one's name
MAX_KEPT = 5_000  # supports of tools
_MANY = -2  # more agents than one
_EXACT_BITS, _TOOL_BITS = 17, 24
KNOWN_CALLS, KNOWN_TOOLS, ALONE_WITH_IT = 2, 1, 0  # how far others did what an episode did


@dataclass(frozen=True, slots=True)
class Support:
    """The independent sources behind a piece of advice."""

    sources: int
    agents: tuple[str, ...] = ()  # by name, those that have one

    @property
    def is_verified(self) -> bool:
        """Whether two independent sources say so."""
        return self.sources >= MIN_SOURCES

    def __str__(self) -> str:
        """Return it in a few words.

        >>> str(Support(1, ("mallory",))), str(Support(3))
        ('unverified: 1 source (mallory)', '3 sources')
        """
        names = [shorten(name, MAX_NAME_CHARS) for name in self.agents[:MAX_NAMED]]
        more = [f"{len(self.agents) - MAX_NAMED} more"] if len(self.agents) > MAX_NAMED else []
        who = f" ({', '.join(names + more)})" if names else ""
        counted = f"{self.sources} source{'' if self.sources == 1 else 's'}{who}"
        return counted if self.is_verified else f"unverified: {counted}"


class Vouching:
    """Follows the columns of an `Experience`; it costs something only in projects that several agents share."""

    def __init__(self, experience: Experience) -> None:
        self._x = experience
        self._named: Kept[str, frozenset[str]] = Kept(experience, MAX_KEPT)  # agents of a project, those that have a name
        self._supports: Kept[tuple[int, str, str], Support] = Kept(experience, MAX_KEPT)  # by tool, project and who asks
        self._restart()

    def _restart(self) -> None:
        self._removals = self._x.removals
        self._rows = self._seen_rows = 0
        self._voices: dict[int, int] = {}  # a tool of a project, or a call of it, to the agent that used it with success, or _MANY
        self._agents: dict[int, set[int]] = {}  # of each project, those with a name

    def is_shared(self, row: int) -> bool:
        """Whether several agents have worked in the episode's project."""
        self._follow_agents()
        return len(self._agents.get(int(self._x.project[row]), ())) > 1

    def is_alone(self, project: str, asker: str) -> bool:
        """Whether nobody but *asker* has worked under a name in the episodes that the project sees."""
        x = self._x

        def named() -> frozenset[str]:
            return frozenset(map(x.agent_name, np.unique(x.agent[x.in_project(project)]).tolist())) - {""}

        return len((self._named.get(project, named) | {asker}) - {""}) <= 1

    def support(self, rows: Iterable[int], asker: str = "") -> Support:
        """Return the sources that episodes of one project are.

        Args:
            rows: The episodes.
            asker: The agent that asks: what it did itself on different occasions are different sources.
        """
        x, found = self._x, distinct(np.sort(rows if isinstance(rows, np.ndarray) else np.array([*rows], np.int64)))
        if not len(found):
            return Support(0)
        agents, occasions = x.agent[found], x.occasion[found]
        everybody = dict.fromkeys(agents.tolist())
        names = tuple(name for number in everybody if (name := x.agent_name(number)))
        others = 0
        if self.is_shared(int(found[0])) or any(asker not in ("", name) for name in names):
            own = x.agent_number(asker) if asker else -1
            occasions, others = occasions[agents == own], len(everybody.keys() - {own})
        return Support(len(distinct(np.sort(occasions))) + others, names)

    def of_tool(self, tool: int, project: str, asker: str = "") -> Support:
        """Return the sources that used a tool with success in what the project sees. Once a pass over all steps."""
        x = self._x

        def support() -> Support:
            rows = distinct(x.rows_at(np.flatnonzero((x.step_tool == tool) & ~x.step_failed)))
            return self.support(rows[x.in_project(project)[rows]], asker)

        return self._supports.get((tool, project, asker), support)

    def is_known_call(self, row: int, index: int, asker: str = "") -> bool:
        """Whether a step is a call that the asker or two agents made: always where nobody else works in the project."""
        x = self._x
        if not self.is_shared(row) and x.agent_name(int(x.agent[row])) in ("", asker or x.agent_name(int(x.agent[row]))):
            return True
        if asker and x.agent_name(int(x.agent[row])) == asker:
            return True
        self._follow()
        step = int(x.first[row]) + index
        return self._voices.get(int(self._calls(np.array([step]), np.array([row]))[0])) == _MANY

    def level(self, row: int) -> int:
        """Return how far what worked in an episode is what others do as well: its calls, its tools, or neither."""
        self._follow()
        x = self._x
        steps = np.arange(x.steps_of(row).start, x.steps_of(row).stop)
        steps = steps[~x.step_failed[steps]]
        rows = np.full(len(steps), row)
        if all(self._voices.get(code) == _MANY for code in self._calls(steps, rows).tolist()):
            return KNOWN_CALLS
        return KNOWN_TOOLS if all(self._voices.get(code) == _MANY for code in self._tools(steps, rows).tolist()) else ALONE_WITH_IT

    def provenance(self, row: int, *, names_project: bool = False) -> str:
        """Return where an episode comes from in a few words, "" where there is nothing to tell."""
        x = self._x
        agent = shorten(x.agent_name(int(x.agent[row])), MAX_NAME_CHARS)
        said = [agent and f"by {agent}", x.trace(row).project if names_project else ""]
        if self.is_shared(row) and self.level(row) < KNOWN_CALLS:
            said = [f"unverified: 1 source ({agent or 'unnamed'})", said[1]]
        return ", ".join(part for part in said if part)

    def _tools(self, steps: Ints, rows: Ints) -> Ints:
        x = self._x
        return ((x.project[rows].astype(np.int64) << _TOOL_BITS) + x.step_tool[steps]) << _EXACT_BITS

    def _calls(self, steps: Ints, rows: Ints) -> Ints:
        return self._tools(steps, rows) + 1 + np.maximum(self._x.step_exact[steps], 0)

    def _follow_agents(self) -> None:
        x = self._x
        if self._removals != x.removals:
            self._restart()
        if self._seen_rows == x.row_count:
            return
        for row in range(self._seen_rows, x.row_count):
            if x.alive[row] and x.agent_name(int(x.agent[row])):
                self._agents.setdefault(int(x.project[row]), set()).add(int(x.agent[row]))
        self._seen_rows = x.row_count

    def _follow(self) -> None:
        """Take in the episodes that came since the last look."""
        self._follow_agents()
        x = self._x
        start, self._rows = self._rows, x.row_count
        if start == self._rows:
            return
        first = int(x.first[start])
        steps = np.arange(first, len(x.step_tool))
        rows = x.rows_at(steps)
        kept = ~x.step_failed[steps] & x.alive[rows]
        steps, rows = steps[kept], rows[kept]
        codes = np.concatenate([self._tools(steps, rows), self._calls(steps, rows)])
        pairs = np.unique(np.stack([codes, np.tile(x.agent[rows], 2)], axis=1), axis=0)
        for code, agent in pairs.tolist():
            known = self._voices.setdefault(code, agent)
            if known not in (agent, _MANY):
                self._voices[code] = _MANY
