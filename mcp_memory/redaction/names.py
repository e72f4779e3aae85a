"""What a name says about its value: a password, a key, something that may be a secret, or nothing."""

from functools import lru_cache

from mcp_memory.redaction.rules import compiled

PASSWORD, KEY, WEAK = "password", "secret-key", "secret"  # how sure the name makes us; also the rules' names

_SEPARATORS = str.maketrans("", "", "_-. :/")
_SUFFIX = r"(?:s|hash|value|content|plain|confirm|confirmation|base64|b64|enc|prod|dev|test|staging|live|new|old|v?\d{1,2})?"
_PASSWORD_NAME = (
    rf".*(?:password|passwd|passphrase|passcode|pwd|contrase[nñ]a|passwort|kennwort|motdepasse|senha|wachtwoord|parol|密码|口令|パスワード){_SUFFIX}"
    r"|(?:.*(?:db|user|root|admin|sudo|smtp|mail|ssh|redis|mysql|pg|key|store|signing|login|ldap|ftp|vnc|wifi|my))?pass(?:wrd|wd)?\d?"
    rf"|(?:.*(?:db|user|root|admin|mysql|pg|wpa))?(?:pw|psk|sk)|.*(?:presharedkey|pgpassfilecontent|mnemonic|seedphrase|recoveryphrase)|.*(?:^|login|user|card)pin(?:code)?"
)
_KEY_NAME = (
    r".*(?:(?:api|secret|access|private|encryption|encrypt|signing|sign|account|master|auth|service|licen[cs]e|subscription|shared|fernet|storage|session"
    r"|hmac|jwt|app|application|deploy|webhook|cipher|crypto|aes|root|admin|write|read|rest|functions?|host|instrumentation|salt)key"
    r"|(?:client|app|api|shared|jwt|webhook|consumer|oauth|session|cookie|signing|auth|nextauth)secret|secretkeybase|secretbase"
    r"|clientkeydata|(?<!pub)keydata|privatekeypem|authkey|appid|apiid"
    r"|(?:access|auth|refresh|bearer|api|session|bot|deploy|id|github|gitlab|slack|npm|pypi|hf|personal|oauth|registry|user|csrf|xsrf)token"
    rf"){_SUFFIX}"
)
_WEAK_NAME = rf".*(?:secret|token|credential|creds?|salt|pepper){_SUFFIX}|.*auth|(?:x)?sig(?:nature)?|(?:jsess(?:ion)?|phpsess)id|.*cookie"
_ENV_KEY = r"[A-Z0-9]+(?:_[A-Z0-9]+)*_(?:KEY|SALT|DSN|PAT|SAS)(?:_?\d)?"  # a variable of the environment: STRIPE_KEY
_TELLING = """
pass pwd secret token key cred auth psk pw appid apiid salt pepper pin sig jsess phpsess cookie mnemonic phrase
contrase kennwort senha wachtwoord parol 密码 口令 パスワード
"""  # each name that the patterns take for a secret's has one of these, or ends as below
_PARTS = tuple(_TELLING.split())
_ENV_ENDS = tuple(f"{word}{digit}" for word in ("DSN", "PAT", "SAS") for digit in ("", *"0123456789"))
_NO_SECRET_KEY = (
    r"(?i:.*(?:primary|foreign|sort|public|pub|partition|cache|hash|unique|index|map"
    r"|group|dict|idempotency|object|bucket|s3|row|lookup)_key(?:_?\d)?)"
)
_HARMLESS_NAME = (  # cursors, the tokens of language models, and names of things about secrets
    r"(?:.*[_\-. ])?(?:(?:page|next|continuation|pagination|sync|max|min|num|total|prompt|completion|input|output|cached|eos|bos|pad|unk"
    r"|sep|cls|mask|special|stop|end|start|word|sub|cache|public|pub)[_\-. ]?)+(?:access[_\-. ]?)?(?:token|key|secret)s?"
    r"|(?:.*[_\-. ])?(?:requires|needs|has|is|show|hide|forgot|forgotten|reset|change|no|oauth2?)"
    r"[_\-. ]?(?:password|auth|token|credentials?|secret)"
    r"|author|.*[_\-. ](?:author|coauth)|.*(?:tokenid|tokentype|secretname|secretid|keyid|usedtokens)"
)


@lru_cache(maxsize=2048)
def kind_of(name: str) -> str | None:
    """Return how sure *name* makes us that its value is a secret: PASSWORD, KEY, WEAK or None.

    >>> kind_of("DB_PASSWORD"), kind_of("apiKey"), kind_of("token"), kind_of("max_tokens"), kind_of("password_length")
    ('password', 'secret-key', 'secret', None, None)
    """
    name = name.strip("-\"'`:$ ")
    lowered = name.lower()
    plain = lowered.translate(_SEPARATORS)
    if not _may_tell(name, plain):  # most: a hook, a process of its own, is not to wait for the patterns to be compiled
        return None
    if compiled(_HARMLESS_NAME).fullmatch(lowered):
        return None
    if compiled(_PASSWORD_NAME).fullmatch(plain):
        return PASSWORD
    if compiled(_KEY_NAME).fullmatch(plain):
        return KEY
    if compiled(_WEAK_NAME).fullmatch(plain) or (compiled(_ENV_KEY).fullmatch(name) and not compiled(_NO_SECRET_KEY).fullmatch(name)):
        return WEAK
    return None


def _may_tell(name: str, plain: str) -> bool:
    return plain.endswith("sk") or name.endswith(_ENV_ENDS) or any(part in plain for part in _PARTS)
