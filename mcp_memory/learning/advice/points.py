"""What earlier attempts tell whoever is about to do their task: the change, the calls that did it, the answer, what failed there. Pure.

Silence is the rule: a point says something to do, or not to do, with its file or its argument. Of attempts at one task a thing is told
once, and once one of them worked, of those that failed only what they did otherwise.
"""

from collections.abc import Callable, Collection, Iterator, Sequence

from mcp_memory.domain import facts
from mcp_memory.domain.commands import command_in, hides_exit
from mcp_memory.domain.episode import Episode, OutcomeKind, Step
from mcp_memory.domain.inference import without_inference
from mcp_memory.domain.nearness import SAME_TASK, THE_TASK
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.domain.text import shorten, shorten_middle
from mcp_memory.learning.advice.acts import MAX_CALL_CHARS, is_edit, own_names, runs_own
from mcp_memory.learning.advice.deeds import (
    MAX_ANSWER_CHARS,
    Deed,
    answer,
    change_told,
    changes,
    did_more_than_tests,
    done,
    ended,
    looked,
    refused_edits,
    tried,
)
from mcp_memory.learning.advice.otherwise import otherwise
from mcp_memory.learning.advice.same_case import is_same_case
from mcp_memory.learning.advice.written import wrote
from mcp_memory.learning.reading.argument_changes import named_change
from mcp_memory.learning.reading.calls_told import call_changed, call_told
from mcp_memory.learning.reading.change_lines import without_line_numbers
from mcp_memory.learning.reading.changes import change_of
from mcp_memory.learning.reading.file_uses import files_of
from mcp_memory.learning.reading.run import is_mistyped, message_of
from mcp_memory.phrases import points as phrases

MAX_POINTS = 4  # of one attempt
MAX_WORDS_CHARS, MAX_MESSAGE_CHARS, MAX_FAILED_CALL_CHARS = 220, 110, 90
MAX_OVERCOME, MAX_LESSONS = 2, 3
MANY_ARGUMENTS = 3  # of a call that failed, from which on what is left of each says nothing
ChangesOf = Callable[[Episode], Sequence[Deed]]
Recalled = Sequence[tuple[Episode, float]]


def points_of(
    recalled: Recalled,
    query: str,
    changes_of: ChangesOf = changes,
    gone: Collection[str] = (),
    stale: Collection[tuple[str, int]] = (),
) -> dict[str, tuple[str, ...]]:
    """Return what each of the recalled episodes tells, by its id, the most useful first; the same change, call or answer once.

    Args:
        recalled: Completed episodes with their steps and how alike their tasks are to the query's, in [0, 1], in the order they are shown.
        query: What was asked: values of other cases are not shown.
        changes_of: What an episode changed, where that is known already.
        gone: Tools that work no longer: calls of them are nothing to do.
        stale: Steps, by episode, that answered an error which they answer no longer.
    """
    said: set[str] = set()
    found: dict[str, tuple[str, ...]] = {}
    recalled = [(episode, _likeness(episode, similarity, query)) for episode, similarity in recalled]
    fixes = {episode.id: [line for by, line in _overcame(episode, alike) if (episode.id, by) not in stale] for episode, alike in recalled}
    for episode, similarity in recalled:
        peers = [other for other, alike in recalled if _is_same(other, alike, episode, similarity)]
        changed = [phrases.changed(deed.text) for deed in changes_of(episode)]
        lines = {
            without_line_numbers(line): line
            for line in (*_own_words(episode), *_shown(episode, similarity, query, peers, changed, gone, fixes[episode.id]))
        }
        found[episode.id] = tuple(line for same, line in lines.items() if same not in said)[:MAX_POINTS]
        said.update(lines)
    return found


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
    for text in (without_inference(outcome.summary), why, *outcome.lessons[:MAX_LESSONS]):
        if line := " ".join(text.split()):
            yield shorten(line, MAX_WORDS_CHARS)


def _shown(
    episode: Episode,
    similarity: float,
    query: str,
    peers: Sequence[Episode],
    changed: Sequence[str],
    gone: Collection[str],
    fixes: Sequence[str],
) -> Iterator[str]:
    """Yield what the steps show."""
    won = [peer for peer in peers if peer.success]
    if episode.success:
        told = [*changed]
        if not changed or did_more_than_tests(episode):  # that tests were run beside a change is no news
            told += done(episode, similarity, query, gone)
        if not changed and similarity >= SAME_TASK and not did_more_than_tests(episode):
            told = [text for _, text in wrote(episode)] or told
        if told or all(step.key not in gone for step in episode.steps):
            yield from told or ended(episode, similarity) or looked(episode, similarity, query)
        if won[0] is episode:
            yield from otherwise(won, [peer for peer in peers if not peer.success])
        yield from fixes
    elif not won:
        told = [*_wrong_answers(episode, peers), *changed, *_unchanged(episode), *_in_vain(episode, similarity, query)]
        told += [*fixes, *_dead_ends(episode, looks=not told and len(peers) == 1)]
        partly = episode.outcome is not None and episode.outcome.kind is OutcomeKind.PARTIAL  # else what it wrote is one more way not to
        yield from told or [text for _, text in (wrote(episode) if partly and similarity >= SAME_TASK else ())]


# --- what came of it ---


def _wrong_answers(episode: Episode, peers: Sequence[Episode]) -> list[str]:
    """Return the answers that were rejected, of all attempts at the task at once."""
    given = [(peer, said) for peer in peers if peer.steps and (said := answer(peer.steps[-1]))]
    if not given or given[0][0] is not episode:
        return []
    verdict = message_of(episode.steps[-1]) if episode.steps[-1].failed else ""
    answers = list(dict.fromkeys(shorten(said, MAX_ANSWER_CHARS) for _, said in given))
    return [phrases.wrong(answers, shorten(verdict, MAX_MESSAGE_CHARS))]


def _unchanged(episode: Episode) -> Iterator[str]:
    """Yield that nothing was changed because the edits were refused, with what the last of them tried."""
    if not any(isinstance(said, facts.Unchanged) for said in (episode.reflection.improvements if episode.reflection else ())):
        return
    if refused := refused_edits(episode):
        path, edits = refused
        yield phrases.refused(path, len(edits), shorten_middle(message_of(edits[-1]), MAX_MESSAGE_CHARS), tried(episode, edits[-1]))


def _in_vain(episode: Episode, similarity: float, query: str) -> list[str]:
    """Return the calls of a failure, other than a shell's, of which nobody says why they were not enough."""
    return done(episode, similarity, query) if similarity >= SAME_TASK and not any(is_shell(s.tool) for s in episode.steps) else []


def _overcame(episode: Episode, similarity: float) -> Iterator[tuple[int, str]]:
    """Yield the errors that were fixed, each with the step that did it, the failed call and what made it work.

    Not what the agent had mistyped itself.
    """
    steps = episode.steps
    said_of_it = episode.reflection.successes if episode.reflection else ()
    for got_on in [said for said in said_of_it if isinstance(said, facts.GotOn)][:MAX_OVERCOME]:
        yield from ((got_on.by, line) for line in _put_right(steps, got_on))
    overcome = [said for said in said_of_it if isinstance(said, facts.Overcome)]
    for said in overcome[:MAX_OVERCOME]:
        failed, by, worked = (steps[i] if i < len(steps) else None for i in (said.failures[-1], said.by, said.worked_at))
        if failed is None or by is None or worked is None or _is_own(failed, episode) or hides_exit(command_in(worked.arguments)):
            continue
        if role_of(failed.key) is Role.LOOKS and said.by != said.worked_at and role_of(by.key) is Role.LOOKS:
            continue  # that another file was opened
        change = change_of(steps, said.by)
        if change is not None and (change.is_scratch or not (change.added or change.removed)):
            continue
        if change is None and "<<" in command_in(by.arguments):
            continue
        error, call = shorten_middle(" ".join(said.error.split()), MAX_MESSAGE_CHARS), call_told(failed, MAX_FAILED_CALL_CHARS)
        if said.by == said.worked_at and not command_in(by.arguments):
            other = call_changed(failed.arguments, by.arguments, MAX_CALL_CHARS) if similarity >= SAME_TASK else named_change(failed, by)
            if other:
                yield said.by, phrases.worked_otherwise(by.key, error, *other)
            continue
        names = [file.path for file in files_of(episode)]
        how = change_told(change.nearest(said.error), names, MAX_CALL_CHARS) if change else call_told(by, MAX_CALL_CHARS)
        if how != call:
            yield said.by, phrases.overcame(call, error, how, itself=said.by == said.worked_at)


def _put_right(steps: Sequence[Step], said: facts.GotOn) -> Iterator[str]:
    """Yield what a call had instead of what the error named, where the same tool then worked."""
    if max(said.failures[-1], said.by) < len(steps) and (other := named_change(steps[said.failures[-1]], steps[said.by])):
        yield phrases.worked_otherwise(said.key, shorten_middle(" ".join(said.error.split()), MAX_MESSAGE_CHARS), *other)


def _dead_ends(episode: Episode, *, looks: bool) -> Iterator[str]:
    """Yield the last call that failed and was never made to work; one that only looked where *looks*."""
    standing = [said for said in (episode.reflection.improvements if episode.reflection else ()) if isinstance(said, facts.Standing)]
    failed = [episode.steps[said.failures[-1]] for said in standing if said.failures[-1] < len(episode.steps)]
    for step in [step for step in failed if not is_mistyped(step)][:1]:
        if (
            not _is_own(step, episode)
            and not is_edit(step)
            and not any(other.key == step.key and not other.failed for other in episode.steps)
            and role_of(step.key) in ((Role.ACTS, Role.LOOKS) if looks else (Role.ACTS,))
        ):
            call = step.key if len(step.arguments) > MANY_ARGUMENTS else call_told(step, MAX_FAILED_CALL_CHARS)
            yield phrases.failed(call, shorten_middle(message_of(step), MAX_MESSAGE_CHARS))


def _is_own(step: Step, episode: Episode) -> bool:
    """Return whether what failed was the agent's own text: an edit that was refused, a script that it had just written, or a slip."""
    has_text = any(isinstance(value, str) and "\n" in value.strip() for value in step.arguments.values())
    return (role_of(step.key) is Role.ACTS and has_text) or is_mistyped(step) or runs_own(step, own_names(episode))
