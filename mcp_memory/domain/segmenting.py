"""Words of scripts that write them without spaces: every two letters in a row are a word, in what is indexed and in what is asked for.

Overlapping pairs are the usual way to search Chinese, Japanese and Korean without a dictionary (Lucene's CJKAnalyzer makes them, too), so
that a part of a compound is found wherever it stands. Thai, Lao, Khmer and Burmese are treated alike, their marks left out.
"""

import re
from itertools import pairwise

_RUN = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f]+"
)


def is_unspaced(word: str) -> bool:
    """Whether *word* is of a script in which words may run on."""
    return not word.isascii() and _RUN.search(word) is not None


def is_letter(word: str) -> bool:
    """Whether *word* is one letter of such a script: it is looked for as a beginning, for all that is indexed of it are pairs."""
    return len(word) == 1 and is_unspaced(word)


def asked_words(text: str) -> str:
    """Return *text* with its unspaced words as pairs of letters; a single letter stays, and is looked for as a beginning.

    >>> asked_words("修复 parser 数据库").split(), asked_words("猫").split()
    (['修复', 'parser', '数据', '据库'], ['猫'])
    """
    return text if text.isascii() else _RUN.sub(lambda run: f" {' '.join(_pairs(run[0]))} ", text)


def indexed_words(text: str) -> str:
    """Return *text* as it is indexed: pairs of letters, and each run's last letter, so that every letter begins a word.

    >>> indexed_words("修复 parser 数据库").split()
    ['修复', '复', 'parser', '数据', '据库', '库']
    """
    return text if text.isascii() else _RUN.sub(lambda run: f" {' '.join(_with_last(_pairs(run[0])))} ", text)


def _pairs(run: str) -> list[str]:
    letters = [letter for letter in run if letter.isalnum()]  # the marks of a word are no letters to the index
    return letters if len(letters) < 2 else [one + other for one, other in pairwise(letters)]


def _with_last(pairs: list[str]) -> list[str]:
    return [*pairs, pairs[-1][1]] if pairs and len(pairs[-1]) == 2 else pairs
