"""Which line of what a run was shown has the rare words of a request: together they say that it met the same. Pure.

One word that few runs were shown is chance (*Germany*, *job*); two of them on one line, or an error's name in one word, are not, where they
are a good part of what is asked or stand there as they do in the request. On the development split no line has more than .28 of the weight
of an unrelated request's words in its rare ones.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mcp_memory.domain.episode import Step
from mcp_memory.domain.segmenting import is_unspaced
from mcp_memory.domain.text_words import all_words

SHARE, RARE_WORDS = 0.4, 2.0  # of the weight of all words asked for, in so many rare ones
QUOTED_SHARE, QUOTED_WORDS = 0.6, 3  # or where most of the request stands on that line, in one
PHRASE_WORDS = 3  # one after the other, two of them rare, that a line and a request of any length have alike
PAIR = 0.5  # words that a pair of letters of a script without spaces is
MIN_WORD_CHARS = 3
MAX_TEXT_CHARS, MAX_LINE_CHARS = 20_000, 1_000  # of an answer, and of a line in it
_NAME = re.compile(r"\b(?=\w{8})(?:[A-Z]*[a-z]+[A-Z]\w*(?<!Error)(?<!Exception)(?<!Warning)|[A-Z]+)\b")  # CrashLoopBackOff, ECONNREFUSED


class SaidLine(NamedTuple):
    """A line that the answer or the error of a step has, and what share of what was asked stands there."""

    step: int
    line: str
    share: float


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of a request: `shares` of its weight, which few episodes have, which of these name an error, and what stands together."""

    shares: Mapping[str, float]
    rare: frozenset[str]
    names: frozenset[str]
    phrases: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, text: str, weights: Mapping[str, float], few: Collection[str]) -> "Asked":
        """Return the words of a text by their *weights*, *few* of which stand in few episodes."""
        total = sum(weights.values()) or 1.0
        rare = frozenset(word for word in few if is_unspaced(word) or (len(word) >= MIN_WORD_CHARS and not word.isdigit()))
        names = {name.lower() for name in _NAME.findall(text)}
        said = all_words(text)
        runs = dict.fromkeys(zip(*(said[n:] for n in range(PHRASE_WORDS)), strict=False))
        phrases = tuple(run for run in runs if sum(word in rare and not is_unspaced(word) for word in set(run)) >= RARE_WORDS)
        return cls({word: weight / total for word, weight in weights.items()}, rare, rare & names, phrases)

    def may_be_in(self, text: str) -> bool:
        """Return whether a lowered text may have enough of what is asked."""
        return self._is_said_by([word for word in self.shares if word in text]) or any(all(w in text for w in run) for run in self.phrases)

    def share_of(self, line: str) -> float:
        """Return what share of what is asked stands on a line, 0.0 where that may be chance."""
        said = all_words(line)
        there, joined = self.shares.keys() & said, f" {' '.join(said)} "
        is_said = self._is_said_by(there) or any(f" {' '.join(run)} " in joined for run in self.phrases)
        return sum(self.shares[word] for word in there) if is_said else 0.0

    def _is_said_by(self, words: Collection[str]) -> bool:
        rare, there = [word for word in self.rare if word in words], [word for word in self.shares if word in words]
        if not rare:
            return False
        if len(there) >= QUOTED_WORDS and sum(self.shares[word] for word in there) >= QUOTED_SHARE:
            return True
        many = sum(PAIR if is_unspaced(word) else 1 for word in rare) >= RARE_WORDS
        return sum(self.shares[word] for word in rare) >= SHARE and (many or any(word in self.names for word in rare))


def said_line(steps: Sequence[Step], asked: Asked) -> SaidLine | None:
    """Return the line of the steps' answers and errors that says most of what is asked, the first such; None where none says enough.

    Cost: a search for each word in what the steps were shown; lines are read only where there are enough of them.
    """
    best: SaidLine | None = None
    for step in steps:
        for text in (step.error or "", step.observation):
            text = text[:MAX_TEXT_CHARS]
            if not asked.may_be_in(text.lower()):
                continue
            for line in text.splitlines():
                line = line[:MAX_LINE_CHARS]
                share = asked.share_of(line) if asked.may_be_in(line.lower()) else 0.0
                if share and (best is None or share > best.share):
                    best = SaidLine(step.index, " ".join(line.split()), share)
    return best
