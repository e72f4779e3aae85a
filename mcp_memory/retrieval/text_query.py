"""Any text to the words it asks for.

Stop words are dropped (`evidence`: nDCG .414 to .468 on conversations, and ten times faster), words joined by punctuation
(`FILE_UPLOAD_PERMISSIONS`, `io/fits.py`) are asked for as a phrase too, and the rarest terms go first within a bounded cost.
"""

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from mcp_memory.domain.query import TextQuery
from mcp_memory.domain.text import is_unspaced

MAX_TERMS = 64  # distinct terms of one query; on the development questions more changed nothing
MAX_PHRASES = 8
MAX_PHRASE_WORDS = 6  # a longer run is a path or a hash; its words are asked for anyway
MAX_TERM_CHARS = 64  # longer "words" are encoded data
MAX_WORK = (
    100_000  # of bm25: episodes matched times (terms + EPISODE_WORK); some 15 ms. A crowd's MRR: .89 with 30,000, .90, .92 with 400,000
)
UNCOUNTED_WORK = 15_000  # up to which leaving a word out saves less than counting costs
EPISODE_WORK = 8  # what scoring an episode costs before its first term: reading its length
KEPT_WORDS = 512  # texts whose words are remembered: 3 MB of usual tasks, 50 of the longest
MIN_SENTENCE_WORDS, MAX_SENTENCES = 4, 6  # a request of two to six sentences may ask for several things

_STOP_WORDS_TEXT = """
a an and are as at be but by can could did do does for from had has have how i if in into is it its me my no not of on or our please should
so than that the their them then there these they this to too us was we were what when where which who will with would you your
"""
STOP_WORDS = frozenset(_STOP_WORDS_TEXT.split())
_WORD = re.compile(r"[^\W_]+")
# Begins only where a word begins and gives nothing back: without that, one word of 10,000 characters took half a minute.
_COMPOUND = re.compile(r"(?<![^\W_])[^\W_]++(?:[_./:\-]++[^\W_]++)+")
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+|\n+")


def read_query(text: str) -> TextQuery:
    """Return what *text* asks for: distinct terms in order of appearance, and phrases of the compounds among them.

    Text of stop words only keeps them; text without words has no terms.

    >>> query = read_query('Fix "io/fits.py" (urgently) OR NOT')
    >>> query.terms, query.phrases
    (('fix', 'io', 'fits', 'py', 'urgently'), ('io fits py',))
    """
    lowered = text.lower()
    words = [w for w in dict.fromkeys(_WORD.findall(lowered)) if len(w) <= MAX_TERM_CHARS]
    terms = [w for w in words if w not in STOP_WORDS] or words
    phrases: dict[str, None] = {}
    for compound in _COMPOUND.findall(lowered):
        parts = _WORD.findall(compound)
        if 2 <= len(parts) <= MAX_PHRASE_WORDS and len(compound) <= MAX_TERM_CHARS:
            phrases[" ".join(parts)] = None
        if len(phrases) == MAX_PHRASES:
            break
    return TextQuery(tuple(terms), tuple(phrases))


def affordable(query: TextQuery, counts: Callable[[Sequence[str]], Sequence[int]], episodes: int, *, at_least_one: bool) -> TextQuery:
    """Return *query* with its rarest telling terms only, within MAX_TERMS and MAX_WORK, and the phrases they are part of.

    A word that half of the episodes have has no say in FTS5's bm25 (an inverse document frequency of 1e-6): asking for it makes every
    episode a match and moves no score. It is left out where a rarer one is there.

    Args:
        counts: Gives each term's number of episodes.
        episodes: How many there are in all.
        at_least_one: Keep the rarest term whatever it costs: there is nothing but words to search by. Otherwise a word that a
            good part of a large memory contains is left out, for it tells little.
    """
    work = (len(query.terms) + EPISODE_WORK) * episodes
    if len(query.terms) <= MAX_TERMS and work <= UNCOUNTED_WORK:
        return query
    frequency = dict(zip(query.terms, counts(query.terms), strict=True))
    known = sorted((t for t in query.terms if frequency[t] > 0 or is_unspaced(t)), key=lambda t: frequency[t])
    telling = [t for t in known if 2 * frequency[t] < episodes] or known
    if len(query.terms) <= MAX_TERMS and work <= MAX_WORK:
        return TextQuery(tuple(t for t in query.terms if t in telling), query.phrases)
    matched = 0
    kept: set[str] = set()
    for rank, term in enumerate(telling[:MAX_TERMS], 1):
        matched += frequency[term]
        if (kept or not at_least_one) and min(matched, episodes) * (rank + EPISODE_WORK) > MAX_WORK:
            break
        kept.add(term)
    whole = (p.split() for p in query.phrases if all(frequency.get(w, 0) > 0 or w in STOP_WORDS for w in p.split()))
    phrases = tuple(" ".join(words) for words in whole if kept.intersection(words))  # matches no episode that a kept term does not
    return TextQuery(tuple(t for t in query.terms if t in kept), phrases)


@lru_cache(KEPT_WORDS)
def words(text: str) -> frozenset[str]:
    """Return the distinct words of *text* without stop words, lower case."""
    return frozenset(read_query(text).terms)


def overlap(one: str, other: str) -> float:
    """Return how alike two texts are by their words, in [0, 1]: words in common over the geometric mean of both counts.

    The measure is Ochiai's (1957), the cosine of two sets. On the development tasks it is 1 for attempts with the same text and
    over .75 for 51 of 72,000 pairs of different tasks, most of which differ in a word.

    >>> overlap("Fix the date parser", "fix a date parser"), overlap("Fix the parser", "Write a poem")
    (1.0, 0.0)
    """
    a, b = words(one), words(other)
    return len(a & b) / math.sqrt(len(a) * len(b)) if a and b else 0.0


def sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of a short request of several sentences; nothing for one sentence, or for a long text."""
    found = [s for s in (p.strip() for p in _SENTENCE_END.split(text)) if len(s.split()) >= MIN_SENTENCE_WORDS]
    return tuple(found) if 2 <= len(found) <= MAX_SENTENCES else ()


def listing_query(text: str) -> TextQuery | None:
    """Return what *text* asks for, within MAX_TERMS; None when it holds no word (empty, punctuation, emoji)."""
    query = read_query(text)
    return TextQuery(query.terms[:MAX_TERMS], query.phrases) if query.terms else None
