"""What a guide is made from: the patterns, lessons and corrections of a domain or project, gathered for `lessons`."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from mcp_memory.domain.curation import BY_VOTE, Correction
from mcp_memory.domain.episode import Episode, EpisodeState, Trace
from mcp_memory.domain.pattern import ANSWERS, INSTEAD, PATTERN_PREFIX, ArgumentChange, Evidence, Pattern, PatternKind
from mcp_memory.domain.query import ANY_PROJECT, Filter, Sort
from mcp_memory.learning.patterns.assessing import Assessor
from mcp_memory.learning.patterns.lessons import FAILED_IN, Replaced, ReportedLesson, lessons_markdown
from mcp_memory.learning.reading.argument_changes import argument_change
from mcp_memory.learning.reading.brief import brief
from mcp_memory.learning.reading.changes import change_of
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.reports.practice import MIN_FAILED, practice
from mcp_memory.phrases.patterns import argument_change as argument_change_told
from mcp_memory.phrases.patterns import recovery
from mcp_memory.phrases.practice import scope
from mcp_memory.ports import Store
from mcp_memory.views.view import View
from mcp_memory.views.vouching import Vouching

MAX_PATTERNS = 1_000
MAX_ANSWERS = 80  # patterns that may become lines
MAX_EVIDENCE = 20  # of each, the latest
MIN_TASKS = 2  # in which an answer worked: attempts at one task are not independent
MAX_READ = 40  # episodes of one outcome read whole
MAX_EACH, MAX_UNSOLVED = 3, 8  # attempts of one task that failed, and tasks that nobody managed
MAX_EPISODES = 100


class Guide:
    """Gathers from the store what is worth telling, with its confidence, during one read."""

    def __init__(self, v: View, store: Store, assessor: Assessor) -> None:
        self._v, self._store, self._assessor = v, store, assessor

    def markdown(self, domain: str, project: str, budget_tokens: int) -> str:
        """Return the guide for a domain ("" for all) of a project ("" or `*` for all)."""
        x = self._v.experience
        is_shared = not x.derived(Vouching).is_alone(project or ANY_PROJECT, "")
        latest, failures = self._latest(domain, project)
        return lessons_markdown(
            self._patterns(domain, project),
            self._corrections(domain, project or ANY_PROJECT),
            domain=domain,
            project=project,
            budget_tokens=budget_tokens,
            reported=self._reported(domain, project),
            practice=practice(latest, is_shared=is_shared, failures=failures),
            is_shared=is_shared,
            scope=self._scope(domain, project),
        )

    def _scope(self, domain: str, project: str) -> str:
        """Return from what attempts the guide is made."""
        known = [t for t in self._v.experience.outlines() if _is_in(t, domain, project)]
        dated = (t.ended_at_ms for t in known if t.ended_at_ms > t.started_at_ms)  # else its day may be that of an import that gave none
        return scope(len(known), sum(t.success for t in known), max(dated, default=0))

    def _patterns(self, domain: str, project: str) -> list[Pattern]:
        found = [
            pattern
            for kind in ANSWERS
            for pattern in self._store.patterns(project=project or ANY_PROJECT, kind=kind, min_support=2, limit=MAX_PATTERNS)
        ]
        fitting = [p for p in found if domain in ("", p.domain) and not p.content.get(INSTEAD)]
        ranked = sorted(self._assessor.assess(self._v, fitting, validated=False), key=lambda p: (-p.confidence, -p.support, p.id))
        assessed = self._assessor.assess(self._v, ranked[:MAX_ANSWERS])
        evidence = self._store.evidence([p.id for p in assessed], limit_each=MAX_EVIDENCE) if assessed else {}
        return [told for p in assessed if (told := self._told(p, evidence.get(p.id, []), project))]

    def _told(self, pattern: Pattern, evidence: Sequence[Evidence], project: str) -> Pattern | None:
        """Return a pattern as it is told: of several tasks of the project, with a real error; None where that says nothing."""
        x = self._v.experience
        here = [(e, row) for e in evidence if (row := x.row(e.episode_id)) is not None and _is_in(x.trace(row), "", project)]
        held = [(e, row) for e, row in here if e.success]
        if len({x.trace(row).task for _, row in held}) < MIN_TASKS:
            return None
        description = self._described(pattern, held[0][0])
        failed = next((e.episode_id for e, _ in here if not e.success), "")
        return replace(pattern, content={**pattern.content, FAILED_IN: failed}, description=description) if description else None

    def _described(self, pattern: Pattern, evidence: Evidence) -> str:
        """Return a pattern in the words of one episode, whose values are none of another project's; "" where it says nothing."""
        content = pattern.content
        if pattern.kind is PatternKind.ERROR_RECOVERY and not pattern.tries_program:
            return ""
        episode = self._store.get_episodes([evidence.episode_id])[0]
        places = (evidence.detail.get("failed_step"), evidence.detail.get("fix_step"))
        if episode is None or not all(isinstance(place, int) and place < len(episode.steps) for place in places):
            return ""
        failed, fix = int(places[0] or 0), int(places[1] or 0)
        message, error, tool = message_of(episode.steps[failed]), str(content["error"]), str(content["tool"])
        if pattern.kind is PatternKind.ARGUMENT_CHANGE:
            changed = argument_change(episode.steps[failed], episode.steps[fix])
            if changed is None or changed.kind is ArgumentChange.INDENTED:  # which the error says itself
                return ""
            return argument_change_told(tool, message, error, changed.kind, changed.argument, changed.before, changed.after)
        change = change_of(episode.steps, fix)
        if change is not None and (change.is_scratch or not change.says_what):
            return ""
        return recovery(tool, message, error, brief(episode.steps, fix, near=message), instead=False)

    def _latest(self, domain: str, project: str) -> tuple[list[Episode], dict[str, int]]:
        """Return the latest successes, failures at their tasks, and those at the latest tasks that were never a success; with steps.

        Beside them how many attempts at each task failed in all.
        """
        won: dict[str, list[Trace]] = defaultdict(list)  # by task, the latest first
        lost: dict[str, list[Trace]] = defaultdict(list)
        known = (outline for outline in self._v.experience.outlines() if _is_in(outline, domain, project))
        for outline in sorted(known, key=lambda t: (-t.ended_at_ms, t.seq)):
            (won if outline.success else lost)[outline.task].append(outline)
        latest = sorted((t for traces in won.values() for t in traces), key=lambda t: (-t.ended_at_ms, t.seq))[:MAX_READ]
        solved = dict.fromkeys(t.task for t in latest)
        unsolved = [task for task, traces in lost.items() if task not in won and len(traces) >= MIN_FAILED][:MAX_UNSOLVED]
        others = [t for task in (*solved, *unsolved) for t in lost[task][:MAX_EACH]][:MAX_READ]
        read = [e for e in self._store.get_episodes([t.id for t in (*latest, *others)]) if e is not None]
        return read, {task: len(traces) for task, traces in lost.items()}

    def _corrections(self, domain: str, project: str) -> dict[str, Replaced]:
        """Return every correction of what belongs to the domain and project, by the id of what it corrects."""
        known = self._store.corrections()
        keys = [key for key in known if key.startswith(PATTERN_PREFIX)]
        patterns = self._store.patterns(ids=keys, project=project, limit=len(keys)) if keys else []
        found = {p.id: _replaced(known[p.id], p.description) for p in patterns if domain in ("", p.domain)}
        others = [key for key in known if key not in keys]
        for episode in self._store.get_episodes(others, steps=False) if others else ():
            if episode and domain in ("", episode.context.domain) and project in (ANY_PROJECT, episode.project):
                lessons = episode.outcome.lessons if episode.outcome else ()
                found[episode.id] = _replaced(known[episode.id], "; ".join(lessons))
        return found

    def _reported(self, domain: str, project: str) -> list[ReportedLesson]:
        """Return what agents noted themselves in the best episodes, the best first."""
        where = Filter(project=project or ANY_PROJECT, domain=domain, state=EpisodeState.COMPLETED)
        page = self._store.list_episodes(where, sort=Sort.REWARD, limit=MAX_EPISODES, cursor=None)
        found = [e for e in self._store.get_episodes(page.ids, steps=False) if e is not None and e.outcome and e.reward]
        return [ReportedLesson(text, e.id, e.reward.score, e.agent) for e in found if e.outcome and e.reward for text in e.outcome.lessons]


def _is_in(trace: Trace, domain: str, project: str) -> bool:
    return project in ("", ANY_PROJECT, trace.project) and domain in ("", trace.domain)


def _replaced(correction: Correction, what: str) -> Replaced:
    return Replaced(correction.text, what, correction.by, correction.reason.startswith(BY_VOTE))
