"""Ordered steps for a task from the attempts that worked, with what went wrong on the way. Pure.

The steps are a consensus, not the best run: the successful attempts are aligned to the one most like the others (a star alignment by
longest common subsequences), and what most of them did at a place is kept.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from mcp_memory.domain.answers import Playbook, PlaybookStep
from mcp_memory.domain.episode import Json, Trace
from mcp_memory.domain.nearness import SAME_TASK, THE_TASK
from mcp_memory.domain.pattern import Pattern
from mcp_memory.domain.step_keys import joined, tool_and_action
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.domain.text import shorten
from mcp_memory.learning.advice.endorsing import Endorser
from mcp_memory.learning.advice.pitfalls import MAX_SENTENCES, Nearest
from mcp_memory.learning.advice.pitfalls import pitfalls as pitfalls_of
from mcp_memory.learning.patterns.confidence import wilson
from mcp_memory.learning.reading.attempts import Attempt, attempt, common
from mcp_memory.learning.telling.examples import PLACEHOLDER
from mcp_memory.learning.telling.same_case import are_the_task, is_same_case, names_a_case
from mcp_memory.phrases import playbooks as phrases
from mcp_memory.phrases.words import share
from mcp_memory.views.vouching import Support

MAX_PATTERNS = 40  # of those relevant to the task, that the caller hands in
MAX_RUNS = 12  # successful ones that are aligned, and failed ones they are compared with
MIN_TAKEN = 2  # successful attempts that took a step, where there are so many
MIN_SUPPORT = 0.5  # weighted share of the successful attempts that took a step
MIN_FOLLOWED = 0.7  # share of the steps a run must have taken, in order, to have followed them
MIN_CONTRADICTING = 5  # attempts
CONTRADICTED = 0.4  # upper bound of the success rate of those that followed the steps, from which the evidence speaks against them
MAX_EVIDENCE, MAX_TITLE_CHARS = 8, 80
MIN_FAILURES, MIN_DIFFERENCE = 3, 0.1  # attempts, and share of them by which a look must differ to be a step
_Examples = Callable[[Sequence[PlaybookStep]], Sequence[PlaybookStep]]


def playbook(
    task: str,
    runs: Sequence[tuple[Trace, float]],
    patterns: Sequence[Pattern],
    max_steps: int,
    endorser: Endorser | None = None,
    with_examples: _Examples = tuple,
    message_at: Callable[[str, int], str] = lambda _id, _index: "",
) -> tuple[Playbook | None, str]:
    """Return the playbook for *task*, or None and the reason why the evidence does not make one.

    Args:
        task: The task's text; it becomes the title.
        runs: Completed episodes with their steps and how alike their tasks are in [0, 1], the most alike first.
        patterns: Relevant patterns with their confidence; recoveries and decisions become pitfalls.
        max_steps: Steps wanted at most; of more, the best supported stay.
        endorser: Says who stands behind what. Among several agents each has one voice, and steps that one alone took are left out.
        with_examples: Gives steps the arguments to show.
        message_at: The real error of a step of an episode; "" where it is not to be shown.
    """
    known = _in_voices([attempt(t, s) for t, s in runs if t.step_keys], endorser)
    won_all, lost_all = ([r for r in known if r.trace.success is won] for won in (True, False))
    if reason := _thin(task, won_all, lost_all):
        return None, reason
    good, bad = won_all[:MAX_RUNS], lost_all[:MAX_RUNS]
    nearest = (len(good) < len(won_all), len(bad) < len(lost_all))
    route = _without_passing(_consensus(good))
    if len(route) < 2 and any(len(r.route) > 1 for r in good):
        return None, f"the {len(good)} successful attempts have no steps in common, so there is no one way to recommend"
    chosen = _strongest(_discriminating(route, bad), bad, max_steps)
    supports = {key: endorser.of_episodes(r.trace.id for r in good if key in r.route) for key in chosen} if endorser else {}
    if endorser and not endorser.is_alone:
        chosen = [key for key in chosen if supports[key].is_verified]
        if not chosen:
            return (
                None,
                f"all {len(good)} successful attempts are of one source: {supports and next(iter(supports.values()))}; `recall` shows them",
            )
        patterns = [p for p in patterns if p.is_verified]
    steps = _telling(with_examples([_step(i, key, good, bad, nearest, supports.get(key)) for i, key in enumerate(chosen, 1)]), good, bad)
    followed = [r for r in known if _share_in_order(chosen, r.route) >= MIN_FOLLOWED]
    won = sum(r.trace.success for r in followed)
    if len(followed) >= MIN_CONTRADICTING and wilson(won, len(followed))[1] < CONTRADICTED:
        return None, phrases.contradicted(len(followed), won, max(good, key=lambda r: r.trace.reward).trace.id)
    failed = sum(not r.trace.success for r in known)
    pitfalls, from_patterns = pitfalls_of(task, good, bad, patterns, chosen, (failed + 1) / (len(known) + 2), message_at, nearest)
    alike = max(r.similarity for r in good)
    here = _at_it(task, lost_all)
    unmanaged = (phrases.of_others(here),) if here and max(r.similarity for r in won_all) < SAME_TASK else ()
    evidence = list(dict.fromkeys([*(r.trace.id for r in good[:MAX_EVIDENCE]), *from_patterns]))
    return Playbook(
        title=f"How “{shorten(' '.join(task.split()), MAX_TITLE_CHARS)}” was done before",
        steps=steps,
        pitfalls=(*unmanaged, *pitfalls)[:MAX_SENTENCES],
        when_not_to_use=phrases.when_not(None if alike >= SAME_TASK else alike, failed, len(known), len(followed), won),
        confidence=round(wilson(won, len(followed))[0] * alike, 4),
        evidence=tuple(evidence),
        successes=len(won_all),
    ), ""


def _in_voices(known: Sequence[Attempt], endorser: Endorser | None) -> list[Attempt]:
    """Return the attempts, those of one source sharing one voice; of several agents in turns, so that none crowds out the others."""
    if endorser is None:
        return list(known)
    voices = [(endorser.voice_of(r.trace.id), r.trace.success) for r in known]
    counts, turns = Counter(voices), Counter[tuple[int, bool]]()
    placed: list[tuple[int, int, Attempt]] = []
    for place, (voice, run) in enumerate(zip(voices, known, strict=True)):
        turns[voice] += 1
        placed.append((0 if endorser.is_alone else turns[voice], place, replace(run, weight=run.weight / min(counts[voice], MAX_RUNS))))
    return [run for _, _, run in sorted(placed, key=lambda item: item[:2])]


def _here(task: str, attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return those at this very task, in other words maybe; in words that anybody's case may have, they were at others."""
    return [r for r in attempts if r.similarity >= SAME_TASK] if names_a_case(task) else []


def _at_it(task: str, attempts: Sequence[Attempt]) -> int:
    """Return how many were at this task for certain, by their words or by what these name."""
    at_it = [r for r in _here(task, attempts) if r.similarity >= THE_TASK or is_same_case(task, r.trace.task)]
    return sum(are_the_task(task, [r.trace.task for r in at_it]))


def _thin(task: str, good: Sequence[Attempt], bad: Sequence[Attempt]) -> str:
    """Return why the attempts are too few to go by, "" where they are not: one success at the very task is enough."""
    here, like = _at_it(task, bad), len(_here(task, bad))
    if not good:
        return phrases.no_success(here, len(bad)) if bad else phrases.NOTHING_LIKE_IT
    if len(good) == 1 and good[0].similarity < SAME_TASK:
        return phrases.no_success(here, like) if like else phrases.one_success(good[0].trace.id, good[0].similarity)
    return ""


# --- consensus ---


def _consensus(good: Sequence[Attempt]) -> list[tuple[str, float]]:
    """Return the steps most successful attempts took, in order, with their weighted support in [0, 1]."""
    centre = max(good, key=lambda r: sum(len(common(r.route, o.route)) * o.weight / max(1, len(o.route)) for o in good))
    total = sum(r.weight for r in good)
    support = [0.0] * len(centre.route)
    between: dict[tuple[int, str], float] = {}  # what the others did after place i - 1 of the centre and before place i
    for run in good:
        pairs = common(centre.route, run.route)
        for i, _ in pairs:
            support[i] += run.weight
        matched, ends = {j for _, j in pairs}, [j for _, j in pairs]
        extras = {(_gap(pairs, ends, j), key) for j, key in enumerate(run.route) if j not in matched}
        for place in extras:
            between[place] = between.get(place, 0.0) + run.weight
    places = [(float(i), key, support[i] / total) for i, key in enumerate(centre.route)]
    places += [(i - 0.5, key, weight / total) for (i, key), weight in between.items()]
    kept = sorted(p for p in places if p[2] >= MIN_SUPPORT)
    return [(key, share) for _, key, share in kept]


def _without_passing(route: Sequence[tuple[str, float]]) -> Sequence[tuple[str, float]]:
    """Return the route without thoughts, answers and the end of the work; the whole where it has hardly anything else."""
    kept = [(key, support) for key, support in route if role_of(key) is not Role.PASSES]
    return kept if len(kept) >= 2 else route


def _gap(pairs: Sequence[tuple[int, int]], ends: Sequence[int], j: int) -> int:
    """Return the centre's place before which an unmatched step *j* of another run belongs."""
    n = bisect_left(ends, j)
    return pairs[n - 1][0] + 1 if n else 0


def _discriminating(route: Sequence[tuple[str, float]], bad: Sequence[Attempt]) -> Sequence[tuple[str, float]]:
    """Return the route without looks and thoughts that the failures took as often; the whole where little would be left."""
    if len(bad) < MIN_FAILURES:
        return route
    kept = [
        (key, support)
        for key, support in route
        if role_of(key) is Role.ACTS or sum(key in r.route for r in bad) / len(bad) < support - MIN_DIFFERENCE
    ]
    return kept if len(kept) >= 2 else route


def _strongest(route: Sequence[tuple[str, float]], bad: Sequence[Attempt], max_steps: int) -> list[str]:
    """Return at most *max_steps* of the route in order: those the successes shared most and the failures least; the last one stays."""

    def rank(i: int) -> tuple[bool, float, int]:
        key, support = route[i]
        elsewhere = sum(key in r.route for r in bad) / len(bad) if bad else 0.0
        return (i == len(route) - 1, support - 0.5 * elsewhere, -i)

    kept = sorted(sorted(range(len(route)), key=rank, reverse=True)[:max_steps])
    return [key for key, _ in groupby(route[i][0] for i in kept)]  # what stood between two equal steps may have been dropped


def _step(order: int, key: str, good: Sequence[Attempt], bad: Sequence[Attempt], nearest: Nearest, support: Support | None) -> PlaybookStep:
    did, failed = sum(key in r.route for r in good), sum(key in r.route for r in bad)
    of_failed = share(failed, len(bad), nearest=nearest[1]) if bad else ""
    why = phrases.step(share(did, len(good), nearest=nearest[0]), of_failed)
    contrast = round(did / len(good) - failed / len(bad), 3) if bad else None
    return PlaybookStep(order, *tool_and_action(key), why, provenance=str(support or ""), contrast=contrast)


def _telling(steps: Sequence[PlaybookStep], good: Sequence[Attempt], bad: Sequence[Attempt]) -> tuple[PlaybookStep, ...]:
    """Return the steps that the successes took more often, or that show arguments; all where fewer than two would be left."""
    kept = [step for step in steps if _tells(step, good, bad)]
    return tuple(replace(step, order=i) for i, step in enumerate(kept if len(kept) >= 2 else steps, 1))


def _tells(step: PlaybookStep, good: Sequence[Attempt], bad: Sequence[Attempt]) -> bool:
    key = joined(step.tool, step.action)
    if sum(key in r.route for r in good) < min(MIN_TAKEN, len(good)):
        return False
    more = sum(key in r.route for r in good) / len(good) - sum(key in r.route for r in bad) / len(bad) if bad else 0.0
    if more >= MIN_DIFFERENCE:
        return True
    return more > -MIN_DIFFERENCE and (role_of(key) is Role.ACTS or not bad) and _shows(step.arguments_example)


def _shows(example: Json) -> bool:
    """Return whether there is a value in an example: a placeholder is none."""
    if isinstance(example, Mapping):
        return any(map(_shows, example.values()))
    if isinstance(example, list | tuple):
        return any(map(_shows, example))
    return bool(example.strip() and not PLACEHOLDER.fullmatch(example)) if isinstance(example, str) else example is not None


def _share_in_order(steps: Sequence[str], route: Sequence[str]) -> float:
    return len(common(steps, route)) / max(1, len(steps))
