"""Which tools are the memory's own, under any name a host gives them: what an agent does with them is no step of its work."""

TOOL_NAMES = (
    *("start_episode", "log_step", "log_steps", "complete_episode", "checkpoint_episode", "resume_episode"),
    *("recall", "suggest_next_step", "recommend_playbook", "give_feedback"),
    *("search_episodes", "get_episode", "memory_status", "search_patterns", "get_pattern", "analyze_trends"),
    *("update_episode", "link_episodes", "related_episodes", "forget"),
)
# Names that other servers may have as well: ours only when the server's name says memory.
_COMMON = frozenset({"recall", "forget", "get_pattern", "search_patterns", "analyze_trends"})
_LOOKING_FOR_TOOLS = frozenset({"ToolSearch", "tool_search"})  # how a host loads a tool that it keeps back
_BY_LENGTH = sorted(TOOL_NAMES, key=len, reverse=True)  # log_steps is not log_step


def own_tool(name: str) -> str:
    """Return which of our tools *name* is, or "".

    >>> [own_tool(name) for name in ("mcp__memory__log_step", "memory-recall", "memory.log_steps", "start_episode", "mcp__crm__recall")]
    ['log_step', 'recall', 'log_steps', 'start_episode', '']
    """
    for own in _BY_LENGTH:
        if name.endswith(own):
            server = name[: -len(own)]
            if server and (server[-1].isalnum() or ("memory" not in server.lower() and own in _COMMON)):
                return ""
            return own
    return ""


def is_work(name: str) -> bool:
    """Return whether a call of this tool is a step of the agent's work: not one of ours, nor a search for tools.

    >>> [is_work(name) for name in ("Bash", "ToolSearch", "mcp__memory__recall")]
    [True, False, False]
    """
    return name not in _LOOKING_FOR_TOOLS and not own_tool(name)
