"""Secrets whose name stands apart from them: `{"name": "DB_PASSWORD", "value": …}`, `setx NAME …`, columns, recovery phrases."""

from collections.abc import Collection, Iterable, Iterator

from mcp_memory.redaction.names import PASSWORD, WEAK, kind_of
from mcp_memory.redaction.places import matches
from mcp_memory.redaction.rules import compiled
from mcp_memory.redaction.sight import FEW, Sight
from mcp_memory.redaction.values import is_bare_secret, is_quoted_secret, is_random, is_strange
from mcp_memory.redaction.vocabulary import Vocabulary
from mcp_memory.redaction.work import CHARS_PER_TRY, GLANCE, Work

Span = tuple[int, int, str]
_SETTER = r"(?:x|env)?[ \t]{1,4}(?P<name>[\w.-]{2,60}+)[ \t]{1,4}[\"']?(?P<value>[^\s\"']{4,500}+)"
_PAIR = (
    r"[\"'<\s{(,-](?:name|key|variable|header|param(?:eter)?|field|id|type)[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?P<name>[\w.-]{2,60}+)[\"']?"
    r"(?:[\s,;]{1,30}+(?:[\"']?(?:name|type|secure|sensitive|enabled)[\"']?\s{0,3}[:=]\s{0,3}[\"']?\w{1,40}[\"']?[\s,;]{1,30}+)?)[\"']?(?:value|val|content|default)[\"']?\s{0,3}[:=]\s{0,3}"
    r"(?:\"(?P<double>[^\"\n]{1,500}+)\"|'(?P<single>[^'\n]{1,500}+)'|(?P<bare>[^\s\"',;{}]{3,500}+))"
)
_COLUMN_ANCHORS = frozenset({"pass", "secret", "token", "key"})
_COLUMN_NAME = r"[\"']?[A-Za-z_][\w .-]{0,40}[\"']?"
_LINE_CHARS, _LINE_CHARS_PER_TRY = 4_000, 1_000
_LINE_END = r"[^\n]{0,4000}"
_PAIR_CHARS = 250  # from its name to its value
_VALUE_WORDS = ("val", "content", "default")
ASKED_PARTS = (*_VALUE_WORDS, "set")  # of the words of a text, beside those that names are found by
_TRIES_PER_PAIR = 2 * _PAIR_CHARS // CHARS_PER_TRY
_NAME_CHARS = 130  # ahead of `value`: its name, or a member between them
_NAMED = (  # what stands ahead of `value`, read backwards: `"name": "X", "`
    r"[\"']?[\s,;]{1,30}+[\"']?[\w.-]{1,60}+[\"']?\s{0,3}[:=]\s{0,3}[\"']?"
    r"(?:eman|yek|elbairav|redaeh|(?:rete)?marap|dleif|di|epyt|eruces|evitisnes|delbane)"
)
_VALUE_SIGN = r"(?<=[\s\"',;]{word})(?:ue)?[\"']?\s{{0,3}}[:=]"
_PHRASE = r"(?:mnemonic|seed phrase|recovery phrase)[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?(?P<value>[a-z]{3,8}(?: [a-z]{3,8}){11,23}+)"
_CREDENTIALS = r"cred(?:ential)?s?[\"']?[:=]\s{0,3}[\"']?[\w.@-]{1,60}:(?P<value>[^\s\"':]{5,200}+)"


def looks(sight: Sight, vocabulary: Vocabulary, anchors: Collection[str], work: Work) -> Iterator[Iterable[Span]]:
    """Yield one look after another for such secrets: each gives (start, end, rule name), and raises OutOfWork where it must end.

    *anchors* are the telling words that the text has.
    """
    has = vocabulary.has
    for word in _VALUE_WORDS:
        if has(word):
            yield _valued(word, sight, work)
    if has("set"):
        yield _setters(sight, work)
    for needle, pattern, kind in (("phrase", _PHRASE, PASSWORD), ("mnemonic", _PHRASE, PASSWORD), ("cred", _CREDENTIALS, WEAK)):
        if has(needle) and sight.first(needle):
            yield _phrases(pattern, kind, sight, work)
    if not _COLUMN_ANCHORS.isdisjoint(anchors) and _has_rows(sight.plain):
        yield _columns(sight, work)


def _valued(word: str, sight: Sight, work: Work) -> Iterator[Span]:
    """Yield the values that stand beside their name: looked for around each `value`."""
    text = sight.text
    done = 0
    for at, value in matches(word, _VALUE_SIGN.format(word=word), sight):
        if not compiled(_NAMED).match(sight.lowered[max(done, at - _NAME_CHARS) : at][::-1]):
            work.spend(at, GLANCE)
            continue
        work.spend(at, _TRIES_PER_PAIR)
        match = compiled(_PAIR).search(sight.lowered, max(done, at - _PAIR_CHARS), value.end() + _PAIR_CHARS)
        if match is None:
            continue
        done = match.end()
        kind = kind_of(text[match.start("name") : match.end("name")])
        group = next(g for g in ("double", "single", "bare") if match[g] is not None)
        begin, end = match.span(group)
        if kind and (is_quoted_secret(kind, text[begin:end]) if kind != PASSWORD or group != "bare" else is_strange(kind, text[begin:end])):
            yield begin, end, kind


def _setters(sight: Sight, work: Work) -> Iterator[Span]:
    for at, match in matches("set", _SETTER, sight):
        work.spend(at)
        begin, end = match.span("value")
        kind = kind_of(sight.text[match.start("name") : match.end("name")])
        if kind and begin > 0 and is_bare_secret(kind, sight.text[begin:end], relaxed=False):
            yield begin, end, kind


def _phrases(pattern: str, kind: str, sight: Sight, work: Work) -> Iterator[Span]:
    for match in compiled(pattern).finditer(sight.lowered):
        work.spend(match.start())
        begin, end = match.span("value")
        if kind == PASSWORD or is_strange(PASSWORD, sight.text[begin:end]):
            yield begin, end, kind


def _has_rows(text: str) -> bool:
    """Tell whether a comma stands before a line's end and another behind it."""
    first = text.find(",")
    return first >= 0 and text.find("\n", first, text.rfind(",")) >= 0


def _columns(sight: Sight, work: Work) -> Iterator[Span]:
    """Yield the fields of a table of comma-separated values that stand under a password's or a key's name."""
    text = sight.text
    done = 0
    for at in _column_places(sight):
        if at < done:
            continue
        begin, end = text.rfind("\n", max(0, at - _LINE_CHARS), at) + 1, text.find("\n", at, at + _LINE_CHARS)
        work.spend(at, GLANCE + max(0, end - begin) // _LINE_CHARS_PER_TRY)
        names = text[begin:end].strip().split(",") if end >= 0 and text.find(",", begin, end) >= 0 else ()
        done = end + 1 if end >= 0 else at + 1
        if 2 <= len(names) <= 60 and all(compiled(_COLUMN_NAME).fullmatch(name.strip()) for name in names):
            columns = [(i, kind) for i, name in enumerate(names) if (kind := kind_of(name.strip()))]
            for row_begin, fields in _rows(text, end + 1, len(names)):
                work.spend(row_begin)
                done = row_begin + 1
                yield from _in_row(row_begin, fields, columns)


def _column_places(sight: Sight) -> list[int]:
    """Return where the telling words stand; of many in a line one is enough."""
    found: list[int] = []
    for word in _COLUMN_ANCHORS:
        first = sight.first(word, far=True)  # a table is longer than anything
        found += first
        if len(first) == FEW:
            found += [match.start() for match in compiled(word + _LINE_END).finditer(sight.lowered, first[-1] + 1)]
    return sorted(found)


def _rows(text: str, at: int, width: int) -> Iterator[tuple[int, list[str]]]:
    """Yield where the lines of a table begin, and their fields, as far as they have *width*."""
    while at < len(text):
        end = text.find("\n", at, at + _LINE_CHARS)
        fields = text[at : end if end >= 0 else at + _LINE_CHARS].split(",")
        if len(fields) != width:
            return
        yield at, fields
        if end < 0:
            return
        at = end + 1


def _in_row(at: int, fields: list[str], columns: list[tuple[int, str]]) -> Iterator[Span]:
    starts = [0]
    for field in fields:
        starts.append(starts[-1] + len(field) + 1)
    for index, kind in columns:
        value = fields[index].strip("\"' \t\r")
        if value and (is_strange(kind, value) or (kind != PASSWORD and is_random(value, 12))):
            begin = at + starts[index] + fields[index].index(value)
            yield begin, begin + len(value), kind
