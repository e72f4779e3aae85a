"""What attempts at the very task tell where no change, answer or last call of theirs does: what a recall would tell of them. Pure."""

from collections.abc import Iterator, Sequence

from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.inference import without_inference
from mcp_memory.learning.advice.points import points_of
from mcp_memory.learning.advice.precedents import MAX_TOLD, is_same_case

MAX_READ = 4  # attempts of one outcome that are read
MAX_POINTS = 2  # of one attempt


def told_as_recalled(task: str, attempts: Sequence[Episode]) -> tuple[Precedent, ...]:
    """Return what the first of the attempts at this very case tell, at most two of each outcome, those that worked first.

    Nothing is counted: of each only what it alone did is told. Of one that succeeded only what its agent noted: it did something that
    cannot be told, and other steps of it are not what it took.

    Args:
        task: The task asked about.
        attempts: At it, with their steps, the best first.
    """
    same = [e for e in attempts if is_same_case(task, e.task) and (not e.success or _noted(e))]
    told = points_of([(e, 1.0) for e in same], task)
    return tuple(row for won in (True, False) for row in _of([e for e in same if e.success is won], told))


def _noted(episode: Episode) -> bool:
    return episode.outcome is not None and bool(without_inference(episode.outcome.summary) or episode.outcome.lessons)


def _of(attempts: Sequence[Episode], told: dict[str, tuple[str, ...]]) -> Iterator[Precedent]:
    for episode in [e for e in attempts if told[e.id]][:MAX_TOLD]:
        yield Precedent(episode.success, told[episode.id][:MAX_POINTS], "", 0, 0, episode.id)
