"""Secrets inside a wrapping: invisible characters, colours or blanks between the letters, base64, hexadecimal, half a PEM frame."""

import binascii
from collections.abc import Callable, Iterable, Iterator

from mcp_memory.redaction.rules import compiled
from mcp_memory.redaction.runs import LETTERS_AND_DIGITS, has_run, kind, outline, runs
from mcp_memory.redaction.sight import Sight
from mcp_memory.redaction.work import GLANCE, Inside, Work

Span = tuple[int, int, str]
Finder = Callable[[str, Work], list[Span]]
_UNSEEN_CHARS = "\xad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\ufeff"
_TAGS = b"\xf3\xa0"  # of U+E0000 to U+E007F in UTF-8: the first bytes
_UNSEEN_BYTES = (*(char.encode() for char in _UNSEEN_CHARS), _TAGS)
_UNSEEN = "\u200b-\u200f\u2060-\u2064\ufeff\xad\u180e\u202a-\u202e\U000e0000-\U000e007f"
_COLOUR = r"\x1b\[[0-9;?]{0,20}[A-Za-z]"
_ESCAPED, _ESCAPES = r"\\(?:u001b|x1b|033|e)\[[0-9;]{0,20}m", ("\\u001b[", "\\x1b[", "\\033[", "\\e[")
_BASE64, _LEAST_ENCODED, _MAX_ENCODED = kind(LETTERS_AND_DIGITS + "+/"), 24, 8_000
_SOLID = kind("".join(chr(code) for code in range(128) if chr(code).isspace()), others=True)
_SINGLES, _BLANKS = b" ".join([b"x"] * 16), b" " * 15
_SPACED = r"(?<!\S)\S(?: \S){15,300}+(?!\S)"
_KEY_END = "PRIVATE KEY"
_KEY_LINE = r"(?:[ \t]{0,8}\d{1,6}[ \t|:→]{1,4})?[A-Za-z0-9+/=]{16,76}"


def bare(sight: Sight) -> str | None:
    """Return a text without colours and invisible characters, None where it has none."""
    noise = _noise(sight)
    if not noise:
        return None
    text = compiled(noise).sub("", sight.text)
    return text if len(text) < len(sight.text) else None


def places_in_bare(sight: Sight, places: list[int]) -> list[int]:
    """Return where *places* of the text, in order, are in the bare text; where one is inside what was left out, some characters off."""
    clean, found = compiled(_noise(sight)), []
    bare = done = 0
    for place in places:
        bare += len(clean.sub("", sight.text[done:place]))
        done = place
        found.append(bare)
    return found


def steps(sight: Sight, until: int) -> tuple[list[int], list[int]]:
    """Return places in the bare text up to *until*, in order, and how many characters of the text itself were left out before each."""
    places: list[int] = []
    left_out: list[int] = []
    removed = 0
    for match in compiled(_noise(sight)).finditer(sight.text):
        start, end = match.span()
        if start - removed > until:
            break
        places.append(start - removed)
        removed += end - start
        left_out.append(removed)
    return places, left_out


def _noise(sight: Sight) -> str:
    """Return the pattern of what is to be taken out, nothing where there is none of it: asked for apart, for a backslash is common."""
    kinds = [_COLOUR] if "\x1b[" in sight.plain else []
    if "\\" in sight.plain and any(sign in sight.plain for sign in _ESCAPES):
        kinds.append(_ESCAPED)
    if sight.others and any(sign in sight.others for sign in _UNSEEN_BYTES):
        kinds.append(f"[{_UNSEEN}]+")
    return "|".join(kinds)


def has_singles(codes: bytes) -> bool:
    """Tell whether there are single characters in a row with blanks between them."""
    found = outline(codes, _SOLID)
    return (_BLANKS in found[::2] or _BLANKS in found[1::2]) and _SINGLES in found  # each other one is a blank, then: found sooner


def looks(sight: Sight, tokens: Finder, work: Work) -> Iterator[Iterable[Span]]:
    """Yield one look after another for what is wrapped: each gives its spans, and raises OutOfWork where it must end.

    Args:
        tokens: Finds the secrets of a text that was unwrapped, by their shapes and names, with the work it is given.
    """
    encoded = outline(sight.codes, _BASE64)
    if has_run(encoded, _LEAST_ENCODED):
        yield _encoded(sight, encoded, tokens, work)
    if _KEY_END in sight.plain:
        yield _cut_keys(sight.text, work)
    if has_singles(sight.codes):
        yield _spaced(sight.text, tokens, work)


def _spaced(text: str, tokens: Finder, work: Work) -> Iterator[Span]:
    for match in compiled(_SPACED).finditer(text):
        work.spend(match.start(), 2)
        if tokens(match[0].replace(" ", ""), Inside(work, match.start())):
            yield *match.span(), "spaced-secret"


def _encoded(sight: Sight, encoded: bytes, tokens: Finder, work: Work) -> Iterator[Span]:
    text = sight.text
    judged = work.verdicts.setdefault(_BASE64, {})
    for begin, end in runs(encoded, _LEAST_ENCODED, sight.near):
        if begin and text[begin - 1] in "=_-":  # the rest of a token in another alphabet
            continue
        if end - begin > _MAX_ENCODED:
            end = begin + _MAX_ENCODED
        if text.startswith("=", end):
            end += 2 if text.startswith("==", end) else 1
        run = text[begin:end]
        hides = judged.get(run)
        if hides is None:
            work.spend(begin, GLANCE)
            hides = judged[run] = _hides(run, begin, tokens, work)
        if hides:
            yield begin, end, "encoded-secret"


def _hides(run: str, position: int, tokens: Finder, work: Work) -> bool:
    if "/" in run and run.count("/") > len(run) // 12:  # a path
        return False
    inside = _decoded(run)
    if inside is None:
        return False
    work.spend(position, 4)
    return bool(tokens(inside, Inside(work, position)))


def _decoded(run: str) -> str | None:
    """Return the printable ASCII text that *run* is in hexadecimal or base64, or None."""
    try:
        raw = bytes.fromhex(run) if len(run) % 2 == 0 and run.isalnum() and not run.strip("0123456789abcdefABCDEF") else None
        padding = "" if run.endswith("=") else "=" * (-len(run) % 4)
        raw = raw or binascii.a2b_base64(run + padding, strict_mode=True)
    except ValueError:
        return None
    if not raw.isascii() or len(raw) < 12:
        return None
    found = raw.decode("ascii")
    return found if found.replace("\n", "").replace("\t", "").replace("\r", "").isprintable() else None


def _cut_keys(text: str, work: Work) -> Iterator[Span]:
    """Yield the lines of keys whose beginning was cut off: those before an END without a BEGIN."""
    at = text.find("-----END")
    while at >= 0:
        work.spend(at)
        if _KEY_END in text[at : at + 60]:
            start = at
            while start > 0:
                line = text.rfind("\n", max(0, start - 120), start - 1) + 1
                if not compiled(_KEY_LINE).fullmatch(text[line:start].strip()):
                    break
                start = line
            if start < at:
                yield start, at, "private-key"
        at = text.find("-----END", at + 8)
