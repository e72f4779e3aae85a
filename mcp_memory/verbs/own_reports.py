"""What the memory tells of itself to a caller who is bound to projects: their figures (all blocking)."""

from collections.abc import Sequence
from dataclasses import replace

from mcp_memory.domain.episode import Trace
from mcp_memory.domain.pattern import INSTEAD, ArgumentChange, Evidence, Pattern, PatternKind
from mcp_memory.domain.status import Caches, CacheStats, DiskCacheStats, LearningStatus, Replication, Status
from mcp_memory.phrases.patterns import argument_change, recovery
from mcp_memory.verbs.engines import Engines, calling, working_in

MAX_EVIDENCE_SEARCHED = 2_000  # pieces of all projects among which a project's own are looked for
_NO_CACHE = CacheStats(0, 0, 0)


def own_status(engines: Engines, whole: Status, projects: Sequence[str]) -> Status:
    """Return *whole* with the projects' counts in place of all others."""
    own = own_traces(engines, projects)
    keys = [key for trace in own for key in trace.step_keys]
    holdout = engines.learning.holdout_of(own)
    return replace(
        whole,
        data_dir="",
        project=working_in.get(),
        counts=dict(engines.store.counts(*projects)),
        latency_ms={},
        caches=Caches(DiskCacheStats(), _NO_CACHE, _NO_CACHE),
        replication=Replication(),
        learning=LearningStatus(len(own), len(keys), len(set(keys)), sum(sum(trace.step_failed) for trace in own), holdout),
        warnings=(),
        queue_depth=0,
        kept_as={},
    )


def own_words(patterns: list[Pattern], words: Sequence[str] = ()) -> list[Pattern]:
    """Return patterns as a bound caller may read them; others get them as they are.

    A pattern of several projects is described with the message that the first of them met, and named after its domain. What it is made
    of, the message without what changes from run to run, is every project's.
    """
    if not calling.get().bound:
        return patterns
    told = [replace(pattern, description=_from_content(pattern), domain="") for pattern in patterns]
    return [p for p in told if not words or any(word in p.description.lower() for word in words)]


def _from_content(pattern: Pattern) -> str:
    content = pattern.content
    error = content.get("error", "")
    if pattern.kind is PatternKind.ERROR_RECOVERY:
        return recovery(content["tool"], error, error, content["try"], instead=INSTEAD in content)
    if pattern.kind is PatternKind.ARGUMENT_CHANGE:
        change = ArgumentChange(content["change"])
        return argument_change(content["tool"], error, error, change, content["argument"], "", "")
    return pattern.description  # made of the content alone


def own_values(engines: Engines, column: str, projects: Sequence[str]) -> set[str]:
    """Return the known values of project, domain, language, framework or agent in the projects."""
    return set(projects) if column == "project" else {getattr(trace, column) for trace in own_traces(engines, projects)}


def own_pattern(engines: Engines, pattern_id: str, projects: Sequence[str]) -> Pattern | None:
    """Return a pattern with its counts in that of the projects which has most of its evidence."""
    found = [p for project in projects for p in engines.store.patterns(ids=[pattern_id], project=project, limit=1)]
    return max(found, key=lambda p: p.support, default=None)


def own_evidence(engines: Engines, pattern_id: str, project: str, limit: int) -> list[Evidence]:
    """Return the newest evidence of a project for a pattern."""
    every = engines.store.evidence([pattern_id], limit_each=MAX_EVIDENCE_SEARCHED).get(pattern_id, [])
    found = engines.store.get_episodes([x.episode_id for x in every], steps=False)
    return [x for x, episode in zip(every, found, strict=True) if episode is not None and episode.project == project][:limit]


def own_traces(engines: Engines, projects: Sequence[str]) -> list[Trace]:
    """Return the completed episodes of the projects."""
    engines.current()
    with engines.views.read() as v:
        return [trace for trace in v.catalog.traces.values() if trace.project in projects]
