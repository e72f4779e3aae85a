"""Any text to the words it asks for.

Stop words are dropped (`evidence`: nDCG .414 to .468 on conversations, and ten times faster), words joined by punctuation
(`FILE_UPLOAD_PERMISSIONS`, `io/fits.py`) are asked for as a phrase too, and the rarest terms go first within a bounded cost.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from mcp_memory.domain import text_words
from mcp_memory.domain.query import TextQuery
from mcp_memory.domain.segmenting import is_letter, is_unspaced
from mcp_memory.domain.text_words import MAX_TERM_CHARS, STOP_WORDS, all_words, terms_of

MAX_TERMS = 64  # distinct terms of one query; on the development questions more changed nothing
MAX_PHRASES = 8
MAX_PHRASE_WORDS = 6  # a longer run is a path or a hash; its words are asked for anyway
# Of bm25: episodes matched times (terms + EPISODE_WORK); more for words that fewer than one in eight episodes has. In a crowd of 5,800
# episodes: 5 ms and MRR .894 with 100,000 for all words, 10 ms and .917 with more for rare ones, 18 ms and .924 with 400,000 for all.
MAX_WORK, RARE_WORK, RARE = 100_000, 400_000, 1 / 8
UNCOUNTED_WORK = 15_000  # up to which leaving a word out saves less than counting costs
EPISODE_WORK = 8  # what scoring an episode costs before its first term: reading its length
MIN_SENTENCE_WORDS, MAX_SENTENCES = 4, 6  # a request of two to six sentences may ask for several things

# Begins only where a word begins and gives nothing back: without that, one word of 10,000 characters took half a minute.
_COMPOUND = re.compile(r"(?<![^\W_])[^\W_]++(?:[_./:\-]++[^\W_]++)+")


@lru_cache(maxsize=256)
def read_query(text: str) -> TextQuery:
    """Return what *text* asks for: distinct terms in order of appearance, and phrases of the compounds among them.

    Text of stop words only keeps them; text without words has no terms.

    >>> query = read_query('Fix "io/fits.py" (urgently) OR NOT')
    >>> query.terms, query.phrases
    (('fix', 'io', 'fits', 'py', 'urgently'), ('io fits py',))
    """
    phrases: dict[str, None] = {}
    for compound in _COMPOUND.findall(text.lower()):
        parts = all_words(compound)
        if 2 <= len(parts) <= MAX_PHRASE_WORDS and len(compound) <= MAX_TERM_CHARS and not is_unspaced(compound):
            phrases[" ".join(parts)] = None
        if len(phrases) == MAX_PHRASES:
            break
    return TextQuery(terms_of(text), tuple(phrases))


def affordable(
    query: TextQuery,
    counts: Callable[[Sequence[str]], Sequence[int]],
    episodes: int,
    *,
    at_least_one: bool,
    max_work: int = RARE_WORK,
) -> TextQuery:
    """Return *query* with its rarest telling terms only, within MAX_TERMS and the bounds on work, and the phrases they are part of.

    A word that half of the episodes have has no say in FTS5's bm25 (an inverse document frequency of 1e-6): asking for it makes every
    episode a match and moves no score. It is left out where a rarer one is there.

    Args:
        counts: Gives each term's number of episodes.
        episodes: How many there are in all.
        at_least_one: Keep the rarest term whatever it costs: there is nothing but words to search by. Otherwise a word that a
            good part of a large memory contains is left out, for it tells little.
        max_work: A lower bound on the work than the usual ones.
    """
    work = (len(query.terms) + EPISODE_WORK) * episodes
    if len(query.terms) <= MAX_TERMS and work <= min(max_work, UNCOUNTED_WORK):
        return query
    frequency = dict(zip(query.terms, counts(query.terms), strict=True))
    known = sorted((t for t in query.terms if frequency[t] > 0 or is_letter(t)), key=lambda t: frequency[t])
    telling = [t for t in known if 2 * frequency[t] < episodes] or known
    if len(query.terms) <= MAX_TERMS and work <= min(max_work, MAX_WORK):
        return TextQuery(tuple(t for t in query.terms if t in telling), query.phrases)
    matched = 0
    kept: set[str] = set()
    for rank, term in enumerate(telling[:MAX_TERMS], 1):
        matched += frequency[term]
        affordable_work = min(max_work, RARE_WORK if frequency[term] < RARE * episodes else MAX_WORK)
        if (kept or not at_least_one) and min(matched, episodes) * (rank + EPISODE_WORK) > affordable_work:
            break
        kept.add(term)
    whole = (p.split() for p in query.phrases if all(frequency.get(w, 0) > 0 or w in STOP_WORDS for w in p.split()))
    phrases = tuple(" ".join(words) for words in whole if kept.intersection(words))  # matches no episode that a kept term does not
    return TextQuery(tuple(t for t in query.terms if t in kept), phrases)


def request_parts(text: str) -> tuple[str, ...]:
    """Return the sentences of a short request of several sentences; nothing for one sentence, or for a long text."""
    found = [s for s in text_words.sentences(text) if len(s.split()) >= MIN_SENTENCE_WORDS]
    return tuple(found) if 2 <= len(found) <= MAX_SENTENCES else ()


def listing_query(text: str) -> TextQuery | None:
    """Return what *text* asks for, within MAX_TERMS; None when it holds no word (empty, punctuation, emoji)."""
    query = read_query(text)
    return TextQuery(both_ends(query.terms), query.phrases) if query.terms else None


def both_ends(terms: Sequence[str]) -> tuple[str, ...]:
    """Return at most MAX_TERMS of the terms: of a long text those of its beginning and of its end, where an error stands."""
    half = MAX_TERMS // 2
    return tuple(terms) if len(terms) <= MAX_TERMS else (*terms[:half], *terms[-half:])
