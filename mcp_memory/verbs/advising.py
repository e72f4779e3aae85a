"""Suggest, recommend, take feedback: what earlier episodes advise, and what became of the advice."""

from collections.abc import Mapping
from typing import Any

from mcp_memory.domain import limits, parsing
from mcp_memory.domain.answers import FeedbackRecorded, NextStep, PlaybookAnswer
from mcp_memory.domain.episode import Episode, EpisodeState, Step
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.domain.query import Filter, Query
from mcp_memory.errors import EpisodeClosed, InvalidInput, NotFound
from mcp_memory.ports import Situation
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.redacting import Redacting

MAX_SUGGESTIONS = 20
MAX_PLAYBOOK_STEPS = 50
CONTROL_GROUP = "this episode is in the control group (learning.holdout): it gets no advice"


class Advising:
    """The verbs suggest_next_step, recommend_playbook, give_feedback."""

    def __init__(self, engines: Engines, redacting: Redacting) -> None:
        self._e, self._redacting = engines, redacting

    async def next_step(self, episode_id: str, limit: int, intended: Mapping[str, Any] | None) -> NextStep:
        """Answer the `suggest_next_step` tool."""
        e = self._e
        episode_id = parsing.identifier("episode_id", episode_id)
        limit = parsing.whole("limit", limit, 1, MAX_SUGGESTIONS)
        step = None if intended is None else parsing.step(intended, now_ms=e.clock(), prefix="intended.")
        with e.metrics.timed("suggest_next_step"):
            answer, project = await e.in_thread(lambda: self._next_step(episode_id, limit, step))
        shown = tuple(dict.fromkeys(key for s in answer.suggestions for key in s.evidence))
        self._remember(answer.recommendation_id, RecommendationKind.NEXT_STEP, project, episode_id, shown)
        return answer

    def _next_step(self, episode_id: str, limit: int, intended: Step | None) -> tuple[NextStep, str]:
        episode = self._open_episode(episode_id)
        if self._e.learning.in_holdout(episode_id):
            return NextStep(self._e.new_id(), (), None, (), (CONTROL_GROUP,)), episode.project
        neighbours, degraded = self._e.neighbours(_like(episode))
        with self._e.follower.lock:
            suggestions, recovery, warnings = self._e.learning.suggest(Situation(episode, neighbours), limit, intended)
        return NextStep(self._e.new_id(), suggestions, recovery, warnings, degraded), episode.project

    def _open_episode(self, episode_id: str) -> Episode:
        found = self._e.store.get_episodes([episode_id])[0]
        if found is None:
            raise NotFound(f"there is no episode {episode_id!r}", hint="Use the `episode_id` that `start_episode` returned.")
        if found.state is not EpisodeState.OPEN:
            raise EpisodeClosed(f"episode {episode_id!r} is already {found.state}")
        return found

    async def playbook(self, raw: Mapping[str, Any]) -> PlaybookAnswer:
        """Answer the `recommend_playbook` tool."""
        e = self._e
        task = parsing.text("task", raw.get("task"), limits.MAX_TASK_CHARS, required=True)
        where = parsing.where(raw, default_project=e.project)
        max_steps = parsing.whole("max_steps", raw.get("max_steps", 8), 1, MAX_PLAYBOOK_STEPS)
        query = Query(task, where)

        def work() -> PlaybookAnswer:
            neighbours, degraded = e.neighbours(query)
            with e.follower.lock:
                playbook, reason = e.learning.playbook(query, neighbours, max_steps)
            return PlaybookAnswer(e.new_id() if playbook else None, playbook, None if playbook else reason, degraded)

        with e.metrics.timed("recommend_playbook"):
            answer = await e.in_thread(work)
        if answer.playbook is not None and answer.recommendation_id is not None:
            self._remember(answer.recommendation_id, RecommendationKind.PLAYBOOK, where.project, None, answer.playbook.evidence)
        return answer

    async def feedback(self, raw: Mapping[str, Any]) -> FeedbackRecorded:
        """Answer the `give_feedback` tool. The vote is committed when this returns."""
        e, raw = self._e, self._redacting.fields(raw)
        recommendation_id = parsing.identifier("recommendation_id", raw.get("recommendation_id"))
        used_ids = parsing.texts("used_ids", raw.get("used_ids"), max_chars=limits.MAX_ID_CHARS)
        verdict = parsing.choice(Verdict, "outcome", raw.get("outcome"))
        rating = None if raw.get("rating") is None else parsing.fraction("rating", raw["rating"])
        note = parsing.text("note", raw.get("note"), limits.MAX_NOTE_CHARS)
        found = await e.in_thread(lambda: e.store.recommendations(ids=[recommendation_id]))
        if found and (foreign := [key for key in used_ids if key not in found[0].shown_ids]):
            raise InvalidInput(
                f"`used_ids` names {foreign[0]!r}, which that recommendation did not show",
                hint="Give ids from that answer, or leave `used_ids` out.",
            )
        vote = Feedback(e.new_id(), recommendation_id, verdict, used_ids, rating, note, implicit=False, at_ms=e.clock())
        with e.metrics.timed("give_feedback"):
            await e.store.put_feedback(vote)
            await self._correct(vote)
        moved = () if verdict is Verdict.NO_EFFECT else used_ids or (found[0].shown_ids if found else ())
        return FeedbackRecorded(True, moved)

    async def _correct(self, vote: Feedback) -> None:
        """A note on patterns or episodes that hindered says what is right instead: it is kept as their correction."""
        if vote.verdict is Verdict.HINDERED and vote.note.strip():
            for key in vote.used_ids:
                content = {"text": vote.note, "reason": f"feedback {vote.id}", "contradicts": False}
                await self._e.store.put_correction(key, content, vote.at_ms)

    def _remember(self, rec_id: str, kind: RecommendationKind, project: str, episode_id: str | None, shown: tuple[str, ...]) -> None:
        recommendation = Recommendation(rec_id, kind, project, episode_id, shown, self._e.clock())
        # Not awaited: see recalling.py.
        self._e.start_soon(lambda: self._e.store.put_recommendation(recommendation))


def _like(episode: Episode) -> Query:
    """Return the query for episodes whose task and context are like this one's."""
    where = Filter(
        project=episode.project,
        domain=episode.context.domain,
        task_type=episode.task_type,
        language=episode.context.language,
        framework=episode.context.framework,
        tags=episode.context.tags,
    )
    return Query(episode.task, where, exclude_ids=frozenset({episode.id}))
