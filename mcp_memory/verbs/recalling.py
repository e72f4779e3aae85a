"""Recall, search, get: from a question to the records that answer it, within a token budget."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from mcp_memory.domain import requests
from mcp_memory.domain.answers import EpisodeDetail, EpisodePage, Recall
from mcp_memory.domain.curation import Correction
from mcp_memory.domain.episode import Episode, OutcomeKind
from mcp_memory.domain.feedback import Recommendation, RecommendationKind
from mcp_memory.domain.forming import filter_of
from mcp_memory.domain.languages import is_foreign
from mcp_memory.domain.nearness import SAME_TASK, THE_TASK, is_told, near_from
from mcp_memory.domain.query import ANY_PROJECT, Detail, Filter, Match, Outlook, Query, Sort
from mcp_memory.domain.text import shorten
from mcp_memory.errors import NotFound
from mcp_memory.learning.advice.common_files import MAX_SEEN, common_files
from mcp_memory.learning.history.gone_tools import GoneTools
from mcp_memory.learning.history.known_errors import KnownErrors
from mcp_memory.learning.history.lasting import StaleAnswers
from mcp_memory.learning.telling.acts import gave_command
from mcp_memory.learning.telling.changes_told import ToldChanges
from mcp_memory.learning.telling.points import Known, points_of
from mcp_memory.learning.telling.same_case import are_the_task
from mcp_memory.ports import Neighbours
from mcp_memory.retrieval.text_query import listing_query
from mcp_memory.verbs.budgeting import fit
from mcp_memory.verbs.cursors import Position, make_cursor, read_cursor
from mcp_memory.verbs.engines import NEIGHBOURS, Engines, distinct
from mcp_memory.verbs.presenting import COMPACT_TEXT_CHARS, episode_row, recalled_episode, recalled_pattern
from mcp_memory.verbs.shown import Shown
from mcp_memory.verbs.shown_lines import shown_lines
from mcp_memory.views.experience import Experience
from mcp_memory.views.project_files import SeenFile
from mcp_memory.views.view import View
from mcp_memory.views.vouching import Vouching

MAX_PATTERNS = 3
MAX_MORE = 8  # attempts at the very task that are read where none of those found tells anything
_Read = tuple[Match, Episode, Correction | None]


class Recalling:
    """The verbs recall, search_episodes, get_episode."""

    def __init__(self, engines: Engines, shown: Shown) -> None:
        self._e, self._shown = engines, shown

    async def recall(self, asked: requests.Recall) -> Recall:
        """Answer the `recall` tool."""
        where = filter_of(asked, default_project=self._e.project)
        query = Query(asked.query, where, limit=asked.limit, strict=asked.strict)
        position = read_cursor(asked.cursor, query)
        return await self._answer(query, frozenset(asked.include), position, asked.budget_tokens, Detail(asked.detail), episode_id=None)

    async def for_episode(self, episode: Episode, where: Filter, budget_tokens: int) -> Recall:
        """Recall for a task that has just been started, or is about to be."""
        query = Query(episode.task, where, exclude_ids=frozenset({episode.id}))
        return await self._answer(
            query, frozenset({"episodes", "patterns"}), Position(), budget_tokens, Detail.COMPACT, episode_id=episode.id
        )

    async def _answer(
        self, query: Query, include: frozenset[str], position: Position, budget_tokens: int, detail: Detail, episode_id: str | None
    ) -> Recall:
        e = self._e
        with e.metrics.timed("recall"):
            answer = await e.in_thread(lambda: self._recall(query, include, position, budget_tokens, detail, episode_id))
        shown = tuple(m.episode_id for m in answer.episodes) + tuple(p.pattern_id for p in answer.patterns)
        recommendation = Recommendation(
            answer.recommendation_id, RecommendationKind.RECALL, query.filter.project, episode_id, shown, e.clock()
        )
        self._shown.note(recommendation)
        return answer

    def _recall(
        self, query: Query, include: frozenset[str], position: Position, budget_tokens: int, detail: Detail, episode_id: str | None
    ) -> Recall:
        e = self._e
        degraded = e.current()
        wanted = replace(query, limit=query.limit + 1)  # one more says whether there is another page
        vectors, lesser = e.embed_beside_search(query)
        with e.views.read() as v:
            neighbours = e.retrieval.similar(v, query, vectors, NEIGHBOURS)
            said = shown_lines(e, v, query, neighbours)
            met = {key: line.share for key, line in said.items()} | dict(e.learning.met_errors(v, query))
            ranking = e.retrieval.rank(v, wanted, vectors, offset=position.offset, as_of_ms=position.as_of_ms, met=met)
            outlook = e.learning.outlook(v, query, neighbours)
            seen = [] if ranking.silent and vectors else self._seen(v, query, outlook)  # words lead to a file where they lead to no task
            wanted_patterns = "patterns" in include and not ranking.silent
            found = e.learning.relevant_patterns(v, query, neighbours, MAX_PATTERNS, met) if wanted_patterns else []
            provenance = self._provenance(v, query, ranking.matches)
            told_changes = v.experience.derived(ToldChanges)
            page = ranking.matches[: query.limit] if "episodes" in include else ()
            gone = v.experience.derived(GoneTools).of(query.filter.project)
            stale = v.experience.derived(StaleAnswers).of([m.episode_id for m in page], query.filter.project)
            quoted = dict(v.experience.derived(KnownErrors).quoted(query.text)) if met else {}
            ended = _outcomes_at_the_task(v.experience, query.text, neighbours)
        read, ids = self._read(page), [match.episode_id for match in page]
        files = common_files([(episode, match.similarity) for match, episode, _ in read], seen)
        alike = dict(neighbours)  # of whole tasks; a match's similarity is also to the nearest of the request's sentences
        read = [(replace(m, similarity=max(m.similarity, alike.get(episode.id, 0.0))), episode, c) for m, episode, c in read]
        alike_ids = _alike([m for m, _, _ in read], neighbours, ranking.considered, foreign=is_foreign(query.text))
        near, only_met = _near(read, alike_ids, met, query.text)
        points = points_of(near, query.text, told_changes.of, known := Known(gone, stale, quoted, only_met, said=said))
        if not position.offset and not any(points.values()) and (one := self._that_tells(read, neighbours, query, known)):
            read[-1], points, provenance = one[0], one[1], provenance | one[2]
        if episode_id is not None:  # nobody turns its pages: where there is little room, an attempt that tells something has it
            read.sort(key=lambda row: (row[0].similarity < THE_TASK, row[0].similarity >= THE_TASK and not points.get(row[1].id)))
        episodes = [
            recalled_episode(match, episode, detail, e.clock(), correction, provenance[episode.id], points.get(episode.id))
            for match, episode, correction in read
        ]
        fitted = fit(episodes, files, [recalled_pattern(*row) for row in found], budget_tokens)
        kept = len(fitted.episodes)
        passed = min((ids.index(match.episode_id) for match, _, _ in read[kept:]), default=len(page))  # with what was forgotten meanwhile
        more = bool(page) and passed < len(ranking.matches) and bool(kept or not read)
        after = Position(position.offset + passed, ranking.seq, ranking.as_of_ms)
        return Recall(
            recommendation_id=e.new_id(),
            project=query.filter.project,
            episodes=fitted.episodes,
            patterns=fitted.patterns,
            outlook=outlook,
            considered=ranking.considered,
            tokens=fitted.tokens,
            truncated=fitted.truncated,
            next_cursor=make_cursor(query, after) if more else None,
            files=fitted.files,
            degraded=distinct(degraded, lesser, ranking.degraded, position.lesser(ranking.seq)),
            nearest=e.nearest(neighbours[0]) if ranking.silent and neighbours else None,
            elsewhere=e.elsewhere(query, vectors, is_near=bool(ranking.matches), error="" if met else query.text),
            attempts=len(ended),
            failures=ended.count(str(OutcomeKind.FAILURE)),
        )

    def _that_tells(
        self, read: Sequence[_Read], neighbours: Neighbours, query: Query, known: Known
    ) -> tuple[_Read, dict[str, tuple[str, ...]], dict[str, str]] | None:
        """Return another attempt at the very task that tells something, as the last row, where none of those *read* does; None without.

        With it come its points and where it comes from.
        """
        shown = {episode.id for _, episode, _ in read}
        if not any(match.similarity >= THE_TASK for match, _, _ in read):
            return None
        alike = dict([(key, similarity) for key, similarity in neighbours if similarity >= THE_TASK and key not in shown][:MAX_MORE])
        others = [episode for episode in self._e.store.get_episodes(list(alike)) if episode is not None] if alike else []
        others.sort(key=lambda episode: not episode.success)
        points = points_of([(episode, alike[episode.id]) for episode in others], query.text, known=known)
        for episode in others:
            if points[episode.id]:
                match = replace(read[-1][0], similarity=alike[episode.id])  # in its place, so that the next page begins behind it
                correction = self._e.store.corrections([episode.id]).get(episode.id)
                with self._e.views.read() as v:
                    provenance = self._provenance(v, query, [replace(match, episode_id=episode.id)])
                return (match, episode, correction), points, provenance
        return None

    def _seen(self, v: View, query: Query, outlook: Outlook | None) -> list[SeenFile]:
        """Return the files that the request's words lead to, in its context, which is inferred where it names none."""
        where = outlook.inferred if outlook and outlook.inferred else query.filter
        return v.workspace.find(query.filter.project, query.text, MAX_SEEN, where.domain, where.framework)

    def _provenance(self, v: View, query: Query, matches: Sequence[Match]) -> dict[str, str]:
        """Return where each match comes from, in a few words."""
        x, anywhere = v.experience, query.filter.project in ("", ANY_PROJECT)
        rows = {match.episode_id: x.row(match.episode_id) for match in matches}
        vouching = x.derived(Vouching)
        return {key: "" if row is None else vouching.provenance(row, names_project=anywhere) for key, row in rows.items()}

    def _read(self, matches: Sequence[Match]) -> list[_Read]:
        """Return the matches with their records and the corrections of their lessons; what was forgotten meanwhile is left out."""
        ids = [m.episode_id for m in matches]
        found, corrections = self._e.store.get_episodes(ids), self._e.store.corrections(ids)
        return [
            (match, episode, corrections.get(match.episode_id))
            for match, episode in zip(matches, found, strict=True)
            if episode is not None
        ]

    async def search(self, asked: requests.SearchEpisodes) -> EpisodePage:
        """Answer the `search_episodes` tool."""
        text, limit, cursor, sort = asked.query, asked.limit, asked.cursor, Sort(asked.sort)
        where = self._e.within_bounds(filter_of(asked, default_project=self._e.project))
        words = listing_query(text) if text.strip() else None
        if text.strip() and words is None:
            return EpisodePage((), None, 0)

        def read() -> EpisodePage:
            page = self._e.store.list_episodes(where, sort=sort, limit=limit, cursor=cursor, text=words)
            found = self._e.store.get_episodes(page.ids, steps=False)
            rows = tuple(episode_row(f) for f in found if f is not None)
            return EpisodePage(rows, page.next_cursor, page.total, page.more_than_total)

        with self._e.metrics.timed("search_episodes"):
            return await self._e.in_thread(read)

    async def get(self, asked: requests.GetEpisode) -> EpisodeDetail:
        """Answer the `get_episode` tool."""
        episode_id, detail, step_from, step_limit = asked.episode_id, asked.detail, asked.step_from, asked.step_limit
        store = self._e.store

        def read() -> tuple[Episode | None, Correction | None]:
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
            correction=correction.text if correction else None,
        )


def _alike(matches: Sequence[Match], neighbours: Neighbours, considered: int, *, foreign: bool) -> set[str]:
    """Return which of the matches are near enough to the task to be told."""
    least = near_from(max([*(similarity for _, similarity in neighbours[:1]), *(m.similarity for m in matches)], default=0.0))
    near = (m for m in matches if m.similarity >= least)
    return {m.episode_id for m in near if is_told(m.similarity, m.why.get("lexical", 0.0), considered, foreign=foreign)}


def _near(
    read: Sequence[_Read], alike: Collection[str], met: Collection[str], text: str
) -> tuple[list[tuple[Episode, float]], frozenset[str]]:
    """Return the episodes that are told, with how alike their tasks are, and which of them met a quoted error and tell of that alone.

    Whoever asks for a command is told of the runs that gave it, as of the task at hand.
    """
    gave = {episode.id for _, episode, _ in read if gave_command(episode, text)}
    told = {*alike, *gave}
    near = [(episode, m.similarity) for m, episode, _ in read if episode.id in told or episode.id in met]
    return [(e, max(similarity, SAME_TASK) if e.id in gave else similarity) for e, similarity in near], frozenset(met) - told


def _outcomes_at_the_task(x: Experience, task: str, neighbours: Neighbours) -> list[str]:
    """Return how the attempts at the very task ended that are among the *neighbours*."""
    near = [x.trace(row) for key, similarity in neighbours if similarity >= THE_TASK and (row := x.row(key)) is not None]
    are = are_the_task(task, [trace.task for trace in near])
    return [trace.outcome for trace, is_one in zip(near, are, strict=True) if is_one]
