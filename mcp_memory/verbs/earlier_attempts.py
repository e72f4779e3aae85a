"""What earlier attempts at a task tell the agent of one that just ended: what worked, and what failed in the same files."""

from collections.abc import Sequence
from dataclasses import replace

from mcp_memory.domain import facts
from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.nearness import SAME_TASK
from mcp_memory.domain.query import Filter, Query
from mcp_memory.learning.advice.otherwise import changed_what_was_seen
from mcp_memory.learning.judging.comparison import failed_so
from mcp_memory.learning.judging.reflection import better_attempt
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.judging import COMPARED

MAX_READ = 4  # failures whose changes are compared with this attempt's, the most alike


def told_after(e: Engines, done: Episode) -> tuple[Precedent, ...]:
    """Return what the best earlier attempt did that worked, then what those did that failed as this one (blocking).

    Those failed so that met its error or its rejection, and while nobody has managed the task, those that changed a file it had
    before it. Of an attempt that is the first to succeed the latter alone are told: there its change is another one.
    """
    assert done.reflection is not None
    better = better_attempt(done.reflection)
    record = next((said for said in done.reflection.insights if isinstance(said, facts.Record)), None)
    is_open = record is not None and not record.won
    if done.success and not is_open:
        return ()
    near, _ = e.neighbours(Query(done.task, Filter(project=done.project), exclude_ids=frozenset({done.id})), COMPARED)
    with e.views.read() as v:
        rows = [(row, alike) for key, alike in near if alike >= SAME_TASK and (row := v.experience.row(key)) is not None]
        traces = [(v.experience.trace(row), alike) for row, alike in rows]
        lost = [(trace.id, alike) for trace, alike in traces if not done.success and failed_so(done, trace)]
        if is_open and not lost:
            lost = _at_the_same(e, done, [(trace.id, alike) for trace, alike in traces if not trace.success][:MAX_READ])
        best = e.learning.precedents(v, done.task, done.project, [(better, 1.0)], done) if better and not done.success else ()
        others = e.learning.precedents(v, done.task, done.project, lost, done) if lost else ()
    worked = tuple(replace(p, times=0, attempts=0) for p in best if p.worked)  # of one attempt alone, which counts nothing
    return (*worked, *(replace(p, times=0, attempts=0) if done.success else p for p in others if not p.worked))


def _at_the_same(e: Engines, done: Episode, lost: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return those of the attempts that left a file changed which this one looked at or changed, too."""
    read = e.store.get_episodes([key for key, _ in lost])
    return [one for one, episode in zip(lost, read, strict=True) if episode is not None and changed_what_was_seen(done, episode)]
