"""One text in, the same text without its secrets out."""

import mcp_memory.redaction.named as named
import mcp_memory.redaction.tokens as tokens

_NOTHING: tuple[str, ...] = ()
_MAX_ROUNDS = 5
_MIN_CHARS = 8  # `pwd=abcd`: the shortest thing any rule finds


def redact(text: str) -> tuple[str, tuple[str, ...]]:
    """Return *text* with every secret replaced by `[redacted:rule]`, and the rules' names, one for each replacement.

    The same object comes back where nothing was found. Redacting twice changes nothing more. Linear in the length of the text: about
    20 µs for 2 KB of ordinary text, a few ms for 100 KB.

    >>> redact("export GITHUB_TOKEN=ghp_16C7e42F292c6912E7710c838347Ae178B4a")
    ('export GITHUB_TOKEN=[redacted:github-token]', ('github-token',))
    """
    if len(text) < _MIN_CHARS:
        return text, _NOTHING
    clean, found = _once(text)
    rounds = 1
    while found and rounds < _MAX_ROUNDS:  # a marker can uncover what was glued to the secret: `ghp_…DB_PASSWORD=…`
        clean, more = _once(clean)
        if not more:
            break
        found, rounds = found + more, rounds + 1
    return clean, found


def _once(text: str) -> tuple[str, tuple[str, ...]]:
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters grow when lowered (İ); offsets must fit
        lowered = "".join(c.lower() if c.isascii() else c for c in text)
    spans = [*tokens.find(text, lowered), *named.find(text, lowered)]
    return _replaced(text, spans) if spans else (text, _NOTHING)


def _replaced(text: str, spans: list[tuple[int, int, str]]) -> tuple[str, tuple[str, ...]]:
    """Replace each span; of overlapping ones the union goes, named after the first."""
    spans.sort(key=lambda span: span[0])
    merged: list[tuple[int, int, str]] = []
    for start, end, name in spans:
        if merged and start < merged[-1][1]:
            first, last, kept = merged[-1]
            merged[-1] = (first, max(last, end), kept)
        else:
            merged.append((start, end, name))
    parts, position = [], 0
    for start, end, name in merged:
        parts += [text[position:start], named.MARKER_START, name, "]"]
        position = end
    parts.append(text[position:])
    return "".join(parts), tuple(name for _, _, name in merged)
