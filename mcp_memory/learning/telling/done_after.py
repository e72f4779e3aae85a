"""What a run did about a line that it was shown: after what the same call no longer said so, else what a success did next. Pure."""

from collections.abc import Collection
from itertools import islice

from mcp_memory.domain.episode import Episode
from mcp_memory.domain.text import shorten_middle
from mcp_memory.learning.reading.brief import step_change
from mcp_memory.learning.reading.calls_told import call_told
from mcp_memory.learning.reading.case_values import without_ids
from mcp_memory.learning.reading.changes import change_of
from mcp_memory.learning.reading.said_lines import SaidLine
from mcp_memory.learning.telling.acts import MAX_CALL_CHARS, acted, own_names, runs_own, told_as_call
from mcp_memory.phrases import points as phrases

MAX_LINE_CHARS, MAX_CALL_THAT_SAID_CHARS = 110, 60
MAX_DEEDS = 2
SOON = 12  # steps after a line within which what a success did is taken for its answer


def done_after(episode: Episode, said: SaidLine, query: str, gone: Collection[str] = ()) -> str:
    """Return what was done about a line that a step was shown, "" where nothing tells.

    Args:
        episode: With its steps.
        said: The line, and of which step.
        query: What was asked: ids of other cases are not shown.
        gone: Tools that work no longer.
    """
    steps, step = episode.steps, episode.steps[said.step]
    after = range(said.step + 1, len(steps))
    looked_again = [i for i in after if steps[i].is_same_call(step)]
    last = max([said.step, *(i for i in looked_again if _says(episode, i, said.line))])
    is_gone = next((i for i in looked_again if i > last and not steps[i].failed), None)
    if is_gone is None and (not episode.success or last > said.step):
        return ""
    until = is_gone if is_gone is not None else min(len(steps), last + 1 + SOON)
    deeds = [told for i in range(last + 1, until) if steps[i].key not in gone and (told := _deed(episode, i))]
    chosen = deeds[-MAX_DEEDS:] if is_gone is not None else list(islice(deeds, MAX_DEEDS))
    if not chosen:
        return ""
    call, line = call_told(step, MAX_CALL_THAT_SAID_CHARS), shorten_middle(said.line, MAX_LINE_CHARS)
    told = phrases.said_and_done(call, line, chosen, is_gone=is_gone is not None)
    return without_ids(told, lambda value: value in query)


def _says(episode: Episode, i: int, line: str) -> bool:
    step = episode.steps[i]
    return line in " ".join(f"{step.error or ''} {step.observation}".split())


def _deed(episode: Episode, i: int) -> str:
    """Return a step that changed something, in few words; "" for one that did not, or what it changed was its own."""
    steps = episode.steps
    if change := change_of(steps, i):
        return f"changed {step_change(steps, i, MAX_CALL_CHARS)}" if change.says_what and not change.is_scratch else ""
    return f"did {told_as_call(steps[i])}" if acted(steps, i) and not runs_own(steps[i], own_names(episode)) else ""
