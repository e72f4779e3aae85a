"""Error text to a signature: the same mistake made twice gives the same text, whatever the paths, numbers and names in it."""

import re
from functools import lru_cache

MAX_SIGNATURE_CHARS = 200
_MAX_TEXT_CHARS = 4_000  # of a log, the beginning and the end
_SAME_ERROR = 0.6  # word overlap from which two signatures count as one kind of error

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_RAISED = re.compile(r"^(?:E\s+)?[\w.]*(?:Error|Exception|Warning|Interrupt|Exit|Failure)\b\s*(?::|$)")
_TRACEBACK = "Traceback (most recent call last)"
_MARGIN = " \t\r\f\v│┃║╷╵"  # what stands around a message that is drawn in a box
_CLOCK = re.compile(r"^\d\d:\d\d:\d\d(?:[.,]\d+)?\s+")  # when a line of a log was written
_EXIT = re.compile(r"exit(?:ed with)?(?: code| status)?:? \d+\W*", re.I)
_PYTEST = re.compile(r"^E\s+(?=\S)")  # how pytest marks an error's lines; the error is the same without
_TELLING = re.compile(
    r"error|exception|failed|failure|not found|no such|denied|invalid|cannot|could not|unable|timed? ?out|refused|missing"
    r"|undefined (?:reference|symbol)|unresolved external|multiple definition"
    r"|:\d+:\d+: (?!warning|note|info|remark)",  # as compilers say it
    re.I,
)
# Sounds like an error below a heading of one.
_HINTING = re.compile(
    r"does(?:n't| not)|can(?:'t|’t)\b|undefined|unresolved|unknown|unexpected|required|must\b|forbidden|unauthori[sz]ed", re.I
)
_HEADING = re.compile(  # that something failed, and nothing of what
    r"\W*(?:(?:\w+: )?(?:test suite|tests?|build|compilation|command|process|task|job|script)\b[^:]{0,20}\bfail(?:ed|ure)\b[^:]{0,40}"
    r"|(?:collect2|clang|ld|gcc|cc1?|rustc|make|gmake|ninja)\b.*\b(?:returned \d+ exit status|build stopped.*|Error \d+)"
    r"|clang: error: linker command failed.*"
    r"|error: (?:could not compile|aborting due to|failed to run custom build command|linking with)\b.*"
    r"|(?:\[\w+\]\s*)?(?:compilation|build|test|runtime|internal|database|parsing|dependency|validation) (?:error|failure)s?\s*:?"
    r"|(?:compilation|runtime|database|parsing|dependency|validation) error in .*"
    r"|could not (?:determine the dependencies of|resolve all \w+ for) .*|a problem occurred (?:configuring|evaluating) .*"
    r"|the following build commands failed|execution failed for task\b.*|a failure occurred while executing\b.*"
    r"|\d+ of \d+ (?:ERROR|FAIL)\b.*|completed with \d+ errors?\b.*|done\. pass=\d+.*"
    r"|encountered an error:?|failed|failure|errors?:?|\d+ (?:\w+ )?failed\b.*|error: subprocess-exited-with-error"
    r"|npm (?:ERR!|error) (?:code|errno|syscall|path)\b.*)\W*",
    re.I,
)
_PLACE = re.compile(r"[^\s:()]+(?::\d+(?::\d+)?|\(\d+(?:,\d+)?\)):\s*(?=\S)")  # where in the code, as compilers begin a line
_HEX = re.compile(r"\b(?:0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,})\b", re.I)
_URL = re.compile(r"\b\w+://\S+")
_PATH = re.compile(r"(?:[A-Za-z]:)?[\w.~-]*[/\\][\w./\\~-]+")
_FILE = re.compile(r"\b[\w-]+\.(?:py|txt|json|csv|sh|md|c|h|cpp|js|ts|html|ya?ml|cfg|toml|rs|go|java|ipynb|log|lock|xml)\b")
_QUOTED = re.compile(r"\"[^\"\n]{0,200}\"|`[^`\n]{0,200}`|\[[^\]\n]{0,300}(?:\]|$)|(?<!\w)'[^'\n]{0,200}'(?!\w)")
_SAID_IN_JSON = re.compile(
    r"""["'](?:msg|message|error|error_message|errorMessage|error_description|detail|reason)["']\s*:\s*(["'])((?:\\.|(?!\1)[^\\]){3,})\1"""
)
_PYDANTIC = re.compile(r"\d+ validation errors? for (\S+)\s*\n([\w.\[\]-]+)\s*\n\s+(\S.*?)(?: \[type=.*)?$", re.M)
_ZOD_PATH = re.compile(r"""["']path["']\s*:\s*\[\s*["']([\w.-]+)["']""")
_LIST = re.compile(r"<q>(?:\s*,\s*<q>)+")
_DETAIL = re.compile(r"<(?:q|url|path|file|id)>|#")
_NUMBER = re.compile(r"\b\d[\d.,:]*\b|(?<=\D)\d+")
_WORD = re.compile(r"[A-Za-z_<][\w>]+")
_COMMON = "the an of to in is not for and or at on be was with that this it as by has have from your you are"
_STOP = frozenset(_COMMON.split(" "))
_WARNED = re.compile(  # no error, whatever it says
    r"[\w.]*Warning\b|(?:\S+?:\d+(?::\d+)?: ?)?(?:warning|note|hint|help|info)\b ?(?:\[[^\]]*\]|\([^)]*\))?:", re.I
)
_LINTED = re.compile(  # a linter's line, with its rule
    r"(?:(?:\S+:)?\d+[:,]\d+:?|\S+:\d+:|[-*•])\s*(?:error\s+)?(?P<code>[A-Z]{1,4}\d{3,4}):?\s+\S"
)
_BROKEN = re.compile(r"E9\d\d$|F[4678]\d\d$|[EF]\d{4}$|E11[23]$")  # rules that say that it cannot run, not how it looks


@lru_cache(maxsize=20_000)
def signature(text: str) -> str:
    """Return the normalised form of an error text, at most 200 characters; empty for a blank text.

    Of a long text the telling line is used: the last one that names an exception, else the first that sounds like an error and is no mere
    heading of one (`Test suite failed to run`).
    Numbers become `#`, quoted parts `<q>`, paths `<path>`, files `<file>`, ids `<id>`; an exit code keeps its number.

    >>> signature("Traceback (most recent call last):\\n  File '/a/b.py', line 3\\nKeyError: 'user_17'")
    'KeyError: <q>'
    >>> signature("No matches found for \\"foo\\" in /repo/x/y.py") == signature("No matches found for \\"bar\\" in /z/q.py")
    True
    """
    return without_details(telling_line(text))[:MAX_SIGNATURE_CHARS].rstrip()


def without_details(line: str) -> str:
    """Return a line with what changes from time to time taken out, as signatures have it."""
    exit_code = re.search(r"\bexit(?: code| status)?\s*:?\s*(\d+)", line)
    line = _QUOTED.sub("<q>", line)
    line = _LIST.sub("<q>", line)
    line = _URL.sub("<url>", line)
    line = _PATH.sub("<path>", line)
    line = _FILE.sub("<file>", line)
    line = _HEX.sub("<id>", line)
    line = _NUMBER.sub("#", line)
    if exit_code:
        line = line.replace(re.sub(_NUMBER, "#", exit_code.group(0)), f"exit {exit_code.group(1)}", 1)
    return " ".join(line.split()).strip(" .:;-")


def without_place(message: str) -> str:
    """Return a message without where in the code it was met: that is not what it is about.

    >>> without_place("./client.go:41:9: undefined: backoff"), without_place("src/a.ts(3,7): error TS2304"), without_place("port: 80")
    ('undefined: backoff', 'error TS2304', 'port: 80')
    """
    found = _PLACE.match(message)
    return message[found.end() :] if found else message


def quoted_in(message: str) -> tuple[str, ...]:
    """Return what stands in quotes in a message, without them.

    >>> quoted_in("'utf-8' codec can't decode `a`")
    ('utf-8', 'a')
    """
    return tuple(found[1:-1] for found in _QUOTED.findall(message))


def has_details(sig: str) -> bool:
    """Return whether a signature stands for what changes from time to time, so that no message reads like it.

    >>> has_details("KeyError: <q>"), has_details("quota exceeded")
    (True, False)
    """
    return bool(_DETAIL.search(sig))


def telling_line(text: str) -> str:
    """Return the line of an error text that names the error; empty for a blank text. Of JSON in it the message alone is left.

    >>> telling_line('fatal: [web1]: FAILED! => {"changed": false, "msg": "Missing sudo password"}')
    'Missing sudo password'
    >>> telling_line("Error code: 400 - {'error': {'message': 'Unsupported parameter top_k', 'code': None}}")
    'Error code: 400 - Unsupported parameter top_k'
    """
    text = _ANSI.sub("", text)
    return _argument_named(text[:_MAX_TEXT_CHARS]) or _without_json(_PYTEST.sub("", _telling_line(text)))


def _argument_named(text: str) -> str:
    """Return which argument a schema refuses, and why, as pydantic and zod print it on several lines; "" for any other text.

    >>> _argument_named("1 validation error for Event\\nstart\\n  Input should be a valid date [type=date, input_value='x']")
    'Event: start: Input should be a valid date'
    """
    if found := _PYDANTIC.search(text):
        return f"{found[1]}: {found[2]}: {found[3]}"
    path, message = _ZOD_PATH.search(text), _SAID_IN_JSON.search(text)
    return f"{path[1]}: {message[2]}" if path and message else ""


def _without_json(line: str) -> str:
    said = _SAID_IN_JSON.search(line)
    if not said:
        return line
    before = line[: said.start()].partition("{")[0]
    before = "" if before.rstrip().endswith("=>") else before  # which host it was, as Ansible says it
    return f"{before}{said[2]}".replace("\\n", " ").replace('\\"', '"').strip()


def _telling_line(text: str) -> str:
    if len(text) > _MAX_TEXT_CHARS:
        text = text[: _MAX_TEXT_CHARS // 2] + "\n" + text[-_MAX_TEXT_CHARS // 2 :]
    lines = [line for full in text.splitlines() if (line := _CLOCK.sub("", full.strip(_MARGIN)))]
    lines = [line for line in lines if not _EXIT.fullmatch(line)] or lines  # as a host says it before what was printed
    if len(lines) <= 1:
        return lines[0] if lines else ""
    raised = [line for line in lines if _RAISED.match(line)]
    if raised or (raised := _after_traceback(text)):
        return next((line for line in reversed(raised) if not _WARNED.match(line)), raised[-1])
    if linted := [(found["code"], line) for line in lines if (found := _LINTED.match(line))]:
        return next((line for code, line in linted if _BROKEN.match(code)), linted[0][1]).lstrip("-*• ")
    lines = [line for line in lines if not _WARNED.match(line)] or lines
    lines = [line for line in lines if _TRACEBACK not in line][-1:] if _TRACEBACK in text else lines  # cut off before the error
    telling = [line for line in lines if _TELLING.search(line)]
    said = next((line for line in telling if not _HEADING.fullmatch(line)), "")
    if said or not telling:
        return said or lines[0]
    if hint := next(filter(_HINTING.search, lines), ""):  # below a heading of an error even a hint tells more
        return hint
    below = lines[lines.index(telling[0]) + 1 :] if telling[0].endswith(":") else []
    return next((line for line in below if not _HEADING.fullmatch(line)), telling[0])


def _after_traceback(text: str) -> list[str]:
    """Return the lines at the margin after the last heading of a traceback: of any exception, whatever its name, the last is the error."""
    _, heading, rest = text.rpartition(_TRACEBACK)
    lines = [line.rstrip() for line in rest.splitlines()[1:] if line.strip()] if heading else []
    framed = next((i for i, line in enumerate(lines) if line[0].isspace()), len(lines))  # the frames, which are indented
    margin = next((i for i in range(framed, len(lines)) if not lines[i][0].isspace()), len(lines))
    return lines[margin : margin + 1]


@lru_cache(maxsize=20_000)
def signature_words(sig: str) -> frozenset[str]:
    """Return the words two signatures are compared by: lower case, without the commonest ones."""
    words = (re.sub(r"\d+", "#", w).lower() for w in _WORD.findall(sig))
    return frozenset(w for w in words if w not in _STOP)


def same_error(a: str, b: str) -> bool:
    """Return whether two signatures are one kind of error: equal, or three fifths of their words shared."""
    if a == b:
        return True
    x, y = signature_words(a), signature_words(b)
    return bool(x and y) and len(x & y) >= _SAME_ERROR * len(x | y)
