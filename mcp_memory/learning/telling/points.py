"""What earlier attempts tell whoever is about to do their task: the change, the calls that did it, the answer, what failed there. Pure.

Silence is the rule: a point says something to do, or not to do, with its file or its argument. Of attempts at one task a thing is told
once, and once one of them worked, of those that failed only what they did otherwise.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from mcp_memory.domain.episode import Episode
from mcp_memory.domain.inference import without_inference
from mcp_memory.domain.nearness import SAME_TASK, THE_TASK
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.text import shorten
from mcp_memory.domain.text_words import stem, words
from mcp_memory.learning.reading.change_lines import without_line_numbers
from mcp_memory.learning.reading.run import error_text, message_of
from mcp_memory.learning.reading.said_lines import SaidLine
from mcp_memory.learning.reading.shown_elements import as_shown
from mcp_memory.learning.reading.signatures import signature
from mcp_memory.learning.telling.changes_told import Left
from mcp_memory.learning.telling.deeds import (
    MAX_ANSWER_CHARS,
    answer,
    did_more_than_tests,
    done,
    ended,
    looked,
)
from mcp_memory.learning.telling.done_after import done_after
from mcp_memory.learning.telling.done_alike import done_alike
from mcp_memory.learning.telling.endings import ending, last_run, missed
from mcp_memory.learning.telling.errors_of_failures import got_past, standing
from mcp_memory.learning.telling.errors_told import MAX_MESSAGE_CHARS, ErrorTold, dead_ends, overcame
from mcp_memory.learning.telling.figures_told import figure_told
from mcp_memory.learning.telling.left_nothing import LeftNothing, told_alike
from mcp_memory.learning.telling.like_answers import told_once
from mcp_memory.learning.telling.otherwise import done_to_work, otherwise
from mcp_memory.learning.telling.same_case import is_same_case, names_a_case
from mcp_memory.learning.telling.written import made_up, wrote
from mcp_memory.phrases import points as phrases
from mcp_memory.phrases.endings import also_by

MAX_POINTS = 4  # of one attempt
MAX_WORDS_CHARS, MAX_LESSONS = 220, 3
MAX_OTHER_CHARS = 320  # of what failures changed, beside what worked
MIN_SAID_WORDS = 2
MIN_IDLE = 2  # successes that changed nothing, from which it is told of other cases
_DONE_TEXT = "done finished complete fixed succeeded success successful successfully working ready ok okay everything all now"
_CHECKED_TEXT = "task tests pass set correctly issue problem solved resolved"
_DONE = frozenset(map(stem, f"{_DONE_TEXT} {_CHECKED_TEXT}".split()))
ChangesOf = Callable[[Episode], Left]
Recalled = Sequence[tuple[Episode, float]]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known besides of what is recalled."""

    gone: Collection[str] = ()  # tools that work no longer: calls of them are nothing to do
    stale: Collection[tuple[str, int]] = ()  # steps, by episode, that answered an error which they answer no longer
    quoted: Collection[str] = ()  # signatures of errors that the query quotes
    met: Collection[str] = ()  # episodes that are there for having met one, and have nothing else to tell
    said: Mapping[str, SaidLine] = field(default_factory=dict)  # by episode, a line that it was shown and that the query quotes
    run: Episode | None = None  # that asks: what it has got past itself is not told
    endings: bool = True  # whether it is told how a failure ended that left nothing: no news beside what worked, or within a run


def points_of(recalled: Recalled, query: str, changes_of: ChangesOf = Left.of, known: Known = Known()) -> dict[str, tuple[str, ...]]:
    """Return what each of the recalled episodes tells, by its id, the most useful first; the same change, call or answer once.

    Args:
        recalled: Completed episodes with their steps and how alike their tasks are to the query's, in [0, 1], in the order they are shown.
        query: What was asked: values of other cases are not shown.
        changes_of: What an episode changed, where that is known already.
        known: What is known besides.
    """
    said: set[str] = set()
    found: dict[str, tuple[str, ...]] = {}
    recalled = [(as_shown(episode), _likeness(episode, similarity, query)) for episode, similarity in recalled]
    left = {episode.id: changes_of(episode) for episode, _ in recalled}
    told_so = list[tuple[Left, list[str]]]()
    idle = _idle(recalled, query)
    for episode, similarity in recalled:
        peers = [other for other, alike in recalled if _is_same(other, alike, episode, similarity)]
        changed = _changed(left[episode.id], [left[peer.id] for peer in peers], told_so)
        fixes = [told for told in overcame(episode, similarity) if (episode.id, told.by) not in known.stale]
        if episode.id in known.met:
            shown = _of_errors(episode, fixes, known.quoted) if episode.id not in known.said else _of_line(episode, fixes, query, known)
        else:
            past = list(dict.fromkeys(line for told in fixes if not told.is_own and (line := got_past(episode, told, similarity))))
            others = _changed_otherwise(episode, peers, left)
            how = ended(episode, similarity) if episode.id in idle else []
            shown = chain(
                _own_words(episode), _shown(episode, similarity, query, peers, changed, left[episode.id], known, past, how), others
            )
        lines = {without_line_numbers(line): line for line in shown}
        found[episode.id] = tuple(line for same, line in lines.items() if same not in said)[:MAX_POINTS]
        said.update(lines)
    if known.endings:
        found |= _endings(recalled, left, found)
    return found if any(found.values()) else found | _alike(recalled)


def _changed(left: Left, peers: Sequence[Left], told_so: list[tuple[Left, list[str]]]) -> list[str]:
    """Return what an episode left changed, what no attempt that ended otherwise left first; in the words of one that left the same.

    Of failures, also of one that left it but for how a message is put, or left more: the less is no news beside it.
    """
    if same := next((lines for other, lines in told_so if other.won is left.won and left.is_told_by(other)), None):
        return same
    shared = frozenset[str]().union(*(p.lines for p in peers if p.won is not left.won and not p.made.is_same(left.made)))
    lines = [phrases.changed(deed.text, is_beside=left.is_beside) for deed in left.told(shared)]
    told_so.append((left, lines))
    return lines


def _changed_otherwise(episode: Episode, peers: Sequence[Episode], left: Mapping[str, Left]) -> Iterator[str]:
    """Yield, beside the first success that left a change, what most of those that failed changed and none that worked did."""
    won, lost = ([left[peer.id] for peer in peers if peer.success is is_won and left[peer.id].files] for is_won in (True, False))
    if not lost or not won or left[episode.id] is not won[0]:
        return
    other = [one for one in lost if not one.is_beside and not any(one.made.is_same(right.made) for right in won)]
    same = {id(one): sum(one.made.is_same(peer.made) for peer in other) for one in other}
    if other:
        most = max(other, key=lambda one: same[id(one)])
        if deeds := most.told(frozenset[str]().union(*(right.lines for right in won)), MAX_OTHER_CHARS):
            yield phrases.only_failures_changed(deeds[0].text, same[id(most)])


def _idle(recalled: Recalled, query: str) -> set[str]:
    """Return the successes of which it is told that they changed nothing: those at this case, or, of other cases, where most did so."""
    won = [(episode, similarity) for episode, similarity in recalled if episode.success and similarity >= SAME_TASK]
    idle = [(episode, similarity) for episode, similarity in won if ended(episode, similarity)]
    if len(idle) >= MIN_IDLE and 2 * len(idle) >= len(won):
        return {episode.id for episode, _ in idle}
    is_case = names_a_case(query)
    return {e.id for e, similarity in idle if e.task == query or (is_case and similarity >= THE_TASK) or is_same_case(query, e.task)}


def _alike(recalled: Recalled) -> dict[str, tuple[str, ...]]:
    """Return what successes at several other tasks did alike, where no attempt tells anything by itself."""
    won, lost = ([episode for episode, _ in recalled if episode.success is is_won] for is_won in (True, False))
    return {won[0].id: (said,)} if (said := done_alike(won, lost)) else {}


def _endings(recalled: Recalled, left: Mapping[str, Left], found: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return how the attempts at a task ended of which none succeeded: that they left nothing, else what one of them ended with.

    That edits were refused, or that all left nothing, is told whatever else is told of them; the rest where that is nothing.
    """
    told: dict[str, tuple[str, ...]] = {}
    seen = set[str]()
    for episode, similarity in recalled:
        peers = [other for other, alike in recalled if _is_same(other, alike, episode, similarity)]
        if episode.id in seen or similarity < SAME_TASK or any(peer.success for peer in peers):
            continue
        seen |= {peer.id for peer in peers}
        silent = not any(found[peer.id] for peer in peers)
        idle = [(peer.id, nothing) for peer in peers if not left[peer.id].files and (nothing := LeftNothing.of(peer))]
        if idle and (silent or any(nothing.refused for _, nothing in idle) or len(idle) == len(peers) > 1):
            first = idle[0][0]
            line = told_alike([nothing for _, nothing in idle])
            line = also_by(line, len(idle) - 1) if len(idle) > 1 else line
            told[first] = (*found[first][: MAX_POINTS - 1], line)
        elif silent:
            ended_so = [(peer, said) for peer in peers if (said := ending(peer, similarity))]
            told |= {peer.id: (said,) for peer, said in sorted(ended_so, key=lambda one: made_up(one[0]))[:1]}
    return told


def _likeness(episode: Episode, similarity: float, query: str) -> float:
    """Return how alike a task is; one in other words that names the same ids is the very task."""
    return max(similarity, THE_TASK) if similarity >= SAME_TASK and is_same_case(query, episode.task) else similarity


def _is_same(a: Episode, alike_a: float, b: Episode, alike_b: float) -> bool:
    return a.id == b.id or a.task == b.task or min(alike_a, alike_b) >= THE_TASK


def _own_words(episode: Episode) -> Iterator[str]:
    """Yield what the agent said of its work, why it was not done as it was told, and what it or a person noted for next time."""
    outcome = episode.outcome
    assert outcome is not None
    why = "" if episode.success or any(step.failed and step.error == outcome.error for step in episode.steps) else outcome.error or ""
    summary = without_inference(outcome.summary)
    for text in (summary if _says_what(summary) else "", why, *outcome.lessons[:MAX_LESSONS]):
        if line := " ".join(text.split()):
            yield shorten(line, MAX_WORDS_CHARS)
    if outcome.failed and not episode.success:
        yield shorten(phrases.undone([" ".join(text.split()) for text in outcome.failed]), MAX_WORDS_CHARS)


def _says_what(summary: str) -> bool:
    """Return whether a summary says more than that the work is done.

    >>> _says_what("Done. All tests pass now."), _says_what("Rounded the totals")
    (False, True)
    """
    return len({stem(word) for word in words(summary)} - _DONE) >= MIN_SAID_WORDS


def _of_errors(episode: Episode, fixes: Iterable[ErrorTold], quoted: Collection[str]) -> Iterator[str]:
    """Yield what an episode tells of quoted errors: what its agent noted, how it got past them, or that it never did."""
    told = [told.line for told in (*fixes, *dead_ends(episode, looks=False, is_here=False)) if told.signature in quoted]
    if told and episode.outcome is not None:
        yield from (shorten(" ".join(lesson.split()), MAX_WORDS_CHARS) for lesson in episode.outcome.lessons[:MAX_LESSONS])
    yield from told


def _of_line(episode: Episode, fixes: Sequence[ErrorTold], query: str, known: Known) -> Iterator[str]:
    """Yield what an episode tells of a line that it was shown: of an error how it got past that, else what it did then."""
    said = known.said[episode.id]
    step = episode.steps[said.step]
    errors = {*known.quoted, signature(error_text(step))} if step.failed else known.quoted
    told = list(_of_errors(episode, fixes, errors))
    yield from told or filter(None, [done_after(episode, said, query, known.gone)])


def _shown(
    episode: Episode,
    similarity: float,
    query: str,
    peers: Sequence[Episode],
    changed: Sequence[str],
    left: Left,
    known: Known,
    fixes: Sequence[str],
    how: Sequence[str],
) -> Iterator[str]:
    """Yield what the steps show."""
    won = [peer for peer in peers if peer.success]
    if episode.success:
        told = [*changed]
        if not changed or did_more_than_tests(episode):  # that tests were run beside a change is no news
            told += done_to_work(episode, similarity, query, peers, known.gone)
        if not changed and similarity >= SAME_TASK and not did_more_than_tests(episode):
            texts = [text for _, text in wrote(episode)]
            if texts and won[0] is not episode and _only_wrote(won[0]):  # another script that does the same tells little more
                yield from fixes
                return
            told = texts or told
        if told or all(step.key not in known.gone for step in episode.steps):
            yield from told or how or ([] if ended(episode, similarity) else looked(episode, similarity, query))
        if won[0] is episode:
            yield from otherwise(won, [peer for peer in peers if not peer.success])
        yield from fixes
    elif not won:
        told = [
            *_wrong_answers(episode, peers),
            *changed,
            *_in_vain(episode, similarity, query),
        ]
        went_on = bool(episode.steps and answer(episode.steps[-1]))  # it answered all the same, and that was judged
        ends = () if went_on else dead_ends(episode, looks=not told and len(peers) == 1, is_here=similarity >= SAME_TASK)
        told += [*fixes, *standing(episode, ends, [peer for peer in peers if peer is not episode], known.run)]
        figure = figure_told(episode) if similarity >= SAME_TASK else ""
        # What a failure wrote is told where nobody left anything else (`ending`); the script that came last need not be what was measured.
        partly = episode.partial and similarity >= SAME_TASK and not figure
        yield from told or [text for _, text in (wrote(episode) if partly else ())]
        yield from missed(episode) or ([phrases.last_run_failed(error)] if changed and (error := last_run(episode, left)) else ())
        if figure:
            yield figure


def _only_wrote(episode: Episode) -> bool:
    """Return whether what a success wrote itself is all that is told of it."""
    return not did_more_than_tests(episode) and not Left.of(episode).files and bool(wrote(episode))


# --- what came of it ---


def _wrong_answers(episode: Episode, peers: Sequence[Episode]) -> list[str]:
    """Return the answers that were rejected, of all attempts at the task at once."""
    given = [(peer, said) for peer in peers if peer.steps and (said := answer(peer.steps[-1]))]
    if not given or given[0][0] is not episode:
        return []
    verdict = message_of(episode.steps[-1]) if episode.steps[-1].failed else ""
    answers = {shorten(said, MAX_ANSWER_CHARS): nearly for said, nearly in told_once([said for _, said in given]).items()}
    return [phrases.wrong(answers, shorten(verdict, MAX_MESSAGE_CHARS))]


def _in_vain(episode: Episode, similarity: float, query: str) -> list[str]:
    """Return the calls of a failure, other than a shell's, of which nobody says why they were not enough."""
    return done(episode, similarity, query) if similarity >= SAME_TASK and not any(is_shell(s.tool) for s in episode.steps) else []
