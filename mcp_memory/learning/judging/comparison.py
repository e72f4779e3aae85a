"""An episode beside earlier attempts at the same task, in sentences that name their evidence. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from mcp_memory.domain.episode import Episode, OutcomeKind, Reward, Step, Trace, Use
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.file_uses import same_file
from mcp_memory.learning.reading.phrases import counted, numbers, route
from mcp_memory.learning.reading.signatures import same_error, signature
from mcp_memory.learning.reading.step_signs import Signs

CHANGED = "changed"  # in a trace's digest: the files its episode changed
MAX_CHANGED = 3
_OFTEN, _SELDOM = 0.66, 0.34  # of the successful attempts; of the others
_MIN_SUCCESSES = 2  # one success may have done anything
_LONGER = 1.5  # times the usual number of steps that are worth a sentence


@dataclass(frozen=True, slots=True)
class Attempts:
    """Earlier attempts at a task."""

    good: tuple[Trace, ...]  # the best first
    bad: tuple[Trace, ...]

    def __len__(self) -> int:
        return len(self.good) + len(self.bad)


def compared(episode: Episode, earlier: Attempts) -> list[str]:
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


def elsewhere(episode: Episode, earlier: Attempts) -> list[str]:
    """Return which files the successful attempts changed and this one did not; at most two."""
    assert episode.outcome is not None
    if episode.outcome.kind is OutcomeKind.SUCCESS or not episode.steps:
        return []
    known = [paths for t in earlier.good if (paths := t.digest.get(CHANGED))]
    mine = [file.path for file in episode.files or () if file.use is not Use.READ]
    times = Counter(path for paths in known for path in paths if not any(same_file(path, own) for own in mine))
    span = numbers(range(len(episode.steps)))
    return [
        f"The successful attempts changed {shorten(path, 100)} ({n} of {len(known)}); this one did not ({span})."
        for path, n in times.most_common(2)
        if n >= _OFTEN * len(known)
    ]


def changed_files(episode: Episode) -> list[str]:
    """Return the files that were there before and were changed, most worked on first, at most three."""
    return [file.path for file in episode.files or () if file.use is Use.CHANGED][:MAX_CHANGED]


def _did(trace: Trace, key: str, before: str) -> bool:
    if before not in trace.step_keys:
        return key in trace.step_keys
    last = len(trace.step_keys) - 1 - trace.step_keys[::-1].index(before)
    return key in trace.step_keys[:last]


def _usual_steps(earlier: Attempts) -> float:
    return median(len(t.step_keys) for t in earlier.good) if len(earlier.good) >= _MIN_SUCCESSES else 0.0


def shorter(signs: Signs, earlier: Attempts) -> list[str]:
    """Return that this attempt was much shorter than the successful ones, where it was."""
    usual = _usual_steps(earlier)
    if not 0 < signs.step_count * _LONGER <= usual:
        return []
    return [_took(signs, earlier, usual)]


def longer(signs: Signs, earlier: Attempts) -> list[str]:
    """Return that it was much longer, where it was."""
    usual = _usual_steps(earlier)
    if not usual or signs.step_count < usual * _LONGER:
        return []
    return [_took(signs, earlier, usual)]


def _took(signs: Signs, earlier: Attempts, usual: float) -> str:
    span = numbers(range(signs.step_count))
    return f"Took {signs.step_count} steps ({span}); the {len(earlier.good)} earlier successes took {usual:g} (median)."


def known_errors(steps: Sequence[Step], signs: Signs, earlier: Attempts) -> list[str]:
    """Return the errors of this episode that earlier attempts at the task met too."""
    sentences, told = [], set()
    for i in signs.failed:
        sig = signature(steps[i].error or steps[i].observation)
        if not sig or sig in told or signs.is_verdict(i):
            continue
        told.add(sig)
        met = [t for t in (*earlier.good, *earlier.bad) if any(same_error(sig, other) for _, other in t.errors)]
        if met:
            won = sum(t.success for t in met)
            sentences.append(
                f"`{shorten(sig, 100)}` (step {i}) was met by {counted(len(met), 'earlier attempt')} too; {won} of them succeeded."
            )
    return sentences[:2]


def record(episode: Episode, reward: Reward, earlier: Attempts) -> list[str]:
    """Return how earlier attempts ended, and the route of the best, this one or another."""
    if not len(earlier):
        return []
    sentences = [f"{len(earlier.good)} of {counted(len(earlier), 'earlier attempt')} at this task succeeded."]
    if earlier.good:
        best = earlier.good[0]
        if best.reward > reward.score:
            sentences.insert(0, f"The best earlier attempt ({best.id}, reward {best.reward:.2f}) went {route(best.step_keys)}.")
        else:
            sentences.append(
                f"This is the best attempt so far: {route([s.key for s in episode.steps])} ({numbers(range(len(episode.steps)))})."
            )
    return sentences
