"""Words of tasks and of tool names, reduced to stems so that "tweeting" meets `post_tweet`."""

import re
from functools import lru_cache

_COMMON = (
    "a an and are as at be but by can could did do does for from had has have i if in into is it its me my no not of on or our please "
    "should so than that the their them then there these they this to too us was we were what when where which who will with would "
    "you your"
)
_STOP = frozenset(_COMMON.split(" "))
_SUFFIXES = ("ing", "ed", "es", "s", "ion", "e")
_MIN_STEM = 3
_MAX_SENTENCES = 200


def stem(word: str) -> str:
    """Return *word* without its commonest English ending, never shorter than three letters.

    >>> stem("booking"), stem("books"), stem("is")
    ('book', 'book', 'is')
    """
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _MIN_STEM:
            return word[: -len(suffix)]
    return word


@lru_cache(maxsize=4_096)
def words(text: str) -> frozenset[str]:
    """Return the stems of the content words of *text*."""
    return frozenset(stem(w) for w in re.findall(r"[a-z0-9]+", text.lower()) if w not in _STOP and len(w) > 1)


@lru_cache(maxsize=1_024)
def sentences(text: str) -> tuple[frozenset[str], ...]:
    """Return the words of each sentence or line of *text*, at most 200 of them; never empty."""
    parts = [p for p in re.split(r"(?<=[.!?])\s+|\n", text) if p.strip()]
    return tuple(words(p) for p in parts[:_MAX_SENTENCES]) or (frozenset(),)


@lru_cache(maxsize=20_000)
def tool_words(tool_key: str) -> frozenset[str]:
    """Return the stems of the words in a tool key's last part.

    >>> sorted(tool_words("bank:getOrder_details"))
    ['detail', 'get', 'order']
    """
    name = re.sub(r"([a-z])([A-Z])", r"\1 \2", tool_key.rsplit(":", 1)[-1])
    return frozenset(stem(w) for w in re.findall(r"[a-z]+", name.lower()) if len(w) > 1)
