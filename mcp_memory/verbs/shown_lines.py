"""Which earlier runs were shown what a request says, and did something about it, however unlike their tasks are."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from mcp_memory.domain.nearness import ALIKE
from mcp_memory.domain.query import Query
from mcp_memory.learning.history.known_errors import ASKED_CHARS, spoken_of
from mcp_memory.learning.reading.said_lines import Asked, SaidLine, said_line
from mcp_memory.learning.telling.done_after import done_after
from mcp_memory.ports import Neighbours
from mcp_memory.verbs.engines import Engines
from mcp_memory.views.view import View

FEW, RARE = 5, 0.03  # episodes, or a share of all, that have a rare word
MAX_ASKED, MAX_READ = 3, 8  # parts of a request that are looked for, and episodes that are read for one
MAX_LINES, MAX_LINE_CHARS = 8, 1_000  # that speak of an error, of a longer text the first and the last; of one


def shown_lines(engines: Engines, v: View, query: Query, neighbours: Neighbours) -> Mapping[str, SaidLine]:
    """Return the lines, by episode, that have the rare words of the query and that something was done about (blocking).

    None where a task like the one asked for is in memory. Cost: counting the words; up to eight episodes are read where there are rare ones
    enough.
    """
    if neighbours and neighbours[0][1] >= ALIKE:
        return {}
    found: dict[str, SaidLine] = {}
    for asked, text in list(_asked(engines, v, query.text))[:MAX_ASKED]:
        ids = engines.retrieval.by_words(v, replace(query, text=text), MAX_READ)
        for episode in filter(None, engines.store.get_episodes(ids)):
            said = said_line(episode.steps, asked)
            if said and (episode.id not in found or said.share > found[episode.id].share) and done_after(episode, said, query.text):
                found[episode.id] = said
    return found


def _asked(engines: Engines, v: View, text: str) -> Iterator[tuple[Asked, str]]:
    """Yield the words of a short request, and of each of its lines that speaks of an error, where they can tell something."""
    episodes = len(v.catalog)
    most = max(FEW, RARE * episodes)
    lines = [line[:MAX_LINE_CHARS] for line in dict.fromkeys(spoken_of(text))]
    lines = lines if len(lines) <= MAX_LINES else [*lines[: MAX_LINES // 2], *lines[-MAX_LINES // 2 :]]
    for part in dict.fromkeys([*([text] if len(text) <= ASKED_CHARS else []), *lines]):
        counts = engines.retrieval.word_counts(v, part)
        weights = {word: max(0.0, math.log((max(episodes - n, 0) + 0.5) / (n + 0.5))) for word, n in counts.items()}
        asked = Asked.of(part, weights, [word for word, n in counts.items() if 0 < n <= most and weights[word] > 0])
        if asked.may_be_in(" ".join(word for word, n in counts.items() if n)):
            yield asked, part
