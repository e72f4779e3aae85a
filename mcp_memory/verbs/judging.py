"""A closed episode to everything its completion writes: judged against the attempts before it, with its evidence and its votes."""

from collections.abc import Sequence
from dataclasses import replace

from mcp_memory.domain.episode import Episode, Trace, trace_of
from mcp_memory.domain.query import Filter, Query
from mcp_memory.domain.text_words import overlap
from mcp_memory.learning.reading.file_uses import files_by, touches_in
from mcp_memory.ports import Completion, Extraction, Judgement, Neighbours
from mcp_memory.verbs.engines import Engines

COMPARED = 50  # earlier attempts a completion is judged against
# Of `text_query`'s work, for an imported one's: its rarest words find them; in English at a cost that does not grow with the memory.
SEARCHED = 20_000


def extract(engines: Engines, ended: Episode) -> tuple[Episode, Extraction]:
    """Return *ended*, a closed episode with outcome and steps, with its files, and its evidence (blocking; needs no view)."""
    touches = touches_in(ended.steps)
    ended = replace(ended, files=files_by(ended, touches))
    with engines.metrics.timed("extract_patterns"):
        return ended, engines.learning.extract(ended, touches)


def complete(
    engines: Engines, ended: Episode, neighbours: Neighbours, extraction: Extraction, beside: Sequence[tuple[Trace, float]] = ()
) -> Completion:
    """Return everything one completion writes, for *ended*: as `extract` gave it, not judged yet (blocking)."""
    with engines.views.read() as v:
        judged: Judgement = engines.learning.judge(v, ended, neighbours, beside, extraction)
    episode = replace(ended, reward=judged.reward, reflection=judged.reflection, key_steps=judged.key_steps)
    shown = engines.store.recommendations(episode_id=episode.id)
    with engines.views.read() as v:
        feedback = engines.learning.implicit_feedback(v, episode, shown)
    return Completion(
        episode=episode,
        index_text=engines.retrieval.index_text(episode),
        observations=extraction.observations,
        errors=extraction.errors,
        digest=extraction.digest,
        feedback=feedback,
    )


class Importer:
    """Judges the closed episodes of a batch in order, each against those in the memory and those before it in the batch.

    Tasks are compared by their words: embedding them first would make an import wait for the model. On the development episodes
    that finds every attempt with the same text, and almost no other. Asking for their rarest words alone finds the same ones.
    """

    def __init__(self, engines: Engines) -> None:
        self._e = engines
        self._batch: list[Trace] = []

    def complete(self, ended: Episode) -> Completion:
        """Return what the episode's completion writes (blocking)."""
        e = self._e
        with e.views.read() as v:
            neighbours = e.retrieval.similar(v, Query(ended.task, Filter(project=ended.project)), {}, COMPARED, max_work=SEARCHED)
        beside = [(t, overlap(ended.task, t.task)) for t in self._batch if t.project == ended.project]
        ended, extraction = extract(e, ended)
        completion = complete(e, ended, neighbours, extraction, beside)
        self._batch.append(trace_of(completion.episode, completion.errors, completion.digest, 0))
        return completion
