"""Argument schemas several tools share."""

from mcp_memory.server.schema import Schema, free_object, integer, string, strings

# The words of the domain's enumerations; a test keeps them equal. Importing those would cost the handshake some 10 ms.
TASK_TYPES = ["code_generation", "debugging", "refactoring", "testing", "analysis", "documentation", "research", "operations", "other"]
COMPLEXITIES = ["simple", "moderate", "complex"]
STATUSES = ["ok", "error", "timeout"]
OUTCOMES = ["success", "partial", "failure", "abstained"]
VERDICTS = ["helped", "no_effect", "hindered"]
DETAILS = ["compact", "full"]
PATTERN_KINDS = ["tool_sequence", "decision_point", "error_recovery", "context"]


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
