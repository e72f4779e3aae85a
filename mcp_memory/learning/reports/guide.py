"""What a guide is made from: the patterns, lessons and corrections of a domain or project, gathered for `lessons`."""

from collections import Counter

from mcp_memory.domain.curation import BY_VOTE, Correction
from mcp_memory.domain.episode import Episode, EpisodeState, OutcomeKind
from mcp_memory.domain.pattern import ANSWERS, INSTEAD, PATTERN_PREFIX, Pattern
from mcp_memory.domain.query import ANY_PROJECT, Filter, Sort
from mcp_memory.learning.patterns.assessing import Assessor
from mcp_memory.learning.patterns.lessons import Replaced, ReportedLesson, Usual, lessons_markdown
from mcp_memory.learning.reports.practice import practice
from mcp_memory.ports import Store
from mcp_memory.views.view import View
from mcp_memory.views.vouching import Vouching

MAX_PATTERNS = 1_000
MAX_ANSWERS = 80  # patterns that may become lines
MAX_SUCCESSES = 40  # episodes read whole
MAX_EPISODES = 100


class Guide:
    """Gathers from the store what is worth telling, with its confidence, during one read."""

    def __init__(self, v: View, store: Store, assessor: Assessor) -> None:
        self._v, self._store, self._assessor = v, store, assessor

    def markdown(self, domain: str, project: str, budget_tokens: int) -> str:
        """Return the guide for a domain ("" for all) of a project ("" or `*` for all)."""
        x = self._v.experience
        is_shared = not x.derived(Vouching).is_alone(x.in_project(project or ANY_PROJECT), "")
        return lessons_markdown(
            self._patterns(domain, project),
            self._corrections(domain, project or ANY_PROJECT),
            domain=domain,
            project=project,
            budget_tokens=budget_tokens,
            usual=self._usual(project),
            reported=self._reported(domain, project),
            practice=practice(self._successes(domain, project), is_shared=is_shared),
            is_shared=is_shared,
        )

    def _patterns(self, domain: str, project: str) -> list[Pattern]:
        found = self._store.patterns(project=project or ANY_PROJECT, min_support=2, limit=MAX_PATTERNS)
        ranked = sorted(self._assessor.assess(self._v, found, validated=False), key=lambda p: (-p.confidence, -p.support, p.id))
        fitting = [p for p in ranked if domain in ("", p.domain) and p.kind in ANSWERS and not p.content.get(INSTEAD)]
        return self._assessor.assess(self._v, fitting[:MAX_ANSWERS])

    def _successes(self, domain: str, project: str) -> list[Episode]:
        """Return the latest successful episodes that the views know, with their steps."""
        where = Filter(project=project or ANY_PROJECT, domain=domain, state=EpisodeState.COMPLETED, outcome=OutcomeKind.SUCCESS)
        page = self._store.list_episodes(where, sort=Sort.NEWEST, limit=MAX_SUCCESSES, cursor=None)
        return [e for e in self._store.get_episodes(page.ids) if e is not None and self._v.experience.row(e.id) is not None]

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

    def _usual(self, project: str) -> dict[str, Usual]:
        """Return how many episodes there are and how many succeeded, by domain and, under "", in all."""
        episodes: Counter[str] = Counter()
        successes: Counter[str] = Counter()
        for outline in self._v.experience.outlines():
            if project in ("", ANY_PROJECT, outline.project):
                for domain in {"", outline.domain}:
                    episodes[domain] += 1
                    successes[domain] += outline.success
        return {domain: Usual(count, successes[domain]) for domain, count in episodes.items()}

    def _reported(self, domain: str, project: str) -> list[ReportedLesson]:
        """Return what agents noted themselves in the best episodes, the best first."""
        where = Filter(project=project or ANY_PROJECT, domain=domain, state=EpisodeState.COMPLETED)
        page = self._store.list_episodes(where, sort=Sort.REWARD, limit=MAX_EPISODES, cursor=None)
        found = [e for e in self._store.get_episodes(page.ids, steps=False) if e is not None and e.outcome and e.reward]
        return [ReportedLesson(text, e.id, e.reward.score, e.agent) for e in found if e.outcome and e.reward for text in e.outcome.lessons]


def _replaced(correction: Correction, what: str) -> Replaced:
    return Replaced(correction.text, what, correction.by, correction.reason.startswith(BY_VOTE))
