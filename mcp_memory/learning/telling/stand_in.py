"""Whether what an attempt wrote was made up because the call that should have made it had failed. Pure."""

import re
from collections.abc import Sequence

from mcp_memory.domain.episode import Episode
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.domain.text import shorten_middle
from mcp_memory.learning.reading.calls_told import call_told
from mcp_memory.learning.reading.run import error_text, is_mistyped, message_of
from mcp_memory.learning.reading.script_facts import reads_nothing
from mcp_memory.learning.reading.signatures import signature
from mcp_memory.learning.telling.acts import own_names, runs_own
from mcp_memory.phrases import scripts as phrases

MAX_CALL_CHARS, MAX_ERROR_CHARS = 120, 90
_INVENTED = re.compile(
    r"(?<![^\W_])(mock(?:ed)?|fake|dummy|placeholder|simulat\w+|synthetic|realistic|made[- ]up|hypothetical|stand-in)(?![^\W_])"
    r"(?![ _-]?(?:server|service|client|object|patch|test|user|agent)s?(?![^\W_]))",  # beside which the work may be real
    re.I,
)
_IMPORT = re.compile(r"\s*(?:import|from)\b")
_RANDOM = re.compile(r"\b(?:np\.|numpy\.)?random\.(?:uniform|random|gauss|normal\w*|randn?|randint)\(|\btorch\.(?:randn?|rand)\(")


def stand_in(episode: Episode, step: int, path: str, lines: Sequence[str]) -> str:
    """Return that a file which an attempt without success wrote holds what it made up, with the call that had failed; "" where not.

    That is a script that reads and calls nothing, and says itself that its values are no real ones, or draws them at random, where the
    task speaks of neither.

    Args:
        episode: With its steps.
        step: That wrote it.
        path: Of the file.
        lines: Of it.
    """
    text = "\n".join((path, *(line for line in lines if not _IMPORT.match(line))))
    said = [found[1] for found in _INVENTED.finditer(text)]
    invented = any(word.casefold() not in episode.task.casefold() for word in said)
    drawn = _RANDOM.search(text) is not None and "random" not in episode.task.casefold()
    if episode.success or not (invented or drawn) or not reads_nothing(lines):
        return ""
    return _after(episode, step, path)


def _after(episode: Episode, before: int, path: str) -> str:
    """Return what was made up with the call that failed before, the last of the kind that failed most often; "" where none did."""
    steps, own = episode.steps[:before], own_names(episode)
    by_error: dict[str, list[int]] = {}
    for i, step in enumerate(steps):
        acts = step.failed and role_of(step.key) is Role.ACTS and not is_mistyped(step)
        later = any(other.is_same_call(step) and not other.failed for other in episode.steps[i + 1 :])
        if acts and is_shell(step.tool) and not later:
            by_error.setdefault(signature(error_text(step)), []).append(i)
    if not by_error:
        return ""
    most = max(by_error.values(), key=lambda where: (len(where), where[-1]))
    told = next((i for i in reversed(most) if not runs_own(steps[i], own)), most[-1])
    error = shorten_middle(message_of(steps[told]), MAX_ERROR_CHARS)
    return phrases.stand_in(path, call_told(steps[told], MAX_CALL_CHARS), error, len(most))
