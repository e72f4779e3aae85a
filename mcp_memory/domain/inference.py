"""What a record says about how it ended, when nobody said it. Every verdict names its evidence; without any it is partial and says so.

The hooks run this with every step, so patterns are compiled only when a word of theirs is in the text.
"""

import re

from mcp_memory.domain.clipping import clip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# A command that checks the work, by the names of the common runners of each language.
_CHECKS = (
    r"\b(pytest|py\.test|tox|nox|unittest|npm (run )?test|yarn test|pnpm test|jest|vitest|mocha|go test|cargo (test|check|build)"
    r"|mvn (test|verify)|gradlew? (test|check|build)|dotnet test|make (test|check)|ctest|rspec|rake test|phpunit|mix test|swift test)\b"
)
# Output that says a call failed, for formats without a flag: only at the start, where tools put it.
COMMAND_ARGUMENTS = ("command", "cmd", "input", "commands")  # where the shell tools of the hosts have the command line
_CHECK_WORDS = ("test", "tox", "nox", "jest", "mocha", "cargo", "mvn", "gradle", "make", "rspec")
_FAILED_START = (
    r"(?i)\s*(error\b|traceback \(most recent call last\)|exception\b|command failed|fatal:|bash: .*(not found|no such file)|\[?error[\]:]"
    r'|\{"?(error|isError)"?\s*:\s*("[^"]|true|\{))'
)
_EXIT_CODE = r"(?i)\b(?:exit(?:ed with)?(?: code| status)?|returncode|return code)\s*[:=]?\s*(\d{1,3})\b"
_FAILED_WORDS = ("error", "traceback", "exception", "failed", "fatal", "not found", "no such", "exit", "return")
_TAIL_CHARS = 400  # where an exit code stands
_CHECK_TAIL_CHARS = 3_000  # where a runner says how many failed
_CHECK_FAILED = (
    r"(?im)\b[1-9]\d* (failed|failing|failures?|errors?)\b|\b(failures|errors)\s*[=:]\s*[1-9]|^test result: FAILED"
    r"|^\s*--- FAIL|^FAIL(ED)?\b|^error: (could not compile|test failed)|^BUILD FAILED"
)
_NOTHING_RAN = r"(?i)\bno tests ran\b|\bran 0 tests\b|\bcollected 0 items\b|\bno test(s| files)? (found|to run)\b|NO TESTS RAN"
_COMMIT = r"\bgit(?:\s+-[Cc]\s+\S+|\s+--?[\w-]+(?:=\S+)?)*\s+commit\b(?![^|;&\n]*--dry-run)"
_QUOTED_CHARS = 120
_ERROR_CHARS = 2_000
INFERRED = "Outcome inferred: "  # begins the last line of a summary, before what the outcome was inferred from
UNTOLD = "nothing in the record tells how it ended"


def without_inference(summary: str) -> str:
    """Return a summary without the line that says what the outcome was inferred from.

    >>> without_inference("Rounds now.\\nOutcome inferred: the last check passed."), without_inference("Rounds now.")
    ('Rounds now.', 'Rounds now.')
    """
    said, _, last = summary.rpartition("\n")
    return said if last.startswith(INFERRED) else summary


def looks_failed(observation: str) -> bool:
    """Return whether a tool's output says by itself that the call failed."""
    head, tail = observation[:_TAIL_CHARS], observation[-_TAIL_CHARS:]
    ends = (head + tail).lower()
    if not any(word in ends for word in _FAILED_WORDS):
        return False
    if re.match(_FAILED_START, head):
        return True
    codes = re.findall(_EXIT_CODE, tail) or re.findall(_EXIT_CODE, head)
    return bool(codes) and codes[-1] != "0"


def infer_outcome(
    steps: "Sequence[Mapping[str, Any]]", summary: str, *, next_words: str = "", interrupted: bool = False, cut_off: bool = False
) -> "tuple[dict[str, Any], str]":
    """Return the outcome that the evidence shows, and the evidence; without any it is partial, and the reason says so.

    In this order: the user's words, an interruption, the last test or build run, a commit. A check that is followed by further edits is
    no proof, but it is the best one there is; the reason says which step it was.

    Args:
        steps: With `arguments`, `status`, `error` and `observation`.
        summary: What the agent said last.
        next_words: What the user wrote after all of it.
        interrupted: Whether the user stopped the work, and nothing followed.
        cut_off: Whether the record ends in the middle of a call.
    """
    from mcp_memory.domain.user_words import verdict_of  # the hooks load this module with every step, and ask this only at the end

    index, check, passed = _last_check(steps)
    checked = f"the last check of the work, step #{index} ({check}), {'passed' if passed else 'failed'}" if check else ""
    said = verdict_of(next_words)
    quoted = f"the user's next words: {clip(' '.join(next_words.split()), _QUOTED_CHARS)!r}"
    if said is False:
        return _outcome("failure", summary, clip(next_words.strip(), _ERROR_CHARS)), quoted
    if said and (passed or not check):
        return _outcome("success", summary), quoted
    if said:
        return _outcome("partial", summary), f"{quoted}, though {checked}"
    if interrupted:
        return _outcome("partial", summary), "the user interrupted the work" + (f"; {checked}" if checked else "")
    if cut_off:
        return _outcome("partial", summary), "the record ends in the middle of a call" + (f"; {checked}" if checked else "")
    commit = _last_commit(steps)
    if check and (passed or commit < index):
        return _outcome("success" if passed else "failure", summary, None if passed else steps[index]["error"] or checked), checked
    if check:
        return _outcome("partial", summary), f"{checked}, and step #{commit} committed the work"
    if commit >= 0:
        return _outcome("success", summary), f"step #{commit} committed the work, and no step checked it"
    return _outcome("partial", summary), UNTOLD


def _outcome(kind: str, summary: str, error: "str | None" = None) -> "dict[str, Any]":
    return {"kind": kind, "summary": summary, "error": error}


def _last_check(steps: "Sequence[Mapping[str, Any]]") -> tuple[int, str, bool]:
    """Return (index, name, whether it passed) of the last check that checked something; (-1, "", False): there was none."""
    for index in range(len(steps) - 1, -1, -1):
        if (check := check_of(steps[index])) and (passed := check_passed(steps[index])) is not None:
            return index, check, passed
    return -1, "", False


def _last_commit(steps: "Sequence[Mapping[str, Any]]") -> int:
    for index in range(len(steps) - 1, -1, -1):
        command = _command(steps[index])
        if steps[index]["status"] == "ok" and "commit" in command and re.search(_COMMIT, command):
            return index
    return -1


def check_passed(step: "Mapping[str, Any]") -> "bool | None":
    """Return whether a test or build run passed; None: it ran nothing.

    The exit status is not enough: behind a pipe (`pytest | tail`) it is another program's, so the runner's own words count as well.
    """
    tail = (step.get("observation") or "")[-_CHECK_TAIL_CHARS:]
    if re.search(_NOTHING_RAN, tail):
        return None
    return step["status"] == "ok" and not re.search(_CHECK_FAILED, tail)


def check_of(step: "Mapping[str, Any]") -> str:
    """Return the name of the test or build run in a step's command line, or ""."""
    command = _command(step)
    found = any(word in command for word in _CHECK_WORDS) and re.search(_CHECKS, command)
    return found.group(0) if found else ""


def _command(step: "Mapping[str, Any]") -> str:
    """Return the command line of a step of a shell tool; other tools check nothing."""
    arguments = step["arguments"]
    command = next((given for name in COMMAND_ARGUMENTS if (given := arguments.get(name))), "")
    if isinstance(command, list):
        command = " ".join(map(str, command))
    return command if isinstance(command, str) else ""
