"""What a completed episode of another machine brings here: evidence, trace and text are made from it again, as at its completion."""

from collections.abc import Callable

from mcp_memory.domain.episode import Episode
from mcp_memory.learning.reading.file_uses import touches_in
from mcp_memory.ports import Completion
from mcp_memory.verbs.engines import Engines


def deriving(engines: Engines) -> Callable[[Episode], Completion]:
    """Return the function that derives; it reads no view and may run in any thread. Its judgement is its own machine's."""

    def derive(episode: Episode) -> Completion:
        with engines.metrics.timed("derive_shared"):
            extraction = engines.learning.extract(episode, touches_in(episode.steps))
            text = engines.retrieval.index_text(episode)
        return Completion(episode, text, extraction.observations, extraction.errors, extraction.digest)

    return derive
