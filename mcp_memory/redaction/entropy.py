"""How random a string looks."""

import math

_ROUNDING = 1e-9
_SHORT = 256  # characters: of texts up to that long what each number of the same character counts for is known
_COUNTS = [0.0, 0.0, *(n * math.log2(n) for n in range(2, _SHORT + 1))]


def bits_per_char(text: str) -> float:
    """Return the Shannon entropy of the characters of *text*; 0.0 for the empty string.

    >>> bits_per_char("aaaa"), bits_per_char("abcd")
    (0.0, 2.0)
    """
    size = len(text)
    if not size:
        return 0.0
    counts = map(text.count, set(text))
    same = map(_COUNTS.__getitem__, counts) if size <= _SHORT else (n * math.log2(n) for n in counts)
    return math.log2(size) - math.fsum(same) / size


def is_diverse(text: str, bits: float) -> bool:
    """Tell whether *text* has at least *bits* of entropy a character; mostly by how many different characters it has, which is quicker.

    >>> is_diverse("abcd", 2.0), is_diverse("aaab", 1.0)
    (True, False)
    """
    size, different = len(text), len(set(text))
    if not size or math.log2(different) < bits - _ROUNDING:  # all of them as often as each other would have no more
        return False
    most = size - different + 1  # one of them so often, the others once, would have no less
    return math.log2(size) - most * math.log2(most) / size >= bits + _ROUNDING or bits_per_char(text) >= bits


def looks_random(text: str) -> bool:
    """Tell whether *text* has letters, at least two digits, and more entropy (3 bits a character) than a word or a number.

    English words joined by dashes stay below the digit count; numbers and repeated characters below the entropy.
    """
    digits = sum(map(str.isdigit, text))
    return 2 <= digits < len(text) and any(map(str.isalpha, text)) and is_diverse(text, 3.0)


def has_digit(text: str) -> bool:
    """Tell whether *text* has a digit."""
    return any(map(str.isdigit, text))


def has_both_cases(text: str) -> bool:
    """Tell whether *text* has upper and lower case, as random letters have: `hf_` before a function's name has not."""
    return any(map(str.isupper, text[3:])) and any(map(str.islower, text[3:]))


def is_mixed(text: str) -> bool:
    """Tell whether *text* has upper case, lower case and digits: base64 of random bytes has, hexadecimal and words have not."""
    return any(map(str.isupper, text)) and any(map(str.islower, text)) and any(map(str.isdigit, text))
