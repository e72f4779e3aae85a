"""Secrets inside a wrapping: invisible characters, colours or blanks between the letters, base64, hexadecimal, half a PEM frame."""

import binascii
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain

from mcp_memory.redaction.near import Near, near
from mcp_memory.redaction.rules import compiled
from mcp_memory.redaction.runs import LETTERS_AND_DIGITS, has_run, kind, outline, runs
from mcp_memory.redaction.sight import Sight
from mcp_memory.redaction.work import GLANCE, Inside, Work

Span = tuple[int, int, str]
Place = tuple[int, int]
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


class Bare:
    """A text without colours and invisible characters, and what tells where in the text a place of it is, and the other way."""

    __slots__ = ("_noise", "_parts", "text")

    def __init__(self, parts: list[str]) -> None:
        """Take what stays and what goes in turns."""
        self._parts, self._noise = parts[::2], parts[1::2]
        self.text = "".join(self._parts)

    def original(self, until: int) -> Callable[[int], int]:
        """Return what tells for a place of the bare text, up to *until*, the place of it in the text itself."""
        places: list[int] = []
        left_out: list[int] = []
        place = gone = 0
        for part, noise in zip(self._parts, self._noise, strict=False):
            place += len(part)
            if place > until:
                break
            places.append(place)
            gone += len(noise)
            left_out.append(gone)

        def original(at: int) -> int:
            index = bisect_right(places, at)
            return at + (left_out[index - 1] if index else 0)

        return original

    def near(self, markers: Sequence[Place]) -> Near | None:
        """Return what is near *markers* of the text in the bare text."""
        places = list(accumulate(chain.from_iterable(zip(map(len, self._parts), map(len, [*self._noise, ""]), strict=True))))[::2]
        kept = list(accumulate(map(len, self._parts)))

        def inside(at: int) -> int:
            index = bisect_right(places, at)
            return kept[index] - max(0, places[index] - at) if index < len(kept) else kept[-1]

        return near([(inside(start), inside(end)) for start, end in markers], len(self.text))


def bare(sight: Sight) -> Bare | None:
    """Return a text without colours and invisible characters, None where it has none."""
    noise = _noise(sight)
    parts = compiled(f"({noise})").split(sight.text) if noise else ()
    return Bare(list(parts)) if len(parts) > 1 else None


def has_noise(sight: Sight) -> bool:
    """Tell whether a text may have colours or invisible characters."""
    return bool(_noise(sight))


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
