"""What a transcript says about how it ended, when nobody said it. Every verdict names its evidence; without any there is none.

The hooks run this with every step, so patterns are compiled only when a word of theirs is in the text.
"""

import re

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
    r"(?im)\b[1-9]\d* (failed|failing|failures?|errors?)\b|\b(failures|errors)\s*[=:]\s*[1-9]|^test result: FAILED|^\s*--- FAIL"
    r"|^FAIL(ED)?\b|^error: (could not compile|test failed)|^BUILD FAILED"
)
_NOTHING_RAN = r"(?i)\bno tests ran\b|\bran 0 tests\b|\bcollected 0 items\b|\bno test(s| files)? (found|to run)\b|NO TESTS RAN"


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


def infer_outcome(steps: "Sequence[Mapping[str, Any]]", summary: str) -> "tuple[dict[str, Any] | None, str]":
    """Return the outcome that the last check of the work shows and the reason, or (None, "") when no step checked it.

    The last test or build run decides: passed, success; failed, failure. A check that is followed by further edits is no proof,
    but it is the best one there is; the reason says which step it was.
    """
    for index in range(len(steps) - 1, -1, -1):
        step = steps[index]
        if check := check_of(step):
            passed = step["status"] == "ok"
            reason = f"the last check of the work, step #{index} ({check}), {'passed' if passed else 'failed'}"
            return {"kind": "success" if passed else "failure", "summary": summary, "error": None if passed else step["error"]}, reason
    return None, ""


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
    command = arguments.get("command") or arguments.get("cmd") or arguments.get("input") or ""
    if isinstance(command, list):
        command = " ".join(map(str, command))
    return command if isinstance(command, str) else ""
