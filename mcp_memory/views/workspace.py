"""Which files hold what, from everything that episodes' observations showed, by project."""

from collections.abc import Sequence

from mcp_memory.domain.episode import Trace
from mcp_memory.domain.identifiers import SHOWN
from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.views.project_files import ProjectFiles, SeenFile


class Workspace:
    """One index for each project."""

    def __init__(self) -> None:
        self._projects: dict[str, ProjectFiles] = {}
        self._project_of: dict[str, str] = {}

    def add(self, traces: Sequence[Trace]) -> None:
        """Add what episodes showed; one that is there already is replaced."""
        self.remove([trace.id for trace in traces])
        by_project: dict[str, list[Trace]] = {}
        for trace in traces:
            if SHOWN in trace.digest:
                by_project.setdefault(trace.project, []).append(trace)
                self._project_of[trace.id] = trace.project
        for project, shown in by_project.items():
            self._projects.setdefault(project, ProjectFiles()).add(shown)

    def remove(self, episode_ids: Sequence[str]) -> None:
        """Forget what episodes showed; unknown ids are ignored."""
        for episode_id in episode_ids:
            if (project := self._project_of.pop(episode_id, None)) is not None:
                self._projects[project].remove(episode_id)

    def find(self, project: str, request: str, limit: int, domain: str = "", framework: str = "") -> list[SeenFile]:
        """Return the files that *request* leads to, best first. `*` asks every project. Some milliseconds for 10,000 episodes."""
        asked = self._projects.values() if project == ANY_PROJECT else [p for p in (self._projects.get(project),) if p is not None]
        found = [file for files in asked for file in files.find(request, limit, domain, framework)]
        return sorted(found, key=lambda file: -file.score)[:limit]
