"""What earlier attempts at a task tell the agent of one that did not succeed."""

from dataclasses import replace

from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.nearness import SAME_TASK
from mcp_memory.domain.query import Filter, Query
from mcp_memory.learning.judging.comparison import failed_so
from mcp_memory.learning.judging.reflection import better_attempt
from mcp_memory.ports import Neighbours
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.judging import COMPARED


def told_after_failure(e: Engines, done: Episode, near: Neighbours | None = None) -> tuple[Precedent, ...]:
    """Return what the best earlier attempt did that worked, then what those tried that failed as this one, no success, did (blocking).

    *near* are the episodes that *done* was judged against, where that was just now; else they are looked for.
    """
    assert done.reflection is not None
    better = better_attempt(done.reflection)
    if near is None:
        near, _ = e.neighbours(Query(done.task, Filter(project=done.project), exclude_ids=frozenset({done.id})), COMPARED)
    with e.views.read() as v:
        x = v.experience
        rows = [(row, alike) for key, alike in near if alike >= SAME_TASK and (row := x.row(key)) is not None]
        lost = [(trace.id, alike) for row, alike in rows if failed_so(done, trace := x.trace(row))]
        best = e.learning.precedents(v, done.task, done.project, [(better, 1.0)], done) if better else ()
        others = e.learning.precedents(v, done.task, done.project, lost, done) if lost else ()
    worked = tuple(replace(p, times=0, attempts=0) for p in best if p.worked)  # of one attempt alone, which counts nothing
    return (*worked, *(p for p in others if not p.worked))
