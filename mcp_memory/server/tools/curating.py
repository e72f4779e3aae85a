"""The tools that keep the memory in order: edits, links, deletion."""

import mcp_memory.server.tools.fields as fields
from mcp_memory.server.outputs import answered
from mcp_memory.server.registry import Tool, verb
from mcp_memory.server.schema import boolean, free_object, integer, record, string, strings

LINK_TYPES = ["parent_child", "depends_on", "follows", "related_to", "duplicates", "references"]

UPDATE_EPISODE = Tool(
    name="update_episode",
    title="Edit an episode",
    description="Use this to correct an episode's labels: its tags, metadata or task text.",
    input_schema=record(
        {
            "episode_id": string(),
            "add_tags": strings(),
            "remove_tags": strings(),
            "metadata": free_object(),
            "task": string(),
        },
        ["episode_id"],
    ),
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
    input_schema=record(
        {
            "from_id": string(),
            "to_id": string(),
            "type": string(values=LINK_TYPES),
            "note": string(),
            "remove": boolean(default=False),
        },
        ["from_id", "to_id", "type"],
    ),
    make_output_schema=answered("Linked"),
    run=verb("link_episodes"),
    idempotent=True,
)

RELATED_EPISODES = Tool(
    name="related_episodes",
    title="Related episodes",
    description="Use this to follow links from an episode: returns the episodes around it and the links between them.",
    input_schema=record(
        {
            "episode_id": string(),
            "types": strings(values=LINK_TYPES),
            "direction": string(values=["both", "out", "in"]),
            "depth": integer(default=1, low=1, high=5),
        },
        ["episode_id"],
    ),
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
    input_schema=record(
        {
            "episode_ids": strings(),
            "filter": record(
                {
                    "project": string(),
                    "task_type": string(),
                    **fields.context(),
                    "outcome": string(),
                    "state": string(),
                    **fields.period(),
                }
            ),
            "confirm": boolean(default=False),
            "reason": string(),
        }
    ),
    make_output_schema=answered("Forgotten"),
    run=verb("forget"),
    destructive=True,
    idempotent=True,
    asks_user=True,
)
