"""Secrets that are known by their name: `password = …`, `"api_key": "…"`, `DB_PASS=…`, `--token …`, `<secret>…</secret>`.

A name alone is weak evidence (`token`, `pass` are ordinary words), so the value decides too; see `names` and `values`. Values that do not
follow their name are in `apart`.
"""

import re
from collections.abc import Iterable, Iterator

import mcp_memory.redaction.apart as apart
from mcp_memory.redaction.names import PASSWORD, kind_of
from mcp_memory.redaction.places import matches
from mcp_memory.redaction.rules import NO_MARKER, compiled
from mcp_memory.redaction.sight import FEW, Sight
from mcp_memory.redaction.values import (
    MARKER_START,
    is_bare_secret,
    is_plainly_harmless,
    is_quoted_secret,
    is_random,
    is_strange,
    is_word_secret,
    looks_secret,
)
from mcp_memory.redaction.vocabulary import Vocabulary
from mcp_memory.redaction.work import CHARS_PER_TRY, GLANCE, GLANCE_AGAIN, GLANCE_AT_NAME, TRY_AGAIN, Work

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
PARTS = tuple((anchor, anchor.strip("_")) for anchor in _ANCHORS)
ASKED_PARTS = (*(part for _, part in PARTS), *apart.ASKED_PARTS)  # of the words of a text
_FLAG_ANCHORS = frozenset({"pass", "pwd", "secret", "token", "key", "cred", "auth"})
_MAX_VALUE = 2_000
_TAIL = (
    r"(?P<rest>[\wñ-]{0,30}+)(?:\\{0,2}[\"'`])?\]?(?:[ \t]{1,8}+(?=[:=>,]))?(?::[ \t]{0,4}(?:str|string|&str|varchar)[ \t]{0,4}(?==))?"
    r"(?P<sep>:=|=>|={1,3}(?!=)|:(?!:)|>|,(?=[ \t]{0,4}\\{0,2}[\"'])"
    r"|(?<=[\w\"'])[ \t](?:is|was)[ \t]|(?<=\w)[ \t](?=[\"'`]|[\da-f]{8}-))[ \t]{0,8}+"
    rf"{NO_MARKER}(?=[^\s])(?:[bfru]{{0,2}}(?P<quote>\\{{0,2}}[\"'`]))?"
)
_FLAG_TAIL = (
    r"(?P<rest>[\w-]{0,20}+)(?:[ \t]{1,4}+|[ \t]{0,4}+\\?\\?\r?\n?\n[ \t]{0,12}+|[\"'],[ \t]{0,4}+)"
    rf"[\"']?{NO_MARKER}(?P<bare>[^\s\"'`-][^\s\"'`]{{2,500}}+)"
)
_PREFIX = r"[\w.-]{0,40}+(?: [a-z]{2,10}+\b)?"  # of a name, read backwards
_FLAG_CHARS = 40
_FLAG = r"[\w-]{0,30}+(?<=-)(?:[\s\"']|\Z)"  # the same
_AROUND = 72  # characters ahead of a telling word that decide what its name says: the name, and a marker before it
_BEFORE = 60  # characters ahead of a telling word that its name may have
_ENV_VALUE = r"[^\s\"'`\\]{1,2000}+"
_BARE = r"[^\s\"'`,;(){}<>\[\]\\]{1,2000}+"
_FORM_END = r"&\w{1,40}="
_LINE_VALUE = r"(?P<value>\S{3,2000}+)[ \t]{0,8}(?:#[^\n]{0,200})?(?=\r?\n|\Z)"


def looks(sight: Sight, vocabulary: Vocabulary, work: Work) -> Iterator[Iterable[Span]]:
    """Yield one look after another for named secrets: each gives (start, end, rule name), and raises OutOfWork where it must end."""
    anchors = [anchor for anchor in vocabulary.having(PARTS) if sight.first(anchor)]
    for anchor in anchors:
        yield _named_by(anchor, sight, work)
    if "-" in sight.plain:
        for anchor in filter(_FLAG_ANCHORS.__contains__, anchors):
            yield _flags(anchor, sight, work)
    if anchors:
        yield from apart.looks(sight, vocabulary, anchors, work)


def _named_by(anchor: str, sight: Sight, work: Work) -> Iterator[Span]:
    text, spend = sight.text, work.spend
    if len(sight.first(anchor)) == FEW:
        work.pass_over(len(text))
    judged = work.verdicts.setdefault((_Name, anchor), {})
    for at, match in matches(anchor, _TAIL, sight):
        end = match.end("rest")
        quote = text.rfind('"', at - _BEFORE if at > _BEFORE else 0, at)
        ahead = at - quote if quote >= 0 else at if at < _AROUND else _AROUND
        around = text[at - ahead : end]
        name = judged.get(around)  # a name that comes again with the same before it is judged once
        is_new = name is None
        if name is None:
            name = _named(sight, at, end, work)
            if name.ahead < ahead == at - quote or ahead == _AROUND:
                judged[around] = name
        if not name.kind:
            spend(at, GLANCE_AT_NAME if is_new else GLANCE_AGAIN)
        else:
            spend(at, 1 if is_new else TRY_AGAIN)
            yield from _judged(sight, name, at, match, work)


def _is_quoted_secret(kind: str, value: str, work: Work, is_apart: bool) -> bool:
    """Judge a value in quotes, once a text; where no sign joins it to its name it has to look like a secret by itself."""
    verdict = work.quoted.get((kind, value, is_apart))
    if verdict is None:
        is_likely = not is_apart or is_random(value, 8) or is_strange(kind, value)
        verdict = work.quoted[kind, value, is_apart] = is_likely and is_quoted_secret(kind, value)
    return verdict


class _Name:
    """What a value is judged by: how far ahead the name begins, its last word, what stands before that, what it says (empty: no secret)."""

    __slots__ = ("ahead", "before", "kind", "word")

    def __init__(self, ahead: int, word: str, before: str, kind: str) -> None:
        self.ahead, self.word, self.before, self.kind = ahead, word, before, kind


def _named(sight: Sight, at: int, end: int, work: Work) -> _Name:
    """Return the name that ends at *end* and has its telling word at *at*."""
    text = sight.text
    start = _name_start(sight, at)
    name = text[start:end]
    before = text[start - 1] if start else ""
    kind, word = _kind_of(name, at, work), name
    if " " in name:
        word = name.rpartition(" ")[2]
        before = " "
        if kind is None:
            kind = _kind_of(word, at, work)
    # `/etc/passwd:root:…` names a file
    if kind and (before == "/" or (start and text[start - 1] == ":" and sight.lowered.endswith(MARKER_START, 0, start))):
        kind = None
    return _Name(at - start, word, before, kind or "")


def _kind_of(name: str, position: int, work: Work) -> str | None:
    """Return what *name* says of its value; a name that is new in the text counts as a try."""
    kinds = work.kinds
    kind = kinds.get(name, "")
    if kind == "":
        work.spend(position)
        kind = kinds[name] = kind_of(name)
    return kind


def _judged(sight: Sight, name: _Name, at: int, match: re.Match[str], work: Work) -> Iterator[Span]:
    text = sight.text
    separator, quote = match.group("sep", "quote")
    begin = match.end()
    if quote:
        end = _closing(text, begin, quote)
        if end > begin and _is_quoted_secret(name.kind, text[begin:end], work, separator in (",", " ")):
            yield begin, end, name.kind
    elif separator not in (",", " "):
        yield from _bare(sight, name, at, match, work)


def _bare(sight: Sight, name: _Name, at: int, match: re.Match[str], work: Work) -> Iterator[Span]:
    text, separator, begin = sight.text, match["sep"], match.end()
    tight = separator == "=" and begin == match.end("sep")
    is_env = tight and name.word.isupper()
    line = compiled(_LINE_VALUE).match(text, begin) if separator in ("=", ":") and _begins_line(text, at - name.ahead) else None
    found = line or compiled(_ENV_VALUE if is_env else _BARE).match(text, begin)
    if found is None:
        return
    end = found.end("value") if line else found.end()
    work.spend(begin, (end - begin) // CHARS_PER_TRY)
    if line and text[end - 1] in ",;" and end - begin > 3:
        end -= 1
    if not line and text.find("&", begin, end) >= 0 and (form := compiled(_FORM_END).search(text, begin, end)):
        end = form.start()
    if separator == ">" and not (name.before == "<" and sight.lowered.startswith("</", end)):  # an element, not `<your-password> …`
        return
    relaxed = is_env or (tight and name.before in ("?", "&"))
    if _is_secret(name, text[begin:end], work, begin, relaxed=relaxed, is_line=line is not None):
        yield begin, end, name.kind


def _is_secret(name: _Name, value: str, work: Work, position: int, *, relaxed: bool, is_line: bool) -> bool:
    """Judge a value without quotes. What is said of the same kind of name again, as logs do, is judged once a text."""
    asked = (name.kind, value, relaxed, is_line, name.word.lower() == "pass")
    verdict = work.verdicts.get(asked)
    if verdict is None:
        verdict = work.verdicts[asked] = _verdict(*asked)
    is_secret, tries = verdict
    work.spend(position, tries)
    return is_secret


def _verdict(kind: str, value: str, relaxed: bool, is_line: bool, is_pass: bool) -> tuple[bool, int]:
    """Return whether a value without quotes is a secret, and how many tries it took to tell: as many as to find it."""
    if is_plainly_harmless(value):
        return False, 0
    if (relaxed or not is_pass) and looks_secret(kind, value, relaxed=relaxed):  # `pass: 120.5ms` is of a test report
        return True, 1
    return is_line and kind == PASSWORD and not is_pass and is_word_secret(value), 1


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


def _name_start(sight: Sight, anchor: int) -> int:
    """Return where the name begins that has its telling word at *anchor*: `aws_secret` + `key`, `api ` + `key`."""
    lowered = sight.lowered
    last = lowered[anchor - 2 : anchor]
    if last and not (last[-1].isalnum() or last[-1] in "_.-" or (last[-1] == " " and last[0].isalnum())):  # after `"` and the like
        return anchor
    start = anchor - len(sight.ahead(_PREFIX, anchor, _BEFORE))
    # `\\nDB_PASSWORD=…` in a text that holds JSON: the letter belongs to the line end.
    return start + 1 if start and start < anchor and lowered[start - 1] == "\\" and lowered[start] in "nrt" else start


def _flags(anchor: str, sight: Sight, work: Work) -> Iterator[Span]:
    text, lowered = sight.text, sight.lowered
    for at, match in matches(anchor, _FLAG_TAIL, sight):
        if not sight.ahead(_FLAG, at, _FLAG_CHARS):
            work.spend(at, GLANCE)
            continue
        work.spend(at)
        kind = kind_of(lowered[_name_start(sight, at) : match.end("rest")].rpartition(" ")[2])
        begin, end = match.span("bare")
        if kind is not None and _is_flags_secret(kind, text[begin:end], work, at):
            yield begin, end, kind


def _is_flags_secret(kind: str, value: str, work: Work, position: int) -> bool:
    """Judge the value of a flag, once a text."""
    verdict = work.verdicts.get((kind, value))
    if verdict is None:
        work.spend(position)
        verdict = work.verdicts[kind, value] = is_bare_secret(kind, value, relaxed=False) or is_strange(kind, value)
    return bool(verdict)
