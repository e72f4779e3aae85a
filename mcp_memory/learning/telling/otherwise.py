"""What attempts at a task did that failed and none that worked: a tool, a call, a file. Pure."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from mcp_memory.domain.episode import Episode
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.learning.reading.file_uses import files_of, same_file
from mcp_memory.learning.reading.left_changed import left_changed
from mcp_memory.learning.telling.acts import acted, own_names, runs_own, told_as_call
from mcp_memory.learning.telling.changes_told import is_beside
from mcp_memory.learning.telling.deeds import calls_by_names, done
from mcp_memory.learning.telling.fatal_calls import is_telling, outnumber
from mcp_memory.learning.telling.same_case import is_same_case
from mcp_memory.phrases import points as phrases


def otherwise(won: Sequence[Episode], lost: Sequence[Episode]) -> Iterator[str]:
    """Yield what attempts that failed did and none that worked did."""
    if not lost:
        return
    used, worked = Counter(key for peer in lost for key in _acts(peer)), {key for peer in won for key in _acts(peer)}
    others = [(key, count) for key, count in used.most_common() if key not in worked and 2 * count >= len(lost)]
    if not others:
        called = Counter(call for peer in lost for call in _calls(peer))
        made = {told_as_call(step) for peer in won for step in peer.steps}
        others = [(call, count) for call, count in called.most_common() if call not in made and outnumber(count, len(lost))]
    if others:
        yield phrases.only_failures_called(*others[0])
    paths = Counter(path for peer in lost for path in _paths(peer))
    right = [path for peer in won for path in _paths(peer)]
    if right and (elsewhere := [(path, n) for path, n in paths.most_common() if not any(same_file(path, other) for other in right)]):
        yield phrases.only_failures_changed(*elsewhere[0])


def is_done_alike(won: Episode, like_it: int, of: int, lost: Sequence[Episode], query: str) -> bool:
    """Return whether, by names, failures called all that a success at another case did, too: what decided is in values that are not told.

    That is so where at least half the share of them did it that did of the successes, *like_it* of so many.
    """
    called = calls_by_names(won, query)
    same = sum(called <= calls_by_names(peer, query) for peer in lost) if called else 0
    return bool(same) and 2 * same * of >= like_it * len(lost)


def done_to_work(episode: Episode, similarity: float, query: str, peers: Sequence[Episode], gone: Collection[str]) -> list[str]:
    """Return the calls of a success; of another case none that the failures made by the same names: what decided is not told by these."""
    won, lost = ([peer for peer in peers if peer.success is is_won] for is_won in (True, False))
    if lost and not is_same_case(query, episode.task):
        like_it = sum(calls_by_names(peer, query) == calls_by_names(episode, query) for peer in won)
        if is_done_alike(episode, like_it, len(won), lost, query):
            return []
    return done(episode, similarity, query, gone)


def changed_what_was_seen(attempt: Episode, other: Episode) -> bool:
    """Return whether an *other* attempt left a file changed, no test and no text, which this one had before it or changed, too."""
    seen = [file.path for file in files_of(attempt)]
    return any(same_file(path, known) for path in _paths(other) for known in seen)


def _acts(episode: Episode) -> set[str]:
    """Return the tools that did something, other than to files and in a shell, whose effects no key names."""
    steps = episode.steps
    return {step.key for i, step in enumerate(steps) if not is_shell(step.tool) and acted(steps, i)}


def _calls(episode: Episode) -> list[str]:
    """Return the calls that did something but run what it wrote itself, each once, the last first: what came before went well longer."""
    steps, own = episode.steps, own_names(episode)
    telling = [step for i, step in enumerate(steps) if acted(steps, i) and is_telling(step.key) and not runs_own(step, own)]
    return list(dict.fromkeys(map(told_as_call, reversed(telling))))


def _paths(episode: Episode) -> set[str]:
    """Return the files that were there and are changed, but tests and texts."""
    return {change.path for change in left_changed(episode) if not is_beside(change.path)}
