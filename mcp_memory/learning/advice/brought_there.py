"""What brought, in earlier attempts at the task, what the error at hand says is missing, where that stood in what a command printed."""

from collections.abc import Sequence

from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.nearness import SAME_TASK
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.text import shorten_middle
from mcp_memory.learning.reading.calls_told import call_told
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.telling.told_attempts import MAX_READ, ReadEpisodes
from mcp_memory.learning.telling.went_through import brought
from mcp_memory.phrases import points as phrases

MAX_MESSAGE_CHARS, MAX_CALL_CHARS, MIN_MESSAGE_CHARS = 110, 60, 12
_LABEL = "exit "  # of an exit code, which a log puts before a message


def brought_there(read: ReadEpisodes, neighbours: Sequence[tuple[str, float]], episode: Episode) -> tuple[Precedent, ...]:
    """Return what one of up to twelve attempts at the task did about the very message of the last step, which a command has."""
    last = episode.steps[-1]
    message = " ".join(message_of(last).split())
    message = message.partition(": ")[2] if message.startswith(_LABEL) else message
    if not is_shell(last.tool) or len(message) < MIN_MESSAGE_CHARS:
        return ()
    near = [key for key, similarity in neighbours if similarity >= SAME_TASK][:MAX_READ]
    for other in filter(None, read(near)):
        if found := brought(other, message):
            at, command = found
            call = call_told(other.steps[at], MAX_CALL_CHARS)
            line = phrases.said_and_done(call, shorten_middle(message, MAX_MESSAGE_CHARS), [f"did `{command}`"], is_gone=True)
            return (Precedent(other.success, (line,), "", 0, 0, other.id, partly=other.partial),)
    return ()
