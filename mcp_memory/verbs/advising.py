"""Suggest, recommend, take feedback: what earlier episodes advise, and what became of the advice."""

from mcp_memory.domain import forming
from mcp_memory.domain.answers import FeedbackRecorded, NextStep, PlaybookAnswer
from mcp_memory.domain.curation import BY_VOTE, Correction
from mcp_memory.domain.episode import Episode, EpisodeState, Step
from mcp_memory.domain.feedback import EndedAs, Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.domain.nearness import LEAST
from mcp_memory.domain.pattern import PATTERN_PREFIX
from mcp_memory.domain.query import Filter, Query
from mcp_memory.domain.requests import GiveFeedback, Label, RecommendPlaybook, SuggestNextStep
from mcp_memory.errors import EpisodeClosed, InvalidInput, NotFound
from mcp_memory.learning.reading.run import error_text
from mcp_memory.ports import Neighbours, Situation
from mcp_memory.verbs.engines import Engines, calling
from mcp_memory.verbs.labelling import Labelling
from mcp_memory.verbs.redacting import Redacting
from mcp_memory.verbs.shown import Shown

CONTROL_GROUP = "this episode is in the control group (learning.holdout): it gets no advice"


class Advising:
    """The verbs suggest_next_step, recommend_playbook, give_feedback."""

    def __init__(self, engines: Engines, redacting: Redacting, shown: Shown, labelling: Labelling) -> None:
        self._e, self._redacting, self._shown, self._labelling = engines, redacting, shown, labelling

    async def next_step(self, asked: SuggestNextStep) -> NextStep:
        """Answer the `suggest_next_step` tool."""
        e = self._e
        episode_id, limit = asked.episode_id, asked.limit
        step = None if asked.intended is None else forming.step_of(asked.intended, now_ms=e.clock())
        with e.metrics.timed("suggest_next_step"):
            answer, project = await e.in_thread(lambda: self._next_step(episode_id, limit, step))
        shown = tuple(dict.fromkeys([*(key for s in answer.suggestions for key in s.evidence), *(p.episode_id for p in answer.precedents)]))
        self._remember(answer.recommendation_id, RecommendationKind.NEXT_STEP, project, episode_id, shown)
        return answer

    def _next_step(self, episode_id: str, limit: int, intended: Step | None) -> tuple[NextStep, str]:
        episode = self._open_episode(episode_id)
        if self._e.learning.in_holdout(episode_id):
            return NextStep(self._e.new_id(), (), None, (), (CONTROL_GROUP,)), episode.project
        query = _like(episode)
        neighbours, vectors, degraded = self._e.similar(query)
        with self._e.views.read() as v:
            said = self._e.learning.suggest(v, Situation(episode, neighbours), limit, intended)
        is_known = said.recovery is not None and any(fix.did or fix.change or fix.correction for fix in said.recovery.fixes)
        is_near = bool(said.precedents) or _is_near(neighbours)
        elsewhere = self._e.elsewhere(query, vectors, is_near=is_near, error="" if is_known else _error(episode), asker=episode.agent)
        answer = NextStep(
            self._e.new_id(), said.suggestions, said.recovery, said.warnings, degraded, said.inferred, said.precedents, elsewhere
        )
        return answer, episode.project

    def _open_episode(self, episode_id: str) -> Episode:
        found = self._e.store.get_episodes([episode_id])[0]
        if found is None:
            raise NotFound(f"there is no episode {episode_id!r}", hint="Use the `episode_id` that `start_episode` returned.")
        if found.state is not EpisodeState.OPEN:
            raise EpisodeClosed(f"episode {episode_id!r} is already {found.state}")
        return found

    async def playbook(self, asked: RecommendPlaybook) -> PlaybookAnswer:
        """Answer the `recommend_playbook` tool."""
        e = self._e
        task, max_steps = asked.task, asked.max_steps
        where = forming.filter_of(asked, default_project=e.project)
        query = Query(task, where)

        def work() -> PlaybookAnswer:
            neighbours, vectors, degraded = e.similar(query)
            with e.views.read() as v:
                playbook, reason = e.learning.playbook(v, query, neighbours, max_steps)
                known = e.learning.precedents(v, task, where.project, neighbours)
                noted = e.learning.lessons(v, where.project, neighbours)
            elsewhere = e.elsewhere(query, vectors, is_near=bool(playbook or known) or _is_near(neighbours))
            told_id = e.new_id() if playbook or known or noted else None
            return PlaybookAnswer(told_id, playbook, None if playbook else reason, degraded, known, elsewhere, noted)

        with e.metrics.timed("recommend_playbook"):
            answer = await e.in_thread(work)
        if answer.recommendation_id is not None:
            evidence = answer.playbook.evidence if answer.playbook else ()
            told = [*(p.episode_id for p in answer.precedents), *(n.episode_id for n in answer.noted)]
            shown = tuple(dict.fromkeys([*evidence, *told]))
            self._remember(answer.recommendation_id, RecommendationKind.PLAYBOOK, where.project, None, shown)
        return answer

    async def feedback(self, asked: GiveFeedback) -> FeedbackRecorded:
        """Answer the `give_feedback` tool. The vote, or the outcome, is committed when this returns."""
        if asked.outcome in tuple(EndedAs):
            return await self._label(asked)
        if not asked.recommendation_id or asked.episode_id:
            raise InvalidInput(
                f"`outcome` {str(asked.outcome)!r} is about a recommendation: give its `recommendation_id`, and no `episode_id`",
                hint="How an episode ended is `episode_id` with success, partial or failure.",
            )
        e, asked = self._e, self._redacting.request(asked)
        used_ids, verdict, rating, note = tuple(asked.used_ids), Verdict(asked.outcome), asked.rating, asked.note
        recommendation_id = asked.recommendation_id or ""
        shown = await self._shown.of(recommendation_id)
        if foreign := [key for key in used_ids if key not in shown.shown_ids]:
            raise InvalidInput(
                f"`used_ids` names {foreign[0]!r}, which that recommendation did not show",
                hint="Give ids from that answer, or leave `used_ids` out.",
            )
        vote = Feedback(e.new_id(), recommendation_id, verdict, used_ids, rating, note, implicit=False, at_ms=e.clock())
        with e.metrics.timed("give_feedback"):
            await e.store.put_feedback(vote)
            await self._correct(vote, await e.in_thread(lambda: self._who(shown)))
        moved = () if verdict is Verdict.NO_EFFECT else used_ids or shown.shown_ids
        return FeedbackRecorded(True, moved)

    def _who(self, shown: Recommendation) -> str:
        """Return who speaks: the agent of the episode that was shown this, else the caller."""
        found = self._e.store.get_episodes([shown.episode_id], steps=False)[0] if shown.episode_id else None
        return (found.agent if found else "") or calling.get().name

    async def _label(self, asked: GiveFeedback) -> FeedbackRecorded:
        """Say how an episode of the caller's project, or one it was shown, ended after all; the note is kept as its lesson."""
        e, episode_id = self._e, asked.episode_id
        if not episode_id or asked.recommendation_id or asked.used_ids or asked.rating is not None:
            raise InvalidInput(
                f"`outcome` {str(asked.outcome)!r} is how an episode ended: give its `episode_id`, and a `note` at most",
                hint="Whether a recommendation helped is `recommendation_id` with helped, no_effect or hindered.",
            )
        found = (await e.in_thread(lambda: e.store.get_episodes([episode_id], steps=False)))[0]
        own = (e.project, *calling.get().bound)
        if found is None or (found.project not in own and not self._shown.in_reach(episode_id, found.project, e.project)):
            raise NotFound(f"there is no episode {episode_id!r}", hint="Use an `episode_id` of this project, or one that was recalled.")
        labelled = await self._labelling.label(Label(episode_id, asked.outcome, asked.note))
        return FeedbackRecorded(True, (episode_id,) if labelled.changed else ())

    async def _correct(self, vote: Feedback, by: str) -> None:
        """A note on patterns or episodes that hindered says what is right instead: it is kept as their correction.

        A pattern is every project's, so a caller who is bound to some corrects episodes only.
        """
        if vote.verdict is Verdict.HINDERED and vote.note.strip():
            for key in vote.used_ids:
                if calling.get().bound and key.startswith(PATTERN_PREFIX):
                    continue
                await self._e.store.put_correction(key, Correction(vote.note, f"{BY_VOTE}{vote.id}", by=by), vote.at_ms)

    def _remember(self, rec_id: str, kind: RecommendationKind, project: str, episode_id: str | None, shown: tuple[str, ...]) -> None:
        self._shown.note(Recommendation(rec_id, kind, project, episode_id, shown, self._e.clock()))


def _error(episode: Episode) -> str:
    """Return what the last step of an episode says went wrong, "" where it did not fail."""
    return error_text(episode.steps[-1]) if episode.steps and episode.steps[-1].failed else ""


def _is_near(neighbours: Neighbours) -> bool:
    """Return whether something in the project is near enough to be told."""
    return bool(neighbours) and neighbours[0][1] >= LEAST


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
