"""Which lines of a text are code, and which of them tell something: no comment, no docstring, no bracket alone. Pure."""

import re
from collections.abc import Iterator, Sequence

from mcp_memory.learning.reading.edits import with_gaps

# A comment; what a preprocessor or a compiler is told begins with the same sign.
COMMENT = r"//|#(?!\s*include\b|(?:define|undef|if|ifdef|ifndef|elif|else|endif|pragma|error|warning|import|region)\b|!?\[)"
BRACKETS = r"[)\]}:,.…]*$"
HEADING = re.compile(rf"{COMMENT}|{BRACKETS}|@|(?:async def|def|class|function|func|fn)\b")  # of a block whose body is not shown
_DOCSTRING = re.compile(r"[rRbBuUfF]{0,2}(\"{3}|'{3})")
_CODE = re.compile(r"(?:def|class|if|elif|for|while|with|try|async)\b.*:$|(?:return|raise|assert)\b|@\w|[\w.]+ ?=(?!=)")
_COMMENTED = re.compile(COMMENT)
_DOCUMENTED = re.compile(r"\.(?:py|pyx|pxi|pyi|rb|m?[jt]sx?|java|kts?|scala|go|rs|c|h|cc|cpp|hpp|cs|php|swift|jl|r|lua|ex|exs)$", re.I)
_CODE_SIGN = re.compile(
    r"[=(){}\[\];<>@|&$\\]|^(?:return|raise|pass|break|continue|else|try|finally|yield|import|from|del|assert)\b|:$|\w\.\w|\w_\w"
)
_BODILESS = re.compile(f"{HEADING.pattern}(?<!@)")
_BARE, _BRACKETS = re.compile(f"{COMMENT}|{BRACKETS}"), re.compile(BRACKETS)
_PROSE = re.compile(
    rf"^(?:{COMMENT}|[*>] |- [A-Z]|--|\.\. |>>> |:\w+:)|^\w+ : "
    r"|^\w+(?: \([\w., ]+\))?: [A-Z]\w+ [a-z(]|^(?:Args|Arguments|Returns?|Raises|Yields|Examples?|Notes?):$"  # of a docstring
)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_COMMENT = re.compile(r"(?<=\S)\s+(?:#|//) .*$")  # behind code: what it says is no reason to leave the code out
_ENTRY = re.compile(r'""\s*:\s*\S.*[,{\[]?$|[rbfu]*""\s*[,)\]}]*$')  # of an object, a dictionary, a list, or a text among arguments
_KEYWORDS = (
    "if in not is and or for else return import as from with while yield await lambda except del assert raise global async def class elif "
    "try public private protected static final const let var new void int long unsigned signed char export default function create select"
)
_PLAIN = rf"(?!(?:{'|'.join(_KEYWORDS.split())})\b)[A-Za-z][a-z']+"  # a word of prose: none that code has in a row
_SENTENCE = re.compile(rf"\b{_PLAIN}(?: {_PLAIN}){{3}}")
_PHRASE = re.compile(rf"\b{_PLAIN}(?: {_PLAIN}){{2}}")
_NO_PROSE = re.compile(r"[=\[\]{};_<>]|\w\(")


def has_comments(path: str) -> bool:
    """Return whether a file is of a language whose comments and docstrings are known here; of another one every line tells."""
    return _DOCUMENTED.search(path) is not None


def is_bare(line: str, *, is_plain: bool) -> bool:
    """Return whether a line is brackets alone or, but in a *plain* text, a comment.

    >>> [is_bare(line, is_plain=False) for line in ("})", "# as usual", "#include <vector>", "#[derive(Clone)]", "def f(a):")]
    [True, True, False, False, False]
    """
    return (_BRACKETS if is_plain else _BARE).match(line) is not None


def is_bodiless(line: str) -> bool:
    """Return whether a line says nothing without those under it: the heading of a function, a comment, a bracket."""
    return _BODILESS.match(line) is not None


def statements(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines that are code, of a text that may begin within a docstring."""
    closing = ""
    first = next((n for n, line in enumerate(lines) if line == '"""'), 0)
    if not any(_CODE.match(line) or '"""' in line for line in lines[:first]):
        lines = lines[first + 1 :] if first else lines
    for line in lines:
        if closing:
            closing = "" if closing in line else closing
        elif opening := _DOCSTRING.match(line):
            closing = "" if opening[1] in line[opening.end() :] else opening[1]
        elif not _COMMENTED.match(line):
            yield line


def telling(lines: Sequence[str], *, is_plain: bool) -> list[str]:
    """Return the lines that tell, stripped, with a gap where code between them was left out; of a *plain* text all but blanks."""
    said = [line.strip() for line in lines if line.strip()]
    return with_gaps(said if is_plain else statements(said), bool if is_plain else _is_code)


def _is_code(line: str) -> bool:
    """Return whether a line is no sentence, as of a docstring whose quotes are not shown.

    >>> [_is_code(line) for line in ("return a", "Return the sum (as usual).", "n : int", "*(a)", "will change upon a reset (even")]
    [True, False, False, True, False]
    >>> [_is_code(line) for line in ("Args:", "kind: Kind of sum ('net' or 'gross')", "rate: Rate = 7")]
    [False, False, True]
    >>> [_is_code(line) for line in ("code = s.split('-')[0]  # Get base language code", '"method": method,', '"id": 1,')]
    [True, True, True]
    """
    bare = _COMMENT.sub("", _QUOTED.sub('""', line))
    if _ENTRY.match(bare):
        return True
    if not _CODE_SIGN.search(line) or _PROSE.match(line):
        return False
    return not (_SENTENCE.search(bare) or (_PHRASE.search(bare) and not _NO_PROSE.search(bare)))
