"""Secrets that are known by their name: `password = …`, `"api_key": "…"`, `DB_PASS=…`, `--token …`, `<secret>…</secret>`.

A name alone is weak evidence (`token`, `pass` are ordinary words), so the value decides too; see `names` and `values`.
"""

import re
from collections.abc import Iterable, Iterator

from mcp_memory.redaction.names import PASSWORD, WEAK, kind_of
from mcp_memory.redaction.rules import compiled
from mcp_memory.redaction.values import (
    MARKER_START,
    is_bare_secret,
    is_plainly_harmless,
    is_quoted_secret,
    is_random,
    is_word_secret,
    looks_secret,
)
from mcp_memory.redaction.vocabulary import Vocabulary
from mcp_memory.redaction.work import CHARS_PER_TRY, Work

Span = tuple[int, int, str]
_ANCHORS = (
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "cred",
    "auth",
    "psk",
    "pw",
    "appid",
    "sig",
    "sessid",
    "sessionid",
    "contrase",
    "kennwort",
    "senha",
    "mnemonic",
    "phrase",
    "salt",
    "_dsn",
    "_pat",
    "pin",
)
_PARTS = tuple((anchor, anchor.strip("_")) for anchor in _ANCHORS)
_FLAG_ANCHORS = frozenset({"pass", "pwd", "secret", "token", "key", "cred", "auth"})
_MAX_VALUE = 2_000
_TAIL = (
    r"(?P<rest>[\wñ-]{0,30}+)(?:\\{0,2}[\"'`])?\]?(?:[ \t]{1,8}+(?=[:=>,]))?(?::[ \t]{0,4}(?:str|string|&str|varchar)[ \t]{0,4}(?==))?"
    r"(?P<sep>:=|=>|={1,3}(?!=)|:(?!:)|>|,(?=[ \t]{0,4}\\{0,2}[\"'])"
    r"|(?<=[\w\"'])[ \t](?:is|was)[ \t]|(?<=\w)[ \t](?=[\"'`]|[\da-f]{8}-))[ \t]{0,8}+"
    r"(?!\[redacted:)(?=[^\s])(?:[bfru]{0,2}(?P<quote>\\{0,2}[\"'`]))?"
)
_FLAG_TAIL = (
    r"(?P<rest>[\w-]{0,20}+)(?:[ \t]{1,4}+|[ \t]{0,4}+\\?\\?\r?\n?\n[ \t]{0,12}+|[\"'],[ \t]{0,4}+)"
    r"[\"']?(?P<bare>[^\s\"'`-][^\s\"'`]{2,500}+)"
)
_PREFIX = r"[\w.-]{0,40}+(?: [a-z]{2,10}+\b)?"  # of a name, read backwards
_FLAG = r"[\w-]{0,30}+(?<=-)(?:[\s\"']|\Z)"  # the same
_BEFORE = 60  # characters ahead of a telling word that its name may have
_ENV_VALUE = r"[^\s\"'`\\]{1,2000}+"
_BARE = r"[^\s\"'`,;(){}<>\[\]\\]{1,2000}+"
_FORM_END = r"&\w{1,40}="
_LINE_VALUE = r"(?P<value>\S{3,2000}+)[ \t]{0,8}(?:#[^\n]{0,200})?(?=\r?\n|\Z)"
_SETTER = r"(?:setx|set|setenv)[ \t]{1,4}(?P<name>[\w.-]{2,60}+)[ \t]{1,4}[\"']?(?P<value>[^\s\"']{4,500}+)"
_PAIR = (
    r"[\"'<\s{(,-](?:name|key|variable|header|param(?:eter)?|field|id|type)[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?P<name>[\w.-]{2,60}+)[\"']?"
    r"(?:[\s,;]{1,30}+(?:[\"']?(?:name|type|secure|sensitive|enabled)[\"']?\s{0,3}[:=]\s{0,3}[\"']?\w{1,40}[\"']?[\s,;]{1,30}+)?)[\"']?(?:value|val|content|default)[\"']?\s{0,3}[:=]\s{0,3}"
    r"(?:\"(?P<double>[^\"\n]{1,500}+)\"|'(?P<single>[^'\n]{1,500}+)'|(?P<bare>[^\s\"',;{}]{3,500}+))"
)
_COLUMN_ANCHORS = frozenset({"pass", "secret", "token", "key"})
_COLUMN_NAME = r"[\"']?[A-Za-z_][\w .-]{0,40}[\"']?"
_LINE_CHARS = 4_000
_PAIR_CHARS = 250  # from its name to its value
_VALUE_WORDS = ("val", "content", "default")
_VALUE_SIGN = r"(?<=[\s\"',;]{word})(?:ue)?[\"']?\s{{0,3}}[:=]"
_PHRASE = r"(?:mnemonic|seed phrase|recovery phrase)[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?(?P<value>[a-z]{3,8}(?: [a-z]{3,8}){11,23}+)"
_CREDENTIALS = r"cred(?:ential)?s?[\"']?[:=]\s{0,3}[\"']?[\w.@-]{1,60}:(?P<value>[^\s\"':]{5,200}+)"


def find(text: str, lowered: str, vocabulary: Vocabulary, work: Work) -> Iterable[Span]:
    """Return (start, end, rule name) of every named secret in *text*. *lowered* is *text* in lower case, of the same length."""
    anchors = [anchor for anchor, part in _PARTS if part in vocabulary.joined and anchor in lowered]
    return _found(text, lowered, anchors, work) if anchors else ()


def _found(text: str, lowered: str, anchors: list[str], work: Work) -> Iterator[Span]:
    for anchor in anchors:
        for match in compiled(anchor + _TAIL).finditer(lowered):
            yield from _judged(text, lowered, match, work)
    if "-" in lowered:
        for anchor in _FLAG_ANCHORS.intersection(anchors):
            for match in compiled(anchor + _FLAG_TAIL).finditer(lowered):
                yield from _flag(text, lowered, match, work)
    yield from _pairs(text, lowered, work)
    if "," in text and not _COLUMN_ANCHORS.isdisjoint(anchors):
        yield from _columns(text, lowered, work)


def _judged(text: str, lowered: str, match: re.Match[str], work: Work) -> Iterator[Span]:
    name_start, name_end = _name_start(lowered, match.start()), match.end("rest")
    last_word = max(name_start, lowered.rfind(" ", name_start, name_end) + 1)
    kind = kind_of(text[name_start:name_end]) or (kind_of(text[last_word:name_end]) if last_word > name_start else None)
    before = lowered[last_word - 1] if last_word else ""
    if kind is None or before == "/" or lowered.endswith(MARKER_START, 0, name_start):  # `/etc/passwd:root:…` names a file
        work.glance(match.start())
        return
    work.spend(match.start())
    separator, quote = match.group("sep", "quote")
    begin = match.end()
    if quote:
        end = _closing(text, begin, quote)
        value = text[begin:end]
        if separator in (",", " ") and not (is_random(value, 8) or _is_strange(kind, value)):
            return
        if end > begin and is_quoted_secret(kind, value):
            yield begin, end, kind
    elif separator not in (",", " "):
        name = _Name(name_start, text[last_word:name_end], before, kind)
        yield from _bare(text, lowered, name, separator, match.end("sep"), begin, work)


class _Name:
    """What a value without quotes is judged by: where the name begins, its last word, what stands before that, what it says."""

    __slots__ = ("before", "kind", "start", "word")

    def __init__(self, start: int, word: str, before: str, kind: str) -> None:
        self.start, self.word, self.before, self.kind = start, word, before, kind


def _bare(text: str, lowered: str, name: _Name, separator: str, separator_end: int, begin: int, work: Work) -> Iterator[Span]:
    kind, tight = name.kind, separator == "=" and begin == separator_end
    is_env = tight and name.word.isupper()
    line = compiled(_LINE_VALUE).match(text, begin) if separator in ("=", ":") and _begins_line(text, name.start) else None
    found = line or compiled(_ENV_VALUE if is_env else _BARE).match(text, begin)
    if found is None:
        return
    end = found.end("value") if line else found.end()
    work.spend(begin, (end - begin) // CHARS_PER_TRY)
    if line and text[end - 1] in ",;" and end - begin > 3:
        end -= 1
    if not line and (form := compiled(_FORM_END).search(text, begin, end)):
        end = form.start()
    if separator == ">" and not (name.before == "<" and lowered.startswith("</", end)):  # an element, not `<your-password> …`
        return
    value = text[begin:end]
    if is_plainly_harmless(value):
        return
    work.spend(begin)  # to judge a value takes as long as to find it
    relaxed = is_env or (tight and name.before in ("?", "&"))
    is_word = name.word.lower() == "pass"  # of a test report: `pass: 120.5ms`
    if ((relaxed or not is_word) and looks_secret(kind, value, relaxed=relaxed)) or (
        line and kind == PASSWORD and not is_word and is_word_secret(value)
    ):
        yield begin, end, kind


def _begins_line(text: str, at: int) -> bool:
    """Tell whether only blanks, a list's dash, `export` or the parts of a dotted name stand between the line's start and *at*."""
    start = text.rfind("\n", max(0, at - 80), at) + 1
    return (start > 0 or at <= 80) and compiled(r"[ \t]{0,40}+(?:- )?(?:export |ENV |\[?[\"']?)?[\w.:/-]{0,60}").fullmatch(
        text, start, at
    ) is not None


def _closing(text: str, begin: int, quote: str) -> int:
    """Return where the value in *quote* ends: at the quote's twin, the line's end or the bound; *begin* where there is no end."""
    limit = min(len(text), begin + _MAX_VALUE)
    end = text.find(quote, begin, limit)
    while end > begin and len(quote) == 1 and text[end - 1] == "\\" and text[end - 2 : end - 1] != "\\":
        end = text.find(quote, end + 1, limit)
    newline = text.find("\n", begin, limit if end < 0 else end)
    if newline >= 0:
        return newline if len(quote) == 1 and newline - begin < 200 else begin
    return end if end >= 0 else min(limit, begin + 500)


def _name_start(lowered: str, anchor: int) -> int:
    """Return where the name begins that has its telling word at *anchor*: `aws_secret` + `key`, `api ` + `key`."""
    prefix = compiled(_PREFIX).match(lowered[max(0, anchor - _BEFORE) : anchor][::-1])
    start = anchor - (prefix.end() if prefix else 0)
    # `\\nDB_PASSWORD=…` in a text that holds JSON: the letter belongs to the line end.
    return start + 1 if start < anchor and lowered[start] in "nrt" and lowered.endswith("\\", 0, start) else start


def _flag(text: str, lowered: str, match: re.Match[str], work: Work) -> Iterator[Span]:
    if not compiled(_FLAG).match(lowered[max(0, match.start() - 40) : match.start()][::-1]):
        work.glance(match.start())
        return
    work.spend(match.start())
    kind = kind_of(lowered[_name_start(lowered, match.start()) : match.end("rest")].rpartition(" ")[2])
    begin, end = match.span("bare")
    if kind is not None and (is_bare_secret(kind, text[begin:end], relaxed=False) or _is_strange(kind, text[begin:end])):
        yield begin, end, kind


def _is_strange(kind: str, value: str) -> bool:
    """Tell whether *value* has the digits and signs of a password and the name says that it is one."""
    letters, others = any(map(str.isalpha, value)), sum(not c.isalpha() and c not in "_-.:/ " for c in value)
    return kind == PASSWORD and letters and others >= 1 and len(value) >= 6 and " " not in value and not is_plainly_harmless(value)


def _pairs(text: str, lowered: str, work: Work) -> Iterator[Span]:
    for word in _VALUE_WORDS:
        for match in _valued(word, lowered, work):
            kind = kind_of(text[match.start("name") : match.end("name")])
            group = next(g for g in ("double", "single", "bare") if match[g] is not None)
            begin, end = match.span(group)
            if kind and (
                is_quoted_secret(kind, text[begin:end]) if kind != PASSWORD or group != "bare" else _is_strange(kind, text[begin:end])
            ):
                yield begin, end, kind
    if "set" in lowered:
        for match in compiled(_SETTER).finditer(lowered):
            work.spend(match.start())
            begin, end = match.span("value")
            kind = kind_of(text[match.start("name") : match.end("name")])
            if kind and begin > 0 and is_bare_secret(kind, text[begin:end], relaxed=False):
                yield begin, end, kind
    for needle, pattern, kind in (("phrase", _PHRASE, PASSWORD), ("mnemonic", _PHRASE, PASSWORD), ("cred", _CREDENTIALS, WEAK)):
        if needle in lowered:
            for match in compiled(pattern).finditer(lowered):
                work.spend(match.start())
                begin, end = match.span("value")
                if needle != "cred" or _is_strange(PASSWORD, text[begin:end]):
                    yield begin, end, kind


def _valued(word: str, lowered: str, work: Work) -> Iterator[re.Match[str]]:
    """Yield the pairs of a name and its value: looked for around each `value`."""
    if word not in lowered:
        return
    done = 0
    for value in compiled(word + _VALUE_SIGN.format(word=word)).finditer(lowered):
        work.glance(value.start())
        if match := compiled(_PAIR).search(lowered, max(done, value.start() - _PAIR_CHARS), value.end() + _PAIR_CHARS):
            work.spend(match.start())
            done = match.end()
            yield match


def _columns(text: str, lowered: str, work: Work) -> Iterator[Span]:
    """Yield the fields of a table of comma-separated values that stand under a password's or a key's name."""
    found = (match.start() for word in _COLUMN_ANCHORS if word in lowered for match in compiled(word + r"[^\n]{0,4000}").finditer(lowered))
    done = 0
    for at in sorted(found):
        if at < done:
            continue
        begin, end = text.rfind("\n", max(0, at - _LINE_CHARS), at) + 1, text.find("\n", at, at + _LINE_CHARS)
        work.glance(at)
        names = text[begin:end].strip().split(",") if end >= 0 else []
        done = end + 1 if end >= 0 else at + 1
        if 2 <= len(names) <= 60 and all(compiled(_COLUMN_NAME).fullmatch(name.strip()) for name in names):
            columns = [(i, kind) for i, name in enumerate(names) if (kind := kind_of(name.strip()))]
            for row_begin, fields in _rows(text, end + 1, len(names)):
                work.spend(row_begin)
                done = row_begin + 1
                yield from _in_row(row_begin, fields, columns)


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
        if value and (_is_strange(kind, value) or (kind != PASSWORD and is_random(value, 12))):
            begin = at + starts[index] + fields[index].index(value)
            yield begin, begin + len(value), kind
