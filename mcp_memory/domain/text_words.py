"""The words of tasks, requests and tool names: whole as they are searched for, or as stems so that "tweeting" meets `post_tweet`. Pure."""

import math
import re
from functools import lru_cache

from mcp_memory.domain.languages import ENGLISH_WORDS, FOREIGN_WORDS, HOMOGRAPHS, is_foreign
from mcp_memory.domain.segmenting import asked_words

STOP_WORDS = ENGLISH_WORDS
MAX_TERM_CHARS = 64  # longer "words" are encoded data
_KEPT_TEXTS = 512  # whose words are remembered: 3 MB of usual tasks, 50 of the longest
_WORD = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+|\n+")
_CAMEL = re.compile(r"([a-z])([A-Z])")
_LETTERS = re.compile(r"[a-z]+")
_SUFFIXES = ("ing", "ed", "es", "s", "ion", "e")
_MIN_STEM = 3
_MAX_SENTENCES = 200


def all_words(text: str) -> list[str]:
    """Return the words of *text* in order, lower case; `_` and every other mark parts them. Of unspaced scripts: pairs of letters."""
    return _WORD.findall(asked_words(text.lower()))


def terms_of(text: str) -> tuple[str, ...]:
    """Return the distinct words of *text* in order without stop words; of stop words only, these; at most 64 characters each.

    The function words of other languages are rare in a memory in English: of a text in another language they are left out, too.

    >>> terms_of("How do I fix the parser"), terms_of("to be")
    (('fix', 'parser'), ('to', 'be'))
    """
    found = [w for w in dict.fromkeys(all_words(text)) if len(w) <= MAX_TERM_CHARS]
    left_out = STOP_WORDS | FOREIGN_WORDS | HOMOGRAPHS if is_foreign(text) else STOP_WORDS
    return tuple([w for w in found if w not in left_out] or found)


@lru_cache(_KEPT_TEXTS)
def words(text: str) -> frozenset[str]:
    """Return the terms of *text* as a set."""
    return frozenset(terms_of(text))


def overlap(one: str, other: str, *, inflected: bool = False) -> float:
    """Return how alike two texts are by their words, in [0, 1]: words in common over the geometric mean of both counts.

    *inflected* words of English are the same: `weeks` and `week`.

    The measure is Ochiai's (1957), the cosine of two sets. On the development tasks it is 1 for attempts with the same text and
    over .75 for 51 of 72,000 pairs of different tasks, most of which differ in a word.

    >>> overlap("Fix the date parser", "fix a date parser"), overlap("Fix the parser", "Write a poem")
    (1.0, 0.0)
    >>> round(overlap("parser for dates", "date parsers"), 2), round(overlap("parser for dates", "date parsers", inflected=True), 2)
    (0.0, 1.0)
    """
    a, b = words(one), words(other)
    if inflected:
        a, b = frozenset(map(stem, a)), frozenset(map(stem, b))
    return ochiai(a, b)


def ochiai(a: frozenset[str], b: frozenset[str]) -> float:
    """Return how many of the words of two texts are the same, over the geometric mean of both counts: the measure of `overlap`."""
    return len(a & b) / math.sqrt(len(a) * len(b)) if a and b else 0.0


def sentences(text: str) -> list[str]:
    """Return the sentences and lines of *text*, without those that hold nothing."""
    return [s for s in (part.strip() for part in _SENTENCE_END.split(text)) if s]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return *word* without its commonest English ending, never shorter than three letters.

    >>> stem("booking"), stem("books"), stem("is")
    ('book', 'book', 'is')
    """
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _MIN_STEM:
            return word[: -len(suffix)]
    return word


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(w) for w in all_words(text) if w not in STOP_WORDS and len(w) > 1)


@lru_cache(maxsize=1_024)
def sentence_stems(text: str) -> tuple[frozenset[str], ...]:
    """Return the stems of each sentence or line of *text* without stop words, at most 200 of them; never empty."""
    return tuple(_stems(sentence) for sentence in sentences(text)[:_MAX_SENTENCES]) or (frozenset(),)


@lru_cache(maxsize=20_000)
def tool_stems(tool_key: str) -> frozenset[str]:
    """Return the stems of the words in a tool key's last part.

    >>> sorted(tool_stems("bank:getOrder_details"))
    ['detail', 'get', 'order']
    """
    name = _CAMEL.sub(r"\1 \2", tool_key.rsplit(":", 1)[-1])
    return frozenset(stem(w) for w in _LETTERS.findall(name.lower()) if len(w) > 1)
