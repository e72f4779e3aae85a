"""What of the calls of earlier attempts is news to a run that has begun, and beside what worked. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import takewhile

from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.learning.telling.acts import acts, told_as_call
from mcp_memory.learning.telling.deeds import done
from mcp_memory.phrases import points
from mcp_memory.phrases import precedents as phrases


def made_by(run: Episode | None) -> frozenset[str]:
    """Return the calls of a run that went well, as they are told."""
    return frozenset(told_as_call(step) for step in run.steps if not step.failed) if run else frozenset()


def not_yet_done(known: Sequence[Precedent], steps: Sequence[Step]) -> tuple[Precedent, ...]:
    """Return the precedents, of those that worked what a run with these *steps* has not done yet: to do it twice is no advice.

    Those that did no more are left out. Of one that did more only what it began with is left out, in its order: what came last may have
    to come last again.
    """
    if not any(row.worked for row in known):
        return tuple(known)
    made = [told_as_call(step) for step in steps if not step.failed]
    return tuple(_beside(row, made) if row.worked else row for row in known if not row.worked or not set(made).issuperset(row.did))


def _beside(row: Precedent, made: Sequence[str]) -> Precedent:
    """Return what worked without the calls that it began with and the run has made in the same order."""
    left = iter(made)
    begun = len(list(takewhile(lambda deed: deed in left, row.did)))
    if not begun:
        return row
    return replace(row, did=(phrases.besides_this_run(row.did[begun]), *row.did[begun + 1 :]))


def lacked(episode: Episode, needed: Sequence[str]) -> list[str]:
    """Return the calls of what worked that a run never tried; none where none of them went well, for then it went another way."""
    if not needed:
        return []
    tried, made = {told_as_call(step) for step in episode.steps}, made_by(episode)
    return [call for call in needed if call not in tried] if not made.isdisjoint(needed) else []


def unlike(episode: Episode, said: Sequence[str], query: str, needed: Sequence[str], mine: Collection[str]) -> tuple[tuple[str, ...], bool]:
    """Return what is told of a failure, and whether the run that asks made the very calls.

    What it did as what worked is not told, nor that it lacked what the run has done; where nothing else tells it apart that is nothing.

    Args:
        episode: The failure.
        said: What is told of it by itself.
        query: For which that was told.
        needed: The calls of what worked, where that is known.
        mine: The calls of the run that asks.
    """
    told = done(episode, 1.0, query) if needed or mine else []
    did = next((line for line in said if line in told), "")
    if not did:
        missing = lacked(episode, needed)
        return (*said, *([phrases.lacked(missing, needed)] if missing else ())), False
    calls = [told_as_call(episode.steps[i]) for i in acts(episode)]
    if set(calls).isdisjoint(needed):
        return tuple(said), set(calls) <= set(mine)
    others = [call for call in calls if call not in needed]
    missing = [call for call in lacked(episode, needed) if call not in mine]
    is_whole = set(needed) <= made_by(episode)
    deeds = [phrases.besides_what_worked(others) if is_whole else points.did(others)] if others else []
    deeds += [phrases.lacked(missing, needed)] if missing else []
    at = said.index(did)
    return (*said[:at], *deeds, *said[at + 1 :]), bool(others) and set(others) <= set(mine)
