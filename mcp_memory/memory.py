"""The facade: `EpisodicMemory`, one method per thing an agent can ask. Server and CLI both call it; neither knows SQL or numpy.

What can be asked is written in `domain/requests/`: a verb takes its record, or the record's fields by name, and both are checked before
anything is done. Answers are the records of `domain/{answers,reports,status}.py`. Built by `bootstrap.open_memory`, which also
owns the background work.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from mcp_memory.config import Config
from mcp_memory.domain import answers, reports, requests, status
from mcp_memory.domain.activity import Activity, WorkedFile
from mcp_memory.domain.backups import Backup, Compacted
from mcp_memory.domain.callers import NOBODY, Caller
from mcp_memory.domain.forks import Fork, ForkedTask, StepMark
from mcp_memory.domain.forming import filter_of
from mcp_memory.domain.pattern import ToldPattern
from mcp_memory.domain.query import ANY_PROJECT, Filter
from mcp_memory.domain.task_map import TaskMap
from mcp_memory.metrics import Metrics
from mcp_memory.projects import Project
from mcp_memory.verbs.activity import RecentWork
from mcp_memory.verbs.advising import Advising
from mcp_memory.verbs.asked import short_id, takes, with_whole_ids
from mcp_memory.verbs.background import Background
from mcp_memory.verbs.curating import Curating
from mcp_memory.verbs.engines import Engines, calling, distinct, working_in
from mcp_memory.verbs.exporting import Exporting
from mcp_memory.verbs.forking import Forking
from mcp_memory.verbs.importing import Importing
from mcp_memory.verbs.labelling import Labelling
from mcp_memory.verbs.mapping import Mapping as TaskMapping
from mcp_memory.verbs.reach import Reach, home_of
from mcp_memory.verbs.recalling import Recalling
from mcp_memory.verbs.recording import Recording
from mcp_memory.verbs.recovery import Recovery
from mcp_memory.verbs.redacting import Redacting
from mcp_memory.verbs.reporting import Reporting
from mcp_memory.verbs.retention import Retention
from mcp_memory.verbs.shown import Shown
from mcp_memory.verbs.voting import Voting

A = TypeVar("A")
R = TypeVar("R", bound=requests.Request)
LARGE = 5_000  # episodes; below, the dearest page takes some 60 ms of processor time


class EpisodicMemory:
    """A memory that is open. Every method may raise InvalidInput, NotFound, Overloaded or StoreUnavailable; see each verb.

    Durability: a method that writes returns after its commit; a method that raises wrote nothing.
    Cancellation: a caller may go away at any moment; an accepted write still happens.
    """

    def __init__(self, engines: Engines, background: Background, recovery: Recovery) -> None:
        redacting = Redacting(engines.config.server.redact, engines.metrics)
        self._engines, self._background, self._recovery = engines, background, recovery
        self._watchers: list[Callable[[str], None]] = []
        shown = Shown(engines)
        self._recalling, self._reach = Recalling(engines, shown), Reach(engines, shown)
        self._recording = Recording(engines, self._recalling, redacting, background, Voting(engines, shown), self._on_completed)
        self._labelling = Labelling(engines, redacting, self._recording, self._on_completed)
        self._advising = Advising(engines, redacting, shown, self._labelling)
        self._curating = Curating(engines, redacting)
        self._reporting, self._forking, self._recent = Reporting(engines), Forking(engines), RecentWork(engines)
        self._mapping = TaskMapping(engines, LARGE)
        self._importing, self._exporting = Importing(engines, redacting, background.ring), Exporting(engines)
        self._retention = Retention(engines, self._exporting)

    @property
    def metrics(self) -> Metrics:
        """Counters and timings of this process."""
        return self._engines.metrics

    @property
    def config(self) -> Config:
        """The settings it was opened with."""
        return self._engines.config

    @property
    def project(self) -> str:
        """The namespace used when a call names none."""
        return self._engines.project

    async def project_named(self, project: Project) -> str:
        """Return the namespace a project is kept in: its own name, or one that an earlier version kept it under; that is stored once."""
        return await self._engines.projects.kept_as(project)

    def heard_of(self, session_id: str, project: str) -> None:
        """Note that a session of this machine's works in a project, or with "" that it is over."""
        self._engines.projects.heard_of(session_id, project)

    @property
    def heard_project(self) -> str:
        """The namespace that all sessions of this machine work in, as far as hooks tell; "" when there are several, or none."""
        return self._engines.projects.only_heard

    @contextmanager
    def working_in(self, project: str, caller: Caller = NOBODY) -> Iterator[None]:
        """While the block runs, calls that name no project mean this one, "" being that of this process, and *caller* makes them.

        A caller who is bound to one project works there; one bound to several in *project* if that is one of them, else nowhere yet.
        """
        tokens = working_in.set(home_of(caller.bound, project)), calling.set(caller)
        try:
            yield
        finally:
            working_in.reset(tokens[0])
            calling.reset(tokens[1])

    @property
    def bound_to(self) -> tuple[str, ...]:
        """The projects that the caller may see; none where it may see all."""
        return calling.get().bound

    async def within_reach(self, asked: R) -> R:
        """Return *asked* as the bound caller may ask it. Raises NotFound: it names what is not of its projects."""
        return await self._reach.within(asked, self.bound_to)

    async def with_whole_ids(self, asked: R, cut: Mapping[str, Any]) -> R:
        """Return *asked* with the ids completed that were cut to a unique beginning. Raises InvalidInput for one that begins several."""
        return await self._engines.in_thread(lambda: with_whole_ids(asked, cut, self._engines.store.ids_starting))

    async def short_ids(self, ids: Sequence[str]) -> list[str]:
        """Return the shortest beginning of each id that no other stored id has: what a person has to type."""
        return await self._engines.in_thread(lambda: [short_id(whole, self._engines.store.ids_starting) for whole in ids])

    # --- recording ---
    @takes(requests.StartEpisode)
    async def start_episode(self, asked: requests.StartEpisode) -> answers.StartedEpisode:
        """Open an episode for a task; also return what earlier episodes say about it, unless `recall` is false.

        `episode_id` is one that `prepare_episode` gave; it can be opened once.
        """
        return await self._shared(await self._recording.start(asked))

    @takes(requests.PrepareEpisode)
    async def prepare_episode(self, asked: requests.PrepareEpisode) -> answers.StartedEpisode:
        """Return what earlier episodes say about a task, and open nothing: for who hears of a task before anything is done about it.

        What was shown counts for the episode that `start_episode` opens under the id returned; in the control group nothing is.
        """
        return await self._recording.prepare(asked)

    @property
    def is_large(self) -> bool:
        """Whether there are so many episodes that answers about all of them take long enough to be kept for a while."""
        return self._engines.views.episodes >= LARGE

    @property
    def has_control_group(self) -> bool:
        """Whether a share of the episodes gets no advice, so that its worth can be measured."""
        return self._engines.config.learning.holdout > 0

    @takes(requests.LogStep)
    async def log_step(self, asked: requests.LogStep) -> answers.LoggedSteps:
        """Append one step to an open episode. Raises EpisodeClosed."""
        return await self._shared(await self._recording.log(asked.episode_id, [asked], "log_step"))

    @takes(requests.LogSteps)
    async def log_steps(self, asked: requests.LogSteps) -> answers.LoggedSteps:
        """Append up to 100 steps, all or none. Raises EpisodeClosed."""
        return await self._shared(await self._recording.log(asked.episode_id, asked.steps, "log_steps"))

    @takes(requests.CompleteEpisode)
    async def complete_episode(self, asked: requests.CompleteEpisode) -> answers.CompletedEpisode:
        """Close an episode: reward, reflection and patterns are committed with it. Raises EpisodeClosed."""
        return await self._shared(await self._recording.complete(asked))

    async def _shared(self, answer: A) -> A:
        """Wait for the shared logs that are to be waited for; an answer that can says that one does not have it yet."""
        sharing = self._engines.sharing
        late = await sharing.wait_acknowledged() if sharing else ()
        if late and isinstance(answer, (answers.StartedEpisode, answers.CompletedEpisode)):
            return replace(answer, degraded=distinct(answer.degraded, late))
        return answer

    def _on_completed(self, episode_id: str) -> None:
        self._background.ring()
        for watcher in self._watchers:
            watcher(episode_id)

    def on_completed(self, watcher: Callable[[str], None]) -> None:
        """Call *watcher* with the episode's id after every completion in this process."""
        self._watchers.append(watcher)

    # --- recalling ---
    @takes(requests.Recall)
    async def recall(self, asked: requests.Recall) -> answers.Recall:
        """Return the episodes and patterns that help with a query, best first, within a token budget."""
        await self._background.own_embedded()
        return await self._recalling.recall(asked)

    @takes(requests.SearchEpisodes)
    async def search_episodes(self, asked: requests.SearchEpisodes) -> answers.EpisodePage:
        """List episodes, open ones too, by text, filter and order."""
        return await self._recalling.search(asked)

    @takes(requests.GetEpisode)
    async def get_episode(self, asked: requests.GetEpisode) -> answers.EpisodeDetail:
        """Return one episode; its steps a page at a time."""
        return await self._recalling.get(asked)

    # --- advising ---
    @takes(requests.SuggestNextStep)
    async def suggest_next_step(self, asked: requests.SuggestNextStep) -> answers.NextStep:
        """Say what helped next in episodes like this open one; with `intended`, warn when that very step failed before."""
        return await self._advising.next_step(asked)

    @takes(requests.RecommendPlaybook)
    async def recommend_playbook(self, asked: requests.RecommendPlaybook) -> answers.PlaybookAnswer:
        """Return ordered steps for a task from the attempts that worked, or None and the reason."""
        await self._background.own_embedded()
        return await self._advising.playbook(asked)

    @takes(requests.GiveFeedback)
    async def give_feedback(self, asked: requests.GiveFeedback) -> answers.FeedbackRecorded:
        """Record whether an answer helped."""
        return await self._advising.feedback(asked)

    # --- patterns and reports ---
    @takes(requests.SearchPatterns)
    async def search_patterns(self, asked: requests.SearchPatterns) -> answers.PatternPage:
        """List patterns by text or by confidence."""
        return await self._reporting.search_patterns(asked)

    @takes(requests.ToldPatterns)
    async def told_patterns(self, asked: requests.ToldPatterns) -> tuple[ToldPattern, ...]:
        """Return the patterns that attempts were told, most often first, with how those ended that used them and those that did not."""
        return await self._reporting.told(asked)

    @takes(requests.GetPattern)
    async def get_pattern(self, asked: requests.GetPattern) -> answers.PatternDetail:
        """Return one pattern with its evidence and how its confidence came about."""
        return await self._reporting.get_pattern(asked.pattern_id)

    @takes(requests.AnalyzeTrends)
    async def analyze_trends(self, asked: requests.AnalyzeTrends) -> reports.Trends:
        """Return a metric over time, its breaks, and clusters of similar tasks."""
        return await self._reporting.trends(asked)

    @takes(requests.CompareAttempts)
    async def compare_attempts(self, asked: requests.CompareAttempts) -> Fork:
        """Return all attempts at an episode's task, aligned to the best that worked, and what tells successes from failures."""
        return await self._forking.compare(asked)

    @takes(requests.MarkSteps)
    async def mark_steps(self, asked: requests.MarkSteps) -> tuple[StepMark, ...]:
        """Return what the steps of an episode changed, and of those that failed, what came of it. Other steps are not among them."""
        return await self._forking.marks(asked)

    @takes(requests.ForkedTasks)
    async def forked_tasks(self, asked: requests.ForkedTasks) -> tuple[ForkedTask, ...]:
        """Return the tasks that some attempts managed and others did not, where most is to be learnt first; of the latest 5,000.

        Where few tasks did in the same words, those follow that failed lately and were managed in other words.
        """
        return await self._forking.forked(asked)

    @takes(requests.RecentActivity)
    async def recent_activity(self, asked: requests.RecentActivity) -> Activity:
        """Return attempts by day of the last fourteen, and the errors that three or more of the latest 1,000 attempts met."""
        return await self._recent.activity(asked)

    @takes(requests.WorkedFiles)
    async def worked_files(self, asked: requests.WorkedFiles) -> tuple[WorkedFile, ...]:
        """Return the files that the latest 1,000 attempts changed, with how these ended."""
        return await self._recent.files(asked)

    @takes(requests.MapTasks)
    async def map_tasks(self, asked: requests.MapTasks) -> TaskMap:
        """Return the hexagons in which attempts lie, alike tasks side by side, with what distinguishes them; of one, its newest attempts.

        A task stays where it is, also over a restart, until there are half as many tasks again; then places shift and regions stay.
        The first map of 100,000 attempts takes seconds, in a thread; every further one what is new. After `keep_map_ready` it is read only.
        """
        return await self._mapping.map(asked)

    def keep_map_ready(self) -> None:
        """From now on follow the map of a large memory in the background, for who asks for it often; until the memory is closed."""
        self._engines.start_soon(self._mapping.keep_ready)

    @takes(requests.MemoryStatus)
    async def memory_status(self, asked: requests.MemoryStatus) -> status.Status:
        """Return where the memory is, what it holds and how it is doing."""
        return await self._reporting.status()

    @takes(requests.LessonsMarkdown)
    async def lessons_markdown(self, asked: requests.LessonsMarkdown) -> str:
        """Return the best-supported patterns as a short Markdown guide with evidence."""
        return await self._reporting.lessons(asked)

    @takes(requests.ProjectDigest)
    async def project_digest(self, asked: requests.ProjectDigest) -> str:
        """Return what an agent can be started with: a project's latest episodes and best lessons, as Markdown."""
        return await self._reporting.digest(asked)

    async def doctor(self) -> list[tuple[str, bool, str]]:
        """Check everything; (check, fine, detail) rows. May take seconds."""
        return await self._reporting.doctor()

    async def sync(self, *, full: bool = False, wait_s: float = 0.0) -> status.Replication:
        """Bring the memory into step with its shared logs, or as far as that goes, and return how it stands.

        *full* reads them from the beginning and tells them everything; *wait_s* is how long another process that does it is waited for.
        """
        sharing = self._engines.sharing
        return await sharing.sync(full=full, wait_s=wait_s) if sharing else status.Replication()

    async def probe_remotes(self) -> list[tuple[str, bool, str]]:
        """Try what each shared log can do; (check, fine, detail) rows."""
        sharing = self._engines.sharing
        return await sharing.probe(self._engines.new_id()) if sharing else []

    async def share_no_more(self, address: str) -> bool:
        """Forget a shared log and what waits for it; return whether it was known."""
        sharing = self._engines.sharing
        return await sharing.share_no_more(address) if sharing else False

    async def backup(self, target: str = "") -> Backup:
        """Write everything that is committed into a new file, while others go on writing; "": into the data directory's `backups/`.

        Raises InvalidInput: the file exists, or its folder does not.
        """
        return await self._recovery.backup(target)

    async def derive(self, episode_ids: Sequence[str]) -> None:
        """Make traces, texts and evidence of completed episodes again, after a repair that let go of damaged ones."""
        await self._recovery.derive(episode_ids)

    async def compact(self) -> Compacted:
        """Give the space of what was deleted back to the file system. Writers wait meanwhile."""
        return await self._recovery.compact()

    async def distinct(self, column: str, prefix: str = "", limit: int = 100) -> list[str]:
        """Return known values of project, domain, language, framework or agent, for completions; a bound caller's of its own projects."""
        return await self._reporting.distinct(column, prefix, limit)

    # --- curating ---
    @takes(requests.UpdateEpisode)
    async def update_episode(self, asked: requests.UpdateEpisode) -> answers.EpisodeRow:
        """Edit tags, metadata or the task's wording."""
        return await self._curating.update(asked)

    @takes(requests.LinkEpisodes)
    async def link_episodes(self, asked: requests.LinkEpisodes) -> reports.Linked:
        """Put or remove a link; a cycle in an acyclic type is refused."""
        return await self._curating.link(asked)

    @takes(requests.RelatedEpisodes)
    async def related_episodes(self, asked: requests.RelatedEpisodes) -> reports.RelatedEpisodes:
        """Walk the links around an episode."""
        return await self._curating.related(asked)

    @takes(requests.CheckpointEpisode)
    async def checkpoint_episode(self, asked: requests.CheckpointEpisode) -> reports.Checkpoint:
        """Mark a point in an open episode, with a pack another agent can go on from."""
        return await self._curating.checkpoint(asked)

    @takes(requests.ResumeEpisode)
    async def resume_episode(self, asked: requests.ResumeEpisode) -> reports.Resumed:
        """Go on from a checkpoint: in the same episode while it is open, else in a new one that follows it."""
        return await self._curating.resume(asked)

    @takes(requests.Forget)
    async def forget(self, asked: requests.Forget) -> reports.Forgotten:
        """Count, or with confirm=true delete, episodes and everything that rests on them."""
        return await self._curating.forget(asked)

    @takes(requests.Correct)
    async def correct(self, asked: requests.Correct) -> None:
        """Put a correction over a pattern or an episode's lessons; it outranks what it corrects."""
        await self._curating.correct(asked)

    @takes(requests.QuarantineSource)
    async def quarantine(self, asked: requests.QuarantineSource) -> reports.Quarantined:
        """Take everything that comes from an agent or a session out of all answers, now and later; with `undo`, bring it all back."""
        return await self._curating.quarantine(asked)

    async def quarantines(self) -> list[reports.Quarantined]:
        """Return the sources that are quarantined."""
        return await self._curating.quarantines()

    @takes(requests.Label)
    async def label(self, asked: requests.Label) -> answers.Labelled:
        """Say how an episode ended after all; reward, reflection and patterns follow. An open one is completed; twice changes nothing."""
        return await self._labelling.label(asked)

    @takes(requests.Prune)
    async def prune(self, asked: requests.Prune) -> reports.Pruned:
        """Let go of what has outlived its use; count only unless `apply`, archive before deleting."""
        return await self._retention.prune(asked)

    # --- whole episodes ---
    async def import_lines(
        self, lines: Iterable[str | bytes], progress: Callable[[int], None] | None = None, project: str = "", *, dry_run: bool = False
    ) -> reports.ImportReport:
        """Import interchange lines; idempotent by external id. Bad lines are reported, the others imported; with *dry_run* only counted."""
        return await self._importing.read(lines, progress, project, dry_run=dry_run)

    def export_lines(self, asked: requests.WhereFields | None = None) -> AsyncIterator[str]:
        """Yield the interchange lines of the episodes that meet the conditions (default: of all projects), oldest first, and of what lies
        over and between them.
        """
        return self._exporting.write(Filter(project=ANY_PROJECT) if asked is None else filter_of(asked, default_project=self.project))

    def episode_lines(self, ids: Sequence[str]) -> AsyncIterator[str]:
        """Yield the interchange lines of these episodes alone, in order; missing ones are passed over."""
        return self._exporting.lines_of(ids)

    async def settle(self, progress: Callable[[int], None] | None = None) -> None:
        """Wait until everything committed is also embedded and indexed; *progress* gets the number still waiting."""
        await self._background.settle(progress)
