"""Which answers to one question are one: but for case, articles and marks, or in nearly the same words. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache

from mcp_memory.domain.text_words import STOP_WORDS, stem

SAME_ANSWER = 0.8  # of the words that tell, from which two answers are told as one
NEGATIONS = frozenset(["no", "not", "never", "none", "nor", "without", "neither"])
_WORD = re.compile(r"\w+")
_ARTICLES = frozenset(["a", "an", "the"])


def is_same_answer(a: str, b: str) -> bool:
    """Return whether two answers are one but for case, punctuation and articles."""
    return _plain_answer(a) == _plain_answer(b)


def _plain_answer(said: str) -> str:
    """Return an answer without what does not make it another: case, punctuation, articles.

    >>> _plain_answer("The Yours, Mine & Ours!") == _plain_answer("yours mine ours"), _plain_answer("1974") == _plain_answer("in 1974")
    (True, False)
    """
    return " ".join(word for word in _WORD.findall(said.casefold()) if word not in _ARTICLES)


@lru_cache(maxsize=1_024)
def _stems(answered: str) -> frozenset[str]:
    """Return the words that an answer is told from others by.

    >>> _stems("the port of Oslo") == _stems("Oslo's ports"), _stems("it did not float") == _stems("it did float")
    (True, False)
    """
    said = _WORD.findall(answered.casefold().replace("'s", ""))
    return frozenset(stem(word) for word in said if word not in STOP_WORDS or word in NEGATIONS) or frozenset(said)


def are_alike(a: str, b: str) -> bool:
    """Return whether two answers are of the same words but for little ones and endings."""
    x, y = _stems(a), _stems(b)
    return len(x & y) >= SAME_ANSWER * len(x | y)


def told_once(answers: Sequence[str]) -> dict[str, bool]:
    """Return those of several answers that are told, in their order, each with whether another one was nearly the same.

    >>> told_once(["the port of Oslo", "1974", "Port of Oslo", "Oslo's ports"])
    {'the port of Oslo': True, '1974': False}
    """
    found: dict[str, bool] = {}
    for said in answers:
        like = next((other for other in found if is_same_answer(said, other) or are_alike(said, other)), None)
        if like is None:
            found[said] = False
        elif not is_same_answer(said, like):
            found[like] = True
    return found
