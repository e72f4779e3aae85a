"""Which files the recalled episodes worked on: where to look first. Pure."""

from collections import defaultdict
from collections.abc import Sequence

from mcp_memory.domain.answers import RecalledFile
from mcp_memory.domain.episode import Episode, OutcomeKind
from mcp_memory.learning.file_uses import files_of
from mcp_memory.learning.relevance import MIN_SIMILARITY

MAX_FILES = 5
LIKENESS = 2.0  # power of a task's similarity that its episode counts by


def common_files(recalled: Sequence[tuple[Episode, float]]) -> tuple[RecalledFile, ...]:
    """Return the files that most of the work of *recalled* went into, at most 5, best first.

    An episode counts by its task's similarity and its files by their order in it, 1, 1/2, 1/3, …; tasks hardly alike count nothing. Round
    choices: others gave .69 to .73 of right files in the first five on the development split.

    Args:
        recalled: Completed episodes and how alike their tasks are, in [0, 1].
    """
    weights: dict[str, float] = defaultdict(float)
    attempts: dict[str, list[tuple[bool, bool]]] = defaultdict(list)  # (changed it, succeeded)
    for episode, similarity in recalled:
        if similarity < MIN_SIMILARITY:
            continue
        succeeded = episode.outcome is not None and episode.outcome.kind is OutcomeKind.SUCCESS
        for rank, file in enumerate(files_of(episode)):
            weights[file.path] += similarity**LIKENESS / (1 + rank)
            attempts[file.path].append((file.changed, succeeded))
    best = sorted(weights, key=lambda path: -weights[path])[:MAX_FILES]
    return tuple(
        RecalledFile(
            path=path,
            attempts=len(attempts[path]),
            changed=sum(changed for changed, _ in attempts[path]),
            succeeded=sum(changed and succeeded for changed, succeeded in attempts[path]),
        )
        for path in best
    )
