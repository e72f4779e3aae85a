"""The tools an agent asks its memory with, and tells it whether the answer helped."""

from mcp_memory.rendering.advice_lines import next_step_text, playbook_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.server.outputs import answered
from mcp_memory.server.registry import Tool, verb

RECALL = Tool(
    name="recall",
    title="Recall similar work",
    description=(
        "Use this when a task, question or error may have come up before: returns similar episodes, "
        "their files and patterns. Filters only boost unless strict."
    ),
    make_output_schema=answered("Recall"),
    run=verb("recall"),
    lines=lambda data, asked: recall_text(data, why=asked.detail == "full"),
    read_only=True,
    limit_field="limit",
    always_load=True,
)

SUGGEST_NEXT_STEP = Tool(
    name="suggest_next_step",
    title="Suggest the next step",
    description=(
        "Use this when stuck, after a failed step, or before a risky one (put it in intended): what "
        "worked next, what fixed this error, warnings."
    ),
    make_output_schema=answered("NextStep"),
    run=verb("suggest_next_step"),
    lines=lambda data, asked: next_step_text(data),
    read_only=True,
    labelled=True,
)

RECOMMEND_PLAYBOOK = Tool(
    name="recommend_playbook",
    title="Recommend a playbook",
    description=("Use this before planning a kind of task done before: an ordered plan from what worked, or why there is none."),
    make_output_schema=answered("PlaybookAnswer"),
    run=verb("recommend_playbook"),
    lines=lambda data, asked: playbook_text(data),
    read_only=True,
    labelled=True,
)

GIVE_FEEDBACK = Tool(
    name="give_feedback",
    title="Give feedback",
    description=(
        "Call this after using something recalled: did it help? Or with episode_id: how that one really ended; note is its lesson."
    ),
    make_output_schema=answered("FeedbackRecorded"),
    run=verb("give_feedback"),
)
