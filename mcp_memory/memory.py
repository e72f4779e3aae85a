"""The front door: `EpisodicMemory`, one method per thing an agent can ask. Server and CLI both call it; neither knows SQL or numpy.

Arguments are named as in the tool contract; everything is checked here, and answers are the records of `domain/answers.py` and
`domain/reports.py`. Built by `bootstrap.open_memory`, which also owns the background work.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

from mcp_memory.domain import answers, limits, parsing, reports
from mcp_memory.domain.query import Filter
from mcp_memory.metrics import Metrics
from mcp_memory.verbs.advising import Advising
from mcp_memory.verbs.background import Background
from mcp_memory.verbs.curating import Curating
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.exchange import Exchange
from mcp_memory.verbs.recalling import Recalling
from mcp_memory.verbs.recording import Recording
from mcp_memory.verbs.redacting import Redacting
from mcp_memory.verbs.reporting import Reporting
from mcp_memory.verbs.retention import Retention

Raw = Mapping[str, Any]


class EpisodicMemory:
    """A memory that is open. Every method may raise InvalidInput, NotFound, Overloaded or StoreUnavailable; see each verb.

    Durability: a method that writes returns after its commit; a method that raises wrote nothing.
    Cancellation: a caller may go away at any moment; an accepted write still happens.
    """

    def __init__(self, engines: Engines, background: Background) -> None:
        redacting = Redacting(engines.config.server.redact, engines.metrics)
        self._engines, self._background = engines, background
        self._watchers: list[Callable[[str], None]] = []
        self._recalling = Recalling(engines)
        self._recording = Recording(engines, self._recalling, redacting, background, self._on_completed)
        self._advising = Advising(engines, redacting)
        self._curating = Curating(engines, redacting)
        self._reporting = Reporting(engines)
        self._exchange = Exchange(engines, redacting, background.ring)
        self._retention = Retention(engines, self._exchange)

    @property
    def metrics(self) -> Metrics:
        """Counters and timings of this process."""
        return self._engines.metrics

    @property
    def project(self) -> str:
        """The namespace used when a call names none."""
        return self._engines.project

    # --- recording ---
    async def start_episode(
        self, task: str, *, recall: bool = True, budget_tokens: int = 800, episode_id: str = "", **fields: Any
    ) -> answers.StartedEpisode:
        """Open an episode for *task*; also return what earlier episodes say about it, unless `recall` is false.

        `episode_id` is one that `prepare_episode` gave; it can be opened once.
        """
        return await self._recording.start({"task": task, **fields}, recall=recall, budget_tokens=budget_tokens, episode_id=episode_id)

    async def prepare_episode(
        self, task: str, *, limit: int = 5, budget_tokens: int = 800, min_similarity: float = 0.0, **fields: Any
    ) -> answers.StartedEpisode:
        """Return what earlier episodes say about *task*, and open nothing: for who hears of a task before anything is done about it.

        What was shown counts for the episode that `start_episode` opens under the id returned; in the control group nothing is.
        """
        return await self._recording.prepare(
            {"task": task, **fields}, limit=limit, budget_tokens=budget_tokens, min_similarity=min_similarity
        )

    @property
    def has_control_group(self) -> bool:
        """Whether a share of the episodes gets no advice, so that its worth can be measured."""
        return self._engines.config.learning.holdout > 0

    async def log_step(self, episode_id: str, tool: str, **fields: Any) -> answers.LoggedSteps:
        """Append one step to an open episode. Raises EpisodeClosed."""
        return await self._recording.log(episode_id, [{"tool": tool, **fields}], many=False)

    async def log_steps(self, episode_id: str, steps: Sequence[Raw]) -> answers.LoggedSteps:
        """Append up to 100 steps, all or none. Raises EpisodeClosed."""
        return await self._recording.log(episode_id, steps, many=True)

    async def complete_episode(self, episode_id: str, outcome: str, **fields: Any) -> answers.CompletedEpisode:
        """Close an episode: reward, reflection and patterns are committed with it. Raises EpisodeClosed."""
        return await self._recording.complete(episode_id, {"outcome": outcome, **fields})

    def _on_completed(self, episode_id: str) -> None:
        self._background.ring()
        for watcher in self._watchers:
            watcher(episode_id)

    def on_completed(self, watcher: Callable[[str], None]) -> None:
        """Call *watcher* with the episode's id after every completion in this process."""
        self._watchers.append(watcher)

    # --- recalling ---
    async def recall(self, query: str, **arguments: Any) -> answers.Recall:
        """Return the episodes and patterns that help with *query*, best first, within a token budget."""
        return await self._recalling.recall({"query": query, **arguments})

    async def search_episodes(self, **arguments: Any) -> answers.EpisodePage:
        """List episodes, open ones too, by text, filter and order."""
        return await self._recalling.search(arguments)

    async def get_episode(
        self, episode_id: str, detail: str = "summary", step_from: int = 0, step_limit: int = 50
    ) -> answers.EpisodeDetail:
        """Return one episode; its steps a page at a time."""
        return await self._recalling.get(episode_id, detail, step_from, step_limit)

    # --- advising ---
    async def suggest_next_step(self, episode_id: str, limit: int = 3, intended: Raw | None = None) -> answers.NextStep:
        """Say what helped next in episodes like this open one; with *intended*, warn when that very step failed before."""
        return await self._advising.next_step(episode_id, limit, intended)

    async def recommend_playbook(self, task: str, **arguments: Any) -> answers.PlaybookAnswer:
        """Return ordered steps for *task* from the attempts that worked, or None and the reason."""
        return await self._advising.playbook({"task": task, **arguments})

    async def give_feedback(self, recommendation_id: str, outcome: str, **arguments: Any) -> answers.FeedbackRecorded:
        """Record whether an answer helped."""
        return await self._advising.feedback({"recommendation_id": recommendation_id, "outcome": outcome, **arguments})

    # --- patterns and reports ---
    async def search_patterns(self, **arguments: Any) -> answers.PatternPage:
        """List patterns by text or by confidence."""
        return await self._reporting.search_patterns(arguments)

    async def get_pattern(self, pattern_id: str) -> answers.PatternDetail:
        """Return one pattern with its evidence and how its confidence came about."""
        return await self._reporting.get_pattern(pattern_id)

    async def analyze_trends(self, **arguments: Any) -> reports.Trends:
        """Return a metric over time, its breaks, and clusters of similar tasks."""
        return await self._reporting.trends(arguments)

    async def memory_status(self) -> reports.Status:
        """Return where the memory is, what it holds and how it is doing."""
        return await self._reporting.status()

    async def lessons_markdown(self, domain: str = "", project: str = "", budget_tokens: int = 1500) -> str:
        """Return the best-supported patterns as a short Markdown guide with evidence."""
        where = parsing.where({"project": project, "domain": domain}, default_project=self.project)
        budget_tokens = parsing.whole("budget_tokens", budget_tokens, limits.MIN_BUDGET_TOKENS, limits.MAX_BUDGET_TOKENS)
        return await self._reporting.lessons(domain=where.domain, project=where.project, budget_tokens=budget_tokens)

    async def project_digest(self, project: str = "", budget_tokens: int = 1500) -> str:
        """Return what an agent can be started with: a project's latest episodes and best lessons, as Markdown."""
        budget_tokens = parsing.whole("budget_tokens", budget_tokens, limits.MIN_BUDGET_TOKENS, limits.MAX_BUDGET_TOKENS)
        return await self._reporting.digest(project=parsing.project(project, self.project), budget_tokens=budget_tokens)

    async def doctor(self) -> list[tuple[str, bool, str]]:
        """Check everything; (check, fine, detail) rows. May take seconds."""
        return await self._reporting.doctor()

    async def distinct(self, column: str, prefix: str = "", limit: int = 100) -> list[str]:
        """Return known values of project, domain, language, framework or agent, for completions."""
        return await self._engines.in_thread(lambda: self._engines.store.distinct(column, prefix, limit))

    # --- curating ---
    async def update_episode(self, episode_id: str, **fields: Any) -> answers.EpisodeRow:
        """Edit tags, metadata or the task's wording."""
        return await self._curating.update({"episode_id": episode_id, **fields})

    async def link_episodes(self, from_id: str, to_id: str, type: str, note: str = "", remove: bool = False) -> reports.Linked:
        """Put or remove a link; a cycle in an acyclic type is refused."""
        return await self._curating.link(from_id, to_id, type, note, remove)

    async def related_episodes(
        self, episode_id: str, types: Sequence[str] = (), direction: str = "both", depth: int = 1
    ) -> reports.RelatedEpisodes:
        """Walk the links around an episode."""
        return await self._curating.related(episode_id, types, direction, depth)

    async def checkpoint_episode(self, episode_id: str, label: str, **fields: Any) -> reports.Checkpoint:
        """Mark a point in an open episode, with a pack another agent can go on from."""
        return await self._curating.checkpoint({"episode_id": episode_id, "label": label, **fields})

    async def resume_episode(self, checkpoint_id: str | None = None, episode_id: str | None = None) -> reports.Resumed:
        """Go on from a checkpoint: in the same episode while it is open, else in a new one that follows it."""
        return await self._curating.resume(checkpoint_id, episode_id)

    async def forget(self, **arguments: Any) -> reports.Forgotten:
        """Count, or with confirm=true delete, episodes and everything that rests on them."""
        return await self._curating.forget(arguments)

    async def correct(self, target_id: str, text: str, *, reason: str = "", contradicts: bool = False) -> None:
        """Put a correction over a pattern or an episode's lessons; it outranks what it corrects."""
        await self._curating.correct(target_id, text, reason=reason, contradicts=contradicts)

    async def prune(
        self,
        *,
        older_than_days: float | None = None,
        below_reward: float | None = None,
        max_bytes: int | None = None,
        project: str = "",
        archive: str | None = None,
        apply: bool = False,
    ) -> reports.Pruned:
        """Let go of what has outlived its use; count only unless *apply*, archive before deleting."""
        return await self._retention.prune(
            older_than_days=older_than_days,
            below_reward=below_reward,
            max_bytes=max_bytes,
            project=project,
            archive=archive,
            apply=apply,
        )

    # --- whole episodes ---
    async def import_lines(
        self, lines: Iterable[str | bytes], progress: Callable[[int], None] | None = None, project: str = "", *, dry_run: bool = False
    ) -> reports.ImportReport:
        """Import interchange lines; idempotent by external id. Bad lines are reported, the others imported; with *dry_run* only counted."""
        return await self._exchange.read(lines, progress, project, dry_run=dry_run)

    def export_lines(self, where: Filter | None = None) -> AsyncIterator[str]:
        """Yield the interchange lines of the episodes that match, oldest first."""
        return self._exchange.write(where or Filter(project="*"))

    async def settle(self, progress: Callable[[int], None] | None = None) -> None:
        """Wait until everything committed is also embedded and indexed; *progress* gets the number still waiting."""
        await self._background.settle(progress)
