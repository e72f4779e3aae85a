"""What an attempt tells of errors: those it got past and how, and the call that never worked. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mcp_memory.domain import facts
from mcp_memory.domain.commands import command_in, hides_exit
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.nearness import SAME_TASK, THE_TASK
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.domain.text import shorten_middle
from mcp_memory.learning.reading.argument_changes import argument_change, named_change
from mcp_memory.learning.reading.brief import step_change
from mcp_memory.learning.reading.calls_told import call_by_names, call_changed, call_told
from mcp_memory.learning.reading.case_values import without_ids
from mcp_memory.learning.reading.changes import change_of
from mcp_memory.learning.reading.code_calls import code_mend
from mcp_memory.learning.reading.file_uses import files_of, same_file
from mcp_memory.learning.reading.other_value import in_words, one_other_value
from mcp_memory.learning.reading.run import error_text, is_mistyped, message_of
from mcp_memory.learning.reading.signatures import quoted_in, signature
from mcp_memory.learning.telling.acts import MAX_CALL_CHARS, acted, is_edit, own_names, runs_own
from mcp_memory.learning.telling.answers_told import MAX_DONE
from mcp_memory.learning.telling.examples import PLACEHOLDER, example_of
from mcp_memory.phrases import points as phrases

MAX_MESSAGE_CHARS, MAX_FAILED_CALL_CHARS = 110, 90
MAX_OVERCOME = 2
MIN_NAME_CHARS = 3  # of what an error names
MAX_CHANGE_CHARS = 240  # of a change that made a failed call work
_NOTHING = re.compile(r"\b(?:no (?:match|result|page|entr|hit)\w*|(?:could|did) not find|(?:was )?not found|nothing found)\b", re.I)
MANY_ARGUMENTS = 3  # of a call that failed, from which on what is left of each says nothing


class ErrorTold(NamedTuple):
    """`signature` is of the error, whole; `by` is the step that got past it, -1 where none did, and `at` then the step that met it."""

    line: str
    signature: str
    by: int = -1
    at: int = -1
    is_own: bool = False  # the error of what the run had brought in itself: of use to who meets it alone


def overcame(episode: Episode, similarity: float) -> Iterator[ErrorTold]:
    """Yield the errors that were fixed, each with the failed call and what made it work; not what the agent had mistyped itself."""
    steps = episode.steps
    said_of_it = episode.reflection.successes if episode.reflection else ()
    for got_on in [said for said in said_of_it if isinstance(said, facts.GotOn)][:MAX_OVERCOME]:
        yield from _put_right(steps, got_on, similarity)
    overcome = [said for said in said_of_it if isinstance(said, facts.Overcome)]
    for said in overcome[:MAX_OVERCOME]:
        failed, by, worked = (steps[i] if i < len(steps) else None for i in (said.failures[-1], said.by, said.worked_at))
        if failed is None or by is None or worked is None or _is_own(failed, episode) or hides_exit(command_in(worked.arguments)):
            continue
        if (role_of(failed.key) is Role.LOOKS or is_edit(failed)) and said.by != said.worked_at and role_of(by.key) is Role.LOOKS:
            continue  # that another file was opened
        change = change_of(steps, said.by)
        if change is not None and (change.is_scratch or not (change.added or change.removed)):
            continue
        if change is None and "<<" in command_in(by.arguments):
            continue
        error, call = (
            shorten_middle(" ".join(said.error.split()), MAX_MESSAGE_CHARS),
            _call_there(failed, similarity, MAX_FAILED_CALL_CHARS),
        )
        if said.by == said.worked_at and not command_in(by.arguments):
            other = call_changed(failed.arguments, by.arguments, MAX_CALL_CHARS) if similarity >= SAME_TASK else named_change(failed, by)
            if other and not _is_another_look(failed, by):
                yield ErrorTold(phrases.worked_otherwise(by.key, error, *other), signature(error_text(failed)), said.by)
            continue
        names = [file.path for file in files_of(episode)]
        path = next((name for name in names if change and same_file(name, change.path)), "")
        how = step_change(steps, said.by, MAX_CHANGE_CHARS, near=said.error, path=path) if change else _done_told(steps, said, similarity)
        if how == call:  # but for the folder
            how, call = (call_told(step, MAX_FAILED_CALL_CHARS, folder=True) for step in (by, failed))
        if how != call:
            is_own = change is not None and _brought_itself(steps, said.failures[-1])
            line = phrases.overcame(call, error, how, itself=said.by == said.worked_at)
            yield ErrorTold(line, signature(error_text(failed)), said.by, is_own=is_own)


def _brought_itself(steps: Sequence[Step], failed: int) -> bool:
    """Return whether an error names what an edit before it had brought in: a slip of the run's own, and what it left has it right."""
    named = [name for name in quoted_in(message_of(steps[failed])) if len(name) >= MIN_NAME_CHARS]
    changes = (change for k in range(failed) if named and not steps[k].failed and (change := change_of(steps, k)) and not change.is_scratch)
    return any(name in change.added and name not in change.removed for change in changes for name in named)


def _done_told(steps: Sequence[Step], said: facts.Overcome, similarity: float) -> str:
    """Return what was done before a failed call worked: the command, or the few calls of which the last alone need not have done it."""
    if command_in(steps[said.by].arguments):
        return _command_told(steps[said.by], steps[said.failures[-1]])
    done = [k for k in range(said.failures[-1] + 1, said.worked_at) if acted(steps, k) and not command_in(steps[k].arguments)]
    if said.by not in done or len(done) > MAX_DONE:
        done = [said.by]
    return ", ".join(dict.fromkeys(_call_there(steps[k], similarity, MAX_CALL_CHARS) for k in done))


def _call_there(step: Step, similarity: float, max_chars: int) -> str:
    """Return a call; one of another case, other than a command, by the names of its arguments and those values that are of no case."""
    if similarity >= THE_TASK or command_in(step.arguments) or step.description or not step.arguments:
        return call_told(step, max_chars)
    shown = example_of(step.arguments, max_chars, "", alike=True) or {}
    return call_by_names(step, {name: value for name, value in shown.items() if not PLACEHOLDER.search(str(value))}, max_chars)


def _command_told(by: Step, failed: Step) -> str:
    """Return a call without the ids that the error named which it answered: they were of that time."""
    said = error_text(failed)
    return without_ids(call_told(by, MAX_CALL_CHARS), lambda value: value not in said)


def _put_right(steps: Sequence[Step], said: facts.GotOn, similarity: float) -> Iterator[ErrorTold]:
    """Yield what a call had instead of what the error named, or of one value, where the same tool then worked."""
    if max(said.failures[-1], said.by) >= len(steps):
        return
    failed, by = steps[said.failures[-1]], steps[said.by]
    if is_edit(failed) or _is_another_look(failed, by):
        return
    error, kind = shorten_middle(" ".join(said.error.split()), MAX_MESSAGE_CHARS), signature(error_text(failed))
    if mend := code_mend(steps, said.failures[-1]):
        before = [call.told() for call in mend.before]
        line = phrases.overcame_in_code(mend.failed.told(), error, before, mend.worked.beside(mend.failed))
        yield ErrorTold(line, kind, said.by)
    elif other := named_change(failed, by):
        yield ErrorTold(phrases.worked_otherwise(said.key, error, *other), kind, said.by)
    elif (value := one_other_value(failed, by)) and in_words(by):
        call, worked = (call_told(step, MAX_FAILED_CALL_CHARS) for step in (failed, by))
        yield ErrorTold(phrases.overcame(call, error, worked, itself=True), kind, said.by)
    elif value and similarity >= SAME_TASK:  # another case has other values
        told = value.told() if similarity >= THE_TASK else [without_ids(one, lambda _: False) for one in value.told()]
        yield ErrorTold(phrases.worked_otherwise(said.key, error, *told), kind, said.by)


def _is_another_look(failed: Step, by: Step) -> bool:
    """Return whether a look that found nothing was followed by one for something else: that it went through answers nothing."""
    return role_of(failed.key) is Role.LOOKS and _NOTHING.search(message_of(failed)) is not None and argument_change(failed, by) is None


def dead_ends(episode: Episode, *, looks: bool, is_here: bool) -> Iterator[ErrorTold]:
    """Yield the last call that failed and was never made to work; one that only looked where *looks*.

    *is_here*: the task is as good as the one that is asked about; of another case no values are told but a command's.
    """
    standing = [said for said in (episode.reflection.improvements if episode.reflection else ()) if isinstance(said, facts.Standing)]
    failed = [said.failures[-1] for said in standing if said.failures[-1] < len(episode.steps)]
    for at in [at for at in failed if not is_mistyped(episode.steps[at])][:1]:
        step = episode.steps[at]
        if (
            not _is_own(step, episode)
            and not is_edit(step)
            and not any(other.key == step.key and not other.failed for other in episode.steps)
            and role_of(step.key) in ((Role.ACTS, Role.LOOKS) if looks else (Role.ACTS,))
        ):
            is_bare = len(step.arguments) > MANY_ARGUMENTS or not (is_here or command_in(step.arguments) or step.description)
            call = step.key if is_bare else call_told(step, MAX_FAILED_CALL_CHARS)
            error = message_of(step)
            yield ErrorTold(phrases.failed(call, shorten_middle(error, MAX_MESSAGE_CHARS)), signature(error_text(step)), at=at)


def _is_own(step: Step, episode: Episode) -> bool:
    """Return whether what failed was the agent's own text: an edit that was refused, a script that it had just written, or a slip."""
    has_text = any(isinstance(value, str) and "\n" in value.strip() for value in step.arguments.values())
    return (role_of(step.key) is Role.ACTS and has_text) or is_mistyped(step) or runs_own(step, own_names(episode))
