"""What the facade answers: one record per verb, with the field names of the MCP contract.

Conventions: `_at_ms` fields are epoch milliseconds; an edge that shows them to agents renders ISO 8601 UTC and drops the `_ms`.
`degraded` names every lesser state the answer was made in; empty means none.
"""

from mcp_memory.domain.answers.advising import (
    FeedbackRecorded,
    NextStep,
    NotedLesson,
    Playbook,
    PlaybookAnswer,
    PlaybookStep,
    Precedent,
    Recovery,
    StepWarning,
    TriedFix,
)
from mcp_memory.domain.answers.browsing import EpisodeDetail, EpisodePage, EpisodeRow, PatternDetail, PatternPage, ShownEvidence
from mcp_memory.domain.answers.recalling import Nearest, Recall, RecalledEpisode, RecalledFile, RecalledPattern
from mcp_memory.domain.answers.recording import CompletedEpisode, Labelled, LearnedPattern, LoggedSteps, StartedEpisode

__all__ = [
    "CompletedEpisode",
    "EpisodeDetail",
    "EpisodePage",
    "EpisodeRow",
    "FeedbackRecorded",
    "Labelled",
    "LearnedPattern",
    "LoggedSteps",
    "Nearest",
    "NextStep",
    "NotedLesson",
    "PatternDetail",
    "PatternPage",
    "Playbook",
    "PlaybookAnswer",
    "PlaybookStep",
    "Precedent",
    "Recall",
    "RecalledEpisode",
    "RecalledFile",
    "RecalledPattern",
    "Recovery",
    "ShownEvidence",
    "StartedEpisode",
    "StepWarning",
    "TriedFix",
]
