"""What of another run answered an error, in few words, where it says something for this run. Pure."""

import re
from collections.abc import Sequence

from mcp_memory.domain.commands import command_in, program_of
from mcp_memory.domain.episode import Step
from mcp_memory.domain.offers import EMAIL
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.domain.text_words import words
from mcp_memory.learning.advice.mending_edits import mending_edits
from mcp_memory.learning.reading.alternatives import did_the_job
from mcp_memory.learning.reading.argument_changes import named_change, put_past, put_right
from mcp_memory.learning.reading.brief import brief
from mcp_memory.learning.reading.calls_told import call_changed
from mcp_memory.learning.reading.changes import change_of, changes_scratch
from mcp_memory.learning.reading.code_calls import calls_in, code_in, code_mend
from mcp_memory.learning.reading.edit_mends import Kind, RefusedEdit, mend_of
from mcp_memory.learning.reading.likeness import likeness
from mcp_memory.learning.reading.other_value import OtherValue, in_words, is_about_the_same, is_vague, one_other_value
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.reading.signatures import quoted_in
from mcp_memory.learning.telling.answers_told import Told, told_answer, told_call, told_change, told_instead
from mcp_memory.phrases import points as phrases

_DIGIT = re.compile(r"\d")
_NUMBERED = re.compile(r"([A-Za-z]\w*?)[_-]\d{3,}")  # card_77123
MAX_CALL_CHARS = 200  # of a call that is told
MIN_LIKE, MAX_LINE_CHARS = 0.4, 120  # of two lines of a script, one of which stood in the other's place
_WRITTEN = (("email", EMAIL), ("date", re.compile(r"\d{4}-\d\d-\d\d")), ("url", re.compile(r"https?://\S+")))
_SUBSTITUTION, _EXPANDED = re.compile(r"\bbad substitution\b", re.I), "${"
_SAYS_NOTHING = re.compile(r"\btimed? ?out\b|\bkilled\b|\binterrupted\b|^exit (?:code |status )?-?\d+\W*$", re.I)  # of what was wrong


def what_answered(
    steps: Sequence[Step], failed: int, by: int, own: Step, run: str, *, is_fixed: bool, is_here: bool, is_beaten: bool
) -> Told | None:
    """Return what answered the message of this run's step in another one, None without; a change in a file it has not got, too.

    Args:
        steps: Of the other run.
        failed: Its step that failed with this message.
        by: Its step that answered it.
        own: This run's failed step.
        run: `text_of_run` of this one.
        is_fixed: Whether the failed call itself worked afterwards.
        is_here: Whether the other run was at this very task.
        is_beaten: Whether it failed there where others succeeded: of what it did only commands are told.
    """
    message = message_of(own)
    refused, edit = RefusedEdit.of(own), RefusedEdit.of(steps[by])
    if line := _indented_otherwise(steps, failed, refused, edit, own) or _line_instead(steps[failed], steps[by], own):
        return line
    right = _put_right(steps, failed) if not is_fixed else by if steps[by].key == steps[failed].key else -1
    if right >= 0 and named_change(steps[failed], steps[right]):
        return told_answer(steps, failed, right, run)
    if mend := code_mend(steps, failed):
        call = phrases.in_code(mend.worked.name, [before.told() for before in mend.before], mend.worked.beside(mend.failed))
        return Told(call, names_failed=True) if calls_in(code_in(own.arguments)) else None
    value = one_other_value(steps[failed], steps[right]) if right >= 0 and not own.is_same_call(steps[failed]) else None
    if value and ((told := _with_other_value(own, value, run)) or not is_fixed):
        return told
    if is_vague(message) and not is_about_the_same(steps[failed], own):
        return None  # it failed for a reason of its own
    is_command = bool(command_in(steps[by].arguments))
    same = [step for step in steps[failed:] if step.is_same_call(own)]
    is_again = bool(same) and all(step.failed for step in same) and steps[by].key == own.key and not is_command
    if is_again and role_of(own.key) is Role.LOOKS and _values(own).isdisjoint(_values(steps[by])):
        return None  # another thing was looked for
    if is_again and not is_beaten and (other := call_changed(own.arguments, steps[by].arguments, MAX_CALL_CHARS)):
        return Told(f"{own.key} {other[0]} instead of {other[1]}", names_failed=True)
    if role_of(own.key) is Role.ACTS and role_of(steps[by].key) is Role.LOOKS and not same:
        return None  # which file was open matters to the very call alone
    if refused and edit and not edit.is_same_place(refused):
        return None  # what was edited elsewhere answers no refusal
    if changes_scratch(steps, by):  # what tries something out is each run's own, but at this very task it is much the same
        change = change_of(steps, by) if is_fixed and is_here else None
        if change is None or not change.says_what:
            return None
        return Told(mending_edits(steps, failed, by, message, lambda _: True) or brief(steps, by, MAX_CALL_CHARS, near=message))
    if is_beaten and (change_of(steps, by) or not is_command):
        return None  # of an attempt that failed where others succeeded, a command may still have brought what was missing
    if (not is_fixed and not did_the_job(steps, failed, by)) or steps[by].is_same_call(steps[failed]):
        return None  # that it worked when it was made again says nothing of what made it work
    if not same and _SAYS_NOTHING.search(message):
        return None  # another command was slow or killed for a reason of its own
    did = (told_instead(steps, failed, by) if is_fixed else None) or told_call(steps, by, run) or told_instead(steps, failed, by)
    if is_fixed and did is None:
        did = told_change(steps, by, message, message) or (told_answer(steps, failed, by, run) if change_of(steps, by) is None else None)
    if did is None or not is_fixed or did.names_failed:
        return did
    edits = mending_edits(steps, failed, by, message, lambda path: is_here or path.rpartition("/")[2].casefold() in run.casefold())
    return did._replace(text=edits) if edits else did


def _put_right(steps: Sequence[Step], failed: int) -> int:
    return right if (right := put_right(steps, failed)) >= 0 else put_past(steps, failed)


def names_the_same(steps: Sequence[Step], failed: int, own: Step) -> bool:
    """Return whether this run's error names what another run's call had that was then put right, whatever else the two messages say."""
    right = put_right(steps, failed)
    change = named_change(steps[failed], steps[right]) if right >= 0 else None
    part = change[1].partition("=")[2].strip("…") if change else ""
    return bool(part) and any(part == said for said in quoted_in(message_of(own)))


def _indented_otherwise(
    steps: Sequence[Step], failed: int, refused: RefusedEdit | None, edit: RefusedEdit | None, own: Step
) -> Told | None:
    """Return how far the text of an edit was indented that went through where the same one was *refused*."""
    is_there = refused is not None and edit is not None and edit.is_same_place(refused)
    mend = mend_of(steps, failed) if is_there else None
    if mend is None or mend.kind is not Kind.INDENTED:
        return None
    return Told(f"{own.key} text indented by {mend.now} instead of text indented by {mend.then}", names_failed=True)


def _line_instead(failed: Step, by: Step, own: Step) -> Told | None:
    """Return the line of a script in quotes that stood in the place of one that a shell took for its own; None of other errors."""
    before, after, here = (command_in(step.arguments) for step in (failed, by, own))
    if not _SUBSTITUTION.search(message_of(failed)) or program_of(before) != program_of(after) or _EXPANDED not in here:
        return None
    lines, others = ([line.strip() for line in command.splitlines()] for command in (before, after))
    old = next((line for line in lines if _EXPANDED in line and line not in others), "")
    alike = [(likeness(old, line), line) for line in others if line not in lines and _EXPANDED not in line]
    share, new = max(alike, default=(0.0, ""))
    if not old or share < MIN_LIKE or max(len(old), len(new)) > MAX_LINE_CHARS:
        return None
    return Told(f"{program_of(after)} with `{new}` instead of `{old}`", names_failed=True)


def _with_other_value(own: Step, value: OtherValue, run: str) -> Told | None:
    """Return what stood in the place of a value that this run's call has, too, or one of its form; None where it has another one."""
    text, (now, then) = in_words(own), value.told()
    has = f" {then} " in f" {' '.join(text.split())} "
    if value.argument and not text:
        has = (here := str(own.arguments.get(value.argument))) == value.then or _form(here) == _form(value.then) != ""
        has = has or (_kind(here) == _kind(value.then) != "" and value.now in run)
        if not has and (kind := _written_as(value.now)) and not _written_as(value.then) and not _written_as(here):
            has, now, then = True, f"{value.argument}=<{kind}>", f"{value.argument}={here}"
    if text:
        now, then = f"“…{now}…”", f"“…{then}…”"
    return Told(f"{own.key.partition(':')[2] or own.key} {now} instead of {then}", names_failed=True) if has else None


def _form(value: str) -> str:
    """Return how a value of digits is written, as dates, times and telephone numbers are; "" of anything else.

    >>> _form("2023-01-01"), _form("+49 30 1234"), _form("17"), _form("order 17")
    ('9999-99-99', '+99 99 9999', '', '')
    """
    form = _DIGIT.sub("9", value)
    return form if "9" in form and not form.isdigit() and not any(map(str.isalpha, form)) else ""


def _written_as(value: str) -> str:
    """Return what a value is by how it is written; "" of a name or any other text.

    >>> _written_as("mia@acme.io"), _written_as("2026-03-01"), _written_as("Mia Li"), _written_as("tomorrow")
    ('email', 'date', '', '')
    """
    return next((kind for kind, pattern in _WRITTEN if pattern.fullmatch(value)), "")


def _kind(value: str) -> str:
    """Return of what kind a thing is by the words of its id; "" of what is no such id.

    >>> _kind("gift_card_7480005"), _kind("EUJUY6"), _kind("card")
    ('gift_card', '', '')
    """
    found = _NUMBERED.fullmatch(value)
    return found[1] if found else ""


def _values(step: Step) -> frozenset[str]:
    """Return the words of what a step was called with."""
    return words(" ".join(map(str, step.arguments.values())))
