"""English words by the sound that Japanese writes of them in katakana: フライト is *flight*, サーバー *server*. Pure, without a dictionary.

Katakana keeps the consonants of a word and puts vowels between them, so both sides are brought to the same few consonants: l and r are one,
b and v, s and z and th; an r after a vowel is a long vowel there; x is ks. Then the vowels must fit, too: コード and *kid* have the same
consonants. The signs are read as Hepburn's romanisation reads them, the small ones as the Cabinet's notice of 1991 on the writing of
loanwords says (ティ ti, ファ fa, ウェ we).
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from itertools import islice, product
from typing import NamedTuple

MIN_SOUNDS, MIN_CHARS, MAX_CHARS = 2, 3, 20  # consonants of a word that can be told by its sound, and its letters
MAX_SIGNS = 16  # of a word in katakana; a longer one is read up to here
MAX_WAYS = 64  # in which one is read
ALIKE, ALIKE_SHORT = 0.75, 1.0  # share of the vowels that must fit; of a word of two consonants
ABOUT_AS_ALIKE = 0.1  # what is less alike than the best by more is another word
MAX_WORDS = 3  # that one word in katakana may stand for
VOWEL = "A"  # at the beginning of a word, whichever it is
_RUN = re.compile("[ァ-ヺー]{2,}")
_VOWELS = "aiueo"
_ROWS = {"": "アイウエオ", "k": "カキクケコ", "g": "ガギグゲゴ", "s": "サ スセソ", "z": "ザ ズゼゾ", "t": "タ  テト", "d": "ダ  デド"}
_ROWS |= {
    "n": "ナニヌネノ",
    "h": "ハヒ ヘホ",
    "b": "バビブベボ",
    "p": "パピプペポ",
    "m": "マミムメモ",
    "y": "ヤ ユ ヨ",
    "r": "ラリルレロ",
    "w": "ワ   ヲ",
}
_OTHERS = {
    "シ": ("X", "i"),
    "ジ": ("J", "i"),
    "ヂ": ("J", "i"),
    "チ": ("C", "i"),
    "ツ": ("t", "u"),
    "ヅ": ("z", "u"),
    "フ": ("f", "u"),
    "ヴ": ("b", "u"),
}
_SIGNS = {sign: (row, vowel) for row, signs in _ROWS.items() for sign, vowel in zip(signs, _VOWELS, strict=False) if sign != " "} | _OTHERS
_SMALL = dict(zip("ァィゥェォャュョヮ", "aiueoauoa", strict=True))
_CONSONANT = re.compile(f"[^{_VOWELS}]")
_SPELLED = {"a": "aou", "i": "ie", "u": "uo", "e": "ea", "o": "oau"}  # how English writes a vowel that is heard so
_DIPHTHONGS = {"ai": "i", "ei": "ae", "au": "ou", "ou": "o"}
_CARRYING = {"t": "ou", "d": "ou", "C": "iu", "J": "iu", "k": "ui"}  # after which consonant which vowel only carries it; u after the others
_SAID = {
    "z": ("s",),
    "X": ("X", "s"),
    "J": ("J", "s", "d"),
    "C": ("C", "t"),
    "h": ("h", "f"),
    "y": ("y",),
}  # what a sound there may be here
# English letters to the same sounds, in this order; capitals are sounds of two letters.
_SPOKEN = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"[^a-z]", ""),
        (r"([bdfgklmnprtz])\1", r"\1"),
        (r"ssion|tion|[ct]ian", "Xon"),
        (r"sion", "Jon"),
        (r"ture\b", "Ca"),
        (r"^kn", "n"),
        (r"^wr", "r"),
        (r"^x", "s"),
        (r"igh", "ai"),
        (r"(?<=[aeiou])gh(?=t)", ""),
        (r"ear(?=[^aeiou])", "a"),
        (r"tch", "C"),
        (r"sch", "sk"),
        (r"ch(?=[rl])", "k"),
        (r"(?<=[aiou])che(?=[ds]?$)", "Xe"),
        (r"ch", "C"),
        (r"ck", "k"),
        (r"qu", "ku"),
        (r"sh", "X"),
        (r"ph", "f"),
        (r"th", "s"),
        (r"wh", "w"),
        (r"dg(?=[eiy])", "J"),
        (r"cc(?=[eiy])|x", "ks"),
        (r"c(?=[eiy])", "s"),
        (r"c|q", "k"),
        (r"g(?=[eiy])", "J"),
        (r"s+|z", "s"),
        (r"j", "J"),
        (r"v", "b"),
        (r"m(?=[pb])", "n"),
        (r"(?<!^)y", "i"),
        (r"(?<=[aeiou])[wh](?![aeiou])", ""),
        (r"a(?=[^aeiou]e$|[bdfgkpt]le$|ge)", "ae"),
        (r"i(?=[^aeiou]e$)", "ai"),
        (r"ew(?![aeiou])", "u"),
        (r"[eiu]r(?![aeiou])|or$|[ae]re$", "a"),
        (r"(?<=[aeiou])r(?=[^aeiou]|e?$)", ""),
        (r"l", "r"),
        (r"en$", "eon"),
    )
)


def in_katakana(text: str) -> tuple[str, ...]:
    """Return the words in katakana of a text, each once.

    >>> in_katakana("次のフライトにスーツケースを")
    ('フライト', 'スーツケース')
    """
    if text.isascii():
        return ()
    return tuple(dict.fromkeys(word[:MAX_SIGNS] for word in _RUN.findall(unicodedata.normalize("NFKC", text))))


_Signs = tuple[tuple[str, str], ...]


class Loan(NamedTuple):
    """The English words that one in katakana stands for; `is_sure`: all of it reads so, and it is long enough to say something."""

    words: tuple[str, ...]
    is_sure: bool


@lru_cache(maxsize=50_000)
def sounds_of_english(word: str) -> tuple[str, ...]:
    """Return how an English word may sound, as its consonants: a g as in *gem* or as in *get*.

    >>> sounds_of_english("flight"), sounds_of_english("server"), sounds_of_english("index")
    (('frt',), ('sb',), ('Andks',))
    """
    said = _said_in_english(word)
    found = {_consonants(said), _consonants(said.replace("J", "g")), _consonants(said.replace("C", "k"))}
    if re.match(r"u[^aeiou][aeiou]", said):  # user, unit
        found.add("y" + _consonants(said)[1:])
    return tuple(sorted(sound for sound in found if len(sound) >= MIN_SOUNDS))


def loaned(word: str, known: Callable[[str], Collection[str]]) -> Loan:
    """Return the English words that a word in katakana stands for, the most alike first, of a compound those of its two parts.

    Args:
        word: In katakana.
        known: Gives the English words that there are of a sound (`sounds_of_english`).

    >>> loaned("フライト", {"frt": {"flight", "fruit", "float"}}.get).words
    ('flight', 'fruit')
    """
    signs = tuple(_read(word))
    if whole := _best(signs, known):
        return Loan(tuple(english for english, _ in whole), sum(bool(consonant) for consonant, _ in signs) > MIN_SOUNDS)
    return Loan(_of_parts(signs, known), is_sure=False)


def _of_parts(signs: _Signs, known: Callable[[str], Collection[str]]) -> tuple[str, ...]:
    """Return the words of two parts that both read as they are written, of those whose shorter part is longest."""
    for at in sorted(range(2, len(signs) - 1), key=lambda at: abs(2 * at - len(signs))):
        both = [[english for english, alike in _best(part, known) if alike == 1.0] for part in (signs[:at], signs[at:])]
        if all(both):
            return (*both[0], *both[1])
    return ()


def _best(signs: _Signs, known: Callable[[str], Collection[str]]) -> list[tuple[str, float]]:
    """Return the words that read like the signs, and how alike, the most alike first, of those the one that is spelled most alike."""
    written = "".join(consonant + vowel for consonant, vowel in signs)
    found: dict[str, tuple[float, int, float]] = {}
    for way, sound in enumerate(_sounds(signs)):
        least = ALIKE if len(sound) > MIN_SOUNDS else ALIKE_SHORT
        for english in known(sound) or () if len(sound) >= MIN_SOUNDS else ():
            alike, exact = _likeness(written, _said_in_english(english))
            if alike >= least:
                found[english] = max((alike, -way, exact), found.get(english, (0.0, 0, 0.0)))
    most = max((alike for alike, _, _ in found.values()), default=0.0)
    best = sorted(found, key=lambda english: (*(-part for part in found[english]), english))
    return [(english, found[english][0]) for english in best if found[english][0] >= most - ABOUT_AS_ALIKE][:MAX_WORDS]


def _likeness(written: str, said: str) -> tuple[float, float]:
    """Return after how many of their consonants two spellings, with the same ones, have vowels that fit, and the same ones; shares."""
    if written.startswith("y") and said.startswith("u"):
        said = f"y{said}"
    consonants = _CONSONANT.findall(written)
    begun, *rest = zip(_CONSONANT.split(written), _CONSONANT.split(said), strict=False)
    last = len(rest) - 1
    fits = [_fit(kana, english, consonants[n], is_last=n == last) for n, (kana, english) in enumerate(rest)]
    if any(begun):
        fits.append(_fit(*begun, "", is_last=False))
    return (sum(fits) / len(fits), sum(kana == english for kana, english in rest) / len(fits)) if fits else (0.0, 0.0)


def _fit(kana: str, english: str, consonant: str, *, is_last: bool) -> bool:
    """Return whether vowels in katakana may be those of an English spelling: one that only carries the consonant is none there."""
    if not english or (is_last and english == "e"):
        return kana in ("", *_CARRYING.get(consonant, "u"))
    if kana in _DIPHTHONGS:
        return not set(_DIPHTHONGS[kana]).isdisjoint(english)
    return bool(kana) and all(not set(_SPELLED[vowel]).isdisjoint(english) for vowel in kana)


def _read(word: str) -> Iterator[tuple[str, str]]:
    """Yield consonant and vowel of each sign; a small vowel takes the place of the one before it."""
    read: list[tuple[str, str]] = []
    for sign in word:
        if sign in _SMALL and read:
            consonant, vowel = read.pop()
            read.append(("w" if not consonant and vowel == "u" else consonant, _SMALL[sign]))
        elif sign == "ン":
            read.append(("n", ""))
        elif sign in _SIGNS:
            read.append(_SIGNS[sign])
    yield from read


def _sounds(signs: _Signs) -> Iterator[str]:
    spoken = [_SAID.get(consonant, (consonant,)) for consonant, _ in signs if consonant]
    begins = VOWEL if signs and not signs[0][0] else ""
    for way in islice(product(*spoken[:MAX_SIGNS]), MAX_WAYS):
        yield begins + "".join(way)


@lru_cache(maxsize=50_000)
def _said_in_english(word: str) -> str:
    for pattern, sound in _SPOKEN:
        word = pattern.sub(sound, word)
    return word


def _consonants(said: str) -> str:
    begins = VOWEL if said[:1] in _VOWELS else ""
    return begins + re.sub(r"[aeiou]", "", said)
