"""What a rule of the table is. A rule says what it finds, where the format is documented, one text it must find and one it must spare."""

import re
from collections.abc import Callable
from functools import cache

from mcp_memory.redaction.entropy import has_digit, looks_random

GITLEAKS = "gitleaks, config/gitleaks.toml"  # as the source of a rule

START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"  # not the tail of a longer word; a line of JSON inside a text may begin with `\n`

_VARIABLE = r"\$\w{1,60}|\$?[{(<%\[].*|.*[}>]|[*.…xX]+|\$\(.*"
_MAX_WORD = 20_000  # characters
_WORD, _LINE, _OBJECT = r"[^\s\"'`,;<>()\[\]{}]", r"[^\n]", r"[^{}]"  # over what a pattern looks
_ON_LINE = r"\[\^\\n[^\]]*\]\{\d,(\d+)\}"  # in a pattern: `[^\n|;]{0,200}`
_REPEAT = r"\{(?:\d*,)?(\d*)\}"  # `{16,300}`, `{40}`, `{24,}`
NO_MARKER = r"(?!\[redacted:)"  # what was replaced is looked past by `re`, and costs no try
_BEGINS_WORD = (START, r"(?<![A-Za-z0-9])", r"(?<![\w.])", r"\b")


@cache
def compiled(pattern: str, ignore_case: bool = False) -> re.Pattern[str]:
    """Return the compiled *pattern*: on first use, for most processes never meet most of them."""
    return re.compile(pattern, re.IGNORECASE if ignore_case else 0)


class Rule:
    """One shape. The secret is group `secret` of the pattern, or the whole match; `name` is what the marker says.

    `pattern` is tried where one of `keywords` stands, up to `before` characters ahead of it. Its repeats are bounded or possessive, so a
    try is linear in what it looks at. In `found` and `spared`, `{A20}` stands for 20 random letters and digits, `{H..}` for hexadecimal,
    `{U..}` for upper case and digits, `{D..}` for digits, `{L..}` for lower case and digits; none of them is a secret of anybody.

    Args:
        found, spared: A text it must find something in, and one it must leave alone.
        check: A second look at the secret.
        ignore_case: The keywords are in lower case then.
        is_glued: Keywords may stand inside a longer word.
        needs: What every match has after the keyword: where the text has no more of it, the pattern is not tried.
    """

    __slots__ = (
        "before",
        "begins_word",
        "check",
        "finds",
        "found",
        "ignore_case",
        "is_glued",
        "keywords",
        "name",
        "needs",
        "pattern",
        "source",
        "spared",
    )

    def __init__(  # a plain class: `typing` and `dataclasses` take longer to import than a hook may take
        self,
        name: str,
        finds: str,
        source: str,
        keywords: tuple[str, ...],
        pattern: str,
        found: str,
        spared: str,
        check: Callable[[str], bool] | None = None,
        ignore_case: bool = False,
        before: int = 0,
        is_glued: bool = False,
        needs: str = "",
    ) -> None:
        self.name, self.finds, self.source, self.keywords, self.pattern = name, finds, source, keywords, pattern
        self.found, self.spared, self.check, self.ignore_case = found, spared, check, ignore_case
        self.before, self.is_glued, self.needs = before, is_glued, needs
        self.begins_word = pattern.startswith(_BEGINS_WORD)


@cache
def look(pattern: str) -> tuple[str, int]:
    """Return over what a rule's pattern looks where it does not match, and how far at most."""
    if "[^{}]{0,3000}" in pattern:
        return _OBJECT, 3_000
    if on_line := re.findall(_ON_LINE, pattern):
        return _LINE, sum(map(int, on_line))
    repeats = re.findall(_REPEAT, pattern)
    return _WORD, min(_MAX_WORD, sum(int(most or _MAX_WORD) for most in repeats))


def token(
    name: str, source: str, prefixes: str, body: str, found: str, check: Callable[[str], bool] | None = None, *, spared: str = ""
) -> Rule:
    """Return the rule of a provider's token: one of the *prefixes* (separated by blanks), then *body*."""
    heads = tuple(prefixes.split())
    pattern = f"{START}(?:{'|'.join(map(re.escape, heads))}){body}"
    return Rule(name, f"a token that begins with {', '.join(heads)}", source, heads, pattern, found, spared or f"{heads[0]}abc", check)


def not_template(text: str) -> bool:
    """Tell that a password in a command or URL is not a variable (`$PASS`, `{password}`, `<password>`, `***`)."""
    if compiled(_VARIABLE).fullmatch(text):
        return compiled(r"\$[A-Za-z_]\w*").fullmatch(text) is not None and text[1:2].islower() is False and looks_random(text[1:])
    return not text.startswith("[redacted:")


def strong(text: str) -> bool:
    """Tell that *text* mixes letters with digits or signs as a password does, and is no variable."""
    return len(text) >= 6 and not_template(text) and any(map(str.isalpha, text)) and (has_digit(text) or not text.isalnum())
