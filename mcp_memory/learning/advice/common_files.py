"""Which files the recalled episodes worked on: where to look first. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from mcp_memory.domain.answers import RecalledFile
from mcp_memory.domain.episode import Episode, FileUse, OutcomeKind, Use
from mcp_memory.domain.identifiers import is_full
from mcp_memory.domain.nearness import near_from
from mcp_memory.learning.patterns.relevance import MIN_SIMILARITY
from mcp_memory.learning.reading.changes import TRIED
from mcp_memory.learning.reading.file_uses import files_of
from mcp_memory.phrases.words import NAMED_IN_REQUEST, counted
from mcp_memory.views.project_files import SeenFile

MAX_FILES, MAX_SEEN = 5, 20
LIKENESS = 2.0  # power of a task's similarity that its episode counts by
SEEN_WEIGHT = 0.4  # of the first file that the request's words lead to, in attempts at the same task
FADING = 8.0  # places in that list after which a file counts half: it falls slowly, for the first few are about as likely
_PASSING = re.compile(
    rf"^(?:[ab]/)?(?:{TRIED})$"  # at the top: further down such a name may be a test that people keep
    r"|^/?tmp/[^/]+$|(?:^|/)(?:_build|__pycache__|node_modules)/|\.(?:zip|whl|egg|pyc|so|o|class|jar|dll|exe)$",
    re.I,
)


def common_files(recalled: Sequence[tuple[Episode, float]], seen: Sequence[SeenFile] = ()) -> tuple[RecalledFile, ...]:
    """Return the files that most of the work of *recalled* went into and those that the request's words lead to, at most 5, best first.

    An episode counts by its task's similarity and its files by their order in it, 1, 1/2, 1/3, …; tasks hardly alike count nothing. Round
    choices: others gave .69 to .73 of right files in the first five on the development split.

    Args:
        recalled: Completed episodes and how alike their tasks are, in [0, 1].
        seen: What the project's episodes showed, whatever their tasks were, the likeliest first.
    """
    seen = [file for file in seen if not file.tasks or _is_kept(file.path)]
    alike = [(episode, _to_find(episode), similarity) for episode, similarity in recalled if similarity >= MIN_SIMILARITY]
    names = _names({file.path for _, files, _ in alike for file in files}.union(file.path for file in seen))
    weights: dict[str, float] = defaultdict(float)
    attempts: dict[str, list[tuple[bool, bool]]] = defaultdict(list)  # (changed it, succeeded)
    near: set[str] = set()
    least = near_from(max((similarity for _, _, similarity in alike), default=0.0))
    for episode, files, similarity in alike:
        succeeded = episode.success
        changed: dict[str, bool] = {}
        for rank, file in enumerate(files):
            name = names[file.path]
            weights[name] += similarity**LIKENESS / (1 + rank)
            changed[name] = changed.get(name, False) or file.use is not Use.READ
        for name, is_changed in changed.items():
            attempts[name].append((is_changed, succeeded))
        near.update(changed if similarity >= least else ())
    why: dict[str, str] = {}
    for rank, led in enumerate(seen):
        name = names[led.path]
        weights[name] += SEEN_WEIGHT * FADING / (FADING + rank)
        why.setdefault(name, f"seen in {counted(led.tasks, 'other task')}" if led.tasks else NAMED_IN_REQUEST)
    best = sorted(weights, key=lambda path: -weights[path])[:MAX_FILES]
    return tuple(
        RecalledFile(
            path=path,
            attempts=len(attempts[path]),
            changed=sum(is_changed for is_changed, _ in attempts[path]),
            succeeded=sum(is_changed and succeeded for is_changed, succeeded in attempts[path]),
            why=None if attempts[path] else why[path],
            far=True if attempts[path] and path not in near else None,
        )
        for path in best
    )


def _to_find(episode: Episode) -> list[FileUse]:
    """Return the episode's files that a next attempt may find: what a failure made itself is not among them."""
    failed = episode.outcome is None or episode.outcome.kind in (OutcomeKind.FAILURE, OutcomeKind.ABSTAINED)
    return [file for file in files_of(episode) if not (failed and file.use is Use.MADE) and _is_kept(file.path)]


def _is_kept(path: str) -> bool:
    """Return whether a file is one that people keep: no product of a build, nothing that was made to try a bug out.

    >>> [_is_kept(path) for path in ("src/cart.py", "geo/reproject.py", "b/replicate_bug.py", "lib/python313.zip", "_build/index.html")]
    [True, True, False, False, False]
    """
    return _PASSING.search(path) is None


def _names(paths: set[str]) -> dict[str, str]:
    """Return for each full path the longest relative one that it ends with, and every other path as it is.

    One attempt showed its working folder, another did not: `/home/ana/shop/src/a.py` and `src/a.py` are one file. A bare name is too
    little to go by.
    """
    relative = {path for path in paths if "/" in path and not is_full(path)}
    return {path: next((end for end in _ends(path) if end in relative), path) if is_full(path) else path for path in paths}


def _ends(path: str) -> Iterator[str]:
    """Yield what a path ends with from each of its folders on, the longest first."""
    while "/" in path:
        path = path.partition("/")[2]
        yield path
