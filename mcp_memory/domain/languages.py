"""Which language a text is in, as far as it matters here: English, or another one. Pure.

The local model reads English; of other languages it sees names and identifiers alone.
"""

import re
from functools import lru_cache

from mcp_memory.domain.segmenting import is_unspaced

MULTILINGUAL_SPACE = "local:use-multilingual-v3:512"  # of the optional second local model, for texts that are not English
ENGLISH_SHARE, LEAST_SHARE = 0.2, 0.06  # function words among the words of English text: usually at least, and of ten words or more
LONG_WORDS = 10
ACCENTED_SHARE = 1 / 16  # of the words of a text in a European language, at least, where function words do not tell
UNSPACED_SHARE = 0.2  # of the letters of a text: from here on it is in Chinese, Japanese, Korean, Thai …
_WORD = re.compile(r"[^\W_]+")
_ACCENTED = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")  # Latin letters with marks
_ENGLISH_TEXT = """
a an and are as at be but by can could did do does for from had has have how i if in into is it its me my no not of on or our please should
so than that the their them then there these they this to too us was we were what when where which who will with would you your
"""
# The commonest function words of German, Spanish, French, Italian, Portuguese and Dutch that are no English ones (nor names of programs).
_FOREIGN_TEXT = """
der das und ist ein eine einen einem einer nicht mit von zu zum zur den dem des sich auf für auch wird werden wurde sind oder aber wie wenn
nur noch bei nach aus über sie wir ich im vom dass soll sollen kann muss
el la los las de del que qué en un una unos unas es con por para se lo su sus al como más pero sin sobre este esta está ser son hay mi muy
debería cuando según
le les des du et une est dans pour pas sur qui par plus ce cette ces il elle ne au aux avec son sont mais ou où je nous vous être
il di che è gli della del dei nel nella con per non sono più anche questo questa
o os as do da dos das em no na nos nas um uma não com por para é se mais ao
het een van niet zijn voor met ook aan door naar bij wordt worden er
"""
ENGLISH_WORDS = frozenset(_ENGLISH_TEXT.split())
FOREIGN_WORDS = frozenset(_FOREIGN_TEXT.split()) - ENGLISH_WORDS
_OF_BOTH = ENGLISH_WORDS & frozenset(_FOREIGN_TEXT.split())
HOMOGRAPHS = frozenset({"am", "comment", "man", "war"})  # function words of these that tell no language, being English words or programs


@lru_cache(64)  # one recall asks four times
def is_foreign(text: str) -> bool:
    """Return whether *text* is in another language than English, by its script and its function words.

    >>> is_foreign("Die Zahlenformatierung stürzt ab"), is_foreign("禁止在查询中使用"), is_foreign("Where is the café of my hotel?")
    (True, True, False)
    >>> is_foreign("Corrigir o cálculo do frete no carrinho"), is_foreign("Do as the façade does")
    (True, False)
    """
    found = _WORD.findall(text.lower())
    if not found:
        return False
    english, foreign = sum(w in ENGLISH_WORDS for w in found), sum(w in FOREIGN_WORDS for w in found)
    if foreign > english and foreign > 1:
        return True
    if foreign > english - sum(w in _OF_BOTH for w in found) and any(map(_ACCENTED.search, found)):
        return True  # `o cálculo do frete`
    share = english / len(found)
    if all(w.isascii() for w in found):
        return len(found) >= LONG_WORDS and share < LEAST_SHARE
    unspaced = sum(len(w) for w in found if is_unspaced(w))
    return unspaced >= UNSPACED_SHARE * sum(map(len, found)) or share < ENGLISH_SHARE


@lru_cache(64)
def is_foreign_prose(text: str) -> bool:
    """Return whether *text* is prose in another language than English; code, logs and tracebacks have no function words, either.

    >>> is_foreign_prose("Die Zahlenformatierung stürzt ab"), is_foreign_prose("Popraw błąd w formularzu")
    (True, True)
    >>> is_foreign(log := "npm ERR! code ERESOLVE npm ERR! Found: react@18.2.0 node_modules/react"), is_foreign_prose(log)
    (True, False)
    """
    if not is_foreign(text):
        return False
    found = _WORD.findall(text.lower())
    english, foreign = sum(w in ENGLISH_WORDS for w in found), sum(w in FOREIGN_WORDS for w in found)
    return (foreign > english and foreign > 1) or sum(_ACCENTED.search(w) is not None for w in found) >= ACCENTED_SHARE * len(found)
