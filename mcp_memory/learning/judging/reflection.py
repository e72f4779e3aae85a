"""Episode to sentences: what went well, what to improve, what to remember. Deterministic; every sentence names its evidence.

The agent's own words come first. Then what the steps show, then the comparison with the memory's earlier attempts at the same task.
"""

from collections.abc import Iterable, Sequence

from mcp_memory.domain.episode import Episode, OutcomeKind, Reflection, Reward, Step, Trace
from mcp_memory.domain.text import shorten
from mcp_memory.learning.judging.comparison import Attempts, compared, elsewhere, known_errors, longer, record, shorter
from mcp_memory.learning.reading.attempts import SAME_TASK
from mcp_memory.learning.reading.phrases import numbers, route
from mcp_memory.learning.reading.signatures import signature
from mcp_memory.learning.reading.step_signs import Signs, read

MAX_SENTENCES = 5  # of each kind; more are not read
_MAX_CHARS = 200
_OVERCAME = "Overcame"


def reflect(episode: Episode, reward: Reward, signs: Signs | None = None, attempts: Sequence[tuple[Trace, float]] = ()) -> Reflection:
    """Return what is to be learnt from *episode*, at most five sentences of each kind.

    Args:
        episode: A closed episode with its outcome and steps.
        reward: What `reward.reward` made of it.
        signs: `step_signs.read(episode.steps)`, when the caller has them already.
        attempts: Earlier completed episodes, with steps, and how alike their tasks are in [0, 1]; those below `SAME_TASK` are not compared.
    """
    assert episode.outcome is not None
    signs = read(episode.steps) if signs is None else signs
    same = [t for t, similarity in attempts if similarity >= SAME_TASK and t.id != episode.id]
    ranked = sorted(same, key=lambda t: (-t.reward, len(t.step_keys), t.id))
    earlier = Attempts(tuple(t for t in ranked if t.success), tuple(t for t in ranked if not t.success))
    return Reflection(
        successes=_short([*_reported("Completed", episode.outcome.completed), *_worked(episode.steps, signs), *shorter(signs, earlier)]),
        improvements=_short(
            [
                *_reported("Not done", episode.outcome.failed),
                *_wrong(episode, signs),
                *elsewhere(episode, earlier),
                *compared(episode, earlier),
                *_wasted(signs),
                *longer(signs, earlier),
            ]
        ),
        insights=_short([*episode.outcome.lessons, *known_errors(episode.steps, signs, earlier), *record(episode, reward, earlier)]),
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
        after = f" after {route(between)}" if between else ""
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
        if not signs.is_verdict(i):
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


def _error(step: Step) -> str:
    text = signature(step.error or step.observation) or str(step.status)
    return f"`{shorten(text, 100)}`"
