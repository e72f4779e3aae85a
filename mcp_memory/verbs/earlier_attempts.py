"""What earlier attempts at a task tell the agent of one that did not succeed."""

from collections.abc import Sequence
from dataclasses import replace

from mcp_memory.domain import facts
from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.nearness import SAME_TASK, THE_TASK
from mcp_memory.domain.query import Filter, Query
from mcp_memory.domain.text_words import words
from mcp_memory.learning.judging.comparison import failed_so
from mcp_memory.learning.judging.reflection import better_attempt
from mcp_memory.learning.reading.signatures import signature
from mcp_memory.learning.telling.changes_told import Left
from mcp_memory.learning.telling.left_nothing import LeftNothing
from mcp_memory.learning.telling.otherwise import changed_what_was_seen
from mcp_memory.learning.telling.unlike_this_run import not_yet_done
from mcp_memory.ports import Neighbours
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.judging import COMPARED
from mcp_memory.views.columns import distinct
from mcp_memory.views.fixes import Came

MAX_NOTES, MIN_WORD_CHARS = 12, 5  # attempts whose lessons are looked at; of a word that a lesson shares with an error
MIN_SLIPS = 3  # episodes that got past an error by the same tool, from which it is no riddle
MAX_READ = 4  # failures whose changes are compared with what this attempt saw, the most alike


def told_after_failure(e: Engines, done: Episode, near: Neighbours | None = None) -> tuple[Precedent, ...]:
    """Return what worked at this task and the very things of this attempt, else in the best one at tasks like it, then what those tried
    that failed as this one, no success, did (blocking).

    *near* are the episodes that *done* was judged against, where that was just now; else they are looked for.
    """
    assert done.reflection is not None
    better = better_attempt(done.reflection)
    if near is None:
        near, _ = e.neighbours(Query(done.task, Filter(project=done.project), exclude_ids=frozenset({done.id})), COMPARED)
    with e.views.read() as v:
        x = v.experience
        rows = [(row, alike) for key, alike in near if alike >= SAME_TASK and (row := x.row(key)) is not None]
        lost = [(trace.id, alike) for row, alike in rows if failed_so(done, trace := x.trace(row))]
        failed = sum(not x.success[row] and alike >= THE_TASK for row, alike in rows)  # at this task, as this one did or otherwise
        if not lost and _is_open(done):  # while nobody has managed it, what failed in the files that this one had before it
            tried = [(x.trace(row).id, alike) for row, alike in rows[:MAX_READ]]
            lost = _at_the_same(e, done, tried) or _idle_too(e, done, tried)
        won = [(x.trace(row).id, alike) for row, alike in rows if better and x.success[row]]
        known = e.learning.precedents(v, done.task, done.project, won, done)
        others = e.learning.precedents(v, done.task, done.project, lost, done) if lost else ()
    worked = [row for row in not_yet_done(known, done.steps) if row.worked]
    here = [row for row in worked if row.alike >= 1.0] or [row for row in worked if row.episode_id == better] or worked
    others = tuple(replace(p, attempts=max(p.attempts, failed)) if p.attempts and p.alike >= 1.0 else p for p in others if not p.worked)
    return (*here[:1], *others)


def is_slip(e: Engines, said: facts.Fact) -> bool:
    """Return whether an error that was left standing is one that runs get past by calling the same tool again, otherwise (blocking)."""
    if not isinstance(said, facts.Standing):
        return False
    with e.views.read() as v:
        x = v.experience
        failures = x.failures
        same = (failures.signature == x.signatures.find(signature(said.error))) & (failures.failed == x.tools.find(said.key))
        answered = same & (failures.came != Came.GAVE_UP)
        again = answered & (failures.by == failures.failed)
        return len(distinct(failures.row[again])) >= MIN_SLIPS and 2 * int(again.sum()) > int(same.sum())


def is_noted(e: Engines, done: Episode, said: facts.Fact, near: Neighbours | None = None) -> bool:
    """Return whether an earlier attempt at the task noted a lesson about the error that a fact is of, by most of its words (blocking).

    *near* as `told_after_failure` takes it.
    """
    error = getattr(said, "error", "") or getattr(said, "answer", "")
    named = frozenset(word for word in words(error) if len(word) >= MIN_WORD_CHARS)
    if not named:
        return False
    if near is None:
        near, _ = e.neighbours(Query(done.task, Filter(project=done.project), exclude_ids=frozenset({done.id})), COMPARED)
    read = e.store.get_episodes([key for key, alike in near if alike >= SAME_TASK][:MAX_NOTES], steps=False)
    lessons = (lesson for episode in read if episode is not None and episode.outcome for lesson in episode.outcome.lessons)
    return any(2 * len(named & words(lesson)) > len(named) for lesson in lessons)


def _is_open(done: Episode) -> bool:
    """Return whether attempts are known of which none succeeded."""
    assert done.reflection is not None
    record = next((said for said in done.reflection.insights if isinstance(said, facts.Record)), None)
    return record is not None and not record.won


def _idle_too(e: Engines, done: Episode, lost: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return those of the attempts that left nothing, where this one did not, either."""
    if Left.of(done).files or LeftNothing.of(done) is None:
        return []
    read = e.store.get_episodes([key for key, _ in lost])
    return [one for one, episode in zip(lost, read, strict=True) if episode is not None and LeftNothing.of(episode) is not None]


def _at_the_same(e: Engines, done: Episode, lost: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return those of the attempts that left a file changed which this one looked at or changed, too."""
    read = e.store.get_episodes([key for key, _ in lost])
    return [one for one, episode in zip(lost, read, strict=True) if episode is not None and changed_what_was_seen(done, episode)]
