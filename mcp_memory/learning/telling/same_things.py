"""Earlier attempts that called for the very things which a run has called for, in whatever words their tasks were put."""

import numpy as np

from mcp_memory.domain.episode import Episode
from mcp_memory.domain.fingerprints import exact_number
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.learning.telling.same_case import ids_of_call
from mcp_memory.views.experience import Experience

MAX_CALLS = 40  # of the run, the latest with an id in their arguments
MAX_FOUND = 24  # attempts, of which each names one case of many: what more of them called for is no case


def about_the_same(x: Experience, run: Episode, project: str) -> list[str]:
    """Return the completed attempts that made one of the calls of *run* which name an id, with the same arguments, the latest first.

    Cost: a pass over the steps of the experience.
    """
    naming = [step for step in run.steps if role_of(step.key) in (Role.LOOKS, Role.ACTS) and ids_of_call(step.arguments)]
    if not naming:
        return []
    calls = {(step.key, exact_number(step)) for step in naming[-MAX_CALLS:]}
    steps = np.flatnonzero(np.isin(x.step_exact, [exact for _, exact in calls]))
    made: dict[tuple[str, int], set[int]] = {}
    for tool, exact, row in zip(x.step_tool[steps].tolist(), x.step_exact[steps].tolist(), x.rows_at(steps).tolist(), strict=True):
        made.setdefault((str(x.tools.value(tool)), exact), set()).add(row)
    found = set[int]().union(*(rows for call, rows in made.items() if call in calls and len(rows) <= MAX_FOUND))
    kept = [row for row in found if (trace := x.trace(row)).project == project and trace.id != run.id]
    return [x.trace(row).id for row in sorted(kept, key=lambda row: -x.trace(row).ended_at_ms)]
