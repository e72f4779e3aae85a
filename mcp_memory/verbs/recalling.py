"""Recall, search, get: from a question to the records that answer it, within a token budget."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mcp_memory.domain import limits, parsing
from mcp_memory.domain.answers import EpisodeDetail, EpisodePage, Recall
from mcp_memory.domain.episode import Episode, Json
from mcp_memory.domain.feedback import Recommendation, RecommendationKind
from mcp_memory.domain.query import Detail, Filter, Match, Query, Sort
from mcp_memory.domain.text import shorten
from mcp_memory.errors import InvalidInput, NotFound
from mcp_memory.learning.advice.common_files import common_files
from mcp_memory.retrieval.text_query import fts_match
from mcp_memory.verbs.budgeting import fit
from mcp_memory.verbs.cursors import make_cursor, read_cursor
from mcp_memory.verbs.engines import NEIGHBOURS, Engines, distinct
from mcp_memory.verbs.presenting import COMPACT_TEXT_CHARS, episode_row, recalled_episode, recalled_pattern

MAX_PATTERNS = 3


class Recalling:
    """The verbs recall, search_episodes, get_episode."""

    def __init__(self, engines: Engines) -> None:
        self._e = engines

    async def recall(self, raw: Mapping[str, Any]) -> Recall:
        """Answer the `recall` tool; *raw* holds its arguments."""
        text = parsing.text("query", raw.get("query"), limits.MAX_QUERY_CHARS)
        include = frozenset(parsing.texts("include", raw.get("include") or ["episodes", "patterns"]))
        if unknown := include - {"episodes", "patterns"}:
            raise InvalidInput(f"`include` knows episodes and patterns, not {sorted(unknown)[0]!r}")
        where = parsing.where(raw, default_project=self._e.project)
        limit = parsing.whole("limit", raw.get("limit", 5), 1, limits.MAX_RECALL_LIMIT)
        budget_tokens = parsing.whole("budget_tokens", raw.get("budget_tokens", 1500), limits.MIN_BUDGET_TOKENS, limits.MAX_BUDGET_TOKENS)
        detail = parsing.choice(Detail, "detail", raw.get("detail") or Detail.COMPACT)
        query = Query(text, where, limit=limit, strict=bool(raw.get("strict", False)))
        offset = read_cursor(raw.get("cursor"), query)
        return await self._answer(query, include, offset, budget_tokens, detail, episode_id=None)

    async def for_episode(
        self, episode: Episode, where: Filter, *, budget_tokens: int, limit: int = 5, min_similarity: float = 0.0
    ) -> Recall:
        """Recall for a task that has just been started, or is about to be. Without an episode there are no patterns above a minimum."""
        query = Query(episode.task, where, limit, exclude_ids=frozenset({episode.id}), min_similarity=min_similarity)
        return await self._answer(query, frozenset({"episodes", "patterns"}), 0, budget_tokens, Detail.COMPACT, episode_id=episode.id)

    async def _answer(
        self, query: Query, include: frozenset[str], offset: int, budget_tokens: int, detail: Detail, episode_id: str | None
    ) -> Recall:
        e = self._e
        with e.metrics.timed("recall"):
            answer = await e.in_thread(lambda: self._recall(query, include, offset, budget_tokens, detail))
        shown = tuple(m.episode_id for m in answer.episodes) + tuple(p.pattern_id for p in answer.patterns)
        recommendation = Recommendation(
            answer.recommendation_id, RecommendationKind.RECALL, query.filter.project, episode_id, shown, e.clock()
        )
        # Not awaited: reading must not cost a commit. The writer is first in, first out, so a vote on this answer finds it.
        e.start_soon(lambda: e.store.put_recommendation(recommendation))
        return answer

    def _recall(self, query: Query, include: frozenset[str], offset: int, budget_tokens: int, detail: Detail) -> Recall:
        e = self._e
        degraded = e.current()
        wanted = replace(query, limit=offset + query.limit + 1)
        vectors, lesser = e.embed_beside_search(wanted)
        with e.follower.lock:
            neighbours = e.retrieval.similar(query, vectors, NEIGHBOURS)
            ranking = e.retrieval.rank(wanted, vectors)
            outlook = e.learning.outlook(query, neighbours)
            wanted_patterns = "patterns" in include and (ranking.matches or not query.min_similarity)
            found = e.learning.relevant_patterns(query, neighbours, MAX_PATTERNS) if wanted_patterns else []
        patterns = [recalled_pattern(*row) for row in found]
        page = ranking.matches[offset : offset + query.limit] if "episodes" in include else ()
        more = len(ranking.matches) > offset + len(page) and bool(page)
        read = self._read(page)
        files = common_files([(episode, match.similarity) for match, episode, _ in read])
        now_ms = e.clock()
        episodes = [recalled_episode(match, episode, detail, now_ms, correction) for match, episode, correction in read]
        fitted = fit(episodes, files, patterns, budget_tokens)
        kept = len(fitted.episodes)
        cursor = make_cursor(query, offset + kept) if kept and (more or kept < len(episodes)) else None
        return Recall(
            recommendation_id=e.new_id(),
            project=query.filter.project,
            episodes=fitted.episodes,
            patterns=fitted.patterns,
            outlook=outlook,
            considered=ranking.considered,
            tokens=fitted.tokens,
            truncated=fitted.truncated,
            next_cursor=cursor,
            files=fitted.files,
            degraded=distinct(degraded, lesser, ranking.degraded),
        )

    def _read(self, matches: Sequence[Match]) -> list[tuple[Match, Episode, Mapping[str, Json] | None]]:
        """Return the matches with their records and the corrections of their lessons; what was forgotten meanwhile is left out."""
        ids = [m.episode_id for m in matches]
        found, corrections = self._e.store.get_episodes(ids), self._e.store.corrections(ids)
        return [
            (match, episode, corrections.get(match.episode_id))
            for match, episode in zip(matches, found, strict=True)
            if episode is not None
        ]

    async def search(self, raw: Mapping[str, Any]) -> EpisodePage:
        """Answer the `search_episodes` tool."""
        text = parsing.text("query", raw.get("query"), limits.MAX_QUERY_CHARS)
        where = parsing.where(raw, default_project=self._e.project)
        sort = parsing.choice(Sort, "sort", raw.get("sort") or Sort.RELEVANCE)
        limit = parsing.whole("limit", raw.get("limit", 20), 1, limits.MAX_SEARCH_LIMIT)
        cursor = parsing.text("cursor", raw.get("cursor"), limits.MAX_NAME_CHARS) or None
        match = fts_match(text) if text.strip() else None
        if text.strip() and match is None:
            return EpisodePage((), None, 0)

        def read() -> EpisodePage:
            page = self._e.store.list_episodes(where, sort=sort, limit=limit, cursor=cursor, text_match=match)
            found = self._e.store.get_episodes(page.ids, steps=False)
            return EpisodePage(tuple(episode_row(f) for f in found if f is not None), page.next_cursor, page.total)

        with self._e.metrics.timed("search_episodes"):
            return await self._e.in_thread(read)

    async def get(self, episode_id: str, detail: str, step_from: int, step_limit: int) -> EpisodeDetail:
        """Answer the `get_episode` tool."""
        episode_id = parsing.identifier("episode_id", episode_id)
        if detail not in ("summary", "steps", "full"):
            raise InvalidInput(f"`detail` must be one of summary, steps, full, not {detail[:60]!r}")
        step_from = parsing.whole("step_from", step_from, 0, limits.MAX_INT)
        step_limit = parsing.whole("step_limit", step_limit, 1, limits.MAX_STEPS_PER_EPISODE)
        store = self._e.store

        def read() -> tuple[Episode | None, Mapping[str, Json] | None]:
            return store.get_episodes([episode_id], steps=detail != "summary")[0], store.corrections([episode_id]).get(episode_id)

        found, correction = await self._e.in_thread(read)
        if found is None:
            raise NotFound(f"there is no episode {episode_id!r}")
        steps = tuple(s for s in found.steps if step_from <= s.index < step_from + step_limit)
        if detail == "steps":
            steps = tuple(replace(s, observation=shorten(s.observation, COMPACT_TEXT_CHARS)) for s in steps)
        end = step_from + step_limit
        return EpisodeDetail(
            replace(found, steps=steps),
            found.context.tags,
            next_step_from=end if detail != "summary" and end < found.step_count else None,
            correction=str(correction["text"]) if correction else None,
        )
