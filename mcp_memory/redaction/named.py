"""Secrets that are known by their name: `password = …`, `"api_key": "…"`, `DB_PASS=…`, `--token …`, `<secret>…</secret>`.

A name alone is weak evidence (`token`, `pass` are ordinary words), so the value decides too: placeholders, references to variables,
paths, numbers and prose are left alone, and what is not named a password must look random. The thresholds (3.0 bits a character, a digit
beside letters) are below those of gitleaks' generic rule (3.5), because the names here are stricter.
"""

import re
from collections.abc import Iterator
from functools import cache

from mcp_memory.redaction.entropy import bits_per_char

MARKER_START = "[redacted:"
PASSWORD, KEY, WEAK = "password", "secret-key", "secret"  # how sure the name makes us; also the rules' names

_ANCHORS = ("pass", "pwd", "secret", "token", "key", "credential")
_DASHES = str.maketrans("", "", "_-. ")
_SUFFIX = r"(?:s|hash|value|confirm|confirmation|base64|b64|prod|dev|test|staging|live|new|old|v?\d{1,2})?"
_PASSWORD_NAME = re.compile(
    rf".*(?:password|passwd|passphrase|passcode|pwd){_SUFFIX}|(?:.*(?:db|user|root|admin|sudo|smtp|mail|ssh|redis|mysql|pg))?pass"
)
_KEY_NAME = re.compile(
    r".*(?:(?:api|secret|access|private|encryption|signing|account|master|auth|service|licen[cs]e|subscription|shared)key|secretaccesskey"
    r"|(?:client|app|api|shared|jwt|webhook|consumer|oauth)secret|(?:access|auth|refresh|bearer|api|session|bot|deploy|id|github|gitlab|slack|npm"
    rf"|pypi|hf|personal|oauth|registry)token){_SUFFIX}"
)
_WEAK_NAME = re.compile(rf".*(?:secret|token|credential){_SUFFIX}")
_HARMLESS_NAME = re.compile(  # cursors, and the tokens of language models
    r".*(?:page|next|continuation|pagination|sync|max|min|num|n|total|prompt|completion|input|output|cached|eos|bos|pad|unk|sep|cls|mask"
    r"|special|stop|end|start|word|sub|public|primary|foreign|sort|partition|cache)(?:access)?(?:token|key|secret)s?"
)
_TAIL = (
    r"[\w-]{0,30}\\{0,2}[\"'`]?\]?[ \t]{0,8}(?::[ \t]{0,4}(?:str|string|&str|varchar)[ \t]{0,4}(?==))?"
    r"(?P<sep>:=|=>|={1,3}|:|>|(?<=[\w\"'])[ \t](?:is|was)[ \t])[ \t]{0,8}"
    r"(?:[bfru]{0,2}(?P<quote>[\"'`])(?P<quoted>(?:[^\"'`\n\\]|\\.|(?!(?P=quote))[\"'`]){1,500})"
    r"|\\{1,2}[\"'](?P<escaped>[^\"'\n\\]{1,500})"
    r"|(?P<bare>(?:[^\s\"'`,;(){}<>\[\]&\\]|&(?!\w{1,40}=)){1,500}))"
)
_FLAG_TAIL = r"[\w-]{0,20}[ \t]{1,4}[\"']?(?P<bare>[^\s\"'`-][^\s\"'`]{2,500})"
_PREFIX = re.compile(r"(?:\b[a-z]{2,10} )?[\w.-]{0,40}\Z")
_FLAG = re.compile(r"(?:^|\s)--[\w-]{0,30}\Z")
_ENV_VALUE = re.compile(r"[^\s\"'`\\]{1,500}")
_PLACEHOLDER = re.compile(
    r"(?:\$(?:[A-Z_][A-Z0-9_]*|[a-z_]+)|\$[{(].*|[{<%].*|\*+|\.{2,}|…|x{3,}|(.)\1*"
    r"|(?:my|your|the|some|a|an|dummy|fake|example|sample|test|insert|enter|change|replace|todo)[\s_-].*|changeme|example|dummy|placeholder"
    r"|none|null|nil|true|false|undefined|nan|str|string|text|number|int|integer|bool|boolean|object|array|bytes|any|required|optional|missing|invalid"
    r"|unset|empty|hidden|masked|censored|redacted|(?:user)?pass(?:word|wd)?s?|pwd|secrets?|(?:access|api|auth)?[_-]?tokens?|(?:api|access)?[_-]?keys?|credentials?)",
    re.IGNORECASE,
)
_REFERENCE = re.compile(  # code, not a value: `self.token`, `os.environ`, `password2`, `getenv`
    r"[A-Za-z_]\w*(?:(?:\.|->|::)[A-Za-z_]\w*)+\.?|[A-Za-z_]*(?:pass|pwd|token|secret|key|cred)[A-Za-z_]*\d{0,2}|[@#:]\w+", re.IGNORECASE
)
_PATH = re.compile(
    r"(?:~|\.{1,2})?/[\w.-]+(?:/.*)?|[A-Za-z]:\\.*|[\w.-]+\.(?:py|js|ts|json|ya?ml|toml|txt|md|pem|key|env|cfg|ini|html?)|\w+://.*|/"
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d.*")
_PROSE = re.compile(
    r"\b(?:is|are|must|should|may|can|cannot|not|be|required|invalid|incorrect|field|least|this|your|the|for|of|to|and|or)\b", re.IGNORECASE
)


@cache
def kind_of(name: str) -> str | None:
    """Return how sure *name* makes us that its value is a secret: PASSWORD, KEY, WEAK or None.

    >>> kind_of("DB_PASSWORD"), kind_of("apiKey"), kind_of("token"), kind_of("max_tokens"), kind_of("password_length")
    ('password', 'secret-key', 'secret', None, None)
    """
    plain = name.lower().translate(_DASHES)
    if _HARMLESS_NAME.fullmatch(plain):
        return None
    if _PASSWORD_NAME.fullmatch(plain):
        return PASSWORD
    if _KEY_NAME.fullmatch(plain):
        return KEY
    return WEAK if _WEAK_NAME.fullmatch(plain) else None


def is_secret(kind: str, value: str) -> bool:
    """Tell whether *value*, given under a name of *kind* in a JSON object, is a secret: anything there but a placeholder or a path."""
    if _is_plainly_harmless(value):
        return False
    if kind == PASSWORD:
        return len(value) >= 3
    return len(value) >= 8 and " " not in value.strip() if kind == KEY else _is_random(value, 10)


def find(text: str, lowered: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, rule name) of every named secret in *text*. *lowered* is *text* in lower case, of the same length."""
    for anchor in _ANCHORS:
        if anchor not in lowered:
            continue
        for match in _compiled(anchor + _TAIL).finditer(lowered):
            yield from _judged(text, lowered, match)
        if "--" in lowered:
            for match in _compiled(anchor + _FLAG_TAIL).finditer(lowered):
                if _FLAG.search(lowered, max(0, match.start() - 40), match.start()):
                    yield from _flag(text, lowered, match)


def _judged(text: str, lowered: str, match: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    start = match.start()
    prefix = _PREFIX.search(lowered, max(0, start - 60), start)
    name_start = prefix.start() if prefix else start
    name = re.split(r"[\"'`\]\\\s:=>]", lowered[start : match.start("sep")], maxsplit=1)[0]
    full_name = lowered[name_start:start] + name
    kind = kind_of(full_name[-60:])
    if kind is None:
        return
    group = next(g for g in ("quoted", "escaped", "bare") if match[g] is not None)
    begin, end = match.span(group)
    if group == "bare":
        original = text[name_start : start + len(name)].rpartition(" ")[2]
        is_env = original.isupper() and match["sep"] == "=" and begin == match.end("sep")
        if is_env and (whole := _ENV_VALUE.match(text, begin)):
            end = whole.end()
        is_form = lowered[name_start - 1 : name_start] in ("?", "&") and name_start > 0
        if _is_bare_secret(kind, text[begin:end], relaxed=is_env or is_form):
            yield begin, end, kind
    elif _is_quoted_secret(kind, text[begin:end]):
        yield begin, end, kind


def _flag(text: str, lowered: str, match: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    name = lowered[lowered.rfind("--", 0, match.start()) : match.start("bare")].strip(" \t\"'-")
    kind, (begin, end) = kind_of(name), match.span("bare")
    if kind is not None and _is_bare_secret(kind, text[begin:end], relaxed=False):
        yield begin, end, kind


def _is_quoted_secret(kind: str, value: str) -> bool:
    if _is_plainly_harmless(value) or (" " in value.strip() and (kind != PASSWORD or _PROSE.search(value))):
        return False
    if kind == PASSWORD:
        return len(value) >= 4
    return _is_random(value, 8 if kind == KEY else 16)


def _is_bare_secret(kind: str, value: str, *, relaxed: bool) -> bool:
    """Judge a value without quotes; *relaxed* where the place (an environment line, a form) leaves no doubt that it is a value."""
    if _is_plainly_harmless(value) or value.replace(".", "").isdigit():
        return False
    if relaxed and kind == PASSWORD:
        return len(value) >= 4
    if kind == PASSWORD:
        return len(value) >= 6 and any(c.isalpha() for c in value) and any(not c.isalpha() and c not in "_-.:/" for c in value)
    return _is_random(value, 8 if relaxed else 12 if kind == KEY else 16)


def _is_random(value: str, min_chars: int) -> bool:
    value = value.strip()
    if len(value) < min_chars or " " in value or _DATE.fullmatch(value):
        return False
    return (
        any(c.isdigit() for c in value) and any(c.isalpha() for c in value) and bits_per_char(value) >= (3.0 if len(value) >= 16 else 2.5)
    )


def _is_plainly_harmless(value: str) -> bool:
    value = value.strip()
    return value.startswith(MARKER_START) or any(p.fullmatch(value) for p in (_PLACEHOLDER, _REFERENCE, _PATH))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
