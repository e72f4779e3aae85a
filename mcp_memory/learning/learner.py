"""The learning engine: what `ports.LearningEngine` promises, put together from the parts of this folder.

Its memory of episodes is `Experience`, fed by `add` and `remove`; patterns, votes and evidence stay in the store. All methods are
called under the follower's lock, one at a time, except `extract`, `implicit_feedback`, `in_holdout` and `trends`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import median

from mcp_memory.config import LearningConfig
from mcp_memory.domain.answers import Playbook, PlaybookStep, Recovery, StepWarning
from mcp_memory.domain.episode import Episode, Json, Step, Trace
from mcp_memory.domain.feedback import Feedback, Recommendation
from mcp_memory.domain.metadata_keys import HOOK, RECORDED_BY
from mcp_memory.domain.pattern import Pattern, PatternKind, pattern_id
from mcp_memory.domain.query import ANY_PROJECT, Filter, Outlook, Query, Suggestion
from mcp_memory.domain.reports import Trends
from mcp_memory.domain.votes import VoteStats
from mcp_memory.learning.advice import playbook
from mcp_memory.learning.advice.adviser import Adviser
from mcp_memory.learning.advice.examples import arguments_of
from mcp_memory.learning.advice.outlook import OutlookEstimator
from mcp_memory.learning.history.experience import Experience, Place
from mcp_memory.learning.judging import reflection, reward
from mcp_memory.learning.judging.comparison import CHANGED, changed_files
from mcp_memory.learning.patterns import implicit
from mcp_memory.learning.patterns.assessing import Trust
from mcp_memory.learning.patterns.extractors import observations_of
from mcp_memory.learning.patterns.relevance import Relevance
from mcp_memory.learning.reading import step_signs, step_values
from mcp_memory.learning.reading.fingerprints import pack, pack_answers
from mcp_memory.learning.reading.run import run_of_episode
from mcp_memory.learning.reports import holdout, trends
from mcp_memory.learning.reports.guide import Guide
from mcp_memory.learning.reports.worker import AnalysisWorker
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Clock, Extraction, Judgement, Neighbours, Situation, Store

SAME_TASK = 0.8  # similarity from which an earlier episode counts as an attempt at the same task
SAME_KIND = 0.5  # similarity from which its length and duration are a yardstick
MAX_ATTEMPTS = 50
DIGEST_VERSION = 1


class Learner:
    """Implements `ports.LearningEngine`."""

    def __init__(
        self, store: Store, config: LearningConfig, metrics: Metrics, clock: Clock, spaces: Callable[[], Sequence[str]] = tuple
    ) -> None:
        """Start with an empty view. `spaces` names the embedding spaces, the local one first; tasks are clustered by it."""
        self._spaces = spaces
        self._store, self._config, self._metrics, self._clock = store, config, metrics, clock
        self._x = Experience()
        self._worker = AnalysisWorker()  # starts no process before it is asked
        self._trust = Trust(store, self._x, clock, config.half_life_days)
        self._adviser = Adviser(self._x, store.get_episodes, self._fix_ms)
        self._outlook = OutlookEstimator(self._x)
        self._relevance = Relevance(self._x, store, self._trust)
        self._guide = Guide(self._x, store, self._trust)

    # --- the view ---

    def add(self, traces: Sequence[Trace]) -> None:
        """Take completed episodes into the view."""
        self._x.add(traces)

    def remove(self, episode_ids: Sequence[str]) -> None:
        """Take episodes out of the view."""
        self._x.remove(episode_ids)

    def set_votes(self, votes: Mapping[str, VoteStats]) -> None:
        """Replace the sums of all votes."""
        self._trust.set_votes(votes)

    # --- completion ---

    def judge(self, episode: Episode, neighbours: Neighbours, beside: Sequence[tuple[Trace, float]] = ()) -> Judgement:
        """Return reward, reflection and key steps, measured against attempts at the same task that ended before this one."""
        signs = step_signs.read(episode.steps)
        runs = [*beside, *self._runs(neighbours, SAME_KIND)]
        earlier = [(t, similarity) for t, similarity in runs if similarity >= SAME_KIND and t.ended_at_ms <= (episode.ended_at_ms or 0)]
        rewarded = reward.reward(episode, _history(earlier), signs)
        values = step_values.step_values(episode, rewarded.score, signs)
        reflected = reflection.reflect(episode, rewarded, signs, [run for run in earlier if run[1] >= SAME_TASK])
        return Judgement(rewarded, reflected, step_values.key_steps(episode.steps, values))

    def _runs(self, neighbours: Neighbours, min_similarity: float) -> list[tuple[Trace, float]]:
        """Return the neighbours' traces with their steps and similarities, the most similar first."""
        rows = [(self._x.row(key), similarity) for key, similarity in neighbours[:MAX_ATTEMPTS] if similarity >= min_similarity]
        return [(self._x.full_trace(row), similarity) for row, similarity in rows if row is not None]

    def extract(self, episode: Episode) -> Extraction:
        """Return the episode's evidence and its digest. Pure."""
        digest: dict[str, Json] = {"v": DIGEST_VERSION, "args": pack(episode.steps), "answers": pack_answers(episode.steps)}
        if self._config.holdout > 0:
            digest[holdout.DIGEST_KEY] = self.in_holdout(episode.id)
            digest[holdout.WAS_LIVE] = episode.external_id is None or episode.metadata.get(RECORDED_BY) == HOOK
        if changed := changed_files(episode):
            digest[CHANGED] = changed
        run = run_of_episode(episode)
        observations = observations_of(run, [s.duration_ms for s in episode.steps]) if self._config.enabled else ()
        return Extraction(observations, tuple(run.errors.items()), digest)

    # --- advice ---

    def suggest(
        self, situation: Situation, limit: int, intended: Step | None
    ) -> tuple[tuple[Suggestion, ...], Recovery | None, tuple[StepWarning, ...]]:
        """Return suggestions, the recovery when the last step failed, and warnings about an intended step."""
        return self._adviser.suggest(situation, limit, intended)

    def _fix_ms(self, failed_key: str, signature: str, tried: str) -> float | None:
        """Return the median time this answer to this error took, None where no run measured it."""
        key = pattern_id(PatternKind.ERROR_RECOVERY, {"tool": failed_key, "error": signature, "try": tried})
        evidence = self._store.evidence([key]).get(key, [])
        known = [e.detail["duration_ms"] for e in evidence if e.success and e.detail.get("duration_ms") is not None]
        return float(median(known)) if known else None

    def outlook(self, query: Query, neighbours: Neighbours) -> Outlook | None:
        """Return the chance of success; None while the project is empty."""
        return self._outlook.outlook(_place(query), neighbours)

    def relevant_patterns(self, query: Query, neighbours: Neighbours, limit: int) -> list[tuple[Pattern, float, Mapping[str, float]]]:
        """Return (pattern with confidence, score, why), best first."""
        return self._relevance.relevant(query.filter.project, neighbours, limit)

    def playbook(self, query: Query, neighbours: Neighbours, max_steps: int) -> tuple[Playbook | None, str]:
        """Return the playbook, or None and the reason why there is none."""
        patterns = [p for p, _, _ in self._relevance.relevant(query.filter.project, neighbours, playbook.MAX_PATTERNS)]
        runs = self._runs(neighbours, SAME_KIND)
        book, reason = playbook.playbook(query.text, runs, patterns, max_steps)
        return (replace(book, steps=self._with_examples(book.steps, runs)) if book else None), reason

    def _with_examples(self, steps: Sequence[PlaybookStep], runs: Sequence[tuple[Trace, float]]) -> tuple[PlaybookStep, ...]:
        places = playbook.sources(steps, runs)
        ids = list(dict.fromkeys(place[0] for place in places if place))
        read = dict(zip(ids, self._store.get_episodes(ids), strict=True))
        return tuple(
            replace(step, arguments_example=arguments_of(read[place[0]], place[1], playbook.MAX_EXAMPLE_CHARS)) if place else step
            for step, place in zip(steps, places, strict=True)
        )

    # --- trust ---

    def confidence(self, patterns: Sequence[Pattern]) -> list[Pattern]:
        """Return the patterns with confidence, votes, use and retirement."""
        return self._trust.assess(patterns)

    def explain_confidence(self, pattern: Pattern) -> Mapping[str, Json]:
        """Return the numbers a pattern's confidence was computed from."""
        return self._trust.explain(pattern)

    def usage(self, pattern_id: str) -> Mapping[str, Json]:
        """Return how often a pattern was shown and used, and how these episodes ended."""
        return self._trust.usage_report(pattern_id)

    def implicit_feedback(self, episode: Episode, recommendations: Sequence[Recommendation]) -> tuple[Feedback, ...]:
        """Return the votes that a completed episode casts by what its steps used."""
        if not recommendations:
            return ()
        shown = list(dict.fromkeys(key for r in recommendations for key in r.shown_ids))
        patterns = {p.id: p for p in self._store.patterns(ids=[k for k in shown if k.startswith("pat_")], limit=max(1, len(shown)))}
        rows = {key: row for key in shown if (row := self._x.row(key)) is not None}
        runs = {key: self._x.full_trace(row) for key, row in rows.items()}
        return implicit.implicit_feedback(episode, recommendations, patterns, runs, self._clock())

    # --- proof and reports ---

    def in_holdout(self, episode_id: str) -> bool:
        """Return whether the episode belongs to the control group."""
        return holdout.in_holdout(episode_id, self._config.holdout)

    def holdout_report(self, project: str) -> Mapping[str, Json]:
        """Return outcomes with and without memory, with an interval."""
        return self._holdout_report(project, self._x.outlines())

    def _holdout_report(self, project: str, traces: Iterable[Trace]) -> Mapping[str, Json]:
        return holdout.report((t for t in traces if project in (ANY_PROJECT, t.project)), self._config.holdout)

    def episode_ids(self) -> list[str]:
        """Return the ids of all episodes of the view, in the order they came."""
        return [trace.id for trace in self._x.outlines()]

    def traces(self, ids: Sequence[str]) -> list[Trace]:
        """Return the traces, with their steps, of those of *ids* that are in the view."""
        return [self._x.full_trace(row) for key in ids if (row := self._x.row(key)) is not None]

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

    def lessons_markdown(self, *, domain: str, project: str, budget_tokens: int) -> str:
        """Return the best-supported patterns as a Markdown guide."""
        return self._guide.markdown(domain, project, budget_tokens)

    def stats(self) -> Mapping[str, Json]:
        """Return what the view holds."""
        return self._x.stats()


def _history(earlier: Sequence[tuple[Trace, float]]) -> reward.History:
    good = [t for t, _ in earlier if t.success]
    return reward.History(
        step_counts=tuple(len(t.step_keys) for t in good),
        durations_ms=tuple(max(0, t.ended_at_ms - t.started_at_ms) for t in good),
        attempts=sum(similarity >= SAME_TASK for _, similarity in earlier),
    )


def _place(query: Query) -> Place:
    where = query.filter
    return Place(where.project, where.domain, where.framework, frozenset(where.tags))
