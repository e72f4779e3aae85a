"""Secrets inside a wrapping: invisible characters, colours or blanks between the letters, base64, hexadecimal, half a PEM frame."""

import binascii
from collections.abc import Callable, Iterable, Iterator

from mcp_memory.redaction.rules import compiled
from mcp_memory.redaction.runs import LETTERS_AND_DIGITS, has_run, kind, outline, runs
from mcp_memory.redaction.work import Work

Span = tuple[int, int, str]
Finder = Callable[[str], list[Span]]
_UNSEEN_CHARS = "\xad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\ufeff"
_TAGS = b"\xf3\xa0"  # of U+E0000 to U+E007F in UTF-8: the first bytes
_UNSEEN = "\u200b-\u200f\u2060-\u2064\ufeff\xad\u180e\u202a-\u202e\U000e0000-\U000e007f"
_NOISE = rf"\x1b\[[0-9;?]{{0,20}}[A-Za-z]|\\(?:u001b|x1b|033|e)\[[0-9;]{{0,20}}m|[{_UNSEEN}]+"
_ESCAPES = ("\\u001b[", "\\x1b[", "\\033[", "\\e[")
_BASE64, _LEAST_ENCODED, _MAX_ENCODED = kind(LETTERS_AND_DIGITS + "+/"), 24, 8_000
_SOLID = kind("".join(chr(code) for code in range(128) if chr(code).isspace()), others=True)
_SINGLES = b" ".join([b"x"] * 16)
_SPACED = r"(?<!\S)\S(?: \S){15,300}+(?!\S)"
_KEY_END = "PRIVATE KEY"
_KEY_LINE = r"(?:[ \t]{0,8}\d{1,6}[ \t|:→]{1,4})?[A-Za-z0-9+/=]{16,76}"


def plain(text: str) -> tuple[str, list[tuple[int, int]]] | None:
    """Return *text* without colours and invisible characters, and steps (position there, characters left out before); None: it has none."""
    if (text.isascii() and "\x1b" not in text and "\\" not in text) or not (_has_colours(text) or _has_unseen(text)):
        return None
    parts: list[str] = []
    steps: list[tuple[int, int]] = []
    end = length = removed = 0
    for match in compiled(_NOISE).finditer(text):
        parts.append(text[end : match.start()])
        length += match.start() - end
        end = match.end()
        removed += end - match.start()
        steps.append((length, removed))
    return ("".join([*parts, text[end:]]), steps) if steps else None


def _has_colours(text: str) -> bool:
    return "\x1b[" in text or ("\\" in text and any(sign in text for sign in _ESCAPES))


def _has_unseen(text: str) -> bool:
    if text.isascii():
        return False
    return any(sign in text for sign in _UNSEEN_CHARS) or _TAGS in text.encode("utf-8", "surrogatepass")


def has_singles(codes: bytes) -> bool:
    """Tell whether there are single characters in a row with blanks between them."""
    return _SINGLES in outline(codes, _SOLID)


def find(text: str, codes: bytes, tokens: Finder, work: Work) -> Iterable[Span]:
    """Return what is wrapped.

    Args:
        codes: *text* as `runs` looks at it.
        tokens: Finds the secrets of a text that was unwrapped, by their shapes and names.
    """
    is_spaced = has_singles(codes)
    if not (is_spaced or _KEY_END in text or has_run(codes, _BASE64, _LEAST_ENCODED)):
        return ()
    return _found(text, codes, tokens, work, is_spaced=is_spaced)


def _found(text: str, codes: bytes, tokens: Finder, work: Work, *, is_spaced: bool) -> Iterator[Span]:
    yield from _encoded(text, codes, tokens, work)
    if _KEY_END in text:
        yield from _cut_keys(text, work)
    if not is_spaced:
        return
    for match in compiled(_SPACED).finditer(text):
        work.spend(match.start(), 2)
        if tokens(match[0].replace(" ", "")):
            yield *match.span(), "spaced-secret"


def _encoded(text: str, codes: bytes, tokens: Finder, work: Work) -> Iterator[Span]:
    judged: dict[str, bool] = {}
    for begin, end in runs(codes, _BASE64, _LEAST_ENCODED):
        if begin and text[begin - 1] in "=_-":  # the rest of a token in another alphabet
            continue
        end = min(end, begin + _MAX_ENCODED)
        end += len(text[end : end + 2]) - len(text[end : end + 2].lstrip("="))
        run = text[begin:end]
        if run not in judged:
            judged[run] = _hides(run, begin, tokens, work)
        if judged[run]:
            yield begin, end, "encoded-secret"


def _hides(run: str, position: int, tokens: Finder, work: Work) -> bool:
    if "/" in run and run.count("/") > len(run) // 12:  # a path
        return False
    inside = _decoded(run)
    if inside is None:
        return False
    work.spend(position, 4)
    return bool(tokens(inside))


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
