"""What of the errors that an attempt met is told to others: how it got past them, which stood, and what went through elsewhere. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from mcp_memory.domain.episode import Episode
from mcp_memory.domain.nearness import THE_TASK
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.domain.text import shorten_middle
from mcp_memory.learning.reading.run import error_text, message_of
from mcp_memory.learning.reading.signatures import signature
from mcp_memory.learning.telling.acts import is_edit
from mcp_memory.learning.telling.errors_told import MAX_MESSAGE_CHARS, ErrorTold
from mcp_memory.learning.telling.same_case import met_in
from mcp_memory.learning.telling.went_through import in_another, is_past
from mcp_memory.phrases import points as phrases


def got_past(episode: Episode, told: ErrorTold, similarity: float) -> str:
    """Return how an episode got past an error; of one that failed only the error, where that names what was then put otherwise.

    That something else was accepted in its place does not say that it was right. And it is not why the run failed: of a task that is only
    like the one asked about, "".
    """
    steps = episode.steps
    by = steps[told.by] if 0 <= told.by < len(steps) else None
    if episode.success or by is None or role_of(by.key) is not Role.ACTS or is_shell(by.tool) or is_edit(by):
        return told.line
    failed = next((step for step in reversed(steps[: told.by]) if step.failed and signature(error_text(step)) == told.signature), None)
    if failed is None or failed.key != by.key:
        return told.line
    message = message_of(failed)
    given, kept = (met_in(str(dict(step.arguments))) for step in (failed, by))
    is_named = not (given - kept).isdisjoint(met_in(message))
    if not is_named:
        return told.line
    said = phrases.error_met(failed.key, shorten_middle(" ".join(message.split()), MAX_MESSAGE_CHARS))
    return said if similarity >= THE_TASK else ""


def standing(episode: Episode, ends: Iterable[ErrorTold], others: Sequence[Episode], run: Episode | None) -> Iterator[str]:
    """Yield the calls that never worked, with what went through elsewhere; none that the run which asks has got past itself."""
    for end in ends:
        failed = episode.steps[end.at]
        if is_past(run, failed):
            continue
        went = in_another(others, failed)
        yield phrases.but_elsewhere(end.line, went) if went else end.line
