"""All that was edited between a failed call and the same one that worked, any of which may be what mended it. Pure."""

from collections.abc import Callable, Sequence

from mcp_memory.domain.episode import Step
from mcp_memory.domain.identifiers import distinct_words
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.brief import named_from_root
from mcp_memory.learning.reading.change_lines import change_line
from mcp_memory.learning.reading.changes import change_of, is_scratch
from mcp_memory.learning.reading.left_changed import changed_between
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.reading.shown_diffs import as_shown_later
from mcp_memory.phrases.advice import with_edits_of

MAX_FIRST_CHARS, MAX_OTHER_CHARS = 320, 200  # of what was edited in the file that is the likeliest, and in another


def mending_edits(steps: Sequence[Step], failed: int, by: int, message: str, knows: Callable[[str], bool]) -> str:
    """Return the edits between a failed call and the same one that got past its error, the likeliest file first; "" for none.

    There are none where the step *by*, which is said to have got it past, was no edit.

    Of each file what the edits came to, the lines nearest the error's *message* first; of another file than that of *by* only where the run
    that is told *knows* it by its path.
    """
    again = next((k for k in range(by + 1, len(steps)) if steps[k].is_same_call(steps[failed])), -1)  # which said something else
    change = change_of(steps, by)
    if again < 0 or change is None:
        return ""
    words = frozenset(distinct_words(message))
    edited = (as_shown_later(steps, one) for one in changed_between(steps, _first_failure(steps, failed), again))
    found = [one for one in edited if one.path == change.path or knows(one.path)]
    if not any(one.path == change.path for one in found):
        return ""
    lines = {one.path: change_line(one, words, MAX_FIRST_CHARS + len(one.path)) for one in found}
    told = [one for one in found if lines[one.path]]
    if not told:
        return ""
    hits = {one.path: len(words & frozenset(distinct_words(lines[one.path]))) for one in told}
    told.sort(key=lambda one: (is_scratch(one.path) and not is_scratch(change.path), -hits[one.path], one.path != change.path))
    first, *others = (f"{named_from_root(steps, one.path)}{lines[one.path].removeprefix(one.path)}" for one in told)
    return with_edits_of(f"{steps[by].key} {first}", [shorten(line, MAX_OTHER_CHARS) for line in others])


def _first_failure(steps: Sequence[Step], failed: int) -> int:
    """Return from which step on a call failed with the same message up to that one: what was edited since may be part of the mend."""
    first, message = failed, message_of(steps[failed])
    for k in range(failed - 1, -1, -1):
        if steps[k].is_same_call(steps[failed]):
            if not steps[k].failed or message_of(steps[k]) != message:
                break
            first = k
    return first
