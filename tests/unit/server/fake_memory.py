"""A scripted stand-in for the front door: real answer records, no storage. It keeps what it was asked, so that tests can look."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio

from mcp_memory.config import Config
from mcp_memory.domain import answers, reports
from mcp_memory.domain.episode import Context, Episode, EpisodeState, Outcome, OutcomeKind, Reflection, Reward, Step, StepStatus
from mcp_memory.domain.query import Outlook, Suggestion
from mcp_memory.errors import EpisodeClosed, NotFound
from mcp_memory.metrics import Metrics

STARTED_AT_MS = 1_700_000_000_000


class FakeMemory:
    """Answers every verb. Episodes live in a dict."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.episodes: dict[str, list[dict[str, Any]]] = {}
        self.completed: set[str] = set()
        self.watchers: list[Callable[[str], None]] = []
        self.metrics = Metrics()
        self.project = "shop"
        self.failure: Exception | None = None  # raised by the next verb
        self.delay_s = 0.0
        self.observation = "out"

    async def _asked(self, verb: str, arguments: dict[str, Any]) -> None:
        if self.delay_s:
            await anyio.sleep(self.delay_s)
        self.calls.append((verb, arguments))
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure

    def _open(self, episode_id: str) -> list[dict[str, Any]]:
        if episode_id not in self.episodes:
            raise NotFound(f"no episode {episode_id}")
        if episode_id in self.completed:
            raise EpisodeClosed
        return self.episodes[episode_id]

    async def start_episode(self, **arguments: Any) -> answers.StartedEpisode:
        await self._asked("start_episode", arguments)
        episode_id = f"ep{len(self.episodes)}"
        self.episodes[episode_id] = []
        recalled = _recall() if arguments.get("recall", True) else None
        return answers.StartedEpisode(episode_id, self.project, STARTED_AT_MS, recalled)

    async def log_step(self, episode_id: str, tool: str, **fields: Any) -> answers.LoggedSteps:
        return await self.log_steps(episode_id, [{"tool": tool, **fields}])

    async def log_steps(self, episode_id: str, steps: list[dict[str, Any]]) -> answers.LoggedSteps:
        await self._asked("log_steps", {"episode_id": episode_id, "steps": steps})
        logged = self._open(episode_id)
        logged.extend(steps)
        return answers.LoggedSteps(episode_id, len(logged) - len(steps), len(logged) - 1)

    async def complete_episode(self, episode_id: str, outcome: str, **fields: Any) -> answers.CompletedEpisode:
        await self._asked("complete_episode", {"episode_id": episode_id, "outcome": outcome, **fields})
        steps = self._open(episode_id)
        self.completed.add(episode_id)
        for watcher in self.watchers:
            watcher(episode_id)
        pattern = answers.LearnedPattern("pat_1", "tool_sequence", "edit, then test", 2, 2, 0, 0.5, True)
        reward = Reward(0.875, {"outcome": 1.0, "efficiency": 0.5})
        return answers.CompletedEpisode(episode_id, outcome, reward, Reflection(("step 0 worked",)), (pattern,), len(steps), 1234)

    async def recall(self, query: str, **arguments: Any) -> answers.Recall:
        await self._asked("recall", {"query": query, **arguments})
        return _recall(arguments.get("limit", 5))

    async def suggest_next_step(self, episode_id: str, **arguments: Any) -> answers.NextStep:
        await self._asked("suggest_next_step", {"episode_id": episode_id, **arguments})
        self._open(episode_id)
        suggestion = Suggestion("bash", "pytest", "worked 3 of 4 times", 0.6, ("pat_1",), {"path": "tests", "x_at_ms": 5, "none": None})
        recovery = answers.Recovery("ModuleNotFoundError", ({"tool": "bash", "fixed": 2, "tried": 2},))
        return answers.NextStep("rec_2", (suggestion,), recovery, (answers.StepWarning("failed before", 2, 3, ("ep1",)),))

    async def recommend_playbook(self, task: str, **arguments: Any) -> answers.PlaybookAnswer:
        await self._asked("recommend_playbook", {"task": task, **arguments})
        return answers.PlaybookAnswer(None, None, "no attempt at anything like it")

    async def give_feedback(self, recommendation_id: str, outcome: str, **arguments: Any) -> answers.FeedbackRecorded:
        await self._asked("give_feedback", {"recommendation_id": recommendation_id, "outcome": outcome, **arguments})
        return answers.FeedbackRecorded(True, ("pat_1",))

    async def search_episodes(self, **arguments: Any) -> answers.EpisodePage:
        await self._asked("search_episodes", arguments)
        limit = arguments.get("limit", 20)
        return answers.EpisodePage(tuple(_row(f"ep{i}") for i in range(limit)), f"after{limit}", 1000)

    async def get_episode(self, episode_id: str, **arguments: Any) -> answers.EpisodeDetail:
        await self._asked("get_episode", {"episode_id": episode_id, **arguments})
        if episode_id not in self.episodes:
            raise NotFound(f"no episode {episode_id}")
        return answers.EpisodeDetail(self._episode(episode_id, arguments.get("step_limit", 50)), ("net",), None)

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

    async def memory_status(self) -> reports.Status:
        await self._asked("memory_status", {})
        latency = {"recall": {"p50": 1.23456, "p95": 2.0, "p99": 3.0, "count": 7}}
        return reports.Status(
            "0.1.0",
            "/data",
            self.project,
            "full",
            {"episodes": 3},
            latency,
            {"hot": {"hits": 1}},
            {"state": "ready"},
            {"state": "off"},
            1,
            {},
            (),
        )

    async def search_patterns(self, **arguments: Any) -> answers.PatternPage:
        await self._asked("search_patterns", arguments)
        return answers.PatternPage((_pattern(),), None, 1)

    async def get_pattern(self, pattern_id: str) -> answers.PatternDetail:
        await self._asked("get_pattern", {"pattern_id": pattern_id})
        if pattern_id != "pat_1":
            raise NotFound(f"no pattern {pattern_id}")
        evidence = ({"episode_id": "ep0", "success": True, "weight": 1.0, "at_ms": 1},)
        return answers.PatternDetail(_pattern(), {"steps": ["a"]}, self.project, 1, 2, evidence, {"wilson": 0.5}, ())

    async def analyze_trends(self, **arguments: Any) -> reports.Trends:
        await self._asked("analyze_trends", arguments)
        return reports.Trends(({"bucket": "2026-01-01", "value": 0.5, "count": 2},), (), ())

    async def checkpoint_episode(self, episode_id: str, label: str, **arguments: Any) -> reports.Checkpoint:
        await self._asked("checkpoint_episode", {"episode_id": episode_id, "label": label, **arguments})
        self._open(episode_id)
        return reports.Checkpoint("chk_1", {"goal": "fix it", "next": ["test"]})

    async def resume_episode(self, **arguments: Any) -> reports.Resumed:
        await self._asked("resume_episode", arguments)
        return reports.Resumed("ep9", {"goal": "fix it"}, 3)

    async def update_episode(self, episode_id: str, **arguments: Any) -> answers.EpisodeRow:
        await self._asked("update_episode", {"episode_id": episode_id, **arguments})
        return _row(episode_id)

    async def link_episodes(self, **arguments: Any) -> reports.Linked:
        await self._asked("link_episodes", arguments)
        return reports.Linked("lnk_1", False)

    async def related_episodes(self, episode_id: str, **arguments: Any) -> reports.RelatedEpisodes:
        await self._asked("related_episodes", {"episode_id": episode_id, **arguments})
        return reports.RelatedEpisodes((_row(episode_id),), ({"from_id": episode_id, "to_id": "ep2", "type": "follows", "note": ""},))

    async def forget(self, **arguments: Any) -> reports.Forgotten:
        await self._asked("forget", arguments)
        ids = tuple(arguments.get("episode_ids", ()))
        counts = {"episodes": len(ids), "steps": 3 * len(ids)}
        if arguments.get("confirm"):
            return reports.Forgotten(None, counts, ids)
        return reports.Forgotten(counts, None, ids)

    async def lessons_markdown(self, domain: str = "", project: str = "", budget_tokens: int = 1500) -> str:
        await self._asked("lessons_markdown", {"domain": domain})
        return f"# Lessons: {domain}\n"

    async def project_digest(self, project: str = "", budget_tokens: int = 1500) -> str:
        await self._asked("project_digest", {"project": project})
        return f"# {project}\n"

    async def distinct(self, column: str, prefix: str = "", limit: int = 100) -> list[str]:
        return [value for value in ("shop", "shelf", "web") if value.startswith(prefix)][:limit]

    def on_completed(self, watcher: Callable[[str], None]) -> None:
        self.watchers.append(watcher)


@asynccontextmanager
async def open_fake(config: Config) -> AsyncIterator[FakeMemory]:
    """Open like `bootstrap.open_memory`."""
    yield FakeMemory()


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
