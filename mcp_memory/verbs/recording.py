"""Start, log, complete: the path an episode takes into the memory. Every answer is given after its commit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mcp_memory.domain import forming
from mcp_memory.domain.answers import CompletedEpisode, LearnedPattern, LoggedSteps, StartedEpisode
from mcp_memory.domain.episode import Episode, EpisodeState, Outcome
from mcp_memory.domain.query import Filter, Query
from mcp_memory.domain.requests import CompleteEpisode, PrepareEpisode, StartEpisode, StepDetails, TaskFields
from mcp_memory.errors import Conflict, EpisodeClosed, NotFound
from mcp_memory.ports import Completion
from mcp_memory.verbs.background import Background
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.judging import COMPARED, complete, extract
from mcp_memory.verbs.recalling import Recalling
from mcp_memory.verbs.redacting import Redacting

MAX_JUDGEMENTS = 5  # a completion races with steps still being logged; each round judges what is there
MAX_SHOWN_PATTERNS = 6  # of those an episode is evidence for, the best supported


class Recording:
    """The verbs start_episode, log_step, log_steps, complete_episode."""

    def __init__(
        self, engines: Engines, recalling: Recalling, redacting: Redacting, background: Background, completed: Callable[[str], None]
    ) -> None:
        self._e, self._recalling, self._redacting = engines, recalling, redacting
        self._background, self._completed = background, completed

    async def start(self, asked: StartEpisode) -> StartedEpisode:
        """Open an episode; with `recall`, also return what earlier episodes say about the task."""
        e = self._e
        asked = self._redacting.request(asked)
        episode = self._opened(asked, asked.task, asked.episode_id)
        with e.metrics.timed("start_episode"):
            await e.store.start_episode(episode)
        return await self._with_recall(episode, recall=asked.recall, budget_tokens=asked.budget_tokens)

    async def prepare(self, asked: PrepareEpisode) -> StartedEpisode:
        """Return what `start` with `recall` would, and open nothing; `start` with that id opens the episode."""
        asked = self._redacting.request(asked)
        how = {"budget_tokens": asked.budget_tokens, "limit": asked.limit, "min_similarity": asked.min_similarity}
        return await self._with_recall(self._opened(asked, asked.task, ""), recall=True, **how)

    def _opened(self, asked: TaskFields, task: str, episode_id: str) -> Episode:
        e = self._e
        return forming.episode_of(asked, task, episode_id=episode_id or e.new_id(), default_project=e.project, now_ms=e.clock())

    async def _with_recall(self, episode: Episode, *, recall: bool, **how: Any) -> StartedEpisode:
        holdout = self._e.learning.in_holdout(episode.id)
        recalled = None
        if recall and not holdout:
            where = Filter(
                project=episode.project,
                domain=episode.context.domain,
                task_type=episode.task_type,
                language=episode.context.language,
                framework=episode.context.framework,
                tags=episode.context.tags,
            )
            recalled = await self._recalling.for_episode(episode, where, **how)
        return StartedEpisode(episode.id, episode.project, episode.started_at_ms, recalled, holdout)

    async def log(self, episode_id: str, asked: Sequence[StepDetails | Mapping[str, Any]], verb: str) -> LoggedSteps:
        """Append steps to an open episode, all or none."""
        e = self._e
        now_ms = e.clock()
        steps = [forming.step_of(self._redacting.request(_record(fields)), now_ms=now_ms) for fields in asked]
        with e.metrics.timed(verb):
            first_index = await e.store.append_steps(episode_id, steps)
        e.metrics.count("steps", len(steps))
        if first_index == 0:  # somebody works on it, so it will be completed
            self._background.embed_ahead(episode_id)
        return LoggedSteps(episode_id, first_index, first_index + len(steps) - 1)

    async def complete(self, asked: CompleteEpisode) -> CompletedEpisode:
        """Close an episode: judge it, extract its evidence, commit all of it at once."""
        e = self._e
        episode_id = asked.episode_id
        outcome = forming.outcome_of(asked.outcome, self._redacting.request(asked))
        with e.metrics.timed("complete_episode"):
            for _ in range(MAX_JUDGEMENTS):
                completion, degraded = await e.in_thread(lambda: self._prepare(episode_id, outcome))
                try:
                    await e.store.complete_episode(completion)
                    break
                except Conflict:
                    continue
            else:
                raise Conflict(hint="Steps are still being logged to this episode; complete it when they are done.")
        e.metrics.count("episodes_completed")
        try:
            patterns = await e.in_thread(lambda: self._learned(completion))
        finally:  # only now: what it sets going takes turns with `_learned` at the views
            self._completed(episode_id)
        done = completion.episode
        assert done.reward is not None
        assert done.reflection is not None
        assert done.ended_at_ms is not None
        return CompletedEpisode(
            episode_id=episode_id,
            outcome=outcome.kind,
            reward=done.reward,
            reflection=done.reflection,
            patterns=patterns,
            step_count=done.step_count,
            duration_ms=done.ended_at_ms - done.started_at_ms,
            degraded=degraded,
        )

    def _prepare(self, episode_id: str, outcome: Outcome) -> tuple[Completion, tuple[str, ...]]:
        found = self._e.store.get_episodes([episode_id])[0]
        if found is None:
            raise NotFound(f"there is no episode {episode_id!r}", hint="Use the `episode_id` that `start_episode` returned.")
        if found.state is not EpisodeState.OPEN:
            raise EpisodeClosed(f"episode {episode_id!r} is already {found.state}")
        ended = replace(found, outcome=outcome, state=EpisodeState.COMPLETED, ended_at_ms=max(self._e.clock(), found.started_at_ms))
        query = Query(found.task, Filter(project=found.project), exclude_ids=frozenset({episode_id}))
        extracted = self._e.beside(lambda: extract(self._e, ended))  # while the model embeds the task
        neighbours, degraded = self._e.neighbours(query, COMPARED)
        ended, extraction = extracted.result()
        return complete(self._e, ended, neighbours, extraction), degraded

    def _learned(self, completion: Completion) -> tuple[LearnedPattern, ...]:
        episode, store = completion.episode, self._e.store
        # An episode of 30 steps has over a hundred patterns: only those that are shown are read whole and assessed.
        tallies = store.pattern_tallies([episode.id], project=episode.project)
        tallies.sort(key=lambda t: (-t.successes - t.failures, t.pattern_id))
        ids = [t.pattern_id for t in tallies[:MAX_SHOWN_PATTERNS]]
        with self._e.views.read() as v:
            patterns = self._e.learning.confidence(v, store.patterns(ids=ids, project=episode.project, limit=len(ids))) if ids else []
        patterns.sort(key=lambda p: (-p.support, -p.confidence, p.id))
        return tuple(
            LearnedPattern(p.id, p.kind, p.description, p.support, p.successes, p.failures, round(p.confidence, 3), p.support == 1)
            for p in patterns
        )


def _record(fields: StepDetails | Mapping[str, Any]) -> StepDetails:
    assert isinstance(fields, StepDetails), "a checked request holds records"
    return fields
