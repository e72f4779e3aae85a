"""An episode beside earlier attempts at the same task, as facts that name their evidence. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from mcp_memory.domain import facts
from mcp_memory.domain.episode import Episode, Reward, Step, Trace, Use
from mcp_memory.learning.reading.file_uses import same_file
from mcp_memory.learning.reading.run import error_text, message_of
from mcp_memory.learning.reading.signatures import same_error, signature
from mcp_memory.learning.reading.step_signs import Signs

CHANGED = "changed"  # in a trace's digest: the files its episode changed
MAX_CHANGED = 3
OFTEN, SELDOM = 0.66, 0.34  # of the successful attempts; of the others
_MIN_SUCCESSES = 2  # one success may have done anything
_LONGER = 1.5  # times the usual number of steps that are worth a sentence


@dataclass(frozen=True, slots=True)
class Attempts:
    """Earlier attempts at a task."""

    good: tuple[Trace, ...]  # the best first
    bad: tuple[Trace, ...]

    def __len__(self) -> int:
        return len(self.good) + len(self.bad)


def compared(episode: Episode, earlier: Attempts) -> list[facts.Fact]:
    """Return what the successful attempts did and this one did not; of several such habits the two that tell most."""
    if len(earlier.good) < _MIN_SUCCESSES or episode.success or not episode.steps:
        return []
    keys = [s.key for s in episode.steps]
    end = keys[-1]
    endings = sum(bool(t.step_keys) and end in t.step_keys for t in earlier.good)
    before = endings >= OFTEN * len(earlier.good)
    found = []
    for key in sorted({k for t in earlier.good for k in t.step_keys} - set(keys)):
        did = [_did(t, key, end if before else "") for t in earlier.good]
        others = [_did(t, key, "") for t in earlier.bad]
        share, elsewhere = sum(did) / len(did), sum(others) / len(others) if others else 0.0
        if share >= OFTEN and elsewhere <= max(SELDOM, share - 0.5):
            found.append((elsewhere - share, key, sum(did)))
    return [facts.Skipped(key, end if before else "", n, len(earlier.good), len(keys)) for _, key, n in sorted(found)[:2]]


def elsewhere(episode: Episode, earlier: Attempts) -> list[facts.Fact]:
    """Return which files the successful attempts changed and this one did not; at most two."""
    if episode.success or not episode.steps:
        return []
    known = [paths for t in earlier.good if (paths := t.digest.get(CHANGED))]
    mine = [file.path for file in episode.files or () if file.use is not Use.READ]
    times = Counter(path for paths in known for path in paths if not any(same_file(path, own) for own in mine))
    return [facts.OtherFile(path, n, len(known), len(episode.steps)) for path, n in times.most_common(2) if n >= OFTEN * len(known)]


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


def shorter(signs: Signs, earlier: Attempts) -> list[facts.Fact]:
    """Return that this attempt was much shorter than the successful ones, where it was."""
    usual = _usual_steps(earlier)
    if not 0 < signs.step_count * _LONGER <= usual:
        return []
    return [facts.Length(signs.step_count, len(earlier.good), usual)]


def longer(signs: Signs, earlier: Attempts) -> list[facts.Fact]:
    """Return that it was much longer, where it was."""
    usual = _usual_steps(earlier)
    if not usual or signs.step_count < usual * _LONGER:
        return []
    return [facts.Length(signs.step_count, len(earlier.good), usual)]


def known_errors(steps: Sequence[Step], signs: Signs, earlier: Attempts) -> list[facts.Fact]:
    """Return the errors of this episode that earlier attempts at the task met too."""
    found: list[facts.Fact] = []
    told: set[str] = set()
    for i in signs.failed:
        sig = signature(error_text(steps[i]))
        if not sig or sig in told or signs.is_verdict(i):
            continue
        told.add(sig)
        met = [t for t in (*earlier.good, *earlier.bad) if any(same_error(sig, other) for _, other in t.errors)]
        if met:
            found.append(facts.KnownError(message_of(steps[i]), i, len(met), sum(t.success for t in met)))
    return found[:2]


def failed_so(episode: Episode, earlier: Trace) -> bool:
    """Return whether an earlier attempt failed as this one did: with an error that is left standing here, or the same rejection."""
    said = episode.reflection.improvements if episode.reflection else ()
    left = [fact.error for fact in said if isinstance(fact, facts.Standing)] + [f.answer for f in said if isinstance(f, facts.Rejected)]
    mine = [sig for error in left if (sig := signature(error))]
    return not earlier.success and any(same_error(sig, other) for sig in mine for _, other in earlier.errors)


def record(reward: Reward, earlier: Attempts) -> list[facts.Fact]:
    """Return how earlier attempts ended, and which of them did better than this one."""
    if not len(earlier):
        return []
    found: list[facts.Fact] = [facts.Record(len(earlier.good), len(earlier))]
    if earlier.good and earlier.good[0].reward > reward.score:
        found.insert(0, facts.BestAttempt(earlier.good[0].id, earlier.good[0].reward))
    return found
