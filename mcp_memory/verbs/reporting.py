"""Patterns, trends, status, lessons: what the memory knows about itself."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from mcp_memory.domain import requests
from mcp_memory.domain.answers import PatternDetail, PatternPage, RecalledPattern, ShownEvidence
from mcp_memory.domain.episode import Json, Trace
from mcp_memory.domain.forming import filter_of, project_of
from mcp_memory.domain.pattern import PATTERN_PREFIX, Evidence, Pattern, ToldPattern
from mcp_memory.domain.query import ANY_PROJECT, Query
from mcp_memory.domain.reports import Trends
from mcp_memory.domain.status import Caches, LearningStatus, Replication, Status
from mcp_memory.errors import McpMemoryError, NotFound
from mcp_memory.verbs import pattern_search
from mcp_memory.verbs.cursors import Position, make_cursor, read_cursor
from mcp_memory.verbs.engines import Engines, calling, distinct
from mcp_memory.verbs.own_reports import own_evidence, own_pattern, own_status, own_values
from mcp_memory.verbs.presenting import recalled_pattern

MAX_EVIDENCE_SHOWN = 20
MAX_TOLD = 500  # patterns that are looked at for what followed
TRACES_AT_ONCE = 1_000  # some 10 ms
DOCTOR_WAIT_MS = 30_000  # for a model that is still loading


class Reporting:
    """The verbs search_patterns, get_pattern, analyze_trends, memory_status, and what the CLI and resources show."""

    def __init__(self, engines: Engines) -> None:
        self._e = engines

    async def search_patterns(self, asked: requests.SearchPatterns) -> PatternPage:
        """Answer the `search_patterns` tool."""
        text, kind, min_support, min_confidence, limit = asked.query, asked.kind, asked.min_support, asked.min_confidence, asked.limit
        query = Query(text, filter_of(asked, default_project=self._e.project))
        position = read_cursor(asked.cursor, query)

        def work() -> tuple[list[RecalledPattern], int, tuple[str, ...]]:
            self._e.current()
            with self._e.views.read() as v:
                seq = v.seq
            search = pattern_search.by_text if text.strip() else pattern_search.by_confidence
            rows, degraded = pattern_search.of_each(search, self._e, query, kind, min_support)
            rows = [r for r in rows if r.confidence >= min_confidence and (r.telling or not asked.telling)]
            return rows, seq, distinct(degraded, position.lesser(seq))

        with self._e.metrics.timed("search_patterns"):
            rows, seq, degraded = await self._e.in_thread(work)
        page = rows[position.offset : position.offset + limit]
        end = position.offset + len(page)
        return PatternPage(tuple(page), make_cursor(query, Position(end, seq)) if end < len(rows) else None, len(rows), degraded)

    async def get_pattern(self, pattern_id: str) -> PatternDetail:
        """Answer the `get_pattern` tool; a bound caller's with the counts and the evidence of that of its projects which has most of it."""
        bound = calling.get().bound

        def work() -> PatternDetail:
            self._e.current()
            found = self._counted(pattern_id, bound)
            if found is None:
                raise NotFound(f"there is no pattern {pattern_id!r}", hint="`search_patterns` lists them.")
            learning, evidence = self._e.learning, self._evidence(found, bound)
            with self._e.views.read() as v:
                (pattern,) = learning.confidence(v, [found])
                confidence_from, usage = learning.explain_confidence(v, found), learning.usage(v, pattern_id)
            return PatternDetail(
                pattern=recalled_pattern(pattern, pattern.confidence, {"confidence": pattern.confidence}),
                content=pattern.content,
                project=pattern.project,
                first_at_ms=pattern.first_at_ms,
                last_at_ms=pattern.last_at_ms,
                evidence=tuple(ShownEvidence(x.episode_id, x.success, x.weight, _iso(x.at_ms), x.detail) for x in evidence),
                confidence_from=confidence_from,
                failed_in=tuple(x.episode_id for x in evidence if not x.success),
                usage=usage,
                retired=pattern.retired,
            )

        return await self._e.in_thread(work)

    async def told(self, asked: requests.ToldPatterns) -> tuple[ToldPattern, ...]:
        """Return what was told most often, with what followed."""
        project = asked.project or self._e.project

        def work() -> tuple[ToldPattern, ...]:
            self._e.current()
            with self._e.views.read() as v:
                keys = v.votes.most_told(PATTERN_PREFIX, MAX_TOLD)
                known = self._e.store.patterns(ids=keys, project=project, limit=len(keys)) if keys else []
                found = self._e.learning.told(v, known)
            return tuple(sorted(found, key=lambda row: (-row.told, row.pattern_id))[: asked.limit])

        return await self._e.in_thread(work)

    def _counted(self, pattern_id: str, bound: Sequence[str]) -> Pattern | None:
        if bound:
            return own_pattern(self._e, pattern_id, bound)
        return next(iter(self._e.store.patterns(ids=[pattern_id], project=ANY_PROJECT, limit=1)), None)

    def _evidence(self, pattern: Pattern, bound: Sequence[str]) -> list[Evidence]:
        if bound:
            return own_evidence(self._e, pattern.id, pattern.project, MAX_EVIDENCE_SHOWN)
        return self._e.store.evidence([pattern.id], limit_each=MAX_EVIDENCE_SHOWN).get(pattern.id, [])

    async def trends(self, asked: requests.AnalyzeTrends) -> Trends:
        """Answer the `analyze_trends` tool."""
        where = filter_of(asked, default_project=self._e.project)

        def work() -> Trends:
            self._e.current()
            return self._e.learning.trends(self._traces(), where, tool=asked.tool, metric=asked.metric, bucket=asked.bucket)

        with self._e.metrics.timed("analyze_trends"):
            return await self._e.in_thread(work)

    def _traces(self) -> list[Trace]:
        """Return all traces of the view."""
        with self._e.views.read() as v:
            ids = v.experience.ids()
        return self._e.in_parts(ids, TRACES_AT_ONCE, lambda v, part: v.experience.full_traces(part))

    async def distinct(self, column: str, prefix: str, limit: int) -> list[str]:
        """Return known values of a column that begin with *prefix*."""
        bound = calling.get().bound
        if not bound:
            return await self._e.in_thread(lambda: self._e.store.distinct(column, prefix, limit))
        found = await self._e.in_thread(own_values, self._e, column, bound)
        return sorted(value for value in found if value.startswith(prefix))[:limit]

    async def status(self) -> Status:
        """Answer the `memory_status` tool; a bound caller's with its own projects' counts, and nothing of the machine."""
        bound = calling.get().bound
        status = await self._e.in_thread(self._status)
        return await self._e.in_thread(own_status, self._e, status, bound) if bound else status

    def _status(self) -> Status:
        e = self._e
        degraded = e.current()
        info, embedding = e.store.info(), e.embedding.status()
        with e.views.read() as v:
            queries, held = e.retrieval.stats(v).query_cache, v.experience.stats()
            holdout = e.learning.holdout_report(v, ANY_PROJECT)  # as all counts here
        counts = dict(e.store.counts()) | {f"this_process_{k}": v for k, v in e.metrics.counters().items()}
        return Status(
            version=package_version(),
            data_dir=str(e.config.data_dir),
            project=e.project,
            durability=f"WAL, synchronous={info.synchronous}: an acknowledged write is committed",
            counts=counts,
            latency_ms=e.metrics.latencies_ms(),
            caches=Caches(info.cache, queries, e.embedding.cache_stats()),
            embedding=embedding,
            replication=e.sharing.status() if e.sharing else Replication(),
            processes=info.cache.processes or 1,
            learning=LearningStatus(held.episodes, held.steps, held.tools, held.failed_steps, holdout),
            warnings=info.notices,
            degraded=distinct(degraded, embedding.degraded, e.sharing.degraded() if e.sharing else ()),
            queue_depth=info.queue_depth,
            kept_as=e.projects.aliases(),
        )

    async def lessons(self, asked: requests.LessonsMarkdown) -> str:
        """Return the best-supported patterns as a short Markdown guide with evidence."""
        where = filter_of(asked, default_project=self._e.project)
        projects = calling.get().bound if where.project == ANY_PROJECT else ()
        if not projects:
            return await self._lessons(where.domain, where.project, asked.budget_tokens)
        budget = asked.budget_tokens // len(projects)
        return "\n\n".join([await self._lessons(where.domain, project, budget) for project in projects])

    async def _lessons(self, domain: str, project: str, budget_tokens: int) -> str:

        def work() -> str:
            self._e.current()
            with self._e.views.read() as v:
                return self._e.learning.lessons_markdown(v, domain=domain, project=project, budget_tokens=budget_tokens)

        return await self._e.in_thread(work)

    async def digest(self, asked: requests.ProjectDigest) -> str:
        """Return what an agent can be started with: the best lessons of a project, as Markdown."""
        project = project_of(asked.project, self._e.project)
        return await self._lessons("", project, asked.budget_tokens)

    async def doctor(self) -> list[tuple[str, bool, str]]:
        """Return (check, fine, detail) rows: data directory, database, hot tier, model, learning."""
        return await self._e.in_thread(self._doctor)

    def _doctor(self) -> list[tuple[str, bool, str]]:
        e = self._e
        info = e.store.info()
        problems, copies = e.store.check(), e.store.check_copies().problems
        rows = [
            ("data directory", os.access(e.config.data_dir, os.W_OK), _located(e.config.data_dir, info.file_system)),
            ("database", not problems, "; ".join(problems) or f"{info.path}: sound, schema {info.schema_version}"),
            ("hot tier", not copies, "; ".join((*copies, *info.notices)) or _told(asdict(info.cache)) or "off"),
        ]
        wrong, detail = self._tried_embedding()
        rows.append(("embedding model", not wrong, "; ".join(wrong) or detail))
        try:
            e.current()
            with e.views.read() as v:
                rows.append(("index", True, _told(asdict(e.retrieval.stats(v))) or "empty"))
        except McpMemoryError as error:
            rows.append(("index", False, error.line()))
        return rows

    def _tried_embedding(self) -> tuple[list[str], str]:
        """Return what is wrong with the embedding of a sentence, done here and now, and how it went."""
        e, embedding = self._e, self._e.embedding
        wrong = embedding.check()
        started = time.perf_counter()
        sentence = f"does the model answer {e.new_id()}"  # a new one each time: one that was embedded before is not asked for
        vectors, lesser = embedding.embed_query(sentence, wait_ms=DOCTOR_WAIT_MS) if embedding.spaces else ({}, ())
        took_ms = (time.perf_counter() - started) * 1000
        status = embedding.status()
        wrong = list(distinct(wrong, lesser))  # whatever was configured and did not answer, also where another model did
        if embedding.spaces and not vectors and not wrong:
            wrong = ["the model gave no vector"]
        if not vectors:
            return wrong, status.state
        return wrong, f"{status.model_id}: {status.state}, a sentence in {took_ms:.0f} ms"


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def package_version() -> str:
    """Return the installed version, or "checkout" when run from a source tree that is not installed."""
    try:
        return version("mcp-episodic-memory")
    except PackageNotFoundError:
        return "checkout"


def _told(values: Mapping[str, Json], prefix: str = "") -> str:
    """Return a report's values in words, those of nested ones after their names; what is empty or none is left out."""
    parts = []
    for name, value in values.items():
        called = f"{prefix}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            parts.append(_told(value, f"{called}: "))
        elif value not in ("", None, 0):
            parts.append(f"{called} {value}")
    return ", ".join(filter(None, parts))


def _located(data_dir: object, file_system: str) -> str:
    return f"{data_dir} (on {file_system})" if file_system else str(data_dir)
