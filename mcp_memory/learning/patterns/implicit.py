"""Votes nobody cast: what was shown to an episode, whether its steps then used it, and how it ended. Pure.

One vote a recommendation, with an id made of the recommendation's, so that deriving it again adds nothing. What several
recommendations showed is credited to the first. An explicit vote silences the implicit one (see `domain/votes.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, pairwise

from mcp_memory.domain.episode import Episode, OutcomeKind, Step, Trace
from mcp_memory.domain.feedback import Feedback, Recommendation, Verdict
from mcp_memory.domain.pattern import Pattern, PatternKind
from mcp_memory.learning.patterns.confidence import Usage
from mcp_memory.learning.reading.signatures import same_error, signature

FOLLOWED_SHARE = 0.5  # of an earlier run's distinct transitions, from which its route counts as followed
MIN_TRANSITIONS = 2  # a run of two tools has one transition, and everybody makes it
MAX_GAP = 1  # other tools between two of a sequence's, as the extractor allows
MAX_ANSWER_STEPS = 5  # after an error, as the extractor allows
_FAILED = " (failed)"
_START = "start"
_VERDICTS = {OutcomeKind.SUCCESS: Verdict.HELPED, OutcomeKind.FAILURE: Verdict.HINDERED}  # the others say nothing either way


def implicit_feedback(
    episode: Episode,
    recommendations: Sequence[Recommendation],
    patterns: Mapping[str, Pattern],
    runs: Mapping[str, Trace],
    now_ms: int,
) -> tuple[Feedback, ...]:
    """Return one vote for each recommendation that was shown to *episode*.

    Args:
        episode: Closed, with outcome and steps.
        recommendations: What was shown to it.
        patterns: The shown patterns by id; those left out count as not used.
        runs: The shown episodes' traces by id, with their steps; those left out count as not used.
        now_ms: When the votes are cast.
    """
    assert episode.outcome is not None
    votes, credited = [], set()
    for shown in sorted(recommendations, key=lambda r: (r.at_ms, r.id)):
        steps = [s for s in episode.steps if not s.at_ms or s.at_ms >= shown.at_ms]
        before = [s for s in episode.steps if s.at_ms and s.at_ms < shown.at_ms]
        used = [
            key
            for key in dict.fromkeys(shown.shown_ids)
            if key not in credited
            and ((key in patterns and uses_pattern(patterns[key], steps, before)) or (key in runs and follows(runs[key], steps)))
        ]
        credited.update(used)
        verdict = _VERDICTS.get(episode.outcome.kind, Verdict.NO_EFFECT) if used else Verdict.NO_EFFECT
        note = f"{len(used)} of {len(shown.shown_ids)} shown were used in {len(steps)} steps; outcome {episode.outcome.kind}"
        votes.append(Feedback(f"imp_{shown.id}", shown.id, verdict, tuple(used), None, note, True, now_ms, episode.id))
    return tuple(votes)


def uses_pattern(pattern: Pattern, steps: Sequence[Step], before: Sequence[Step] = ()) -> bool:
    """Return whether *steps* do what the pattern says; *before* are the steps made when it was shown (the state they started in)."""
    content = pattern.content
    keys = [key for key, _ in groupby(s.key for s in steps)]
    if pattern.kind is PatternKind.TOOL_SEQUENCE:
        return in_order(content.get("tools", ()), keys)
    if pattern.kind is PatternKind.CONTEXT:
        approach = content.get("approach", ())
        return bool(approach) and set(approach) <= set(keys)
    run = [*before, *steps]
    made = range(len(before), len(run))
    if pattern.kind is PatternKind.DECISION_POINT:
        state = list(content.get("after", ()))
        return any(run[i].key == content.get("choose") and _state(run, i, len(state)) == state for i in made)
    return any(_answered(run, i, content) for i in range(len(run)) if run[i].failed and i + 1 + MAX_ANSWER_STEPS > len(before))


def in_order(tools: Sequence[str], keys: Sequence[str]) -> bool:
    """Return whether *tools* occur in *keys* in order with at most one other between two of them.

    >>> in_order(["a", "c"], ["a", "b", "c"]), in_order(["a", "d"], ["a", "b", "c", "d"])
    (True, False)
    """
    if not tools:
        return False
    ends = {i for i, key in enumerate(keys) if key == tools[0]}
    for tool in tools[1:]:
        ends = {j for i in ends for j in range(i + 1, min(len(keys), i + 2 + MAX_GAP)) if keys[j] == tool}
    return bool(ends)


def follows(run: Trace, steps: Sequence[Step]) -> bool:
    """Return whether *steps* took the route of an earlier run: half of its distinct transitions from one tool to another."""
    mine, theirs = _transitions([s.key for s in steps]), _transitions(run.step_keys)
    return len(theirs) >= MIN_TRANSITIONS and len(mine & theirs) >= FOLLOWED_SHARE * len(theirs)


def _transitions(keys: Sequence[str]) -> set[tuple[str, str]]:
    collapsed = [key for key, _ in groupby(keys)]
    return set(pairwise(collapsed))


def _state(run: Sequence[Step], index: int, length: int) -> list[str]:
    return [_START if j < 0 else run[j].key + _FAILED * run[j].failed for j in range(index - length, index)]


def _answered(run: Sequence[Step], index: int, content: Mapping[str, str]) -> bool:
    failed = run[index]
    if failed.key != content.get("tool"):
        return False
    said = signature(failed.error or failed.observation or str(failed.status))
    after = run[index + 1 : index + 1 + MAX_ANSWER_STEPS]
    return same_error(said, content.get("error", "")) and any(s.key == content.get("try") for s in after)


def usages(rows: Sequence[tuple[Feedback, Recommendation]], success: Callable[[str], bool | None]) -> dict[str, Usage]:
    """Return per shown pattern or episode: how many episodes used it or did not, and how these ended.

    An episode counts once for each shown id, however many recommendations and votes name it; one whose outcome is not known
    (*success* gives None) does not count.
    """
    used: dict[tuple[str, str], bool] = {}
    for vote, shown in rows:
        episode_id = vote.episode_id or shown.episode_id
        if episode_id is not None:
            for key in shown.shown_ids:
                used[key, episode_id] = used.get((key, episode_id), False) or key in vote.used_ids
    sums: dict[str, list[int]] = {}
    for (key, episode_id), was_used in used.items():
        won = success(episode_id)
        if won is not None:
            row = sums.setdefault(key, [0, 0, 0, 0])
            row[0 if was_used else 2] += 1
            row[1 if was_used else 3] += won
    return {key: Usage(*row) for key, row in sums.items()}
