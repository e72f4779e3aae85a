"""One text in, the same text without its secrets out."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain

import mcp_memory.redaction.first_look as first_look
import mcp_memory.redaction.named as named
import mcp_memory.redaction.shapes as shapes
import mcp_memory.redaction.wrapped as wrapped
from mcp_memory.redaction.bare import Bare, has_noise, stretches, tries_of
from mcp_memory.redaction.index import whole_table
from mcp_memory.redaction.near import REACH, near
from mcp_memory.redaction.rules import compiled
from mcp_memory.redaction.sight import Sight
from mcp_memory.redaction.values import MARKER_START
from mcp_memory.redaction.vocabulary import Known, Vocabulary
from mcp_memory.redaction.work import CHARS_PER_FORM, MARKERS_PER_TRY, OutOfWork, Work

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
    work, found, rounds = Work(len(text), is_noisy=has_noise(sight)), _NOTHING, 1
    spans, vocabularies = _look(sight, [words], work)
    while spans:
        if rounds == _MAX_ROUNDS:  # and so on without end: the rest goes
            spans.append((min(spans)[0], len(text), UNJUDGED))
        edges = _edges(text, spans, len(vocabularies) > 1)
        text, new, markers = _replaced(text, spans)
        found += new
        if rounds == _MAX_ROUNDS or set(new) == {UNJUDGED}:
            break
        # a marker can uncover what was glued to the secret: `ghp_…DB_PASSWORD=…`
        spans, vocabularies = _look_again(text, [words.after(edges) for words in vocabularies], work, markers)
        rounds += 1
    return text, found


def work_of(text: str) -> tuple[float, int]:
    """Return how many tries one look at *text* takes and how many it may take: what the tests and the benchmark bound."""
    sight = Sight(text)
    work = Work(len(text), is_noisy=has_noise(sight))
    _look(sight, [Vocabulary(sight.codes, _known())], work)
    return work.spent, work.bound


def _look_again(text: str, vocabularies: list[Vocabulary], work: Work, markers: Sequence[Place]) -> tuple[list[Span], list[Vocabulary]]:
    """Do the same once places of a text were replaced by *markers*, near these only: as far as there is work left for it."""
    around = near(markers, len(text))
    uncovering = len(markers) / MARKERS_PER_TRY if len(vocabularies) > 1 else 0
    end = work.again(len(text), around.size() if around else len(text), uncovering)
    spans, vocabularies = _look(Sight(text[:end], around), vocabularies, work, markers)
    if end < len(text):
        spans.append((_outside(text, end), len(text), UNJUDGED))
    return spans, vocabularies


def _look(sight: Sight, vocabularies: list[Vocabulary], work: Work, markers: Sequence[Place] = ()) -> tuple[list[Span], list[Vocabulary]]:
    """Return what one look at a text finds, and its vocabulary, with that of the bare text where it has one.

    Args:
        vocabularies: As an earlier look left them, or that of the text alone.
        markers: What came in since then: it is looked near them only.
    """
    text = sight.text
    spans = _spans(sight, vocabularies[0], work)
    judged = sight if work.end == len(text) else Sight(text[: work.end], sight.near)
    if has_noise(judged):
        spans += _of_bare(judged, vocabularies, work, markers, len(text))
    if spans and MARKER_START in text:
        in_no_marker = (span for span in spans if span[2] == UNJUDGED or not _in_marker(text, span[0]))
        spans = [(_outside(text, start), end, name) if name == UNJUDGED else (start, end, name) for start, end, name in in_no_marker]
    return spans, vocabularies


def _of_bare(sight: Sight, vocabularies: list[Vocabulary], work: Work, markers: Sequence[Place], size: int) -> list[Span]:
    """Return what is found in a text without its noise, near that: as far as there is work left for it."""
    text = sight.text
    noisy = markers if sight.near else stretches(sight)
    closely = sum(end - start + 2 * REACH for start, end in noisy)
    end = work.again(len(text), min(closely, len(text)), tries_of(sight), CHARS_PER_FORM)
    bare = Bare(sight if end == len(text) else Sight(text[:end], sight.near))
    work.end = len(bare.text)
    inside = Sight(bare.text, bare.near(noisy))
    if len(vocabularies) == 1:
        vocabularies.append(Vocabulary(inside.codes, _known(), vocabularies[0]))
    spans = _mapped(_spans(inside, vocabularies[1], work), bare, size)
    return spans if end == len(text) else [*spans, (end, size, UNJUDGED)]


def _edges(text: str, spans: list[Span], is_bare: bool) -> Vocabulary:
    """Return the words that come into the text where *spans* are replaced, and what is left of those beside them, also in a bare text."""
    parts = {MARKER_START}
    for start, end, name in spans:
        parts.update((text[max(0, start - _EDGE_CHARS) : start], text[end : end + _EDGE_CHARS], name))
    edges = " ".join(parts)
    if is_bare:
        edges = f"{edges} {Bare(Sight(edges)).text}"
    return Vocabulary(edges.encode("ascii", "replace") + b"\\", _known())


def _outside(text: str, at: int) -> int:
    """Return *at*, or where the marker begins that it is in."""
    return text.rfind(MARKER_START, 0, at) if _in_marker(text, at) else at


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


def _mapped(spans: list[Span], bare: Bare, size: int) -> list[Span]:
    """Return *spans* of a bare text as spans of the text itself, which has that *size*."""
    original = bare.original
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
