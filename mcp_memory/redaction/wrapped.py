"""Secrets inside a wrapping: blanks between the letters, base64, hexadecimal, half a PEM frame."""

import binascii
from collections.abc import Callable, Iterable, Iterator

from mcp_memory.redaction.rules import compiled
from mcp_memory.redaction.runs import LETTERS_AND_DIGITS, has_run, kind, outline, runs
from mcp_memory.redaction.sight import Sight
from mcp_memory.redaction.work import GLANCE, GLANCE_AT_KNOWN, Inside, Work

Span = tuple[int, int, str]
Finder = Callable[[str, Work], list[Span]]
_BASE64, _LEAST_ENCODED, _MAX_ENCODED = kind(LETTERS_AND_DIGITS + "+/"), 24, 8_000
_SOLID = bytes(code if code in b" \n" else 10 if code < 128 and chr(code).isspace() else 120 for code in range(256))  # `x`, blank, line end
_SINGLE = b"x"
_SINGLES, _BLANKS = b" ".join([_SINGLE] * 16), b" " * 15
_SPACED = r"\S(?: \S){15,300}+"
_KEY_END = "PRIVATE KEY"
_KEY_LINE = r"(?:[ \t]{0,8}\d{1,6}[ \t|:→]{1,4})?[A-Za-z0-9+/=]{16,76}"


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
        yield _spaced(sight, tokens, work)


def _spaced(sight: Sight, tokens: Finder, work: Work) -> Iterator[Span]:
    text, found = sight.text, outline(sight.codes, _SOLID)
    at = found.find(_SINGLES)
    while at >= 0:
        is_first = not (at and found[at - 1 : at] == _SINGLE)  # no letter of a longer word
        match = compiled(_SPACED).match(text, at) if is_first else None
        work.spend(at, 2 if match else GLANCE)
        is_last = match is not None and not text[match.end() : match.end() + 1].strip()
        if match and is_last and tokens(match[0].replace(" ", ""), Inside(work, at)):
            yield *match.span(), "spaced-secret"
        at = found.find(_SINGLES, match.end() if match else at + 2)


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
        work.spend(begin, GLANCE if hides is None else GLANCE_AT_KNOWN)
        if hides is None:
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
