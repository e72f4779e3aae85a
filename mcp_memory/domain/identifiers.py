"""Identifiers and plain words of code, logs and requests as 32-bit numbers; paths, and what an episode showed of files as text. Pure."""

import base64
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain

from mcp_memory.domain.episode import Json
from mcp_memory.domain.text_words import STOP_WORDS

SHOWN = "shown"  # in a trace's digest: the files an episode showed, packed
CHANGED = "\0changed"  # stands among the words of a file that the episode changed
MIN_CHARS, MAX_CHARS = 3, 60  # of a word that tells one file from another
_WORD = re.compile(r"[^\W\d]\w{2,}")
_LETTERS = re.compile(r"[^\W\d_]+")
_LETTERS_ONLY = {code: " " for code in range(128) if not chr(code).isalpha()}
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_A-Za-z]+")
_CODE_WORDS_TEXT = """
why use used using get set new one two all any out off let may more also only see here like just def class return import none null true
false self cls var const func function public private static void int str string float bool list dict else elif elseif try except finally
catch throw raise assert lambda yield async await pass break continue while print len type object name value values data file files line
lines code error test tests example expected actual result results issue description following total found matches match directory path
http https www com org usr bin etc
"""
_COMMON = STOP_WORDS.union(_CODE_WORDS_TEXT.split())


def words_in(text: str) -> Iterator[str]:
    """Yield the words of *text* in lower case, each identifier whole and then in its parts; the commonest words are left out.

    >>> list(words_in("The getUserName of shop.cart_items"))
    ['getusername', 'user', 'shop', 'cart_items', 'cart', 'items']
    """
    for word in _WORD.findall(text):
        yield from _spellings(word)


def distinct_words(text: str) -> Iterable[str]:
    """Return what `words_in` yields, each once, in order."""
    return dict.fromkeys(chain.from_iterable(map(_spellings, dict.fromkeys(_WORD.findall(text))))).keys()


@lru_cache(maxsize=50_000)
def _spellings(word: str) -> tuple[str, ...]:
    whole = word.lower()
    if len(word) > MAX_CHARS:
        return ()
    parts = [] if word.islower() and "_" not in word else [part.lower() for part in _PART.findall(word)]
    kept = (whole, *(part for part in parts if len(part) >= MIN_CHARS)) if len(parts) > 1 else (whole,)
    return tuple(part for part in dict.fromkeys(kept) if part not in _COMMON)


@lru_cache(maxsize=50_000)
def number(word: str) -> int:
    """Return the word's 32-bit number: two of 100,000 words share one by chance."""
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


def parts_beside(text: str) -> str:
    """Return the words that identifiers in *text* are put together from by capitals and that do not stand there themselves, in order.

    `_` and every other mark parts words for a search by itself, so that `tickers_list` is found by "tickers"; this is for `tickersList`.

    >>> parts_beside("call downloadMinecraftJar of the jar"), parts_beside("NullPointerException in getURL"), parts_beside("a b")
    ('download minecraft', 'null pointer exception get url', '')
    """
    words = dict.fromkeys(_runs_of_letters(text))
    mixed = [word for word in words if not (word.islower() or word.istitle() or word.isupper()) and len(word) <= MAX_CHARS]
    if not mixed:
        return ""
    there = {word.lower() for word in words}
    parts = dict.fromkeys(part.lower() for word in mixed for part in _PART.findall(word) if len(part) >= MIN_CHARS)
    return " ".join(part for part in parts if part not in there)


def _runs_of_letters(text: str) -> list[str]:
    """Return the runs of letters in order; of a text in ASCII in a fifth of the time."""
    return text.translate(_LETTERS_ONLY).split() if text.isascii() else _LETTERS.findall(text)


def is_full(path: str) -> bool:
    """Return whether a path begins at the root of a file system, of any kind.

    >>> is_full("/home/ana/a.py"), is_full("C:/work/a.py"), is_full("src/a.py")
    (True, True, False)
    """
    return path.startswith("/") or path[1:3] == ":/"


def pack_files(words: Mapping[str, Sequence[int]]) -> Json:
    """Return files and the numbers of the words shown near each as a JSON value: paths, how many words each has, all the numbers."""
    numbers = [n for found in words.values() for n in found]
    packed = struct.pack(f"<{len(numbers)}I", *numbers)
    return [list(words), [len(found) for found in words.values()], base64.b64encode(packed).decode("ascii")]


def unpack_files(packed: Json) -> tuple[list[str], list[int], bytes]:
    """Return what `pack_files` packed: the paths, how many words each has, and their numbers as little-endian 32-bit integers.

    >>> unpack_files(pack_files({"a.py": [7, 8], "b.py": []}))
    (['a.py', 'b.py'], [2, 0], b'\\x07\\x00\\x00\\x00\\x08\\x00\\x00\\x00')
    """
    paths, counts, numbers = packed
    return list(paths), list(counts), base64.b64decode(numbers)
