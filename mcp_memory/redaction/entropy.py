"""How random a string looks."""

import math


def bits_per_char(text: str) -> float:
    """Return the Shannon entropy of the characters of *text*; 0.0 for the empty string.

    >>> bits_per_char("aaaa"), bits_per_char("abcd")
    (0.0, 2.0)
    """
    size = len(text)
    if not size:
        return 0.0
    counts = [text.count(char) for char in dict.fromkeys(text)]  # a third of what `Counter` takes
    return math.log2(size) - sum([n * math.log2(n) for n in counts if n > 1]) / size


def looks_random(text: str) -> bool:
    """Tell whether *text* has letters, at least two digits, and more entropy (3 bits a character) than a word or a number.

    English words joined by dashes stay below the digit count; numbers and repeated characters below the entropy.
    """
    digits = sum(map(str.isdigit, text))
    return 2 <= digits < len(text) and any(map(str.isalpha, text)) and bits_per_char(text) >= 3.0


def has_digit(text: str) -> bool:
    """Tell whether *text* has a digit."""
    return any(map(str.isdigit, text))


def has_both_cases(text: str) -> bool:
    """Tell whether *text* has upper and lower case, as random letters have: `hf_` before a function's name has not."""
    return any(map(str.isupper, text[3:])) and any(map(str.islower, text[3:]))


def is_mixed(text: str) -> bool:
    """Tell whether *text* has upper case, lower case and digits: base64 of random bytes has, hexadecimal and words have not."""
    return any(map(str.isupper, text)) and any(map(str.islower, text)) and any(map(str.isdigit, text))
