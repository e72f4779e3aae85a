"""A scripted stand-in for the facade: real answer records, no storage. It keeps what it was asked, so that tests can look."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio

from mcp_memory.config import Config
from mcp_memory.domain import answers, reports, requests, status
from mcp_memory.domain.callers import NOBODY, Caller
from mcp_memory.domain.curation import Handoff, Link
from mcp_memory.domain.episode import Context, Episode, EpisodeState, Outcome, OutcomeKind, Reflection, Reward, Step, StepStatus
from mcp_memory.domain.forks import Fork, StepMark
from mcp_memory.domain.pattern import ConfidenceNumbers
from mcp_memory.domain.query import Outlook, Suggestion
from mcp_memory.errors import EpisodeClosed, NotFound
from mcp_memory.metrics import Metrics
from mcp_memory.projects import Project
from mcp_memory.server.memory_protocol import Memory

STARTED_AT_MS = 1_700_000_000_000


class FakeMemory:
    """Answers every verb. Episodes live in a dict. It is a `Memory` as type checkers see it; see the end of this file."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.episodes: dict[str, list[dict[str, Any]]] = {}
        self.completed: set[str] = set()
        self.watchers: list[Callable[[str], None]] = []
        self.metrics = Metrics()
        self.project = "shop"
        self.projects: list[str] = []  # that calls came from
        self.failure: Exception | None = None  # raised by the next verb
        self.delay_s = 0.0
        self.observation = "out"

    async def _asked(self, asked: requests.Request) -> None:
        if self.delay_s:
            await anyio.sleep(self.delay_s)
        self.calls.append((asked.verb(), asked.given()))
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure

    async def project_named(self, project: Project, /) -> str:
        return project.name

    @contextmanager
    def working_in(self, project: str, caller: Caller = NOBODY, /) -> Iterator[None]:
        self.projects.append(project)
        yield

    @property
    def heard_project(self) -> str:
        return ""

    def keep_map_ready(self) -> None:
        """There is none."""

    def _open(self, episode_id: str) -> list[dict[str, Any]]:
        if episode_id not in self.episodes:
            raise NotFound(f"no episode {episode_id}")
        if episode_id in self.completed:
            raise EpisodeClosed
        return self.episodes[episode_id]

    async def start_episode(self, asked: requests.StartEpisode, /) -> answers.StartedEpisode:
        await self._asked(asked)
        episode_id = f"ep{len(self.episodes)}"
        self.episodes[episode_id] = []
        recalled = _recall() if asked.recall else None
        return answers.StartedEpisode(episode_id, self.project, STARTED_AT_MS, recalled)

    async def log_step(self, asked: requests.LogStep, /) -> answers.LoggedSteps:
        await self._asked(asked)
        return self._logged(asked.episode_id, [asked.given()])

    async def log_steps(self, asked: requests.LogSteps, /) -> answers.LoggedSteps:
        await self._asked(asked)
        return self._logged(asked.episode_id, [step.given() for step in asked.steps if isinstance(step, requests.StepFields)])

    def _logged(self, episode_id: str, steps: list[dict[str, Any]]) -> answers.LoggedSteps:
        logged = self._open(episode_id)
        logged.extend(steps)
        return answers.LoggedSteps(episode_id, len(logged) - len(steps), len(logged) - 1)

    async def complete_episode(self, asked: requests.CompleteEpisode, /) -> answers.CompletedEpisode:
        await self._asked(asked)
        steps = self._open(asked.episode_id)
        self.completed.add(asked.episode_id)
        for watcher in self.watchers:
            watcher(asked.episode_id)
        pattern = answers.LearnedPattern("pat_1", "tool_sequence", "edit, then test", 2, 2, 0, 0.5, True)
        reward = Reward(0.875, {"outcome": 1.0, "efficiency": 0.5})
        reflection = Reflection(("step 0 worked",))
        return answers.CompletedEpisode(asked.episode_id, asked.outcome, reward, reflection, (pattern,), len(steps), 1234)

    async def recall(self, asked: requests.Recall, /) -> answers.Recall:
        await self._asked(asked)
        return _recall(asked.limit)

    async def suggest_next_step(self, asked: requests.SuggestNextStep, /) -> answers.NextStep:
        await self._asked(asked)
        self._open(asked.episode_id)
        suggestion = Suggestion("bash", "pytest", "worked 3 of 4 times", 0.6, ("pat_1",), {"path": "tests", "x_at_ms": 5, "none": None})
        fix = answers.TriedFix("bash", "", "fixed", tried=2, fixed=2, got_on=0, median_steps=None, median_ms=None, evidence=())
        recovery = answers.Recovery("ModuleNotFoundError", (fix,))
        return answers.NextStep("rec_2", (suggestion,), recovery, (answers.StepWarning("failed before", 2, 3, ("ep1",)),))

    async def recommend_playbook(self, asked: requests.RecommendPlaybook, /) -> answers.PlaybookAnswer:
        await self._asked(asked)
        return answers.PlaybookAnswer(None, None, "no attempt at anything like it")

    async def give_feedback(self, asked: requests.GiveFeedback, /) -> answers.FeedbackRecorded:
        await self._asked(asked)
        return answers.FeedbackRecorded(True, ("pat_1",))

    async def search_episodes(self, asked: requests.SearchEpisodes, /) -> answers.EpisodePage:
        await self._asked(asked)
        limit = asked.limit
        return answers.EpisodePage(tuple(_row(f"ep{i}") for i in range(limit)), f"after{limit}", 1000)

    async def get_episode(self, asked: requests.GetEpisode, /) -> answers.EpisodeDetail:
        await self._asked(asked)
        if asked.episode_id not in self.episodes:
            raise NotFound(f"no episode {asked.episode_id}")
        return answers.EpisodeDetail(self._episode(asked.episode_id, asked.step_limit), ("net",), None)

    def _episode(self, episode_id: str, step_limit: int) -> Episode:
        step = Step(
            "bash", "pytest", {"path": "tests", "none": None}, self.observation, StepStatus.ERROR, "boom", 5, None, STARTED_AT_MS, 0
        )
        return Episode(
            id=episode_id,
            project=self.project,
            task="fix it",
            context=Context(domain="web", tags=("old",)),
            started_at_ms=STARTED_AT_MS,
            ended_at_ms=STARTED_AT_MS + 1,
            state=EpisodeState.COMPLETED,
            steps=(step,) * step_limit,
            step_count=step_limit,
            outcome=Outcome(OutcomeKind.SUCCESS, "done", ("lesson",)),
            metadata={"created_at_ms": 3},
        )

    async def memory_status(self, asked: requests.MemoryStatus, /) -> status.Status:
        await self._asked(asked)
        latency = {"recall": {"p50": 1.23456, "p95": 2.0, "p99": 3.0, "count": 7}}
        nobody = reports.GroupOutcomes(0, 0, None, (0.0, 1.0), None)
        holdout = reports.Holdout(0.0, nobody, nobody, 0.0, (-1.0, 1.0), "no control group")
        caches = status.Caches(status.DiskCacheStats(hits=1), status.CacheStats(0, 0, 0), status.CacheStats(0, 0, 0))
        embedding = status.EmbeddingStatus("local", "local", "m", 384, "ready", "", ("local:m:384",), 1.0, ())
        learning = status.LearningStatus(3, 30, 4, 5, holdout)
        return status.Status(
            "0.1.0", "/data", self.project, "full", {"episodes": 3}, latency, caches, embedding, status.Replication(), 1, learning, ()
        )

    async def search_patterns(self, asked: requests.SearchPatterns, /) -> answers.PatternPage:
        await self._asked(asked)
        return answers.PatternPage((_pattern(),), None, 1)

    async def get_pattern(self, asked: requests.GetPattern, /) -> answers.PatternDetail:
        await self._asked(asked)
        if asked.pattern_id != "pat_1":
            raise NotFound(f"no pattern {asked.pattern_id}")
        evidence = (answers.ShownEvidence("ep0", True, 1.0, "1970-01-01T00:00:00Z", {}),)
        numbers = ConfidenceNumbers(9, 1, 0.0, 180.0, 10.0, 0.6, 0.98, 0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, None, False, "", 0.6)
        return answers.PatternDetail(_pattern(), {"steps": ["a"]}, self.project, 1, 2, evidence, numbers, ())

    async def analyze_trends(self, asked: requests.AnalyzeTrends, /) -> reports.Trends:
        await self._asked(asked)
        return reports.Trends((reports.SeriesPoint("2026-01-01", 0.5, 2),), (), ())

    async def checkpoint_episode(self, asked: requests.CheckpointEpisode, /) -> reports.Checkpoint:
        await self._asked(asked)
        self._open(asked.episode_id)
        return reports.Checkpoint("chk_1", Handoff("fix it", next=("test",)))

    async def resume_episode(self, asked: requests.ResumeEpisode, /) -> reports.Resumed:
        await self._asked(asked)
        return reports.Resumed("ep9", Handoff("fix it"), 3)

    async def update_episode(self, asked: requests.UpdateEpisode, /) -> answers.EpisodeRow:
        await self._asked(asked)
        return _row(asked.episode_id)

    async def link_episodes(self, asked: requests.LinkEpisodes, /) -> reports.Linked:
        await self._asked(asked)
        return reports.Linked("lnk_1", False)

    async def related_episodes(self, asked: requests.RelatedEpisodes, /) -> reports.RelatedEpisodes:
        await self._asked(asked)
        return reports.RelatedEpisodes((_row(asked.episode_id),), (Link(asked.episode_id, "ep2", "follows"),))

    async def compare_attempts(self, asked: requests.CompareAttempts, /) -> Fork:
        await self._asked(asked)
        raise NotFound(f"there is no episode {asked.episode_id!r}")

    async def mark_steps(self, asked: requests.MarkSteps, /) -> tuple[StepMark, ...]:
        await self._asked(asked)
        return ()

    async def forget(self, asked: requests.Forget, /) -> reports.Forgotten:
        await self._asked(asked)
        ids = tuple(asked.episode_ids)
        counts = {"episodes": len(ids), "steps": 3 * len(ids)}
        if asked.confirm:
            return reports.Forgotten(None, counts, ids)
        return reports.Forgotten(counts, None, ids)

    async def lessons_markdown(self, asked: requests.LessonsMarkdown, /) -> str:
        await self._asked(asked)
        return f"# Lessons: {asked.domain}\n"

    async def project_digest(self, asked: requests.ProjectDigest, /) -> str:
        await self._asked(asked)
        return f"# {asked.project}\n"

    async def distinct(self, column: str, prefix: str = "", limit: int = 100) -> list[str]:
        return [value for value in ("shop", "shelf", "web") if value.startswith(prefix)][:limit]

    def on_completed(self, watcher: Callable[[str], None]) -> None:
        self.watchers.append(watcher)


@asynccontextmanager
async def open_fake(config: Config) -> AsyncIterator[FakeMemory]:
    """Open like `bootstrap.open_memory`."""
    yield FakeMemory()


def as_memory(memory: FakeMemory) -> Memory:
    """Return *memory* as what the server asks; a verb that only one of the two knows is a type error here."""
    return memory


def _recall(limit: int = 5) -> answers.Recall:
    why = {"lexical": 0.5, "semantic": 0.123456}
    episode = answers.RecalledEpisode("ep1", None, "earlier task", "success", 0.9, "did it", ("lesson",), ("#0 bash",), 1.5, 0.8, why)
    return answers.Recall("rec_1", "shop", (episode,) * limit, (_pattern(),), Outlook(0.75, 8), 12, 345, False)


def _pattern() -> answers.RecalledPattern:
    return answers.RecalledPattern("pat_1", "tool_sequence", "edit, then test", 2, 2, 0, 0.5, 0.4, {"lexical": 0.4})


def _row(episode_id: str) -> answers.EpisodeRow:
    return answers.EpisodeRow(
        episode_id, None, "shop", "task " * 20, "other", "web", "", "", ("a",), "completed", "success", 0.5, 3, STARTED_AT_MS, None
    )
