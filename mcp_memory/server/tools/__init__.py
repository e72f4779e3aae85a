"""The tools, in the order a model reads them."""

from collections.abc import Mapping

from mcp_memory.server.registry import Tool
from mcp_memory.server.tools import advice, browsing, curating, handing_over, recording

CORE: tuple[Tool, ...] = (
    recording.START_EPISODE,
    recording.LOG_STEP,
    recording.LOG_STEPS,
    recording.COMPLETE_EPISODE,
    advice.RECALL,
    advice.SUGGEST_NEXT_STEP,
    advice.RECOMMEND_PLAYBOOK,
    advice.GIVE_FEEDBACK,
    browsing.SEARCH_EPISODES,
    browsing.GET_EPISODE,
    browsing.MEMORY_STATUS,
)
FULL: tuple[Tool, ...] = (
    *CORE,
    browsing.SEARCH_PATTERNS,
    browsing.GET_PATTERN,
    handing_over.CHECKPOINT_EPISODE,
    handing_over.RESUME_EPISODE,
    curating.UPDATE_EPISODE,
    curating.LINK_EPISODES,
    curating.RELATED_EPISODES,
    browsing.ANALYZE_TRENDS,
    curating.FORGET,
)


def by_name(tools: str) -> Mapping[str, Tool]:
    """Return the tools of a set, `core` or `full`, by name and in order."""
    return {tool.name: tool for tool in (CORE if tools == "core" else FULL)}
