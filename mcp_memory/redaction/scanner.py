"""One text in, the same text without its secrets out."""

from bisect import bisect_right
from functools import cache

import mcp_memory.redaction.named as named
import mcp_memory.redaction.shapes as shapes
import mcp_memory.redaction.wrapped as wrapped
from mcp_memory.redaction.runs import LETTERS_AND_DIGITS, codes_of, has_run, kind
from mcp_memory.redaction.values import MARKER_START
from mcp_memory.redaction.vocabulary import Known, Vocabulary
from mcp_memory.redaction.work import OutOfWork, Work

Span = tuple[int, int, str]
_NOTHING: tuple[str, ...] = ()
_MAX_ROUNDS = 5
_MIN_CHARS = 8  # `pwd=abcd`: the shortest thing any rule finds
UNJUDGED = "unjudged"
_RUN, _SHORT_RUN = kind(LETTERS_AND_DIGITS + "_-+/"), 23  # what all long runs that are looked at are made of, and the shortest of them


def redact(text: str) -> tuple[str, tuple[str, ...]]:
    """Return *text* with every secret replaced by `[redacted:rule]`, and the rules' names, one for each replacement.

    The same object comes back where nothing was found. Redacting twice changes nothing more. Linear in the length of the text, whatever
    it is: beyond the bound in `work` the rest of the text is masked as `unjudged` rather than looked at or let through.

    >>> redact("export GITHUB_TOKEN=ghp_16C7e42F292c6912E7710c838347Ae178B4a")
    ('export GITHUB_TOKEN=[redacted:github-token]', ('github-token',))
    """
    if len(text) < _MIN_CHARS:
        return text, _NOTHING
    work = Work(len(text))
    clean, found = _once(text, work)
    rounds = 1
    while found and rounds < _MAX_ROUNDS:  # a marker can uncover what was glued to the secret: `ghp_…DB_PASSWORD=…`
        clean, more = _once(clean, work)
        if not more:
            break
        found, rounds = found + more, rounds + 1
    return clean, found


def work_of(text: str) -> tuple[int, int]:
    """Return how many tries one look at *text* takes and how many it may take: what the tests and the benchmark bound."""
    work = Work(len(text))
    _once(text, work)
    return work.spent, work.bound


def _once(text: str, work: Work) -> tuple[str, tuple[str, ...]]:
    spans = _spans(text, work)
    if (bare := wrapped.plain(text)) is not None:
        spans += _mapped(_spans(bare[0], work), bare[1], len(text))
    return _replaced(text, spans) if spans else (text, _NOTHING)


def _spans(text: str, work: Work, *, inner: bool = False) -> list[Span]:
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters grow when lowered (İ); offsets must fit
        lowered = text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")  # ASCII letters only
    codes, vocabulary = codes_of(text), Vocabulary(lowered, _known())
    spans: list[Span] = []
    if not (vocabulary.words or shapes.has_sign(text) or _has_runs(codes)):
        return spans
    try:
        spans += shapes.find(text, lowered, codes, vocabulary, work)
        spans += named.find(text, lowered, vocabulary, work)
        if not inner:
            spans += wrapped.find(text, codes, lambda inside: _spans(inside, work, inner=True), work)
    except OutOfWork as out:
        spans.append((out.position if not inner else 0, len(text), UNJUDGED))
    return spans


def _has_runs(codes: bytes) -> bool:
    """Tell whether there is a long run as shapes and encodings have it, or characters that stand apart."""
    return len(codes) >= _SHORT_RUN and (has_run(codes, _RUN, _SHORT_RUN) or wrapped.has_singles(codes))


@cache
def _known() -> Known:
    whole, heads, parts = shapes.whole_table().asked()
    return Known(whole, heads, [*parts, *named.ASKED_PARTS])


def _mapped(spans: list[Span], steps: list[tuple[int, int]], size: int) -> list[Span]:
    """Return *spans* of a text that characters were taken from as spans of the text itself."""
    positions = [position for position, _ in steps]

    def original(at: int, index: int) -> int:
        return min(size, at + (steps[index - 1][1] if index else 0))

    return [(original(s, bisect_right(positions, s)), original(e - 1, bisect_right(positions, e - 1)) + 1, name) for s, e, name in spans]


def _replaced(text: str, spans: list[Span]) -> tuple[str, tuple[str, ...]]:
    """Replace each span; of overlapping ones the union goes, named after the first."""
    spans.sort(key=lambda span: span[0])
    merged: list[Span] = []
    for start, end, name in spans:
        if merged and start < merged[-1][1]:
            first, last, kept = merged[-1]
            merged[-1] = (first, max(last, end), kept)
        else:
            merged.append((start, end, name))
    parts, position = [], 0
    for start, end, name in merged:
        parts += [text[position:start], MARKER_START, name, "]"]
        position = end
    parts.append(text[position:])
    return "".join(parts), tuple(name for _, _, name in merged)
