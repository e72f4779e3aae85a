"""The tools that keep the memory in order: edits, links, deletion."""

from mcp_memory.server.outputs import answered
from mcp_memory.server.registry import Tool, verb

UPDATE_EPISODE = Tool(
    name="update_episode",
    title="Edit an episode",
    description="Use this to correct an episode's labels: its tags, metadata or task text.",
    make_output_schema=answered("EpisodeRow"),
    run=verb("update_episode"),
    idempotent=True,
    labelled=True,
)

LINK_EPISODES = Tool(
    name="link_episodes",
    title="Link episodes",
    description=(
        "Use this to record (or with remove, undo) how two episodes relate. Cycles in parent_child, depends_on and follows are refused."
    ),
    make_output_schema=answered("Linked"),
    run=verb("link_episodes"),
    idempotent=True,
)

RELATED_EPISODES = Tool(
    name="related_episodes",
    title="Related episodes",
    description="Use this to follow links from an episode: returns the episodes around it and the links between them.",
    make_output_schema=answered("RelatedEpisodes"),
    run=verb("related_episodes"),
    read_only=True,
    labelled=True,
)

FORGET = Tool(
    name="forget",
    title="Forget episodes",
    description=(
        "Use this only when asked to delete memories: counts what would go; deletes, for good, only with confirm=true. "
        "Name episode_ids, or a filter."
    ),
    make_output_schema=answered("Forgotten"),
    run=verb("forget"),
    destructive=True,
    idempotent=True,
    asks_user=True,
)
