"""What full-text search indexes of an episode. Pure."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice

from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.identifiers import parts_beside
from mcp_memory.domain.segmenting import asked_words
from mcp_memory.ports import IndexText

# Characters indexed of one step and of all. What an agent did and what went wrong comes before what it was shown.
ARGUMENT_CHARS, ERROR_CHARS, OBSERVATION_CHARS = 200, 150, 300
ACTIONS_CHARS, OBSERVATIONS_CHARS, NOTES_CHARS = 6_000, 6_000, 6_000
# Beyond these, words that are not there yet, each once and of every step a few, so that step 121 is found like step 1.
OTHER_CHARS = 6_000
END_CHARS, OTHER_WORDS = 400, 12  # read of a long error's end; taken of one text, the last ones first
WORD_CHARS = 64  # longer "words" are encoded data
_encode = json.JSONEncoder(ensure_ascii=False).encode  # made once: that is half the cost of a call


def index_text(episode: Episode) -> IndexText:
    """Return what is searched by words of a completed episode."""
    actions = [f"{s.key} {_encode(s.arguments)[:ARGUMENT_CHARS]} {_ends(s.error or '', ERROR_CHARS)}" for s in episode.steps]
    seen = [_ends(s.observation, OBSERVATION_CHARS) for s in episode.steps]
    notes: list[str] = []
    if outcome := episode.outcome:
        notes = [outcome.summary, *outcome.lessons, *outcome.artifacts, *outcome.completed, *outcome.failed, outcome.error or ""]
    steps = f"{_joined(actions, ACTIONS_CHARS)}\n{_joined(seen, OBSERVATIONS_CHARS)}"
    others = _others(steps, _left_out(episode.steps, actions, seen))
    texts = (episode.task, f"{steps}\n{others}" if others else steps, "\n".join(notes)[:NOTES_CHARS])
    return IndexText(*(f"{text}\n{parts}" if (parts := parts_beside(text)) else text for text in texts))


def _joined(parts: Sequence[str], max_chars: int) -> str:
    return "\n".join(parts)[:max_chars]


def _left_out(steps: Sequence[Step], actions: Sequence[str], seen: Sequence[str]) -> Iterator[str]:
    """Yield what did not fit: the ends of errors, then of the steps beyond the limits what came back and what was done."""
    yield from (step.error[-END_CHARS:] for step in steps if step.error and len(step.error) > ERROR_CHARS)
    yield from seen[_fitting(seen, OBSERVATIONS_CHARS) :]
    yield from actions[_fitting(actions, ACTIONS_CHARS) :]


def _fitting(parts: Sequence[str], max_chars: int) -> int:
    """Return how many of the parts fit whole."""
    ends = accumulate(len(part) + 1 for part in parts)
    return sum(end <= max_chars + 1 for end in ends)


def _ends(text: str, max_chars: int) -> str:
    """Return the beginning and, of a longer text, the end: a traceback says last what went wrong, an output how it ended."""
    if len(text) <= max_chars:
        return text
    tail = max_chars // 3
    return f"{text[: max_chars - tail]} {text[-tail:]}"


def _others(there: str, texts: Iterable[str]) -> str:
    """Return words of *texts* that are not *there*, each once, from every text a few."""
    known = set(there.split())
    chosen: list[str] = []
    room = OTHER_CHARS
    for text in texts:
        words = (word for word in dict.fromkeys(reversed(asked_words(text).split())) if len(word) <= WORD_CHARS and word not in known)
        new = list(islice(words, OTHER_WORDS))
        room -= sum(len(word) + 1 for word in new)
        if room < 0:
            break
        known.update(new)
        chosen += reversed(new)
    return " ".join(chosen)
