"""When nothing in memory is close enough to be worth reading. Pure; figures on the development split: docs/design.md.

Unrelated requests have a nearest task at a cosine of .26 (median) and .34 (p90), paraphrases of a task in memory .70 and .53 (p10). A
request that quotes what an episode says (an error, a path) is close by its rare words instead. Only whole answers are withheld: the best
match of a long request can have a cosine of .1, beside candidates that are nearer.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from mcp_memory.domain.languages import MULTILINGUAL_SPACE, is_foreign
from mcp_memory.domain.segmenting import is_unspaced
from mcp_memory.domain.text_words import ochiai, stem, terms_of, words
from mcp_memory.retrieval.text_query import MAX_TERMS, RARE

CLOSE_COSINE, CLOSE_COVERAGE = 0.38, 0.26  # either makes an answer
USUAL_TERMS = 12  # of a request; of a longer one a smaller share is as telling: shares found by chance shrink with the root of the number
# Of other languages than English the local model sees the names and identifiers alone: unrelated requests have a nearest task at .20
# (median) and .26 (p95 of 88), those about a task in memory at .38 and .17 (p10). The multilingual one has a scale of its own: unrelated
# requests at .32 and .40 (p90), tasks in memory asked for in another language at .58 and .37 (p10).
FOREIGN_COSINE = 0.3
MULTILINGUAL_COSINE = 0.33
# Of the English model's cosines to a request the candidates' standard deviation is .13 (.085 to .17, 5th to 95th percentile). Among many
# tasks that are alike it shrinks to .05, and a difference that decides nothing elsewhere would outweigh an outcome.
LEAST_SPREAD = 0.1
MAX_JUDGED_CHARS = 1_000  # of a task, by which its language is told
MIN_NAME_CHARS = 3
LOANS = 2  # words in katakana that a task must have: how one sounds is less sure than how it is written
FEW = 5  # episodes: in a small memory a word that so many have is a name, too


def close(text: str, cosines: np.ndarray, coverage: np.ndarray, space: str | None = None) -> np.ndarray:
    """Return which candidates make the answer to *text* worth giving, by their cosines in that space (NaN: unknown) or their words."""
    terms = min(MAX_TERMS, len(words(text)))
    enough = CLOSE_COVERAGE * math.sqrt(USUAL_TERMS / max(terms, USUAL_TERMS))
    least = MULTILINGUAL_COSINE if space == MULTILINGUAL_SPACE else FOREIGN_COSINE if is_foreign(text) else CLOSE_COSINE
    found: np.ndarray = (cosines >= least) | (coverage >= enough)
    return found


def reads_names_only(text: str, space: str | None) -> bool:
    """Return whether the model of a space sees of a request only the names in it: the English one of another language."""
    return _is_english(space) and is_foreign(text)


def least_spread(text: str, space: str | None) -> float:
    """Return the least standard deviation that cosines to a request count by; 0 where the usual one is not known.

    A provider's model has a scale of its own, and what is understood of another language, too.
    """
    return LEAST_SPREAD if _is_english(space) and not is_foreign(text) else 0.0


def _is_english(space: str | None) -> bool:
    return space is not None and space.startswith("local") and space != MULTILINGUAL_SPACE


def as_understood(text: str, tasks: Sequence[str], cosines: np.ndarray) -> np.ndarray:
    """Return how alike tasks are to a request in another language: their cosines, but of tasks in one, too, what words they share.

    The English model finds all texts of a language alike that it cannot read: of French requests about different things the median pair has
    .36, of Japanese ones .47, of Arabic ones .63. Of words the square root of their overlap is taken, so that a third of them in common
    counts as a paraphrase does in English. Cost: a pass over the words of the tasks.
    """
    found, asked = cosines.copy(), _stems(text)
    for i, task in enumerate(tasks):
        if is_foreign(task[:MAX_JUDGED_CHARS]):
            found[i] = math.sqrt(ochiai(asked, _stems(task)))
    return found


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(text) if len(word) >= MIN_NAME_CHARS or is_unspaced(word))


def names_a_task(
    text: str,
    tasks: Iterable[str],
    counts: Callable[[Sequence[str]], Sequence[int]],
    episodes: int,
    loans: Sequence[Sequence[str]] = (),
) -> bool:
    """Return whether *text*, in another language, has a word that one of the tasks has and few episodes do; False for English.

    `isnull` or `fasttext` in a Chinese sentence is all that can be understood of it, and is enough. Numbers alone are not: *2020* is
    everywhere. Of scripts without spaces two pairs of letters are a word; of words in katakana two must be met. Cost: the words of the
    tasks.

    Args:
        text: The request.
        tasks: Those of the candidates.
        counts: Gives each term's number of episodes.
        episodes: How many there are in all.
        loans: For each word in katakana the English words that it stands for.
    """
    if not is_foreign(text):
        return False
    asked = [t for t in terms_of(text) if is_unspaced(t) or (len(t) >= MIN_NAME_CHARS and not t.isdigit())]
    most = max(FEW, RARE * episodes)
    names = {t for t, n in zip(asked, counts(asked), strict=True) if 0 < n <= most}
    loaned = [{word for word, n in zip(group, counts(group), strict=True) if 0 < n <= most} for group in loans]
    if not names and sum(map(bool, loaned)) < LOANS:
        return False
    for said in map(words, tasks):
        met = names & said
        if any(not is_unspaced(w) for w in met) or len(met) > 1 or sum(not group.isdisjoint(said) for group in loaned) >= LOANS:
            return True
    return False
