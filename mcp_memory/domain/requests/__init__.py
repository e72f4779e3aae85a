"""What can be asked of the memory: one frozen, checked record per verb. A field is written here, and nowhere else a second time."""

from mcp_memory.domain.requests.advising import GiveFeedback, IntendedStep, RecommendPlaybook, SuggestNextStep
from mcp_memory.domain.requests.base import Request, fields_of, schema_of, words_of
from mcp_memory.domain.requests.context import ContextFields, Subject, TaskFields, Where, WhereFields
from mcp_memory.domain.requests.curating import (
    CheckpointEpisode,
    Correct,
    Forget,
    Label,
    LinkEpisodes,
    Prune,
    QuarantineSource,
    RelatedEpisodes,
    ResumeEpisode,
    UpdateEpisode,
)
from mcp_memory.domain.requests.exchange import EpisodeLine, LineOutcome
from mcp_memory.domain.requests.recalling import GetEpisode, Recall, SearchEpisodes
from mcp_memory.domain.requests.recording import (
    CompleteEpisode,
    LogStep,
    LogSteps,
    OutcomeFields,
    PrepareEpisode,
    StartEpisode,
    StepDetails,
    StepFields,
)
from mcp_memory.domain.requests.reporting import (
    AnalyzeTrends,
    GetPattern,
    LessonsMarkdown,
    MemoryStatus,
    ProjectDigest,
    SearchPatterns,
)

__all__ = [
    "AnalyzeTrends",
    "CheckpointEpisode",
    "CompleteEpisode",
    "ContextFields",
    "Correct",
    "EpisodeLine",
    "Forget",
    "GetEpisode",
    "GetPattern",
    "GiveFeedback",
    "IntendedStep",
    "Label",
    "LessonsMarkdown",
    "LineOutcome",
    "LinkEpisodes",
    "LogStep",
    "LogSteps",
    "MemoryStatus",
    "OutcomeFields",
    "PrepareEpisode",
    "ProjectDigest",
    "Prune",
    "QuarantineSource",
    "Recall",
    "RecommendPlaybook",
    "RelatedEpisodes",
    "Request",
    "ResumeEpisode",
    "SearchEpisodes",
    "SearchPatterns",
    "StartEpisode",
    "StepDetails",
    "StepFields",
    "Subject",
    "SuggestNextStep",
    "TaskFields",
    "UpdateEpisode",
    "Where",
    "WhereFields",
    "fields_of",
    "schema_of",
    "words_of",
]
