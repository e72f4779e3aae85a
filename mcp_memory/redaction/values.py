"""What a value says for itself: a placeholder, a reference, code, prose, or something that can be a secret."""

from operator import and_

from mcp_memory.redaction.entropy import is_diverse, is_mixed
from mcp_memory.redaction.names import KEY, PASSWORD
from mcp_memory.redaction.rules import compiled

MARKER_START = "[redacted:"
_PLACEHOLDER = (
    r"(?i:\$[A-Z_][A-Z0-9_]*|\$[{(].*|[{<%].*[}>%]|[{<]+.*|\*+|\.{2,}|…|(.)\1*|x{3,}.*"
    r"|(?:your|insert|enter|change|replace|example|dummy|fake|sample|some|my)[\s_-].*"
    r"|changeme|example|dummy|placeholder|none|null|nil|true|false|undefined|nan|str|string|text|number|int|integer|bool|boolean|object|array"
    r"|bytes|any|required|optional|missing|invalid|unset|empty|hidden|masked|censored|redacted|(?:user)?pass(?:word|wd)?s?|pwd|secrets?"
    r"|(?:access|api|auth)?[_-]?(?:token|key)s?|credentials?|basic|bearer|digest|enabled|disabled|\w{2,7}:)"
)
_PLACEHOLDER_ENDS = ("_here", "-here", "_placeholder", "-placeholder")  # looked at apart: a pattern would look at all before it, too
_LONGEST_END = max(map(len, _PLACEHOLDER_ENDS))
_REFERENCE = (  # code, not a value: `self.token`, `os.environ`, `password2`
    r"(?i:[A-Z_]\w*(?:(?:\.|->|::|\?\.)[A-Z_]\w*)+[.,;]?|[A-Z_]*(?:pass|pwd|token|secret|key|cred)[A-Z_]*\d{0,2}[,;]?|[@#:&*][A-Z_.-]*|!\w+)"
)
_CALL = r"(?:(?:new|await|not|lambda)\s|[!&*]?)[A-Za-z_$][\w$.:>?-]*+(?:\(|\[|<[A-Z]|\{)"
_LITERAL = r"[rbfu]{0,2}[\"'`({\[]"
_PATH = (
    r"(?:~|\.{1,2})?/[\w.-]+(?:/[\w.@-]*)+|(?:~|\.{1,2})/.*|/[a-z._-]+|[A-Za-z]:\\.*|[\w./-]+\.(?:py|js|ts|json|ya?ml|toml|txt|md|pem|key|env|cfg|ini|html?|crt|jks)"
    r"|(?:https?|file|s3|gs|vault|op|arn|ssm|secret|ref\+\w+)[:+]/?/?.*|/"
)
_HARMLESS = f"{_PLACEHOLDER}|{_REFERENCE}|{_PATH}"
_TELLING_CHARS = 200  # of a value: whether it is random shows in them
_DATE = r"\d{4}-\d\d-\d\d.*"
_PROSE = (
    r"(?i:\b(?:is|are|must|should|may|can|cannot|not|be|required|invalid|incorrect|field|least|this|your|the|for|of|to|and"
    r"|or|eingeben|ein|le|la)\b)"
)
_STATE_WORDS = """
accepted admin anonymous authentication bcrypt blank boolean changed char claims clear created default denied deleted
disabled encrypted error expired exists failed failure false field file forgotten from generated given hashed input
invalid keyring label login manual managed match matched mismatch must needed never none normal null okay only optional
passed plain plaintext prompt property provided public random readonly refused rejected required reset rotated sha256
signed skipped stored string strong success superuser tested text this true type unchanged unknown unset updated user
username valid value varchar verified weak wrong yes
"""  # what is said of a password, not one
_STATE = frozenset(_STATE_WORDS.split())


def is_plainly_harmless(value: str) -> bool:
    """Tell whether *value* is a marker, a placeholder, a reference to something else, or a path."""
    value = value.strip()
    if value.startswith(MARKER_START):
        return True
    if value[:1] == "$" and _mixes(value[1:]):  # `$uMm3r!x` is no variable
        return False
    if value[-_LONGEST_END:].lower().endswith(_PLACEHOLDER_ENDS) and "\n" not in value:
        return True
    return compiled(_HARMLESS).fullmatch(value) is not None


def is_strange(kind: str, value: str) -> bool:
    """Tell whether *value* has the digits and signs of a password and the name says that it is one."""
    if kind != PASSWORD or len(value) < 6 or " " in value or not any(map(str.isalpha, value)):
        return False
    return any(not c.isalpha() and c not in "_-.:/" for c in value) and not is_plainly_harmless(value)


def is_given_secret(kind: str, value: str) -> bool:
    """Tell whether *value*, given under a name of *kind* in a JSON object, is a secret: anything there but a placeholder or a path."""
    if is_plainly_harmless(value):
        return False
    if kind == PASSWORD:
        return len(value) >= 3 and not _is_call(value) and not (" " in value and _is_prose(value))
    return len(value) >= 8 and " " not in value.strip() if kind == KEY else is_random(value, 10)


def is_quoted_secret(kind: str, value: str) -> bool:
    """Judge a value in quotes."""
    if is_plainly_harmless(value) or (" " in value.strip() and (kind != PASSWORD or _is_prose(value))):
        return False
    if kind == PASSWORD:
        return len(value) >= 4
    return is_random(value, 8 if kind == KEY else 16)


def is_bare_secret(kind: str, value: str, *, relaxed: bool) -> bool:
    """Judge a value without quotes; *relaxed* where the place (an environment line, a form) leaves no doubt that it is a value."""
    return not is_plainly_harmless(value) and looks_secret(kind, value, relaxed=relaxed)


def looks_secret(kind: str, value: str, *, relaxed: bool) -> bool:
    """Judge a value without quotes that is not plainly harmless."""
    if value.replace(".", "").isdigit() and not (relaxed and kind == PASSWORD):
        return False
    if relaxed and kind == PASSWORD:
        return len(value) >= 4
    if _is_call(value) or compiled(_LITERAL).match(value):
        return False
    if kind == PASSWORD:
        return len(value) >= 6 and any(map(str.isalpha, value)) and any(not c.isalpha() and c not in "_-.:/,;()[]{}" for c in value)
    return is_random(value, 8 if relaxed else 12 if kind == KEY else 16)


def is_word_secret(value: str) -> bool:
    """Tell whether the one lower-case word after `password:`, not plainly harmless, can be it: `letmein` can, `required` cannot."""
    return 6 <= len(value) <= 40 and value.isalpha() and value.islower() and value not in _STATE


def is_random(value: str, min_chars: int) -> bool:
    """Tell whether *value* of at least *min_chars* looks made by a machine: letters and digits without a word's regularity."""
    value = value[:_TELLING_CHARS].strip()
    if len(value) < min_chars or " " in value or compiled(_DATE).fullmatch(value):
        return False
    digits = sum(map(str.isdigit, value))
    if not any(map(str.isalpha, value)):
        return False
    if not (digits >= 2 or (digits and is_mixed(value)) or (len(value) >= 20 and _mixes_cases(value))):  # `my-k8s-secret` is a name
        return False
    return is_diverse(value, 3.0 if len(value) >= 16 else 2.5)


def _mixes(value: str) -> bool:
    return len(value) >= 6 and is_mixed(value) and (not value.isidentifier() or sum(map(str.isdigit, value)) >= 2)


def _mixes_cases(value: str) -> bool:
    """Tell whether upper and lower case alternate more than in the names of code (`someLongName`)."""
    return value.isalnum() and sum(map(and_, map(str.islower, value), map(str.isupper, value[1:]))) >= len(value) / 6


def _is_call(value: str) -> bool:
    return any(sign in value for sign in "([{<") and compiled(_CALL).match(value) is not None


def _is_prose(value: str) -> bool:
    words = value.split()
    letters_only = all(word.strip(".,:!?…").isalpha() for word in words)
    return compiled(_PROSE).search(value) is not None or (letters_only and (len(words) < 3 or any(c.isupper() for c in value)))
