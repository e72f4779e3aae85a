"""Episodes to lessons and advice, put together from the parts of this folder.

It holds no view: whoever asks gives the views it reads (`with views.read() as v`). Patterns and evidence are read from the store. All
methods block; those that take no view take no turn either.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache

from mcp_memory.config import LearningConfig
from mcp_memory.domain.answers import NotedLesson, Playbook, PlaybookStep, Precedent
from mcp_memory.domain.episode import Episode, Step, Trace
from mcp_memory.domain.feedback import Feedback, Recommendation
from mcp_memory.domain.nearness import SAME_TASK
from mcp_memory.domain.pattern import INSTEAD, ConfidenceNumbers, Pattern, PatternKind, PatternUsage, ToldPattern, pattern_id
from mcp_memory.domain.query import ANY_PROJECT, Filter, InferredContext, Outlook, Query
from mcp_memory.domain.reports import Holdout, Trends
from mcp_memory.learning import extraction
from mcp_memory.learning.advice import playbook
from mcp_memory.learning.advice.adviser import Advice, Adviser
from mcp_memory.learning.advice.attempts_told import Attempts
from mcp_memory.learning.advice.endorsing import Endorser
from mcp_memory.learning.advice.error_recovery import Stored
from mcp_memory.learning.advice.lessons_told import lessons_told
from mcp_memory.learning.advice.outlook import OutlookEstimator
from mcp_memory.learning.advice.playbook_examples import with_examples
from mcp_memory.learning.history.answer_times import AnswerTimes
from mcp_memory.learning.history.inferring import inferred
from mcp_memory.learning.history.known_errors import KnownErrors
from mcp_memory.learning.judging import reflection, reward
from mcp_memory.learning.patterns import implicit
from mcp_memory.learning.patterns.assessing import Assessor
from mcp_memory.learning.patterns.relevance import Relevance
from mcp_memory.learning.reading import step_signs, step_values
from mcp_memory.learning.reading.file_uses import Touch
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.reading.shown_elements import as_shown, reading_shown
from mcp_memory.learning.reports import holdout, trends
from mcp_memory.learning.reports.guide import Guide
from mcp_memory.learning.reports.worker import AnalysisWorker
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Clock, Extraction, Judgement, Neighbours, Situation, Store
from mcp_memory.views.contexts import Standpoint
from mcp_memory.views.experience import Experience
from mcp_memory.views.view import View

SAME_KIND = 0.5  # similarity from which its length and duration are a yardstick
MAX_ATTEMPTS = 50


class Learner:
    """What it keeps between calls is kept under what it was made from, and used while reading only."""

    def __init__(
        self, store: Store, config: LearningConfig, metrics: Metrics, clock: Clock, spaces: Callable[[], Sequence[str]] = tuple
    ) -> None:
        """`spaces` names the embedding spaces, the local one first; tasks are clustered by it."""
        self._spaces = spaces
        self._store, self._config, self._metrics, self._clock = store, config, metrics, clock
        self._read = reading_shown(store.get_episodes)
        self._worker = AnalysisWorker()  # starts no process before it is asked
        self._assessor = Assessor(store, clock, config.half_life_days)

    # --- completion ---

    def judge(
        self,
        v: View,
        episode: Episode,
        neighbours: Neighbours,
        beside: Sequence[tuple[Trace, float]] = (),
        extracted: Extraction | None = None,
    ) -> Judgement:
        """Return reward, reflection and key steps, measured against attempts at the same task that ended before this one.

        Some milliseconds for 1,000 steps.

        Args:
            v: The views.
            episode: The episode to judge, with its outcome and steps.
            neighbours: Completed episodes of the views.
            beside: Traces, with their steps, and task similarities of completed episodes that are not committed yet.
            extracted: What `extract` made of the episode, where the caller has it: its calls need not be read off its steps again.
        """
        episode = as_shown(episode)
        signs = step_signs.read(episode.steps)
        runs = [*((trace, similarity, len(trace.step_keys)) for trace, similarity in beside), *_outlines(v.experience, neighbours)]
        runs = [run for run in runs if run[1] >= SAME_KIND and run[0].ended_at_ms <= (episode.ended_at_ms or 0)]
        earlier = [(trace, similarity) for trace, similarity, _ in runs]
        rewarded = reward.reward(episode, reward.history_of(runs), signs)
        values = step_values.step_values(episode, rewarded.score, signs)
        calls = extraction.calls_in(extracted, episode) if extracted is not None else None
        reflected = reflection.reflect(episode, rewarded, signs, earlier, calls)
        return Judgement(rewarded, reflected, step_values.key_steps(episode.steps, values, files=episode.files or ()))

    def extract(self, episode: Episode, touches: Sequence[Sequence[Touch]]) -> Extraction:
        """Return the episode's evidence and its digest. Pure. *touches* is what its steps did to files, as `touches_in` gives it."""
        return extraction.extract(as_shown(episode), touches, self._config)

    def is_outdated(self, trace: Trace) -> bool:
        """Return whether an earlier version made the trace and the text indexed with it."""
        return extraction.is_outdated(trace)

    def extract_again(self, episode: Episode, before: Trace) -> Extraction:
        """Return what `extract` makes of a stored episode now; whether it was in the control group stays as it was."""
        return extraction.extract_again(as_shown(episode), before, self._config)

    # --- advice ---

    def suggest(self, v: View, situation: Situation, limit: int, intended: Step | None) -> Advice:
        """Return suggestions, the recovery when the last step failed, warnings about an intended step, and the context gone by."""
        corrections = cache(self._store.corrections)  # of everything: there are few, and an error has many answers

        def corrected(failed_key: str, signature: str, tried: str) -> str | None:
            if not (known := corrections()):
                return None
            return next((c.text for key in _answer_ids(failed_key, signature, tried) if (c := known.get(key))), None)

        took = v.experience.derived(AnswerTimes)

        def took_ms(failed_key: str, signature: str, tried: str) -> float | None:
            ids = _answer_ids(failed_key, signature, tried)
            return took.of(ids, lambda: (e for found in self._store.evidence(ids).values() for e in found))

        stored = Stored(corrected, took_ms)
        return Adviser(v.experience, self._read, stored).suggest(replace(situation, episode=as_shown(situation.episode)), limit, intended)

    def outlook(self, v: View, query: Query, neighbours: Neighbours) -> Outlook | None:
        """Return the chance of success; None while the project is empty."""
        said = _standpoint_of(query)
        standpoint = inferred(v.experience, said, neighbours, ())
        outlook = OutlookEstimator(v.experience).outlook(standpoint, neighbours)
        if outlook is None or standpoint == said:
            return outlook
        return replace(outlook, inferred=InferredContext(standpoint.domain, standpoint.framework, tuple(sorted(standpoint.tags))))

    def met_errors(self, v: View, query: Query) -> Mapping[str, float]:
        """Return the episodes that met an error which the query quotes, with their worth in [0, 1]; mostly none."""
        return v.experience.derived(KnownErrors).episodes(query.text, query.filter.project)

    def answered_elsewhere(self, v: View, error: str, project: str, asker: str) -> tuple[Sequence[tuple[str, int]], Collection[str]]:
        """Return where other projects met an error that a text quotes and got past it, the latest first, and the errors that it quotes."""
        known = v.experience.derived(KnownErrors)
        return known.answered_elsewhere(error, project, asker), frozenset(dict(known.quoted(error)))

    def relevant_patterns(
        self, v: View, query: Query, neighbours: Neighbours, limit: int, met: Collection[str] = ()
    ) -> list[tuple[Pattern, float, Mapping[str, float]]]:
        """Return (pattern with confidence, score, why), best first; before all, what answered an error that the query quotes.

        Args:
            v: The views.
            query: What is asked.
            neighbours: Episodes whose tasks are like it.
            limit: How many patterns at most.
            met: Episodes that met such an error.
        """
        relevance = Relevance(v, self._store, self._assessor)
        exact: list[tuple[Pattern, float, Mapping[str, float]]] = []
        if met:
            quoted = dict(v.experience.derived(KnownErrors).quoted(query.text))
            exact = relevance.answering(query.filter.project, quoted.keys(), met, limit)
        known = {p.id for p, _, _ in exact}
        others = relevance.relevant(query.filter.project, neighbours, limit) if len(exact) < limit else []
        return [*exact, *(row for row in others if row[0].id not in known)][:limit]

    def playbook(self, v: View, query: Query, neighbours: Neighbours, max_steps: int) -> tuple[Playbook | None, str]:
        """Return the playbook, or None and the reason why there is none."""
        patterns = [p for p, _, _ in self.relevant_patterns(v, query, neighbours, playbook.MAX_PATTERNS)]
        runs = _runs(v.experience, neighbours, SAME_KIND)
        endorser = Endorser(v.experience, query.filter.project)

        def shown(steps: Sequence[PlaybookStep]) -> tuple[PlaybookStep, ...]:
            return with_examples(steps, runs, query.text, self._read, endorser.showable)

        def message_at(episode_id: str, index: int) -> str:
            return self._message_at(episode_id, index) if endorser.showable(episode_id, index) else ""

        return playbook.playbook(query.text, runs, patterns, max_steps, endorser, shown, message_at)

    def lessons(self, v: View, project: str, neighbours: Neighbours) -> tuple[NotedLesson, ...]:
        """Return what the agents of the most alike attempts noted for the next one."""
        runs = _runs(v.experience, neighbours, SAME_KIND)
        return lessons_told(runs, self._store.get_episodes, Endorser(v.experience, project))

    def precedents(self, v: View, task: str, project: str, near: Neighbours, by: Episode | None = None) -> tuple[Precedent, ...]:
        """Return what those of the neighbours did that are attempts at *task*, what worked first. *by* is the episode that asks."""
        endorser = Endorser(v.experience, project, by.agent if by else "")
        return Attempts(v.experience, self._read, task, near, endorser, project, as_shown(by) if by else None).told()

    def _message_at(self, episode_id: str, index: int) -> str:
        episode = self._store.get_episodes([episode_id])[0]
        return message_of(episode.steps[index]) if episode is not None and index < len(episode.steps) else ""

    # --- confidence ---

    def confidence(self, v: View, patterns: Sequence[Pattern], *, endorsed: bool = True) -> list[Pattern]:
        """Return the patterns with confidence, votes, use and retirement, and unless *endorsed* is false with who says so."""
        return self._assessor.assess(v, patterns, endorsed=endorsed)

    def explain_confidence(self, v: View, pattern: Pattern) -> ConfidenceNumbers:
        """Return the numbers a pattern's confidence was computed from."""
        return self._assessor.explain(v, pattern)

    def usage(self, v: View, pattern_id: str) -> PatternUsage:
        """Return how often a pattern was shown and used, and how these episodes ended."""
        return self._assessor.usage_report(v, pattern_id)

    def told(self, v: View, patterns: Sequence[Pattern]) -> list[ToldPattern]:
        """Return what followed where the patterns were told; those that nobody was told are left out."""
        return self._assessor.told(v, patterns)

    def implicit_feedback(self, v: View, episode: Episode, recommendations: Sequence[Recommendation]) -> tuple[Feedback, ...]:
        """Return the votes that a completed episode casts by what its steps used."""
        if not recommendations:
            return ()
        shown = list(dict.fromkeys(key for r in recommendations for key in r.shown_ids))
        patterns = {p.id: p for p in self._store.patterns(ids=[k for k in shown if k.startswith("pat_")], limit=max(1, len(shown)))}
        rows = {key: row for key in shown if (row := v.experience.row(key)) is not None}
        runs = {key: v.experience.full_trace(row) for key, row in rows.items()}
        return implicit.implicit_feedback(episode, recommendations, patterns, runs, self._clock())

    # --- proof and reports ---

    def in_holdout(self, episode_id: str) -> bool:
        """Return whether the episode belongs to the control group."""
        return holdout.in_holdout(episode_id, self._config.holdout)

    def holdout_report(self, v: View, project: str) -> Holdout:
        """Return outcomes with and without memory, with an interval."""
        return self._holdout_report(project, v.experience.outlines())

    def holdout_of(self, traces: Iterable[Trace]) -> Holdout:
        """Return the same of these episodes."""
        return holdout.report(traces, self._config.holdout)

    def _holdout_report(self, project: str, traces: Iterable[Trace]) -> Holdout:
        return self.holdout_of(t for t in traces if project in (ANY_PROJECT, t.project))

    def trends(self, traces: Sequence[Trace], where: Filter, *, tool: str, metric: str, bucket: str) -> Trends:
        """Return the series of a metric, its changepoints and the clusters of tasks. Analysis runs in a process of its own."""
        return trends.trends(
            traces,
            where,
            tool=tool,
            metric=metric,
            bucket=bucket,
            analyse=self._worker.call,
            sample_threshold=self._config.sample_threshold,
            vectors=lambda ids: trends.task_vectors(self._store.vectors, next(iter(self._spaces()), ""), ids),
            holdout=self._holdout_report(where.project, traces),
        )

    def lessons_markdown(self, v: View, *, domain: str, project: str, budget_tokens: int) -> str:
        """Return the best-supported patterns as a Markdown guide."""
        return Guide(v, self._store, self._assessor).markdown(domain, project, budget_tokens)


def _runs(x: Experience, neighbours: Neighbours, min_similarity: float) -> list[tuple[Trace, float]]:
    """Return the neighbours' traces with their steps and similarities, the most similar first."""
    rows = [(x.row(key), similarity) for key, similarity in neighbours[:MAX_ATTEMPTS] if similarity >= min_similarity]
    return [(x.full_trace(row), similarity) for row, similarity in rows if row is not None]


def _outlines(x: Experience, neighbours: Neighbours) -> list[tuple[Trace, float, int]]:
    """Return the neighbours' traces, similarities and how many steps they have; only attempts at the same task come with their steps."""
    rows = [(x.row(key), similarity) for key, similarity in neighbours[:MAX_ATTEMPTS] if similarity >= SAME_KIND]
    return [
        (x.full_trace(row) if similarity >= SAME_TASK else x.trace(row), similarity, int(x.length[row]))
        for row, similarity in rows
        if row is not None
    ]


def _answer_ids(failed_key: str, signature: str, tried: str) -> list[str]:
    """Return the ids of the patterns that an answer to an error may be."""
    content = {"tool": failed_key, "error": signature, "try": tried}
    return [pattern_id(PatternKind.ERROR_RECOVERY, content | how) for how in ({}, {INSTEAD: True})]


def _standpoint_of(query: Query) -> Standpoint:
    where = query.filter
    return Standpoint(where.project, where.domain, where.framework, frozenset(where.tags))
