"""What the steps themselves show, read without a model: test results, exit codes, reverts, calls made twice, errors left standing."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from mcp_memory.domain.episode import Step
from mcp_memory.domain.step_roles import changes_state

_TAIL_CHARS = 2_000  # test runners and shells put their summary last
_COMPARED_CHARS = 200  # of two answers, their ends
_MIN_ENDING_STEPS = 3  # what counts as the end of an episode: its last quarter, at least three steps
_ENDING_SHARE = 0.25

_PYTEST = re.compile(r"^(?:=+ )?((?:\d+ [a-z]+, )*\d+ [a-z]+) in [\d.]+ ?s", re.M)
_UNITTEST = re.compile(r"^Ran (\d+) tests? in [\d.]+s\s+(OK|FAILED)(?: \(([^)\n]*)\))?", re.M)
_JEST = re.compile(r"^[ ]*Tests:?[ ]+((?:\d+ \w+(?:, | \| )?)+)", re.M)
_CARGO = re.compile(r"^test result: (?:ok|FAILED)\. (\d+ passed; \d+ failed)", re.M)
_GO = re.compile(r"^(?:(ok)\s+\S+\s+(?:[\d.]+s|\(cached\))|(FAIL)\s+\S+\s+[\d.]+s|(--- FAIL): \w+)", re.M)
_MOCHA = re.compile(r"^[ ]+(\d+ passing)\b[^\n]*(?:\n[ ]+\d+ pending[^\n]*)?(?:\n[ ]+(\d+ failing))?", re.M)
_RUNNERS = ((" in ", _PYTEST), ("Tests", _JEST), ("test result:", _CARGO), (" passing", _MOCHA))  # a substring test costs a tenth
_TELLING = ("passed", "failed", " error", "FAIL", "Ran ", "ok  ", "ok\t", " passing")
_COUNT = re.compile(r"(\d+) (\w+)")
_UNITTEST_COUNT = re.compile(r"(?:failures|errors)=(\d+)")
_GOOD, _BAD = {"passed", "passing"}, {"failed", "error", "errors", "failing"}

_EXIT = re.compile(r"\b(?:exit(?:ed)?(?: with)?(?: code| status)?|return ?code)\s*[:=]?\s*(\d{1,3})\b", re.I)
_REVERT = re.compile(
    r"\bgit (?:checkout (?:--|HEAD|\.)|reset\b|restore\b|revert\b|stash\b(?! (?:pop|apply|list|show)))|\b(?:undo|undo_edit|rollback)\b",
    re.I,
)
_REJECTED = re.compile(r"\b(?:incorrect|wrong answer|not correct|rejected|did not pass|task failed)\b", re.I)
_ACCEPTED = re.compile(r"\b(?:correct|accepted|all (?:tests|checks) pass(?:ed)?|task (?:completed|succeeded))\b", re.I)
_END_CHARS = 300  # of an answer, in which a verdict is looked for
_JSON = msgspec.json.Encoder(order="sorted", enc_hook=str)
# What differs from run to run though the answer is the same: addresses, clock times, durations, long ids.
_VOLATILE = re.compile(r"0x[0-9a-fA-F]+|\b\d+(?::\d+)+(?:\.\d+)?|\b\d+(?:\.\d+)? ?(?:m?s|seconds?|minutes?)\b|\d{6,}")


@dataclass(frozen=True, slots=True)
class TestRun:
    """A test runner's summary seen in a step."""

    __test__ = False  # the name is not for pytest to collect

    step: int  # position in the episode
    passed: int
    failed: int


@dataclass(frozen=True, slots=True)
class Signs:
    """Everything `read` found; the numbers are step positions, in order."""

    step_count: int
    failed: tuple[int, ...]
    recovered: tuple[int, ...]  # failed steps whose very call (same tool and action) succeeded later
    standing: tuple[int, ...]  # failed steps near the end whose tool and action never succeeded again
    repeats: tuple[int, ...]  # the same call with the same answer as an earlier one
    reverts: tuple[int, ...]
    tests: tuple[TestRun, ...]
    verdict: int  # what the last step came back with: 1 accepted, -1 rejected, 0 nothing said

    @property
    def last_tests(self) -> TestRun | None:
        """Return the last test run, None when there was none."""
        return self.tests[-1] if self.tests else None

    def is_verdict(self, position: int) -> bool:
        """Return whether the step is the answer that rejected the work: that is no error on the way."""
        return self.verdict < 0 and position == self.step_count - 1


def read(steps: Sequence[Step]) -> Signs:
    """Return the signs of *steps*. One pass, some ten microseconds a step; of a long observation the last 2,000 characters count."""
    positions = range(len(steps))
    failed = tuple(i for i in positions if steps[i].failed)
    last_good = {steps[i].key: i for i in positions if not steps[i].failed}
    ending = len(steps) - max(_MIN_ENDING_STEPS, int(len(steps) * _ENDING_SHARE))
    recovered = tuple(i for i in failed if last_good.get(steps[i].key, -1) > i)
    kept = set(recovered)
    return Signs(
        step_count=len(steps),
        failed=failed,
        recovered=recovered,
        standing=tuple(i for i in failed if i not in kept and i >= ending),
        repeats=repeats(steps),
        reverts=tuple(i for i in positions if is_revert(steps[i])),
        tests=tuple(TestRun(i, *found) for i in positions if (found := test_counts(steps[i].error or "", steps[i].observation))),
        verdict=_verdict(steps[-1]) if steps else 0,
    )


def test_counts(*texts: str) -> tuple[int, int] | None:
    """Return (passed, failed) of the last summary of pytest, unittest, jest, vitest, mocha, cargo or go test; None without one.

    >>> test_counts("=== 2 failed, 5 passed, 1 skipped in 0.31s ===")
    (5, 2)
    >>> test_counts("Ran 4 tests in 0.002s\\n\\nFAILED (failures=1, errors=1)")
    (2, 2)
    """
    for text in filter(None, reversed(texts)):
        tail = text[-_TAIL_CHARS:]
        if not any(word in tail for word in _TELLING):
            continue
        for marker, pattern in _RUNNERS:
            if marker in tail and (found := list(pattern.finditer(tail))):
                words = _COUNT.findall(" ".join(g for g in found[-1].groups() if g))
                if any(w in _GOOD or w in _BAD for _, w in words):
                    return sum(int(n) for n, w in words if w in _GOOD), sum(int(n) for n, w in words if w in _BAD)
        if "\nRan " in "\n" + tail and (ran := list(_UNITTEST.finditer(tail))):
            total, verdict, detail = ran[-1].groups()
            failures = sum(int(n) for n in _UNITTEST_COUNT.findall(detail or "")) or (verdict == "FAILED")
            return max(0, int(total) - failures), int(failures)
        if ("ok " in tail or "ok\t" in tail or "FAIL" in tail) and (go := list(_GO.finditer(tail))):
            good = sum(1 for m in go if m.group(1))
            bad = max(sum(1 for m in go if m.group(2)), sum(1 for m in go if m.group(3)))
            return good, bad
    return None


test_counts.__test__ = False  # type: ignore[attr-defined]  # the name is not for pytest to collect


def exit_code(step: Step) -> int | None:
    """Return the exit code a step's error or the end of its observation names, None when neither does."""
    for text in (step.error or "", step.observation[-300:]):
        if found := _EXIT.findall(text):
            return int(found[-1])
    return None


def is_revert(step: Step) -> bool:
    """Return whether the step takes earlier work back: `git checkout --`, `git reset`, `git restore`, undo."""
    texts = [step.key, *(v[:_TAIL_CHARS] for v in step.arguments.values() if isinstance(v, str))]
    return any(("git " in t or "undo" in t or "rollback" in t) and _REVERT.search(t) for t in texts)


def repeats(steps: Sequence[Step]) -> tuple[int, ...]:
    """Return the positions of steps that say what an earlier one said already: same tool, arguments and, times and ids apart, same answer.

    The answer counts because running the tests again after a change is no waste, and its numbers do: one failure less is news. A step
    that shows neither arguments nor an answer is no evidence and never counts. Where something was changed or another place was opened in
    between, asking again is no waste.
    """
    answers = [step.error or step.observation for step in steps]
    rough = [(step.key, len(step.arguments), len(answer) // 32) for step, answer in zip(steps, answers, strict=True)]
    times = Counter(rough)
    seen: dict[tuple[str, str, int], str | set[str]] = {}  # the first answer, as it came; from the second on what lasts of each
    found = []
    for i, step in enumerate(steps):
        # Comparing costs; most steps have no other of their tool, number of arguments and length of answer.
        if times[rough[i]] == 1 or not (step.arguments or answers[i]):
            if changes_state(step.key) and not step.failed:
                seen.clear()
            continue
        call, end = (step.key, call_text(step), len(answers[i]) // 32), answers[i][-_COMPARED_CHARS:]
        known = seen.get(call)
        if changes_state(step.key) and not step.failed:
            seen = {} if known is None else {call: known}
        if known is None:
            seen[call] = end
            continue
        if isinstance(known, str):
            known = seen[call] = {_lasting(known)}
        if (lasting := _lasting(end)) in known:
            found.append(i)
        known.add(lasting)
    return tuple(found)


def _lasting(answer: str) -> str:
    return _VOLATILE.sub("#", answer)


def call_text(step: Step) -> str:
    """Return the step's arguments as text that is equal for equal arguments."""
    return _JSON.encode(step.arguments).decode()


def rejection_in(step: Step) -> str:
    """Return the line of a step's answer that rejects the work, "" when none does.

    >>> rejection_in(Step("submit", observation="Scored.\\nThe answer was incorrect: 41, not 42"))
    'The answer was incorrect: 41, not 42'
    """
    return next((line.strip() for line in _end_of(step).splitlines() if _REJECTED.search(line)), "")


def _without_patch(answer: str) -> str:
    """Return an answer without the lines of a patch in it: what they say is the work, not a verdict on it."""
    if "\n@@ " not in answer and "diff --git " not in answer:
        return answer
    return "\n".join(line for line in answer.splitlines() if line[:1] not in ("+", "-", " ", "@"))


def _end_of(step: Step) -> str:
    return (step.error or "") + "\n" + _without_patch(step.observation)[-_END_CHARS:]


def _verdict(last: Step) -> int:
    text = _end_of(last)
    if _REJECTED.search(text):
        return -1
    return 1 if not last.failed and _ACCEPTED.search(text) else 0
