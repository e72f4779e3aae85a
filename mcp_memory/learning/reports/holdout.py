"""Does the memory help? A fixed share of episodes gets no recall; their outcomes are the control group's. Pure."""

import hashlib
from collections.abc import Iterable
from statistics import fmean

from mcp_memory.domain.episode import Trace
from mcp_memory.domain.reports import GroupOutcomes, Holdout
from mcp_memory.learning.patterns.confidence import Z_95_TWO_SIDED, rate_difference, wilson

WAS_LIVE = "live"  # beside it: whether the memory could show something to its agent; imported ones had ended by then
DIGEST_KEY = "holdout"  # in a trace's digest, while the mode is on: whether the episode was in the control group


def in_holdout(episode_id: str, share: float) -> bool:
    """Return whether the episode is in the control group: a fixed function of its id, uniform over ids.

    A larger share keeps everyone who was in the group already.

    >>> in_holdout("any", 0.0), in_holdout("any", 1.0)
    (False, True)
    """
    digest = hashlib.blake2b(episode_id.encode(), digest_size=8, person=b"holdout").digest()
    return int.from_bytes(digest, "big") < share * 2**64


def report(traces: Iterable[Trace], share: float) -> Holdout:
    """Return outcomes with and without memory, their difference and its 95 % interval, and what that says in words.

    Counted are episodes whose digest says which group they were in; imported ones had no agent to show anything to and are left out.
    """
    groups: dict[bool, list[Trace]] = {False: [], True: []}
    for trace in traces:
        held_out = trace.digest.get(DIGEST_KEY)
        if held_out is not None and trace.digest.get(WAS_LIVE, trace.external_id is None):
            groups[bool(held_out)].append(trace)
    with_memory, without = _outcomes(groups[False]), _outcomes(groups[True])
    difference, low, high = rate_difference(
        with_memory.successes, with_memory.episodes, without.successes, without.episodes, Z_95_TWO_SIDED
    )
    verdict = _verdict(with_memory.episodes, without.episodes, low, high, share)
    return Holdout(share, with_memory, without, round(difference, 4), (round(low, 4), round(high, 4)), verdict)


def _outcomes(traces: list[Trace]) -> GroupOutcomes:
    successes = sum(t.success for t in traces)
    low, high = wilson(successes, len(traces), Z_95_TWO_SIDED)
    rate = round(successes / len(traces), 4) if traces else None
    reward = round(fmean(t.reward for t in traces), 4) if traces else None
    return GroupOutcomes(len(traces), successes, rate, (round(low, 4), round(high, 4)), reward)


def _verdict(with_memory: int, without: int, low: float, high: float, share: float) -> str:
    if not without:
        return "no control group yet" if share > 0 else "no control group: set learning.holdout to a share such as 0.1"
    if not with_memory:
        return "no episodes with memory yet"
    if low > 0:
        return "episodes with memory succeed more often"
    return "episodes with memory succeed less often" if high < 0 else "no difference can be told yet"
