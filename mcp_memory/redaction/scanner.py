"""One text in, the same text without its secrets out."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain

import mcp_memory.redaction.first_look as first_look
import mcp_memory.redaction.named as named
import mcp_memory.redaction.shapes as shapes
import mcp_memory.redaction.wrapped as wrapped
from mcp_memory.redaction.index import whole_table
from mcp_memory.redaction.near import near
from mcp_memory.redaction.rules import compiled
from mcp_memory.redaction.sight import Sight
from mcp_memory.redaction.values import MARKER_START
from mcp_memory.redaction.vocabulary import Known, Vocabulary
from mcp_memory.redaction.work import OutOfWork, Work

Span = tuple[int, int, str]
Place = tuple[int, int]
_NOTHING: tuple[str, ...] = ()
_MAX_ROUNDS = 5
_MIN_CHARS = 8  # `pwd=abcd`: the shortest thing any rule finds
_MARKER, _LONGEST_MARKER = r"\[redacted:[a-z0-9-]{1,48}\]", 60
UNJUDGED = "unjudged"
_EDGE_CHARS = 24  # no keyword has a word so long


def redact(text: str) -> tuple[str, tuple[str, ...]]:
    """Return *text* with every secret replaced by `[redacted:rule]`, and the rules' names, one for each replacement.

    The same object comes back where nothing was found. Redacting twice changes nothing more, but where the text ends in `unjudged`: being
    shorter then it has a smaller bound, and more of it may be masked. Linear in the length of the text, whatever it is: beyond the bound in
    `work` the rest of the text is masked as `unjudged` rather than looked at or let through.

    >>> redact("export GITHUB_TOKEN=ghp_16C7e42F292c6912E7710c838347Ae178B4a")
    ('export GITHUB_TOKEN=[redacted:github-token]', ('github-token',))
    """
    if len(text) < _MIN_CHARS:
        return text, _NOTHING
    sight = Sight(text)
    words = Vocabulary(sight.codes, _known())
    if first_look.has_nothing(sight, words, _inside):
        return text, _NOTHING
    size, work = len(text), Work(len(text))
    found, rounds = _NOTHING, 1
    spans, vocabularies = _look(sight, [words], work)
    again = None
    while spans:
        if rounds == _MAX_ROUNDS:  # and so on without end: the rest goes
            spans.append((min(spans)[0], len(text), UNJUDGED))
        edges = _edges(text, spans, len(vocabularies) > 1)
        text, new, markers = _replaced(text, spans)
        found += new
        if rounds == _MAX_ROUNDS or set(new) == {UNJUDGED}:
            break
        again = again or Work(size, work)  # what was judged within the bound is so again
        again.end = len(text)
        # a marker can uncover what was glued to the secret: `ghp_…DB_PASSWORD=…`
        sight = Sight(text, near(markers, len(text)))
        spans, vocabularies = _look(sight, [words.after(edges) for words in vocabularies], again, markers)
        rounds += 1
    return text, found


def work_of(text: str) -> tuple[float, int]:
    """Return how many tries one look at *text* takes and how many it may take: what the tests and the benchmark bound."""
    work = Work(len(text))
    sight = Sight(text)
    _look(sight, [Vocabulary(sight.codes, _known())], work)
    return work.spent, work.bound


def _look(sight: Sight, vocabularies: list[Vocabulary], work: Work, markers: Sequence[Place] = ()) -> tuple[list[Span], list[Vocabulary]]:
    """Return what one look at a text finds, and its vocabulary, with that of the bare text where it has one.

    Args:
        vocabularies: As an earlier look left them, or that of the text alone.
        markers: What came in since then: it is looked near them only.
    """
    text = sight.text
    spans = _spans(sight, vocabularies[0], work)
    if (bare := wrapped.bare(sight)) is not None:
        work.end = len(bare.text)
        inside = Sight(bare.text, bare.near(markers) if sight.near else None)
        if len(vocabularies) == 1:
            vocabularies.append(Vocabulary(inside.codes, _known(), vocabularies[0]))
        if found := _spans(inside, vocabularies[1], work):
            spans += _mapped(found, bare, len(text))
    if spans and MARKER_START in text:
        spans = [span for span in spans if not _in_marker(text, span[0])]
    return spans, vocabularies


def _edges(text: str, spans: list[Span], is_bare: bool) -> Vocabulary:
    """Return the words that come into the text where *spans* are replaced, and what is left of those beside them, also in a bare text."""
    parts = {MARKER_START}
    for start, end, name in spans:
        parts.update((text[max(0, start - _EDGE_CHARS) : start], text[end : end + _EDGE_CHARS], name))
    edges = " ".join(parts)
    bare = wrapped.bare(Sight(edges)) if is_bare else None
    return Vocabulary((edges if bare is None else f"{edges} {bare.text}").encode("ascii", "replace") + b"\\")


def _in_marker(text: str, at: int) -> bool:
    start = text.rfind(MARKER_START, max(0, at - _LONGEST_MARKER), at)
    marker = compiled(_MARKER).match(text, start) if start >= 0 else None
    return marker is not None and marker.end() > at


def _spans(sight: Sight, vocabulary: Vocabulary, work: Work) -> list[Span]:
    spans: list[Span] = []
    if not (vocabulary.words or vocabulary.before or shapes.has_sign(sight.plain) or first_look.has_runs(sight.codes)):
        return spans
    for look in chain(_tokens(sight, vocabulary, work), wrapped.looks(sight, _inside, work)):
        try:
            spans += look
        except OutOfWork as out:
            work.cut(out.position)
    if work.end < len(sight.text):
        spans.append((work.end, len(sight.text), UNJUDGED))
    return spans


def _tokens(sight: Sight, vocabulary: Vocabulary, work: Work) -> Iterator[Iterable[Span]]:
    yield from shapes.looks(sight, vocabulary, work)
    yield from named.looks(sight, vocabulary, work)


def _inside(text: str, work: Work) -> list[Span]:
    """Return what is found in a text that was unwrapped."""
    sight = Sight(text)
    return list(chain.from_iterable(_tokens(sight, Vocabulary(sight.codes, _known()), work)))


@cache
def _known() -> Known:
    whole, heads, parts = whole_table().asked()
    return Known(whole, heads, [*parts, *named.ASKED_PARTS])


def _mapped(spans: list[Span], bare: wrapped.Bare, size: int) -> list[Span]:
    """Return *spans* of a bare text as spans of the text itself, which has that *size*."""
    original = bare.original(max(start if name == UNJUDGED else end for start, end, name in spans))
    return [(original(start), size if name == UNJUDGED else original(end - 1) + 1, name) for start, end, name in spans]


def _replaced(text: str, spans: list[Span]) -> tuple[str, tuple[str, ...], list[Place]]:
    """Replace each span; of overlapping ones the union goes, named after the first. Return the text, the names, where the markers are."""
    spans.sort(key=lambda span: span[0])
    merged: list[Span] = []
    for start, end, name in spans:
        if merged and start < merged[-1][1]:
            first, last, kept = merged[-1]
            merged[-1] = (first, max(last, end), kept)
        else:
            merged.append((start, end, name))
    parts: list[str] = []
    markers: list[Place] = []
    position = size = 0
    for start, end, name in merged:
        marker = f"{MARKER_START}{name}]"
        parts += text[position:start], marker
        begin = size + start - position
        size = begin + len(marker)
        markers.append((begin, size))
        position = end
    parts.append(text[position:])
    return "".join(parts), tuple(name for _, _, name in merged), markers
