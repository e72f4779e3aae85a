"""Secrets that are known by their name: `password = …`, `"api_key": "…"`, `DB_PASS=…`, `--token …`, `<secret>…</secret>`.

A name alone is weak evidence (`token`, `pass` are ordinary words), so the value decides too: placeholders, references to variables,
paths, numbers and prose are left alone, and what is not named a password must look random. The thresholds (3.0 bits a character, a digit
beside letters) are below those of gitleaks' generic rule (3.5), because the names here are stricter.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from mcp_memory.redaction.entropy import bits_per_char, is_mixed

MARKER_START = "[redacted:"
PASSWORD, KEY, WEAK = "password", "secret-key", "secret"  # how sure the name makes us; also the rules' names

# Expressions are compiled on first use: most processes that import this never meet a secret's name.
_ANCHORS = ("pass", "pwd", "secret", "token", "key", "credential")
_DASHES = str.maketrans("", "", "_-. ")
_SUFFIX = r"(?:s|hash|value|confirm|confirmation|base64|b64|prod|dev|test|staging|live|new|old|v?\d{1,2})?"
_PASSWORD_NAME = (
    rf".*(?:password|passwd|passphrase|passcode|pwd){_SUFFIX}|(?:.*(?:db|user|root|admin|sudo|smtp|mail|ssh|redis|mysql|pg))?pass"
)
_KEY_NAME = (
    r".*(?:(?:api|secret|access|private|encryption|signing|account|master|auth|service|licen[cs]e|subscription|shared)key"
    r"|(?:client|app|api|shared|jwt|webhook|consumer|oauth)secret"
    r"|(?:access|auth|refresh|bearer|api|session|bot|deploy|id|github|gitlab|slack|npm|pypi|hf|personal|oauth|registry)token"
    rf"){_SUFFIX}"
)
_WEAK_NAME = rf".*(?:secret|token|credential){_SUFFIX}"
_HARMLESS_NAME = (  # cursors, and the tokens of language models
    r"(?:.*[_\-. ])?(?:(?:page|next|continuation|pagination|sync|max|min|num|total|prompt|completion|input|output|cached|eos|bos|pad|unk"
    r"|sep|cls|mask|special|stop|end|start|word|sub|cache)[_\-. ]?)+(?:access[_\-. ]?)?(?:token|key|secret)s?"
)
_TAIL = (
    r"(?P<rest>[\w-]{0,30}+)\\{0,2}[\"'`]?\]?[ \t]{0,8}(?::[ \t]{0,4}(?:str|string|&str|varchar)[ \t]{0,4}(?==))?"
    r"(?P<sep>:=|=>|={1,3}|:|>|(?<=[\w\"'])[ \t](?:is|was)[ \t])[ \t]{0,8}"
    r"(?:[bfru]{0,2}(?P<quote>[\"'`])(?P<quoted>(?:[^\"'`\n\\]|\\.|(?!(?P=quote))[\"'`]){1,500})"
    r"|\\{1,2}[\"'](?P<escaped>[^\"'\n\\]{1,500})"
    r"|(?P<bare>(?:[^\s\"'`,;(){}<>\[\]&\\]|&(?!\w{1,40}=)){1,500}))"
)
_FLAG_TAIL = r"(?P<rest>[\w-]{0,20}+)[ \t]{1,4}[\"']?(?P<bare>[^\s\"'`-][^\s\"'`]{2,500})"
_PREFIX = r"(?:\b[a-z]{2,10} )?[\w.-]{0,40}\Z"
_FLAG = r"(?:^|\s)--[\w-]{0,30}\Z"
_ENV_VALUE = r"[^\s\"'`\\]{1,500}"
_PLACEHOLDER = (
    r"(?i:\$[A-Z_][A-Z0-9_]*|\$[{(].*|[{<%].*|\*+|\.{2,}|…|(.)\1*|(?:your|insert|enter|change|replace|example|dummy|fake)[\s_-].*"
    r"|changeme|example|dummy|placeholder|none|null|nil|true|false|undefined|nan|str|string|text|number|int|integer|bool|boolean|object|array"
    r"|bytes|any|required|optional|missing|invalid|unset|empty|hidden|masked|censored|redacted|(?:user)?pass(?:word|wd)?s?|pwd|secrets?"
    r"|(?:access|api|auth)?[_-]?(?:token|key)s?|credentials?)"
)
_REFERENCE = (  # code, not a value: `self.token`, `os.environ`, `password2`
    r"(?i:[A-Z_]\w*(?:(?:\.|->|::)[A-Z_]\w*)+\.?|[A-Z_]*(?:pass|pwd|token|secret|key|cred)[A-Z_]*\d{0,2}|[@#:]\w+)"
)
_PATH = r"(?:~|\.{1,2})?/[\w.-]+(?:/.*)?|[A-Za-z]:\\.*|[\w.-]+\.(?:py|js|ts|json|ya?ml|toml|txt|md|pem|key|env|cfg|ini|html?)|\w+://.*|/"
_DATE = r"\d{4}-\d\d-\d\d.*"
_PROSE = r"(?i:\b(?:is|are|must|should|may|can|cannot|not|be|required|invalid|incorrect|field|least|this|your|the|for|of|to|and|or)\b)"


@lru_cache(maxsize=1024)
def kind_of(name: str) -> str | None:
    """Return how sure *name* makes us that its value is a secret: PASSWORD, KEY, WEAK or None.

    >>> kind_of("DB_PASSWORD"), kind_of("apiKey"), kind_of("token"), kind_of("max_tokens"), kind_of("password_length")
    ('password', 'secret-key', 'secret', None, None)
    """
    lowered = name.lower().strip("-")
    plain = lowered.translate(_DASHES)
    if _compiled(_HARMLESS_NAME).fullmatch(lowered):
        return None
    if _compiled(_PASSWORD_NAME).fullmatch(plain):
        return PASSWORD
    if _compiled(_KEY_NAME).fullmatch(plain):
        return KEY
    return WEAK if _compiled(_WEAK_NAME).fullmatch(plain) else None


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
                if _compiled(_FLAG).search(lowered, max(0, match.start() - 40), match.start()):
                    yield from _flag(text, lowered, match)


def _judged(text: str, lowered: str, match: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    name_start, name_end = _name_start(lowered, match.start()), match.end("rest")
    kind = kind_of(lowered[name_start:name_end])
    last_word = max(name_start, lowered.rfind(" ", name_start, name_end) + 1)
    before = lowered[last_word - 1] if last_word else ""
    if kind is None or before == "/" or lowered.endswith(MARKER_START, 0, name_start):  # `/etc/passwd:root:…` names a file
        return
    if match["sep"] == ">" and not (before == "<" and lowered.startswith("</", match.end())):  # an element, not `<your-password> …`
        return
    group = next(g for g in ("quoted", "escaped", "bare") if match[g] is not None)
    begin, end = match.span(group)
    if group != "bare":
        if _is_quoted_secret(kind, text[begin:end]):
            yield begin, end, kind
        return
    tight = match["sep"] == "=" and begin == match.end("sep")
    is_env = tight and text[name_start:name_end].rpartition(" ")[2].isupper()
    if is_env and (whole := _compiled(_ENV_VALUE).match(text, begin)):
        end = whole.end()
    relaxed = is_env or (tight and before in ("?", "&"))
    is_word = lowered[name_start:name_end] == "pass"  # of a test report: `pass: 120.5ms`
    if (relaxed or not is_word) and _is_bare_secret(kind, text[begin:end], relaxed=relaxed):
        yield begin, end, kind


def _name_start(lowered: str, anchor: int) -> int:
    """Return where the name begins that has its telling word at *anchor*: `aws_secret` + `key`, `api ` + `key`."""
    prefix = _compiled(_PREFIX).search(lowered, max(0, anchor - 60), anchor)
    start = prefix.start() if prefix else anchor
    # `\\nDB_PASSWORD=…` in a text that holds JSON: the letter belongs to the line end.
    return start + 1 if start < anchor and lowered[start] in "nrt" and lowered.endswith("\\", 0, start) else start


def _flag(text: str, lowered: str, match: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    kind = kind_of(lowered[_name_start(lowered, match.start()) : match.end("rest")].rpartition(" ")[2])
    begin, end = match.span("bare")
    if kind is not None and _is_bare_secret(kind, text[begin:end], relaxed=False):
        yield begin, end, kind


def _is_quoted_secret(kind: str, value: str) -> bool:
    if _is_plainly_harmless(value) or (" " in value.strip() and (kind != PASSWORD or _compiled(_PROSE).search(value))):
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
    if len(value) < min_chars or " " in value or _compiled(_DATE).fullmatch(value):
        return False
    digits = sum(c.isdigit() for c in value)
    if not any(c.isalpha() for c in value) or not (digits >= 2 or (digits and is_mixed(value))):  # `my-k8s-secret` is a name
        return False
    return bits_per_char(value) >= (3.0 if len(value) >= 16 else 2.5)


def _is_plainly_harmless(value: str) -> bool:
    value = value.strip()
    return value.startswith(MARKER_START) or any(_compiled(pattern).fullmatch(value) for pattern in (_PLACEHOLDER, _REFERENCE, _PATH))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
