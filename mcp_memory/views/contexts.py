"""Where completed episodes belong and whom they come from, as columns; and how much one counts for who asks from elsewhere."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcp_memory.domain.episode import Trace
from mcp_memory.views.columns import Bools, Column, Floats, Interner

SAME_FRAMEWORK, SAME_DOMAIN, SAME_FIELD, ELSEWHERE = 1.0, 0.5, 0.2, 0.01  # how much an episode of that context counts
UNKNOWN = 0.5  # where one side names no context: no match, and no mismatch
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Standpoint:
    """A context to look from. `project` "*" sees every project."""

    project: str
    domain: str = ""
    framework: str = ""
    tags: frozenset[str] = frozenset()


class Contexts:
    """The part of `Experience` that knows an episode's project, context and source; `alive` is false where one was removed."""

    def __init__(self) -> None:
        self.tag_sets = Interner()
        self._projects, self._domains, self._fields, self._frameworks = Interner(), Interner(), Interner(), Interner()
        self._contexts, self._agents, self._occasions = Interner(), Interner(), Interner()

    def _clear_contexts(self) -> None:
        self._alive = Column(np.bool_)
        self._project, self._domain, self._field, self._framework = (Column(np.int32) for _ in range(4))
        self._tag_set, self._context, self._agent, self._occasion = (Column(np.int32) for _ in range(4))

    def _add_context(self, trace: Trace) -> None:
        self._alive.append(True)
        self._project.append(self._projects[trace.project])
        self._domain.append(self._domains[trace.domain])
        self._field.append(self._fields[trace.domain.split("/", 1)[0]])
        self._framework.append(self._frameworks[trace.framework])
        self._tag_set.append(self.tag_sets[frozenset(trace.tags)])
        self._context.append(self._contexts[(trace.domain, trace.framework, frozenset(trace.tags))])
        self._agent.append(self._agents[trace.agent])
        self._occasion.append(self._occasions[_occasion(trace)])

    @property
    def row_count(self) -> int:
        """How many rows there are, those of removed episodes too."""
        return len(self._alive)

    @property
    def alive(self) -> Bools:
        return self._alive.values

    @property
    def project(self) -> npt.NDArray[np.int32]:
        return self._project.values

    def project_number(self, name: str) -> int:
        """Return the number of a project, -1 where it has no episode."""
        return self._projects.find(name)

    @property
    def agent(self) -> npt.NDArray[np.int32]:
        """The number of each episode's agent; nobody's name has one, too."""
        return self._agent.values

    @property
    def domain(self) -> npt.NDArray[np.int32]:
        return self._domain.values

    @property
    def occasion(self) -> npt.NDArray[np.int32]:
        """Equal for episodes that are no independent evidence of each other: of one session, or the same work on the same day."""
        return self._occasion.values

    def agent_name(self, number: int) -> str:
        return str(self._agents.value(number))

    def agent_number(self, name: str) -> int:
        """Return the number of an agent, -1 where it has no episode."""
        return self._agents.find(name)

    @property
    def context(self) -> npt.NDArray[np.int32]:
        """The number of each episode's domain, framework and tags together."""
        return self._context.values

    def context_of(self, number: int) -> tuple[str, str, frozenset[str]]:
        """Return the domain, framework and tags of a context's number."""
        domain, framework, tags = self._contexts.value(number)
        return domain, framework, tags

    def in_project(self, project: str) -> Bools:
        """Return which live episodes the project sees."""
        if project == "*":
            return self.alive.copy()
        seen: Bools = self.alive & (self._project.values == self._projects.find(project))
        return seen

    def agrees(self, standpoint: Standpoint) -> Bools:
        """Return which of the project's episodes differ from *standpoint* in nothing that both of them say."""
        same = self.in_project(standpoint.project)
        for column, names, name in (
            (self._domain, self._domains, standpoint.domain),
            (self._framework, self._frameworks, standpoint.framework),
        ):
            if name:
                same &= (column.values == names.find(name)) | (column.values == names.find(""))
        return same

    def levels(self, standpoint: Standpoint) -> tuple[Bools, Bools, Bools, Bools]:
        """Return which episodes share the field, the domain, domain and framework, and these with all tags; widest first."""
        domain = self._domain.values == self._domains.find(standpoint.domain)
        field = self._field.values == self._fields.find(standpoint.domain.split("/", 1)[0])
        framework = domain & (self._framework.values == self._frameworks.find(standpoint.framework))
        return field, domain, framework, framework & (self._tag_set.values == self.tag_sets.find(standpoint.tags))

    def context_weights(self, standpoint: Standpoint, tag_nats: float = 0.0) -> Floats:
        """Return how much each episode's context counts from *standpoint*, in [0, 1]; 0 for dead ones and those of other projects.

        Args:
            standpoint: Where to look from.
            tag_nats: Log weight between equal and disjoint tags.
        """
        field, domain, _, _ = self.levels(standpoint)
        framework = self._framework.values == self._frameworks.find(standpoint.framework)
        base = np.where(framework, SAME_FRAMEWORK, np.where(domain, SAME_DOMAIN, np.where(field, SAME_FIELD, ELSEWHERE)))
        base = np.where(self._unknown(standpoint), UNKNOWN, base)
        return np.where(self.in_project(standpoint.project), base * np.exp(tag_nats * (self.tag_overlap(standpoint.tags) - 1.0)), 0.0)

    def tag_overlap(self, tags: frozenset[str]) -> Floats:
        """Return the Jaccard overlap of each episode's tags with *tags*; two empty sets are equal, one empty set says half."""
        overlaps = [_overlap(tags, other) for other in self.tag_sets.all()]
        return np.array(overlaps, np.float64)[self._tag_set.values] if overlaps else np.zeros(0)

    def _unknown(self, standpoint: Standpoint) -> Bools:
        """Return which episodes cannot be compared with *standpoint*, because one of the two names no context."""
        if not (standpoint.domain or standpoint.framework):
            return np.ones(len(self.alive), np.bool_)
        nothing: Bools = (self._domain.values == self._domains.find("")) & (self._framework.values == self._frameworks.find(""))
        return nothing


def _occasion(trace: Trace) -> int:
    if trace.session:
        return hash((trace.project, trace.session))
    return hash((trace.project, trace.ended_at_ms // DAY_MS, trace.task, str(trace.digest.get("args", "")), trace.step_keys))


def _overlap(a: frozenset[str], b: frozenset[str]) -> float:
    if not a or not b:
        return 1.0 if a == b else 0.5
    return len(a & b) / len(a | b)
