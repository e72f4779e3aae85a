"""What attempts at the very task tell where no change, answer or last call of theirs does: what a recall would tell of them. Pure."""

from collections.abc import Iterator, Sequence

from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.inference import without_inference
from mcp_memory.learning.advice.acts import told_as_call
from mcp_memory.learning.advice.points import points_of
from mcp_memory.learning.advice.precedents import MAX_TOLD
from mcp_memory.learning.advice.same_case import is_same_case
from mcp_memory.phrases import precedents as phrases

MAX_READ = 4  # attempts of one outcome that are read
MAX_POINTS = 2  # of one attempt


def told_as_recalled(task: str, attempts: Sequence[Episode], known: Sequence[Precedent] = ()) -> tuple[Precedent, ...]:
    """Return what the first of the attempts at this very case tell, at most two of each outcome, those that worked first.

    Nothing is counted: of each only what it alone did is told. Of one that succeeded only what its agent noted: it did something that
    cannot be told, and other steps of it are not what it took.

    Args:
        task: The task asked about.
        attempts: At it, with their steps, the best first.
        known: What attempts at it are known to have done: of a failure is said what it lacked of what worked.
    """
    same = [e for e in attempts if is_same_case(task, e.task) and (not e.success or _noted(e))]
    told = points_of([(e, 1.0) for e in same], task)
    worked = [frozenset(row.did) for row in known if row.worked]
    needed = [deed for deed in next((row.did for row in known if row.worked), ()) if all(deed in other for other in worked)]
    return tuple(row for won in (True, False) for row in _of([e for e in same if e.success is won], told, needed))


def _noted(episode: Episode) -> bool:
    return episode.outcome is not None and bool(without_inference(episode.outcome.summary) or episode.outcome.lessons)


def _of(attempts: Sequence[Episode], told: dict[str, tuple[str, ...]], needed: Sequence[str]) -> Iterator[Precedent]:
    for episode in [e for e in attempts if told[e.id]][:MAX_TOLD]:
        said = told[episode.id][:MAX_POINTS]
        if not episode.success and (lacked := _lacked(episode, needed)):
            said = (*said, phrases.lacked(lacked))
        yield Precedent(episode.success, said, "", 0, 0, episode.id)


def _lacked(episode: Episode, needed: Sequence[str]) -> list[str]:
    """Return the calls of what worked that a run never made; none where it made none of them, for then it went another way."""
    made = {told_as_call(step) for step in episode.steps if not step.failed}
    return [call for call in needed if call not in made] if not made.isdisjoint(needed) else []
