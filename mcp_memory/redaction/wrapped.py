"""Secrets inside a wrapping: invisible characters, colours or blanks between the letters, base64, hexadecimal, half a PEM frame."""

import binascii
from collections.abc import Callable, Iterator, Sequence

from mcp_memory.redaction.rules import compiled
from mcp_memory.redaction.shapes import long_words
from mcp_memory.redaction.work import Work

Span = tuple[int, int, str]
Finder = Callable[[str], list[Span]]
_UNSEEN = "\u200b-\u200f\u2060-\u2064\ufeff\xad\u180e\u202a-\u202e\U000e0000-\U000e007f"
_UNSEEN_SIGN = f"[{_UNSEEN}]"
_NOISE = rf"\x1b\[[0-9;?]{{0,20}}[A-Za-z]|\\(?:u001b|x1b|033|e)\[[0-9;]{{0,20}}m|[{_UNSEEN}]+"
_NOISE_SIGNS = ("\x1b[", "\\u001b[", "\\x1b[", "\\033[", "\\e[")
_ENCODED = r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/]{24,8000}+={0,2}"
_SPACED_LETTERS = 16
_SINGLES = b"\1" * _SPACED_LETTERS
_SPACED = r"(?<!\S)\S(?: \S){15,300}+(?!\S)"
_KEY_END = "PRIVATE KEY"
_KEY_LINE = r"(?:[ \t]{0,8}\d{1,6}[ \t|:→]{1,4})?[A-Za-z0-9+/=]{16,76}"


def plain(text: str) -> tuple[str, list[tuple[int, int]]] | None:
    """Return *text* without colours and invisible characters, and steps (position there, characters left out before); None: it has none."""
    has_colours = "[" in text and any(sign in text for sign in _NOISE_SIGNS)
    if not has_colours and (text.isascii() or not compiled(_UNSEEN_SIGN).search(text)):
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


def find(text: str, words: Sequence[str], tokens: Finder, work: Work) -> Iterator[Span]:
    """Yield what is wrapped; *tokens* finds the secrets of a text that was unwrapped, by their shapes and names."""
    yield from _encoded(text, words, tokens, work)
    if _KEY_END in text:
        yield from _cut_keys(text, work)
    lengths = list(map(len, words))
    if lengths.count(1) < _SPACED_LETTERS or _SINGLES not in bytes([length if length < 9 else 9 for length in lengths]):
        return
    for match in compiled(_SPACED).finditer(text):
        work.spend(match.start(), 2)
        if tokens(match[0].replace(" ", "")):
            yield *match.span(), "spaced-secret"


def _encoded(text: str, words: Sequence[str], tokens: Finder, work: Work) -> Iterator[Span]:
    judged: dict[str, list[Span]] = {}
    for begin, word in long_words(text, words, 24):
        if word not in judged:
            judged[word] = [(*m.span(), "encoded-secret") for m in compiled(_ENCODED).finditer(word) if _hides(m[0], begin, tokens, work)]
        for start, end, name in judged[word]:
            yield begin + start, begin + end, name


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
