"""How an attempt at this very task ended of which nothing else is told: its script, its last call, the tests that failed. Pure."""

from mcp_memory.domain import facts
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.step_roles import Role, role_of, runs_tests
from mcp_memory.domain.text import shorten_middle
from mcp_memory.learning.reading.calls_told import call_told
from mcp_memory.learning.reading.failed_tests import failed_tests
from mcp_memory.learning.reading.run import is_mistyped, message_of
from mcp_memory.learning.telling.acts import MAX_CALL_CHARS, own_names, runs_own
from mcp_memory.learning.telling.changes_told import Left
from mcp_memory.learning.telling.deeds import ended
from mcp_memory.learning.telling.errors_told import MAX_MESSAGE_CHARS
from mcp_memory.learning.telling.left_nothing import is_of_files
from mcp_memory.learning.telling.written import wrote
from mcp_memory.phrases import points as phrases

MAX_TESTS = 3


def ending(episode: Episode, similarity: float) -> str:
    """Return how a run ended of which nothing else is told, "" where its steps do not say, or say no more than that it left nothing.

    Args:
        episode: That did not succeed, with its steps.
        similarity: Of its task to the query.
    """
    if written := [text for _, text in wrote(episode)]:
        return written[0]
    if is_of_files(episode):
        return ""
    return next(iter(ended(episode, similarity)), "") or _last_call(episode)


def tests_failed(episode: Episode, said: facts.TestsFailed) -> str:
    """Return how many tests failed in a run's end, and which of them its output names."""
    output = episode.steps[said.step].observation if said.step < len(episode.steps) else ""
    return phrases.tests_failed(said.failed, said.total, failed_tests(output)[:MAX_TESTS])


def missed(episode: Episode) -> list[str]:
    """Return the tests that failed in a run's end, where its output names them."""
    last = [said for said in (episode.reflection.improvements if episode.reflection else ()) if isinstance(said, facts.TestsFailed)]
    return [
        tests_failed(episode, said)
        for said in last
        if said.step < len(episode.steps) and failed_tests(episode.steps[said.step].observation)
    ]


def last_run(episode: Episode, left: Left) -> str:
    """Return the error of the tests or the script of its own that a run tried its last change with; "" where it went well."""
    if not left.files:
        return ""
    steps, own = episode.steps, own_names(episode)
    after = steps[max(change.step for change in left.files) + 1 :]
    runs = [step for step in after if is_shell(step.tool) and (runs_tests(step.key) or runs_own(step, own)) and not is_mistyped(step)]
    message = message_of(runs[-1]) if runs and runs[-1].failed else ""
    return shorten_middle(message, MAX_MESSAGE_CHARS)


def _last_call(episode: Episode) -> str:
    """Return the call that failed in the end, of a tool that takes arguments, else the last look."""
    called = [step for step in episode.steps if role_of(step.key) is not Role.PASSES]
    if not called or (called[-1].failed and is_shell(called[-1].tool)):
        return ""
    call = call_told(called[-1], MAX_CALL_CHARS)
    if called[-1].failed:
        return phrases.ended_with(call, shorten_middle(message_of(called[-1]), MAX_MESSAGE_CHARS))
    return phrases.only_looked(call) if all(role_of(step.key) is Role.LOOKS for step in called) else ""
