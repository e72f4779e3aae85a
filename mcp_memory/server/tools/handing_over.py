"""The tools that hand an unfinished task to another agent, or to oneself later."""

from mcp_memory.server.outputs import answered
from mcp_memory.server.registry import Tool, verb

CHECKPOINT_EPISODE = Tool(
    name="checkpoint_episode",
    title="Checkpoint an episode",
    description=(
        "Call this before you pause, hand over or risk losing context: stores a named point of an open episode, returns "
        "the handoff pack (goal, done, worked, failed, facts, next)."
    ),
    make_output_schema=answered("Checkpoint"),
    run=verb("checkpoint_episode"),
)

RESUME_EPISODE = Tool(
    name="resume_episode",
    title="Resume an episode",
    description=(
        "Call this to take up work left at a checkpoint: give one of the ids; returns the handoff and the episode_id to "
        "go on with (the same while it is open, else a new one linked to it)."
    ),
    make_output_schema=answered("Resumed"),
    run=verb("resume_episode"),
    labelled=True,
)
