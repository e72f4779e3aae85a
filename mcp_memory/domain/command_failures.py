"""Whether the output of a command says that it failed, where nobody logged how it ended: by exit code or in its program's words. Pure."""

import json
import re
from typing import Any

from mcp_memory.domain.commands import hides_exit

_HEAD_LINES, _TAIL_CODE_LINES, _TAIL_LINES = 4, 3, 30  # where exit codes stand and programs say how they ended
_END_CHARS = 3_000
_MAX_CODE_LINE_CHARS = 80
_CODE = re.compile(r"\b(?:exit|exited|return|returned|returncode|code|status)\b\D{0,4}\b(\d{1,3})\b")
_CODE_WORDS_TEXT = """
the a command commands process shell script program exit exited code status returncode return returned completed finished failed ended with
and error non zero run
"""
_CODE_WORDS = frozenset(_CODE_WORDS_TEXT.split())
_TELLS_EXIT = (
    frozenset(["exit"]),
    frozenset(["exited"]),
    frozenset(["returncode"]),
    frozenset(["return", "code"]),
    frozenset(["returned", "code"]),
)
_FOUND_NOTHING = 1  # the exit code of a search without a hit and of a comparison with a difference
_COMPARES = re.compile(r"(?:^|[\s;&|])(?:e?grep|rg|diff|cmp|test|\[|pgrep|which)\s")
_TRACEBACK = "Traceback (most recent call last)"
_RAISED = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|NotFound\w*)(?::|$)")
_SAYS_ERROR = re.compile(r"(?:Error|ERROR|FAILED|Fatal|FATAL): (?!pip's dependency)\S")  # what a script may say and go on
# What programs say when they give up, each at the start of a line.
_GAVE_UP = re.compile(
    r"""^(?:
    error(?:\[\w+\])?:\ \S | [│|]\ Error:\ \S
    | fatal:\ (?!\[) | make(?:\[\d+\])?:\ \*\*\*\ | gmake(?:\[\d+\])?:\ \*\*\*\ | ninja:\ (?:build\ stopped|error:)
    | (?:\[\w+\]\ )?BUILD\ FAIL(?:ED|URE) | FAILURE:\ Build\ failed | \[ERROR\]\ Failed\ to\ execute\ goal
    | \*\*\ (?:BUILD|TEST|ARCHIVE)\ FAILED\ \*\*
    | CMake\ Error | --\ Configuring\ incomplete | npm\ (?:ERR!|error)\  | error\ Command\ failed
    | \S+?:\d+(?::\d+)?:\ (?:fatal\ )?error: | \S+\(\d+,\d+\):\ error\  | \S*ld:\ .*undefined\ reference
    | E:\ [A-Z] | ERROR:\ (?:Could\ not|No\ matching|Cannot|[Ff]ailed) | Error\ response\ from\ daemon | Build\ FAILED
    | PHP\ (?:Fatal|Parse)\ error | Node\.js\ v\d+[\d.]*$ | [1-9]\d*\ errors?(?:\ generated\.?)?$ | collect2:\ error
    | Error\ from\ server | panic:\  | thread\ '.*'\ panicked\ at | Exception\ in\ thread\  | Segmentation\ fault | Conversion\ failed!
    | .*\bDone\.\ PASS=\d+\ WARN=\d+\ ERROR=[1-9] | \S+\ +:\ ok=\d+\ .*(?:unreachable|failed)=[1-9]
    | FAIL(?:ED)?(?:$|\t|\ \((?:failures|errors)) | ---\ FAIL: | test\ result:\ FAILED | \ *Tests:\ +\d+\ failed | \ +\d+\ failing$
    | (?:=+\ )?(?:\d+\ \w+,\ )*[1-9]\d*\ (?:failed|errors?)\b.*\ in\ [\d.]+s
    )""",
    re.M | re.X,
)
# What shells say of a command, whatever it was to do.
_SHELL_SAYS = re.compile(
    r"^(?: +\+ FullyQualifiedErrorId|.* is not recognized as (?:an internal|the name)|operable program or batch file"
    r"|(?:\S*/)?(?:ba|da|z|k|a)?sh: .*(?:not found|No such file or directory|Permission denied|yntax error|line \d+: `))",
)
_TIMED_OUT = re.compile(
    r"(?i)\W*(?:error: )?(?:the )?(?:command|process|execution|request|call|operation|tool)?(?: has| was)? ?"
    r"(?:timed out|timeout)(?: (?:after|and|of)? ?(?:\d[\w. ]*|was killed|exceeded|reached))*\W*"
)
_GO_PLACE = re.compile(r"^\S+\.go:\d+:\d+: \S", re.M)
_COMPLAINS = re.compile(
    r"annot |nvalid|nrecognized|nknown|issing|ot found|o such|ailed|rror|enied|s a directory|ot a directory|usage:", re.I
)
_ERRNO = re.compile(
    r": (?:No such file or directory|Permission denied|Is a directory|Not a directory|Invalid argument|Connection refused"
    r"|Operation not permitted|File exists|command not found|not found|No such process|Device or resource busy)\.?$"
)


def command_failed(command: str, output: str, *, looks: bool = False) -> bool:
    """Return whether *output* says that *command* failed. A few microseconds: of a long output its beginning and its end are looked at.

    Args:
        looks: Whether the command only shows something, which may be about somebody else's failure: then only its own words count.

    >>> [command_failed("make", said) for said in ("make: *** No targets.  Stop.", "cc a.c\\n[exit code: 2]", "Error handling built")]
    [True, True, False]
    >>> [command_failed("cat a", said, looks=True) for said in ("make: *** No targets.  Stop.", "cat: a: Is a directory")]
    [False, True]
    >>> command_failed("grep -c x a", "exit code: 1", looks=True), command_failed("make || true", "make: *** No targets.")
    (False, False)
    """
    lines = _end_lines(output)
    if not lines:
        return False
    code = _exit_code(output, lines)
    if code is not None:
        compares = looks or _COMPARES.search(command) is not None
        return code != 0 and not (code == _FOUND_NOTHING and compares and not _own_words(command, lines))
    if hides_exit(command):
        return False
    if _own_words(command, lines) or _SHELL_SAYS.match(lines[-1]):
        return True
    if looks:
        return False
    last, end = lines[-1], "\n".join(lines)
    return bool(
        _GAVE_UP.search(end)
        or _SAYS_ERROR.match(last)
        or _SAYS_ERROR.match(output.lstrip())
        or raised_last(output)
        or _ERRNO.search(last)
        or ("go " in command and _GO_PLACE.search(end))
    )


def timed_out(output: str) -> bool:
    """Return whether an output ends with the words that a call was stopped for the time that it took.

    >>> [timed_out(said) for said in ("Compiling …\\nEXECUTION TIMED OUT", "Timeout 30000ms exceeded.", "2 tests timed out of 9 ran")]
    [True, True, False]
    """
    return _TIMED_OUT.fullmatch(output[-_MAX_CODE_LINE_CHARS:].strip().rpartition("\n")[2]) is not None


def raised_last(output: str) -> bool:
    """Return whether an output ends with an exception of Python that nobody caught.

    >>> trace = "Traceback (most recent call last):\\n  File 'a.py', line 3, in f\\nacme.NotReady: call setup first"
    >>> raised_last(trace), raised_last("all good\\n" + trace), raised_last(trace + "\\nretried\\ndone")
    (True, True, False)
    """
    _, found, rest = output[-_END_CHARS:].rpartition(_TRACEBACK)
    if not found and not (_TRACEBACK in output and _RAISED.match(rest.strip().rpartition("\n")[2])):
        return False
    lines = [line for line in rest.splitlines() if line.strip()]
    return (
        bool(lines) and not lines[-1].startswith(" ") and bool(_RAISED.match(lines[-1]) or (lines[-2:-1][:1] and lines[-2].startswith(" ")))
    )


def _end_lines(output: str) -> list[str]:
    """Return the lines at the end of an output, blank ones left out."""
    return [line.rstrip() for line in output[-_END_CHARS:].splitlines() if line.strip()][-_TAIL_LINES:]


def _exit_code(output: str, lines: list[str]) -> int | None:
    """Return the exit code that a host tells in a line of its own or beside the output; None where it tells none."""
    text = output.strip()
    if text.startswith("{") and text.endswith("}") and "code" in text:
        return _code_beside(text)
    head = output[:_END_CHARS].splitlines()[:_HEAD_LINES]
    for line in [*lines[-_TAIL_CODE_LINES:], *head]:
        found = _CODE.search(line.lower()) if len(line) <= _MAX_CODE_LINE_CHARS else None
        if found:
            words = set(re.findall("[a-z]+", line.lower()))
            if words <= _CODE_WORDS and any(words >= told for told in _TELLS_EXIT):
                return int(found[1])
    return None


def _code_beside(text: str) -> int | None:
    try:
        told: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    codes = (told.get(name) for name in ("exit_code", "exitCode", "returncode", "return_code", "exit_status"))
    return next((code for code in codes if type(code) is int), None)


def _own_words(command: str, lines: list[str]) -> bool:
    """Return whether a program of the command complains in every line, as `cat: nope.txt: No such file or directory`."""
    for line in lines:
        name, _, rest = line.partition(":")
        base = name.rsplit("/", 1)[-1]
        if (
            not base
            or not rest
            or " " in base
            or not re.search(rf"(?:^|[|;&(\n/][^\S\n]*|\b(?:sudo|xargs|time|env) ){re.escape(base)}(?=\s|$)", command)
        ):
            return False
    return bool(_COMPLAINS.search(lines[0]))
