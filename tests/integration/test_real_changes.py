"""What is told of real trajectories, where they are at hand, is in them: lines told as neighbours are, files said to be looked at were."""

import gzip
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from mcp_memory.domain import facts
from mcp_memory.domain.episode import Episode, EpisodeState, Outcome, OutcomeKind, Step, StepStatus
from mcp_memory.domain.identifiers import distinct_words
from mcp_memory.learning.judging.unchanged import unchanged
from mcp_memory.learning.reading.change_lines import change_line
from mcp_memory.learning.reading.code_lines import has_comments, telling
from mcp_memory.learning.reading.edits import NEXT
from mcp_memory.learning.reading.left_changed import FileChange, left_changed
from mcp_memory.learning.telling.changes_told import MAX_CHANGE_CHARS

EPISODES = Path(__file__).parents[3] / "shared" / "eval" / "dev" / "episodes"
pytestmark = pytest.mark.skipif(not EPISODES.exists(), reason="the trajectories are not at hand")


def episodes() -> Iterator[Episode]:
    for file in (EPISODES / name for name in ("swe_agent.jsonl.gz", "tbench_mini.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                steps = tuple(
                    Step(
                        step["tool"], step["action"], step["parameters"], step.get("output") or "",
                        status=StepStatus.OK if step["success"] else StepStatus.ERROR, error=step.get("error") or None, index=i,
                    )
                    for i, step in enumerate(row["steps"])
                )  # fmt: skip
                outcome = Outcome(OutcomeKind(row["outcome"]["status"]))
                yield Episode(row["episode_id"], "p", row["task_description"], steps=steps, state=EpisodeState.COMPLETED, outcome=outcome)


def neighbours(change: FileChange) -> set[tuple[str, str]]:
    """Return the pairs of lines between which no code stands, of what went and of what came."""
    is_plain = not has_comments(change.path)
    texts = [telling(side, is_plain=is_plain) for hunk in change.hunks for side in (hunk.removed, hunk.added)]
    return {pair for text in texts for pair in pairwise(text)}


def test_lines_that_are_told_as_neighbours_are() -> None:
    told = 0
    for episode in episodes():
        words = frozenset(distinct_words(episode.task))
        for change in left_changed(episode):
            line = change_line(change, words, MAX_CHANGE_CHARS)
            known = neighbours(change)
            for a, b in ((a, b) for part in line.split(" + ") for a, b in pairs(part)):
                told += 1
                assert any(x.endswith(a) and y.startswith(b) for x, y in known), (episode.id, line)
    assert told > 100


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield the lines of a text that are told one after the other, but for those that were cut."""
    lines = text.split(NEXT)
    for a, b in pairwise(lines):
        if not ({a, b} & {"…"}) and "…" not in a + b:
            yield (
                a.rpartition(": - ")[2].rpartition(": now ")[2].rpartition("; now ")[2].rpartition("moved here: ")[2].strip(),
                b.partition("; ")[0].strip(),
            )


def test_a_file_that_an_attempt_is_said_to_have_looked_at_is_named_in_a_call_that_worked() -> None:
    said = 0
    for episode in episodes():
        for fact in unchanged(episode, (), ()):
            assert isinstance(fact, facts.Unchanged)
            for path in fact.read:
                said += 1
                name = path.rpartition("/")[2]
                calls = [f"{dict(step.arguments)} {step.observation}" for step in episode.steps if not step.failed]
                assert any(name in call for call in calls), (episode.id, path)
    assert said > 5
