"""Argument schemas several tools share."""

from mcp_memory.domain.episode import StepStatus, TaskType
from mcp_memory.server.schema import Schema, free_object, integer, string, strings

TASK_TYPES = [str(item) for item in TaskType]
STATUSES = [str(item) for item in StepStatus]
OUTCOMES = ["success", "partial", "failure", "abstained"]


def context() -> dict[str, Schema]:
    """Return the fields that say what a task is about."""
    return {"domain": string(), "language": string(), "framework": string(), "tags": strings()}


def period() -> dict[str, Schema]:
    """Return since and until."""
    return {"since": string(), "until": string()}


def step() -> dict[str, Schema]:
    """Return the fields of a step."""
    return {
        "tool": string(),
        "action": string(),
        "arguments": free_object(),
        "observation": string("What came back"),
        "status": string(values=STATUSES),
        "error": string(),
        "duration_ms": integer(),
        "tokens": integer(),
    }
