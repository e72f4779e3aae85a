"""Which episodes there are, by row number, and which of them a filter admits."""

from collections.abc import Sequence

import numpy as np

from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.domain.episode import Trace
from mcp_memory.domain.filtering import admits
from mcp_memory.domain.query import ANY_PROJECT, Filter

KEPT_FILTERS = 64  # answers of `allowed` kept until an episode comes or goes


class Catalog:
    """Completed episodes' traces under their row number (`Trace.seq`)."""

    def __init__(self) -> None:
        self.traces: dict[int, Trace] = {}
        self._seq_of: dict[str, int] = {}
        self._projects: dict[str, set[int]] = {}
        self._allowed: BoundedMap[tuple[Filter, bool], np.ndarray | None] = BoundedMap(KEPT_FILTERS)

    def __len__(self) -> int:
        return len(self.traces)

    def add(self, traces: Sequence[Trace]) -> None:
        """Add traces; one that is there already is replaced."""
        self.remove([t.id for t in traces])
        for trace in traces:
            self.traces[trace.seq] = trace
            self._seq_of[trace.id] = trace.seq
            self._projects.setdefault(trace.project, set()).add(trace.seq)
        self._allowed.clear()

    def remove(self, episode_ids: Sequence[str]) -> list[int]:
        """Remove episodes and return their row numbers; unknown ids are ignored."""
        seqs = [seq for seq in (self._seq_of.pop(i, None) for i in episode_ids) if seq is not None]
        for seq in seqs:
            self._projects[self.traces.pop(seq).project].discard(seq)
        self._allowed.clear()
        return seqs

    def seq_of(self, episode_id: str) -> int | None:
        """Return the row number of an episode, None when there is none."""
        return self._seq_of.get(episode_id)

    def size_of(self, project: str) -> int:
        """How many episodes a project has; `*` or "" counts all."""
        return len(self) if project in ("", ANY_PROJECT) else len(self._projects.get(project, ()))

    def allowed(self, where: Filter, *, strict: bool) -> np.ndarray | None:
        """Return the sorted row numbers that may be shown; None for all of them. Only the project restricts unless *strict*."""
        key = (where if strict else Filter(project=where.project, projects=where.projects), strict)
        if key not in self._allowed:
            self._allowed.put(key, self._admitted(where, strict))
        return self._allowed.get(key)

    def newest(self, allowed: np.ndarray | None, limit: int) -> list[int]:
        """Return the largest row numbers, newest first."""
        seqs = sorted(self.traces) if allowed is None else allowed.tolist()
        return [int(s) for s in seqs[: -limit - 1 : -1]]

    def _admitted(self, where: Filter, strict: bool) -> np.ndarray | None:
        everything = where.project in ("", ANY_PROJECT) or self.size_of(where.project) == len(self)
        seqs = self.traces.keys() if everything else self._projects.get(where.project, set())
        if where.projects:
            everything, seqs = False, seqs & set().union(*(self._projects.get(project, ()) for project in where.projects))
        if strict:
            seqs = {seq for seq in seqs if admits(where, self.traces[seq])}
        elif everything:
            return None
        return np.array(sorted(seqs), np.int64)
