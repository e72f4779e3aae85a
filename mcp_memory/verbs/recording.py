"""Start, log, complete: the path an episode takes into the memory. Every answer is given after its commit."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from mcp_memory.domain import forming
from mcp_memory.domain.answers import CompletedEpisode, LearnedPattern, LoggedSteps, Precedent, StartedEpisode
from mcp_memory.domain.episode import Episode, EpisodeState, Outcome
from mcp_memory.domain.pattern import ANSWERS
from mcp_memory.domain.query import Filter, Query
from mcp_memory.domain.requests import CompleteEpisode, PrepareEpisode, StartEpisode, StepDetails, TaskFields
from mcp_memory.errors import Conflict, EpisodeClosed, InvalidInput, NotFound
from mcp_memory.learning.judging.reflection import telling
from mcp_memory.ports import Completion, Neighbours
from mcp_memory.verbs.background import Background
from mcp_memory.verbs.earlier_attempts import told_after_failure
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.judging import COMPARED, complete, extract
from mcp_memory.verbs.questions import asked_of
from mcp_memory.verbs.recalling import Recalling
from mcp_memory.verbs.redacting import Redacting
from mcp_memory.verbs.voting import Vote, Voting

REDELIVERY_MS = 600_000  # a call with a task of its own that comes again so soon after is the same call
MAX_JUDGEMENTS = 5  # a completion races with steps still being logged; each round judges what is there
MIN_EVIDENCE = 2  # episodes: what one did is no pattern yet
MAX_SHOWN_PATTERNS = 6  # of those an episode is evidence for, the best supported


class Recording:
    """The verbs start_episode, log_step, log_steps, complete_episode."""

    def __init__(
        self,
        engines: Engines,
        recalling: Recalling,
        redacting: Redacting,
        background: Background,
        voting: Voting,
        completed: Callable[[str], None],
    ) -> None:
        self._e, self._recalling, self._redacting = engines, recalling, redacting
        self._background, self._voting, self._completed = background, voting, completed

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
        return await self._with_recall(self._opened(asked, asked.task, ""), recall=True, budget_tokens=asked.budget_tokens)

    def _opened(self, asked: TaskFields, task: str, episode_id: str) -> Episode:
        e = self._e
        return forming.episode_of(asked, task, episode_id=episode_id or e.new_id(), default_project=e.project, now_ms=e.clock())

    async def _with_recall(self, episode: Episode, *, recall: bool, budget_tokens: int) -> StartedEpisode:
        holdout = self._e.learning.in_holdout(episode.id)
        recalled = None
        if recall and not holdout:
            await self._background.own_embedded()
            where = Filter(
                project=episode.project,
                domain=episode.context.domain,
                task_type=episode.task_type,
                language=episode.context.language,
                framework=episode.context.framework,
                tags=episode.context.tags,
            )
            recalled = await self._recalling.for_episode(episode, where, budget_tokens)
        return StartedEpisode(episode.id, episode.project, episode.started_at_ms, recalled, holdout)

    async def log(self, episode_id: str, asked: Sequence[StepDetails | Mapping[str, Any]], verb: str) -> LoggedSteps:
        """Append steps to an open episode, all or none."""
        e = self._e
        now_ms = e.clock()
        steps = [forming.step_of(fields, now_ms=now_ms) for fields in await self._redacting.in_turn([_record(fields) for fields in asked])]
        with e.metrics.timed(verb):
            first_index = await e.store.append_steps(episode_id, steps)
        e.metrics.count("steps", len(steps))
        if first_index == 0:  # somebody works on it, so it will be completed
            self._background.embed_ahead(episode_id)
        return LoggedSteps(episode_id, first_index, first_index + len(steps) - 1)

    async def complete(self, asked: CompleteEpisode) -> CompletedEpisode:
        """Close an episode: judge it, extract its evidence, commit all of it at once.

        A second completion gives the first one's result; lessons that are new are added. With a task and no id, the episode is begun here.
        """
        e = self._e
        (asked,) = await self._redacting.in_turn([asked])
        e_id = await self._subject(asked)
        await self._voting.written(e_id)

        votes: list[Vote] = []
        if asked.steps or asked.helped or asked.hindered:  # else the first look that judges it is soon enough

            def look() -> tuple[Episode, list[Vote]]:
                episode = self._found(e_id, steps=bool(asked.steps))
                return episode, self._voting.votes(episode, asked.helped, asked.hindered)

            found, votes = await e.in_thread(look)
            if found.state is EpisodeState.COMPLETED:
                return await self._again(found, asked)
            await self._log_once(found, asked)
        outcome = forming.outcome_of(asked.outcome, asked)
        with e.metrics.timed("complete_episode"):
            for _ in range(MAX_JUDGEMENTS):
                try:
                    completion, near, degraded = await e.in_thread(lambda: self._prepare(e_id, outcome))
                    await e.store.complete_episode(completion)
                    break
                except Conflict:
                    continue
                except EpisodeClosed:  # somebody completed it in the meantime, or it was given up
                    found = await e.in_thread(lambda: self._found(e_id, steps=False))
                    if found.state is not EpisodeState.COMPLETED:
                        raise
                    return await self._again(found, asked)
            else:
                raise Conflict(hint="Steps are still being logged to this episode; complete it when they are done.")
        e.metrics.count("episodes_completed")
        try:
            await self._voting.put(votes)
            answer = await e.in_thread(lambda: self._told(completion.episode, degraded, near))
        finally:  # only now: what it sets going takes turns with `learned` at the views
            self._completed(e_id)
        return answer

    async def _again(self, done: Episode, asked: CompleteEpisode) -> CompletedEpisode:
        """Return the result of the first completion, and add the lessons that it did not have."""
        known = done.outcome.lessons if done.outcome else ()
        if new := [text for text in asked.lessons if text not in known]:
            await self._e.store.update_episode(done.id, add_lessons=new)
            assert done.outcome is not None
            done = replace(done, outcome=replace(done.outcome, lessons=(*known, *new)))
        return await self._e.in_thread(lambda: self._told(done, ()))

    def _told(self, done: Episode, degraded: tuple[str, ...], near: Neighbours | None = None) -> CompletedEpisode:
        """Return the answer to a completion (blocking)."""
        patterns = self.learned(done)
        known = () if done.success else told_after_failure(self._e, done, near)
        return _completed(done, patterns, degraded, known, asked_of(self._e, done, known, near))

    async def _subject(self, asked: CompleteEpisode) -> str:
        """Return the id of the episode to complete; begin one for a task that none was started for."""
        if bool(asked.episode_id) == bool(asked.task.strip()):
            raise InvalidInput("give `episode_id`, or `task` when no episode was started")
        e = self._e
        if asked.episode_id:
            if asked.project and (await e.in_thread(lambda: self._found(asked.episode_id, steps=False))).project != asked.project:
                raise InvalidInput(f"episode {asked.episode_id!r} is not of `project` {asked.project!r}", hint="Leave `project` out.")
            return asked.episode_id
        told = repr((e.project, asked.but(helped=(), hindered=())))
        key = str(UUID(bytes=hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=16).digest(), version=5))
        found = (await e.in_thread(lambda: e.store.get_episodes([key], steps=False)))[0]
        if found is not None:
            if found.state is EpisodeState.OPEN or e.clock() - (found.ended_at_ms or 0) < REDELIVERY_MS:
                return key  # the same call, delivered again
            key = e.new_id()
        episode = self._opened(TaskFields(project=asked.project), asked.task, key)
        if asked.helped or asked.hindered:  # a call that is refused begins nothing
            await e.in_thread(lambda: self._voting.votes(episode, asked.helped, asked.hindered))
        await e.store.start_episode(episode)
        return episode.id

    def _found(self, episode_id: str, *, steps: bool) -> Episode:
        found = self._e.store.get_episodes([episode_id], steps=steps)[0]
        if found is None:
            raise NotFound(f"there is no episode {episode_id!r}", hint="Use the `episode_id` that `start_episode` returned.")
        return found

    async def _log_once(self, found: Episode, asked: CompleteEpisode) -> None:
        """Append the steps given with a completion, unless an earlier delivery of the call did."""
        now_ms = self._e.clock()
        steps = [forming.step_of(fields, now_ms=now_ms) for fields in asked.steps]
        there = [replace(step, index=-1, at_ms=now_ms) for step in found.steps[-len(steps) :]] if steps else []
        if there != [replace(step, at_ms=now_ms) for step in steps]:
            await self._e.store.append_steps(found.id, steps)
            self._e.metrics.count("steps", len(steps))

    def _prepare(self, episode_id: str, outcome: Outcome) -> tuple[Completion, Neighbours, tuple[str, ...]]:
        found = self._found(episode_id, steps=True)
        if found.state is not EpisodeState.OPEN:
            raise EpisodeClosed(f"episode {episode_id!r} is already {found.state}")
        ended = replace(found, outcome=outcome, state=EpisodeState.COMPLETED, ended_at_ms=max(self._e.clock(), found.started_at_ms))
        query = Query(found.task, Filter(project=found.project), exclude_ids=frozenset({episode_id}))
        extracted = self._e.beside(lambda: extract(self._e, ended))  # while the model embeds the task
        neighbours, degraded = self._e.neighbours(query, COMPARED)
        ended, extraction = extracted.result()
        return complete(self._e, ended, neighbours, extraction), neighbours, degraded

    def learned(self, episode: Episode) -> tuple[LearnedPattern, ...]:
        """Return the best supported answers to errors that a completed episode is evidence for, as an earlier one was (blocking)."""
        store = self._e.store
        # An episode of 30 steps has over a hundred patterns: only those that are shown are read whole and assessed.
        found = store.pattern_tallies([episode.id], project=episode.project, kinds=ANSWERS)
        tallies = [t for t in found if t.successes + t.failures >= MIN_EVIDENCE]
        tallies.sort(key=lambda t: (-t.successes - t.failures, t.pattern_id))
        ids = [t.pattern_id for t in tallies[:MAX_SHOWN_PATTERNS]]
        with self._e.views.read() as v:
            known = store.patterns(ids=ids, project=episode.project, limit=len(ids)) if ids else []
            patterns = self._e.learning.confidence(v, known, endorsed=False)
        patterns.sort(key=lambda p: (-p.support, -p.confidence, p.id))
        return tuple(
            LearnedPattern(p.id, p.kind, p.description, p.support, p.successes, p.failures, round(p.confidence, 3), p.support == 1)
            for p in patterns
            if p.says_what
        )


def _completed(
    done: Episode,
    patterns: tuple[LearnedPattern, ...],
    degraded: tuple[str, ...],
    precedents: tuple[Precedent, ...],
    asked: str | None,
) -> CompletedEpisode:
    assert done.outcome is not None
    assert done.reward is not None
    assert done.reflection is not None
    assert done.ended_at_ms is not None
    return CompletedEpisode(
        episode_id=done.id,
        outcome=done.outcome.kind,
        reward=done.reward,
        reflection=done.reflection,
        patterns=patterns,
        step_count=done.step_count,
        duration_ms=done.ended_at_ms - done.started_at_ms,
        degraded=degraded,
        question=asked,
        telling=telling(done),
        precedents=precedents,
    )


def _record(fields: StepDetails | Mapping[str, Any]) -> StepDetails:
    assert isinstance(fields, StepDetails), "a checked request holds records"
    return fields
