"""The table, third part: secrets known by what stands around them: PEM frames, signed tokens, URLs, headers, cookies."""

import binascii

from mcp_memory.redaction.entropy import has_digit, looks_random
from mcp_memory.redaction.rules import START, Rule, not_template

_PEM_END = r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_PEM_LINE = r"(?:[ \t]{0,8}\d{1,6}(?:[ \t|:→]{1,4}))?"  # the line number that `cat -n` and agents' readers put in front
_HOST = r"[\w\[]"


def _is_credential_pair(text: str) -> bool:
    """Tell that *text* is `user:password` in base64."""
    try:
        return b":" in binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return False


def _is_url_password(text: str) -> bool:
    """Tell that *text* between a colon and an at sign is a password: no variable, no port with a path, no package's version."""
    port, slash, _ = text.partition("/")
    return not_template(text) and not (slash and (port.isdigit() or not port)) and "//" not in text


def _passes_luhn(text: str) -> bool:
    """Tell whether the check digit of a card number is right."""
    digits = [int(c) for c in text if c.isdecimal()]
    doubled = [d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(reversed(digits))]
    return len(digits) >= 13 and sum(doubled) % 10 == 0 and len(set(digits)) > 1


FRAMES: tuple[Rule, ...] = (
    Rule(
        "private-key",
        "private keys in a PEM frame, with line numbers in front or the end cut off",
        "RFC 7468; RFC 4880",
        ("-----BEGIN",),
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        rf"(?:(?:(?!-----BEGIN)[\s\S]){{0,20000}}?{_PEM_END}"
        rf"|(?:(?:\s|\\[nr]|[\"',+]){{0,20}}+{_PEM_LINE}[A-Za-z0-9+/=]{{24,}}+){{1,600}}+)",
        "-----BEGIN RSA PRIVATE KEY-----\n{A64}\n{A64}\n-----END RSA PRIVATE KEY-----",
        "it starts with -----BEGIN PRIVATE KEY----- and ends",
    ),
    Rule(
        "private-key",
        "the private lines of a PuTTY key",
        "the.earth.li/~sgtatham/putty: PPK files",
        ("Private-Lines:",),
        r"Private-Lines: ?\d{1,4}\s{1,4}(?P<secret>(?:[A-Za-z0-9+/=]{4,76}\s{0,3}){1,200}+)",
        "Private-Lines: 2\n{A64}\n{A64}\n",
        "Private-Lines: none",
    ),
    Rule(
        "private-key",
        "private parts of a JSON web key",
        "RFC 7517",
        ('"kty"',),
        r"\"kty\"[^{}]{0,3000}\"d\"\s{0,4}:\s{0,4}\"(?P<secret>[A-Za-z0-9_-]{20,1000})\"",
        '{"kty":"EC","crv":"P-256","x":"{A43}","d":"{A43}"}',
        '{"kty":"EC","x":"{A43}"}',
    ),
    Rule(
        "jwt",
        "JSON web tokens",
        "RFC 7519",
        ("eyJ",),
        rf"{START}eyJ[A-Za-z0-9_-]{{8,4000}}+\.eyJ[A-Za-z0-9_-]{{4,8000}}+(?:\.[A-Za-z0-9_-]{{0,2000}}+)?",
        "eyJ{A30}.eyJ{A60}.{A43}",
        "eyJ-short",
    ),
    Rule(
        "url-password",
        "passwords in URLs, those with @, / and # among them",
        "RFC 3986, 3.2.1",
        ("://",),
        r"://[^\s/:@\"'<>`\\]{0,100}+:(?P<secret>[^\s\"'<>`\\,;(){}]{1,200})@(?=[\w.-]{1,100}(?:[:/?#\s\"'<>`\\),;]|\Z)|\[)",
        "postgres://bob:hunter2@db.test:5432/app",
        "https://x.test:8443/a/b@2.0.1?x=1",
        _is_url_password,
        needs="@",
    ),
    Rule(
        "url-password",
        "a name alone before the @ that is a token",
        "docs.sentry.io: DSN",
        ("://",),
        r"://(?P<secret>[A-Za-z0-9_-]{20,100}+)@[\w\[]",
        "https://{H32}@sentry.test/1",
        "https://bob@host.test",
        looks_random,
        needs="@",
    ),
    Rule(
        "url-password",
        "passwords in the data source names of Go's MySQL driver",
        "github.com/go-sql-driver/mysql",
        ("@tcp(", "@unix(", "@udp("),
        r":(?<=\w:)(?P<secret>[^\s\"'`]{1,60})@(?:tcp|unix|udp)\(",
        "app:hunter2@tcp(db:3306)/app",
        "@tcp(db:3306)",
        not_template,
        before=102,
    ),
    Rule(
        "docker-auth",
        "registry credentials in base64",
        "Docker CLI reference: docker login",
        ("auth",),
        r"(?<![A-Za-z0-9])auth[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<secret>[A-Za-z0-9+/]{12,2000}+={0,2})(?![A-Za-z0-9+/=])",
        '"auth": "Ym9iOmh1bnRlcjIy"',
        '"auth": "none"',
        _is_credential_pair,
    ),
    Rule(
        "cookie",
        "cookies of a session",
        "RFC 6265",
        ("cookie:", 'cookie":', "cookie':", "cookie="),
        r"cookie[\"']?[:=][ \t]{0,4}[\"']?(?P<list>[^\n\"']{1,8000}+)",
        "Cookie: theme=dark; sessionid={H32}",
        "Cookie: theme=dark; lang=en",
        ignore_case=True,
    ),
    Rule(
        "authorization-header",
        "credentials in a header",
        "RFC 9110, 11.6.2",
        ("authorization",),
        r"authorization[\"'\\]{0,3}[ \t]{0,4}(?:[:=,]|=>)[ \t]{0,4}[\"'\\]{0,3}f?"
        r"(?:(?:bearer|basic|token|apikey|api-key|negotiate|ntlm|key|sso-key|genie[kK]ey|"
        r"splunk|dpop|hawk|aws4-hmac-sha256|bot|oauth)[ \t]{1,4}(?:token=)?[\"'\\]{0,3})?"
        r"(?P<secret>[A-Za-z0-9._~+/=:-]{8,4000}+)",
        "Authorization: Bearer {A15}7",
        "Authorization: Bearer <token>",
        has_digit,
        ignore_case=True,
        is_glued=True,
    ),
    Rule(
        "authorization-header",
        "the answer to a digest challenge",
        "RFC 7616",
        ("digest ",),
        r"digest [^\n]{0,600}?\bresponse=\"?(?P<secret>[0-9a-f]{32,64})",
        'Digest username="m", nonce="x", response="{H32}"',
        "Digest of the week",
        ignore_case=True,
    ),
    Rule(
        "bearer-token",
        "bearer tokens in prose",
        "RFC 6750",
        ("bearer",),
        r"\bbearer[ \t]{1,4}[\"']?(?P<secret>[A-Za-z0-9._~+/=-]{16,4000}+)",
        "bearer {A20}42",
        "Bearer authentication is required",
        looks_random,
        ignore_case=True,
    ),
    Rule(
        "bot-token",
        "tokens of chat bots in headers",
        "discord.com/developers",
        ("bot ",),
        r"\bbot[ \t](?P<secret>[A-Za-z0-9._-]{40,100}+)",
        "Bot {A60}",
        "bot is here",
        looks_random,
        ignore_case=True,
    ),
    Rule(
        "card-number",
        "numbers of payment cards",
        "ISO/IEC 7812",
        ("card", "creditcard", "debitcard", "cc", "pan", "visa", "amex"),
        r"(?<![A-Za-z0-9])(?:(?:credit|debit)?card|cc|pan|visa|amex)[\w ]{0,20}[\"']?[ :=#]{1,4}[\"']?"
        r"(?P<secret>\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}|3[47]\d{2}[ -]?\d{6}[ -]?\d{5})(?!\d)",
        "card 4111111111111111",
        "card 1234567890123456",
        _passes_luhn,
        ignore_case=True,
    ),
    Rule(
        "netrc-password",
        "passwords in a .netrc",
        "gnu.org: the .netrc file",
        ("machine ", "login "),
        r"\b(?:machine\s{1,4}\S{1,200}+\s{1,8})?login\s{1,4}\S{1,200}+\s{1,8}password\s{1,4}(?P<secret>\S{1,200}+)",
        "machine a.test login bob password hunter22",
        "login to set a password here",
        not_template,
    ),
)
