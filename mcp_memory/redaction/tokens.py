"""Secrets that are known by their shape: a provider's fixed prefix, a PEM frame, an authorization header, a password in a URL.

Shapes and prefixes follow the providers' documentation and the public rule sets of gitleaks (MIT) and detect-secrets (Apache-2.0),
rewritten: bounded repeats only, so that no text makes them slow, and looser lengths where a provider has changed its own.
Every rule has literal keywords; its expression is compiled and run only on texts that contain one of them.
"""

import base64
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from mcp_memory.redaction.entropy import is_mixed, looks_random

_AWS_ID = "aws-access-key-id"
_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"  # not the tail of a longer word; a line of JSON inside a text may begin with `\n`
_PEM_END = r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"


class Rule(NamedTuple):
    """One shape. `name` is what the marker says; the secret is group `secret`, or the whole match."""

    name: str
    keywords: tuple[str, ...]
    pattern: str
    check: Callable[[str], bool] | None = None  # a second look at the secret
    ignore_case: bool = False  # keywords are lower-cased then


def _has_digit(text: str) -> bool:
    return any(c.isdigit() for c in text)


def _not_template(text: str) -> bool:
    """Tell that a password in a URL is not a variable (`$PASS`, `{password}`, `<password>`, `***`)."""
    return not text.startswith(("$", "{", "<", "%", "*", "[", "…", "...")) and not text.endswith("}")


def _is_credential_pair(text: str) -> bool:
    """Tell that *text* is `user:password` in base64."""
    try:
        return b":" in base64.b64decode(text, validate=True)
    except ValueError:
        return False


def _prefixed(name: str, prefixes: tuple[str, ...], body: str, check: Callable[[str], bool] | None = None) -> Rule:
    return Rule(name, prefixes, f"{_START}(?:{'|'.join(map(re.escape, prefixes))}){body}", check)


RULES: tuple[Rule, ...] = (
    Rule(
        "private-key",
        ("PRIVATE KEY",),
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        rf"(?:(?:(?!-----BEGIN)[\s\S]){{0,20000}}?{_PEM_END}|(?:(?:\s|\\[nr]|[\"',+]){{0,20}}[A-Za-z0-9+/=]{{24,}}){{1,600}})",
    ),
    Rule("jwt", ("eyJ",), rf"{_START}eyJ[A-Za-z0-9_-]{{8,4000}}\.eyJ[A-Za-z0-9_-]{{4,8000}}(?:\.[A-Za-z0-9_-]{{0,2000}})?"),
    _prefixed("anthropic-api-key", ("sk-ant-",), r"[A-Za-z0-9_-]{16,300}"),
    Rule(
        "openai-api-key",
        ("sk-",),
        rf"{_START}sk-(?:[A-Za-z0-9]{{16,300}}|(?:proj|svcacct|admin|None|or-v1)-[A-Za-z0-9_-]{{16,300}}|[A-Za-z0-9_-]{{24,300}})",
        looks_random,
    ),
    Rule(
        "aws-access-key-id",
        ("AKIA", "ASIA", "ABIA", "ACCA", "A3T"),
        rf"{_START}(?:A3T[A-Z0-9]|A(?:KIA|SIA|BIA|CCA))[A-Z0-9]{{16}}(?![A-Za-z0-9])",
    ),
    _prefixed("github-token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"), r"[A-Za-z0-9_]{20,300}"),
    _prefixed(
        "gitlab-token",
        ("glpat-", "gldt-", "glrt-", "glptt-", "glft-", "glcbt-", "glagent-", "glimt-", "glsoat-", "gloas-"),
        r"[A-Za-z0-9_.=-]{16,300}",
    ),
    Rule(
        "slack-token",
        ("xoxa-", "xoxb-", "xoxc-", "xoxd-", "xoxe-", "xoxe.", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-"),
        rf"{_START}(?:xox[a-z](?:\.xox[a-z])?-|xapp-)[A-Za-z0-9-]{{10,300}}",
        _has_digit,
    ),
    Rule("webhook-url", ("hooks.slack.com/",), r"hooks\.slack\.com/(?P<secret>(?:services|workflows|triggers)/[A-Za-z0-9+/_-]{20,200})"),
    Rule("webhook-url", ("/api/webhooks/",), r"discord(?:app)?\.com/api/webhooks/(?P<secret>\d{5,30}/[A-Za-z0-9_-]{30,200})"),
    _prefixed("stripe-key", ("sk_live_", "sk_test_", "sk_prod_", "rk_live_", "rk_test_", "rk_prod_", "whsec_"), r"[A-Za-z0-9+/=]{10,300}"),
    _prefixed("google-api-key", ("AIza",), r"[A-Za-z0-9_-]{30,60}"),
    _prefixed("google-oauth-token", ("ya29.", "GOCSPX-"), r"[A-Za-z0-9_-]{20,2000}"),
    _prefixed("mcp-memory-token", ("mcpm_",), r"[A-Za-z0-9_-]{40,60}"),
    _prefixed("npm-token", ("npm_",), r"[A-Za-z0-9]{30,100}"),
    _prefixed("pypi-token", ("pypi-",), r"[A-Za-z0-9_-]{50,1000}", is_mixed),
    _prefixed("huggingface-token", ("hf_",), r"[A-Za-z0-9]{30,100}", is_mixed),
    _prefixed("groq-api-key", ("gsk_",), r"[A-Za-z0-9]{40,100}"),
    _prefixed("xai-api-key", ("xai-",), r"[A-Za-z0-9_-]{60,200}"),
    _prefixed("perplexity-api-key", ("pplx-",), r"[A-Za-z0-9]{40,100}"),
    _prefixed("replicate-token", ("r8_",), r"[A-Za-z0-9]{30,60}"),
    _prefixed("langsmith-key", ("lsv2_pt_", "lsv2_sk_"), r"[A-Za-z0-9_]{30,100}"),
    _prefixed("tavily-key", ("tvly-",), r"[A-Za-z0-9-]{20,100}", _has_digit),
    _prefixed("sendgrid-key", ("SG.",), r"[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}"),
    Rule("twilio-key", ("SK",), rf"{_START}SK[0-9a-f]{{32}}(?![A-Za-z0-9])"),
    Rule("mailgun-key", ("key-",), rf"{_START}key-[0-9a-f]{{32}}(?![A-Za-z0-9])"),
    _prefixed("digitalocean-token", ("dop_v1_", "doo_v1_", "dor_v1_"), r"[a-f0-9]{64}"),
    _prefixed("docker-token", ("dckr_pat_", "dckr_oat_"), r"[A-Za-z0-9_-]{20,100}"),
    _prefixed("databricks-token", ("dapi",), r"[0-9a-f]{32}(?:-\d)?"),
    _prefixed("shopify-token", ("shpat_", "shpca_", "shppa_", "shpss_"), r"[A-Fa-f0-9]{32}"),
    _prefixed("linear-key", ("lin_api_", "lin_oauth_"), r"[A-Za-z0-9]{30,80}"),
    _prefixed("notion-token", ("ntn_",), r"[A-Za-z0-9]{40,60}"),
    _prefixed("figma-token", ("figd_",), r"[A-Za-z0-9_-]{36,60}"),
    _prefixed("vault-token", ("hvs.", "hvb.", "hvr."), r"[A-Za-z0-9_-]{24,300}"),
    _prefixed("grafana-token", ("glsa_", "glc_"), r"[A-Za-z0-9+/=_]{30,400}"),
    _prefixed("postman-key", ("PMAK-",), r"[a-f0-9]{24}-[a-f0-9]{34}"),
    _prefixed("newrelic-key", ("NRAK-",), r"[A-Z0-9]{27}"),
    _prefixed("sentry-token", ("sntrys_", "sntryu_"), r"[A-Za-z0-9+/=_]{40,400}"),
    _prefixed("supabase-token", ("sbp_", "sb_secret_"), r"[A-Za-z0-9_-]{30,100}", _has_digit),
    _prefixed("rubygems-key", ("rubygems_",), r"[a-f0-9]{48}"),
    _prefixed("pulumi-token", ("pul-",), r"[a-f0-9]{40}"),
    _prefixed("planetscale-token", ("pscale_tkn_", "pscale_pw_", "pscale_oauth_"), r"[A-Za-z0-9_.=-]{32,64}"),
    _prefixed("doppler-token", ("dp.pt.", "dp.st.", "dp.ct.", "dp.sa."), r"[A-Za-z0-9._-]{40,80}"),
    _prefixed("atlassian-token", ("ATATT3",), r"[A-Za-z0-9_=-]{50,300}"),
    _prefixed("onepassword-token", ("ops_eyJ",), r"[A-Za-z0-9+/=_-]{50,4000}"),
    _prefixed("age-secret-key", ("AGE-SECRET-KEY-1",), r"[A-Z0-9]{58}"),
    Rule("terraform-token", (".atlasv1.",), rf"{_START}[A-Za-z0-9]{{14}}\.atlasv1\.[A-Za-z0-9_=-]{{40,100}}"),
    Rule("telegram-token", (":AA",), rf"{_START}\d{{6,12}}:AA[A-Za-z0-9_-]{{30,40}}(?![A-Za-z0-9_-])"),
    Rule("azure-client-secret", ("Q~",), r"(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}"),
    Rule(
        "azure-account-key", ("AccountKey=", "SharedAccessKey="), r"(?:AccountKey|SharedAccessKey)=(?P<secret>[A-Za-z0-9+/]{20,100}={0,2})"
    ),
    Rule("url-password", ("://",), r"://[^\s/:@\"'<>`\\]{0,100}:(?P<secret>[^\s/@\"'<>`\\]{1,200})@[\w\[]", _not_template),
    Rule(
        "curl-user",
        ("curl",),
        r"(?:\s-u|\s--user)[ =]{1,3}[\"']?[^\s:\"']{1,100}:(?P<secret>[^\s\"']{1,200})",
        _not_template,
    ),
    Rule(
        "cli-password",  # `-p` is a password for these programs only
        ("mysql", "mariadb"),
        r"(?:mysql|mariadb)(?:dump|admin|import)?\b[^\n|;&]{0,200}?\s-p(?P<secret>[^\s\"'-][^\s\"']{2,100}|(?P<q>[\"'])[^\n]{3,100}?(?P=q))",
        _not_template,
    ),
    Rule("cli-password", ("sshpass",), r"sshpass\s{1,4}-p[ =]{0,3}[\"']?(?P<secret>[^\s\"']{3,100})", _not_template),
    Rule(
        "cli-password",
        (" login",),
        r"(?:docker|podman|buildah|skopeo|az)\s[^\n|;&]{0,60}login\b[^\n|;&]{0,200}?\s-p[ =]{1,3}[\"']?(?P<secret>[^\s\"']{3,200})",
        _not_template,
    ),
    Rule(
        "netrc-password",
        ("machine ",),
        r"\bmachine\s{1,4}\S{1,200}\s{1,8}login\s{1,4}\S{1,200}\s{1,8}password\s{1,4}(?P<secret>\S{1,200})",
        _not_template,
    ),
    Rule("docker-auth", ('"auth"',), r"\"auth\"\s{0,4}:\s{0,4}\"(?P<secret>[A-Za-z0-9+/]{12,2000}={0,2})\"", _is_credential_pair),
    Rule(
        "cookie",
        ("cookie:",),
        r"cookie:[ \t]{0,4}(?:[^;\n\"']{1,400};[ \t]{0,4}){0,20}?"
        r"[\w.-]{0,60}(?:sess|sid|auth|token|jwt|csrf)[\w.-]{0,60}=(?P<secret>[^\s;\"',]{16,4000})",
        looks_random,
        ignore_case=True,
    ),
    Rule(
        "authorization-header",
        ("authorization",),
        r"authorization[\"'\\]{0,3}[ \t]{0,4}[:=][ \t]{0,4}[\"'\\]{0,3}"
        r"(?:(?:bearer|basic|token|apikey|digest)[ \t]{1,4})?(?P<secret>[A-Za-z0-9._~+/=:-]{8,4000})",
        _has_digit,
        ignore_case=True,
    ),
    Rule("bearer-token", ("bearer",), r"\bbearer[ \t]{1,4}[\"']?(?P<secret>[A-Za-z0-9._~+/=-]{16,4000})", looks_random, ignore_case=True),
)
# Most keywords are a word and a separator (`ghp_`, `sk-`, `SG.`), so one look at the set of a text's words rules them all out at once.
_HEAD = re.compile(r"([A-Za-z0-9]+)[_.-]")
_BY_HEAD = [(keyword, rule) for rule in RULES for keyword in rule.keywords if _HEAD.match(keyword) and not rule.ignore_case]
_DIRECT = [(keyword, rule) for rule in RULES for keyword in rule.keywords if not _HEAD.match(keyword) and not rule.ignore_case]
_LOWERED = [(keyword, rule) for rule in RULES for keyword in rule.keywords if rule.ignore_case]
_HEADS = frozenset(
    before + found[1].encode() for keyword, _ in _BY_HEAD if (found := _HEAD.match(keyword)) for before in (b"", b"n", b"r", b"t")
)  # with the letter of a `\n` before it, as in _START
_WORDS_ONLY = bytes(code if chr(code).isalnum() and code < 128 else 32 for code in range(256))
# An AWS secret key has no prefix; it is taken for one only in a text where a key id is likely.
AWS_SECRET = Rule("aws-secret-key", (), r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])", is_mixed)


def find(text: str, lowered: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, rule name) of every token in *text*; overlaps are possible. *lowered* is `text.lower()`."""
    hit = [rule for keyword, rule in _DIRECT if keyword in text]
    if not _HEADS.isdisjoint(text.encode("ascii", "replace").translate(_WORDS_ONLY).split()):
        hit += [rule for keyword, rule in _BY_HEAD if keyword in text]
    hit += [rule for keyword, rule in _LOWERED if keyword in lowered]
    if not hit:
        return
    for rule in dict.fromkeys(hit):
        for start, end in _spans(rule, text):
            yield start, end, rule.name
    if any(rule.name == _AWS_ID for rule in hit):
        for start, end in _spans(AWS_SECRET, text):
            yield start, end, AWS_SECRET.name


def _spans(rule: Rule, text: str) -> Iterator[tuple[int, int]]:
    compiled = _compiled(rule.pattern, rule.ignore_case)
    group = "secret" if "secret" in compiled.groupindex else 0
    for match in compiled.finditer(text):
        if rule.check is None or rule.check(match[group]):
            yield match.span(group)


@cache
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE if ignore_case else 0)
