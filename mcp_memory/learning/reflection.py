"""Episode to sentences: what went well, what to improve, what to remember. Deterministic; every sentence names its evidence.

The agent's own words come first. Then what the steps show, then the comparison with the memory's earlier attempts at the same task.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from mcp_memory.domain.episode import Episode, OutcomeKind, Reflection, Reward, Step, Trace
from mcp_memory.domain.text import shorten
from mcp_memory.learning.signatures import same_error, signature
from mcp_memory.learning.step_signs import Signs, read

MAX_SENTENCES = 5  # of each kind; more are not read
SAME_TASK = 0.75  # similarity from which an earlier episode is an attempt at the same task
_OFTEN, _SELDOM = 0.66, 0.34  # of the successful attempts; of the others
_MIN_SUCCESSES = 2  # one success may have done anything
_MAX_CHARS = 200
_OVERCAME = "Overcame"
_MAX_ROUTE = 8
_LONGER = 1.5  # times the usual number of steps that are worth a sentence


@dataclass(frozen=True, slots=True)
class _Attempts:
    good: tuple[Trace, ...]  # the best first
    bad: tuple[Trace, ...]

    def __len__(self) -> int:
        return len(self.good) + len(self.bad)


def reflect(episode: Episode, reward: Reward, signs: Signs | None = None, attempts: Sequence[tuple[Trace, float]] = ()) -> Reflection:
    """Return what is to be learnt from *episode*, at most five sentences of each kind.

    Args:
        episode: A closed episode with its outcome and steps.
        reward: What `reward.reward` made of it.
        signs: `step_signs.read(episode.steps)`, when the caller has them already.
        attempts: Earlier completed episodes, with steps, and how alike their tasks are in [0, 1]; those below 0.75 are not compared.
    """
    assert episode.outcome is not None
    signs = read(episode.steps) if signs is None else signs
    same = [t for t, similarity in attempts if similarity >= SAME_TASK and t.id != episode.id]
    ranked = sorted(same, key=lambda t: (-t.reward, len(t.step_keys), t.id))
    earlier = _Attempts(tuple(t for t in ranked if t.success), tuple(t for t in ranked if not t.success))
    return Reflection(
        successes=_short([*_reported("Completed", episode.outcome.completed), *_worked(episode.steps, signs), *_shorter(signs, earlier)]),
        improvements=_short(
            [
                *_reported("Not done", episode.outcome.failed),
                *_wrong(episode, signs),
                *_compared(episode, earlier),
                *_wasted(signs),
                *_longer(signs, earlier),
            ]
        ),
        insights=_short([*episode.outcome.lessons, *_known_errors(episode.steps, signs, earlier), *_record(episode, reward, earlier)]),
    )


def taught_by(episode: Episode) -> tuple[str, ...]:
    """Return the sentences of an episode's reflection that help the next attempt: what it overcame, or what it would have to do better."""
    if episode.reflection is None or episode.outcome is None:
        return ()
    if episode.outcome.kind is OutcomeKind.SUCCESS:
        return tuple(sentence for sentence in episode.reflection.successes if sentence.startswith(_OVERCAME))
    return episode.reflection.improvements


def _short(sentences: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(shorten(" ".join(s.split()), 2 * _MAX_CHARS) for s in sentences if s.strip()))[:MAX_SENTENCES]


def _reported(word: str, items: Sequence[str]) -> list[str]:
    return [f"{word} (as reported): {shorten('; '.join(items), _MAX_CHARS)}."] if items else []


def numbers(positions: Sequence[int]) -> str:
    """Return step positions as text, runs of neighbours joined.

    >>> numbers([3]), numbers([4, 5, 6, 9])
    ('step 3', 'steps 4-6, 9')
    """
    runs: list[list[int]] = []
    for i in positions:
        if runs and runs[-1][1] == i - 1:
            runs[-1][1] = i
        else:
            runs.append([i, i])
    return ("steps " if len(positions) > 1 else "step ") + ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


# --- what the steps show ---


def _worked(steps: Sequence[Step], signs: Signs) -> list[str]:
    sentences = []
    last = signs.last_tests
    if last and last.passed and not last.failed:
        sentences.append(f"The last test run passed: {last.passed} tests ({numbers([last.step])}).")
    chains: dict[tuple[str, int], list[int]] = {}  # failures of one call up to the step at which it worked
    for i in signs.recovered:
        again = next(j for j in range(i + 1, len(steps)) if steps[j].key == steps[i].key and not steps[j].failed)
        chains.setdefault((steps[i].key, again), []).append(i)
    for (key, again), failures in list(chains.items())[:2]:
        between = [s.key for s in steps[failures[-1] + 1 : again]]
        after = f" after {_route(between)}" if between else ""
        sentences.append(f"{_OVERCAME} {_error(steps[failures[-1]])} in {key} ({numbers(failures)}){after}: it worked at step {again}.")
    if steps and not signs.failed:
        sentences.append(f"No step failed ({numbers(range(len(steps)))}).")
    return sentences


def _wrong(episode: Episode, signs: Signs) -> list[str]:
    assert episode.outcome is not None
    sentences = []
    last = signs.last_tests
    claimed = "Reported as a success, but the" if episode.outcome.kind is OutcomeKind.SUCCESS else "The"
    if last and last.failed:
        sentences.append(f"{claimed} last test run failed: {last.failed} of {last.passed + last.failed} tests (step {last.step}).")
    if signs.verdict < 0:
        sentences.append(f"{claimed} last answer was a rejection (step {signs.step_count - 1}).")
    standing: dict[tuple[str, str], list[int]] = {}
    for i in signs.standing:
        if not _is_verdict(i, signs):
            standing.setdefault((_error(episode.steps[i]), episode.steps[i].key), []).append(i)
    for (error, key), where in list(standing.items())[-2:]:
        sentences.append(f"{error} in {key} was left standing ({numbers(where)}).")
    if not episode.steps:
        sentences.append("No steps were logged, so there is nothing to learn from how it was done.")
    return sentences


def _wasted(signs: Signs) -> list[str]:
    sentences = []
    if signs.repeats:
        sentences.append(f"Asked again what had been answered already, with the same answer ({numbers(signs.repeats)}).")
    if signs.reverts:
        sentences.append(f"Took work back ({numbers(signs.reverts)}).")
    return sentences


def _is_verdict(i: int, signs: Signs) -> bool:
    """Return whether step *i* is the answer that rejected the work: it is told as such, not as an error."""
    return signs.verdict < 0 and i == signs.step_count - 1


def _error(step: Step) -> str:
    text = signature(step.error or step.observation) or str(step.status)
    return f"`{shorten(text, 100)}`"


# --- compared with earlier attempts ---


def _compared(episode: Episode, earlier: _Attempts) -> list[str]:
    """Return what the successful attempts did and this one did not; of several such habits the two that tell most."""
    assert episode.outcome is not None
    if len(earlier.good) < _MIN_SUCCESSES or episode.outcome.kind is OutcomeKind.SUCCESS or not episode.steps:
        return []
    keys = [s.key for s in episode.steps]
    end = keys[-1]
    endings = sum(bool(t.step_keys) and end in t.step_keys for t in earlier.good)
    before = endings >= _OFTEN * len(earlier.good)
    found = []
    for key in sorted({k for t in earlier.good for k in t.step_keys} - set(keys)):
        did = [_did(t, key, end if before else "") for t in earlier.good]
        others = [_did(t, key, "") for t in earlier.bad]
        share, elsewhere = sum(did) / len(did), sum(others) / len(others) if others else 0.0
        if share >= _OFTEN and elsewhere <= max(_SELDOM, share - 0.5):
            found.append((elsewhere - share, key, sum(did)))
    when = f" before {end}" if before else ""
    return [
        f"The successful attempts ran {key}{when} ({n} of {len(earlier.good)}); this one did not ({numbers(range(len(keys)))})."
        for _, key, n in sorted(found)[:2]
    ]


def _did(trace: Trace, key: str, before: str) -> bool:
    if before not in trace.step_keys:
        return key in trace.step_keys
    last = len(trace.step_keys) - 1 - trace.step_keys[::-1].index(before)
    return key in trace.step_keys[:last]


def _usual_steps(earlier: _Attempts) -> float:
    return median(len(t.step_keys) for t in earlier.good) if len(earlier.good) >= _MIN_SUCCESSES else 0.0


def _shorter(signs: Signs, earlier: _Attempts) -> list[str]:
    usual = _usual_steps(earlier)
    if not 0 < signs.step_count * _LONGER <= usual:
        return []
    return [_took(signs, earlier, usual)]


def _longer(signs: Signs, earlier: _Attempts) -> list[str]:
    usual = _usual_steps(earlier)
    if not usual or signs.step_count < usual * _LONGER:
        return []
    return [_took(signs, earlier, usual)]


def _took(signs: Signs, earlier: _Attempts, usual: float) -> str:
    span = numbers(range(signs.step_count))
    return f"Took {signs.step_count} steps ({span}); the {len(earlier.good)} earlier successes took {usual:g} (median)."


def _known_errors(steps: Sequence[Step], signs: Signs, earlier: _Attempts) -> list[str]:
    """Return the errors of this episode that earlier attempts at the task met too."""
    sentences, told = [], set()
    for i in signs.failed:
        sig = signature(steps[i].error or steps[i].observation)
        if not sig or sig in told or _is_verdict(i, signs):
            continue
        told.add(sig)
        met = [t for t in (*earlier.good, *earlier.bad) if any(same_error(sig, other) for _, other in t.errors)]
        if met:
            won = sum(t.success for t in met)
            sentences.append(
                f"`{shorten(sig, 100)}` (step {i}) was met by {_count(len(met), 'earlier attempt')} too; {won} of them succeeded."
            )
    return sentences[:2]


def _record(episode: Episode, reward: Reward, earlier: _Attempts) -> list[str]:
    if not len(earlier):
        return []
    sentences = [f"{len(earlier.good)} of {_count(len(earlier), 'earlier attempt')} at this task succeeded."]
    if earlier.good:
        best = earlier.good[0]
        if best.reward > reward.score:
            sentences.insert(0, f"The best earlier attempt ({best.id}, reward {best.reward:.2f}) went {_route(best.step_keys)}.")
        else:
            sentences.append(
                f"This is the best attempt so far: {_route([s.key for s in episode.steps])} ({numbers(range(len(episode.steps)))})."
            )
    return sentences


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _route(keys: Sequence[str]) -> str:
    """Return tool keys as a route, repetitions counted: `search ×2 → edit → pytest`."""
    parts: list[list[str | int]] = []
    for key in keys:
        if parts and parts[-1][0] == key:
            parts[-1][1] = int(parts[-1][1]) + 1
        else:
            parts.append([key, 1])
    names = [str(k) if n == 1 else f"{k} ×{n}" for k, n in parts]
    if len(names) > _MAX_ROUTE:
        names = [*names[: _MAX_ROUTE // 2], "…", *names[-_MAX_ROUTE // 2 :]]
    return " → ".join(names)
