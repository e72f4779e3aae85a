"""What the agents of the attempts most like a task noted for the next one, in their own words. Pure."""

from collections.abc import Iterator, Sequence

from mcp_memory.domain.answers import NotedLesson
from mcp_memory.domain.episode import Trace
from mcp_memory.domain.nearness import SAME_TASK, near_from
from mcp_memory.domain.text_words import stem, words
from mcp_memory.learning.advice.endorsing import Endorser
from mcp_memory.learning.telling.told_attempts import ReadEpisodes

MAX_READ, MAX_NOTED = 6, 3
SAME_LESSON = 0.6  # of their words, from which two lessons are one


def lessons_told(runs: Sequence[tuple[Trace, float]], read: ReadEpisodes, endorser: Endorser) -> tuple[NotedLesson, ...]:
    """Return at most three lessons, each once, of those that succeeded first; of failures only at the very task.

    Args:
        runs: Completed episodes and how alike their tasks are, the most alike first; of these the ones about as alike as the first count.
        read: Reads episodes.
        endorser: Among several agents one's words are shown where it is the asker's own or others did alike.
    """
    if not runs:
        return ()
    least = near_from(runs[0][1])
    near = [(t, alike) for t, alike in runs if alike >= least and (t.success or alike >= SAME_TASK)]
    near.sort(key=lambda run: not run[0].success)
    shown = [(t, alike) for t, alike in near if endorser.may_show(endorser.of_episodes([t.id]))][:MAX_READ]
    found: list[tuple[frozenset[str], NotedLesson]] = []
    for said in _lessons(shown, read):
        stems = frozenset(map(stem, words(said.lesson)))
        if stems and not any(len(stems & other) >= SAME_LESSON * min(len(stems), len(other)) for other, _ in found):
            found.append((stems, said))
    return tuple(said for _, said in found[:MAX_NOTED])


def _lessons(runs: Sequence[tuple[Trace, float]], read: ReadEpisodes) -> Iterator[NotedLesson]:
    for (trace, alike), episode in zip(runs, read([trace.id for trace, _ in runs]), strict=True):
        for lesson in episode.outcome.lessons if episode and episode.outcome else ():
            yield NotedLesson(" ".join(lesson.split()), trace.id, round(alike, 2), trace.success)
