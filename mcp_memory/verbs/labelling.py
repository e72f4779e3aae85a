"""Label: how an episode ended after all, said by a person or an agent, where the outcome was inferred or wrong."""

from collections.abc import Callable
from dataclasses import replace

from mcp_memory.domain.answers import Labelled
from mcp_memory.domain.episode import Episode, EpisodeState, OutcomeKind
from mcp_memory.domain.inference import without_inference
from mcp_memory.domain.metadata_keys import OUTCOME_BEFORE, OUTCOME_INFERRED
from mcp_memory.domain.query import Filter, Query
from mcp_memory.domain.requests import CompleteEpisode, Label
from mcp_memory.errors import EpisodeClosed, NotFound
from mcp_memory.ports import Completion
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.judging import COMPARED, complete, extract
from mcp_memory.verbs.recording import Recording
from mcp_memory.verbs.redacting import Redacting


class Labelling:
    """The verb label."""

    def __init__(self, engines: Engines, redacting: Redacting, recording: Recording, labelled: Callable[[str], None]) -> None:
        self._e, self._redacting, self._recording, self._labelled = engines, redacting, recording, labelled

    async def label(self, asked: Label) -> Labelled:
        """Give an episode another outcome: it is judged again, its evidence replaced. An open one is completed; twice changes nothing."""
        e, asked = self._e, self._redacting.request(asked)
        found = (await e.in_thread(lambda: e.store.get_episodes([asked.episode_id])))[0]
        if found is None:
            raise NotFound(f"there is no episode {asked.episode_id!r}", hint="`search_episodes` lists them.")
        lessons: tuple[str, ...] = (asked.lesson,) if asked.lesson else ()
        if found.state is EpisodeState.OPEN:
            done = await self._recording.complete(CompleteEpisode(found.id, asked.outcome, lessons=lessons))
            return Labelled(found.id, done.outcome, "open", True, done.reward, done.reflection, done.patterns, done.degraded)
        if found.state is not EpisodeState.COMPLETED or found.outcome is None:
            raise EpisodeClosed(f"episode {found.id!r} is {found.state}")
        kind, lessons = OutcomeKind(asked.outcome), tuple(text for text in lessons if text not in found.outcome.lessons)
        before = _before(found)
        if kind is found.outcome.kind and before == kind:
            if lessons:
                await e.store.update_episode(found.id, add_lessons=lessons)
            return await self._answer(found, before, bool(lessons), ())
        with e.metrics.timed("label"):
            completion, degraded = await e.in_thread(lambda: self._judged_again(found, kind, lessons))
            metadata = {OUTCOME_INFERRED: None, OUTCOME_BEFORE: found.metadata.get(OUTCOME_BEFORE, before)}
            await e.store.replace_outcome(completion, metadata=metadata, add_lessons=lessons)
        self._labelled(found.id)
        return await self._answer(completion.episode, before, True, degraded)

    def _judged_again(self, found: Episode, kind: OutcomeKind, lessons: tuple[str, ...]) -> tuple[Completion, tuple[str, ...]]:
        e = self._e
        assert found.outcome is not None
        outcome = replace(
            found.outcome,
            kind=kind,
            summary=without_inference(found.outcome.summary),
            lessons=(*found.outcome.lessons, *lessons),
            error=None if kind is OutcomeKind.SUCCESS else found.outcome.error,
        )
        query = Query(found.task, Filter(project=found.project), exclude_ids=frozenset({found.id}))
        neighbours, degraded = e.neighbours(query, COMPARED)
        ended, extraction = extract(e, replace(found, outcome=outcome))
        completion = complete(e, ended, neighbours, extraction)
        # Votes are appended, never written over: the latest on a recommendation counts.
        votes = tuple(replace(vote, id=f"{vote.id}_{e.new_id()}") for vote in completion.feedback)
        return replace(completion, feedback=votes), degraded

    async def _answer(self, done: Episode, before: str, changed: bool, degraded: tuple[str, ...]) -> Labelled:
        assert done.outcome is not None
        assert done.reward is not None
        assert done.reflection is not None
        patterns = await self._e.in_thread(lambda: self._recording.learned(done))
        return Labelled(done.id, done.outcome.kind, before, changed, done.reward, done.reflection, patterns, degraded)


def _before(found: Episode) -> str:
    """Return what stands for the outcome, and whether nobody said so."""
    assert found.outcome is not None
    summary = found.outcome.summary
    inferred = OUTCOME_INFERRED in found.metadata or without_inference(summary) != summary
    return f"{found.outcome.kind}, inferred" if inferred else str(found.outcome.kind)
