"""How many tokens an answer costs the model that reads it."""

import math
import string
from typing import Any

import msgspec

# Tokens a byte, by what it is: fitted to 1,669 rows of recalled episodes and patterns under o200k and cl100k (the dearer of the two), then
# raised by 7 %, so that 19 in 20 rows cost less. Numbers and code cost three times what English does.
LETTER, DIGIT, SPACE, MARK, OTHER = 0.2, 0.55, 0.25, 0.6, 0.8
_LETTERS, _DIGITS = string.ascii_letters.encode(), string.digits.encode()
_MARKS = string.punctuation.encode()


def estimate_tokens(value: Any) -> int:
    """Return about how many tokens *value* (text, or a record shown as compact JSON) costs; rather too many than too few.

    Some 10 % above the common byte-pair vocabularies for English and code, more for other scripts. Cost: microseconds.

    >>> estimate_tokens("remember the milk"), estimate_tokens("2**31 - 1 == 0x7fffffff")
    (4, 9)
    """
    raw = value.encode() if isinstance(value, str) else msgspec.json.encode(value)
    letters, digits, marks = (len(raw) - len(raw.translate(None, kind)) for kind in (_LETTERS, _DIGITS, _MARKS))
    spaces = raw.count(b" ")
    other = len(raw) - letters - digits - marks - spaces
    return math.ceil(LETTER * letters + DIGIT * digits + SPACE * spaces + MARK * marks + OTHER * other)
