"""The tools an agent asks its memory with, and tells it whether the answer helped."""

import mcp_memory.server.tools.fields as fields
from mcp_memory.server.outputs import answered
from mcp_memory.server.registry import Tool, verb
from mcp_memory.server.schema import boolean, integer, number, record, string, strings

RECALL = Tool(
    name="recall",
    title="Recall similar work",
    description=(
        "Use this when a task, question or error may have come up before: returns similar episodes (outcome, "
        "lessons, key steps), the files they worked on and learned patterns. Any text will do. Filters only boost unless strict."
    ),
    input_schema=record(
        {
            "query": string(),
            "limit": integer(),
            "include": strings(values=["episodes", "patterns"]),
            "project": string(),
            "task_type": string(),
            **fields.context(),
            "outcome": string(),
            **fields.period(),
            "strict": boolean(),
            "budget_tokens": integer(),
            "detail": string(values=fields.DETAILS),
            "cursor": string(),
        },
        ["query"],
    ),
    make_output_schema=answered("Recall"),
    run=verb("recall"),
    read_only=True,
    limit_field="limit",
    default_limit=5,
    always_load=True,
)

SUGGEST_NEXT_STEP = Tool(
    name="suggest_next_step",
    title="Suggest the next step",
    description=(
        "Use this in an open episode when stuck, after a failed step, or before a risky one (put it in intended): what "
        "worked next, what fixed this error, warnings."
    ),
    input_schema=record(
        {
            "episode_id": string(),
            "limit": integer(),
            "intended": {
                "type": "object",
                "properties": {"tool": {"type": "string"}, "action": {"type": "string"}, "arguments": {"type": "object"}},
                "additionalProperties": False,
            },
        },
        ["episode_id"],
    ),
    make_output_schema=answered("NextStep"),
    run=verb("suggest_next_step"),
    read_only=True,
    labelled=True,
)

RECOMMEND_PLAYBOOK = Tool(
    name="recommend_playbook",
    title="Recommend a playbook",
    description=("Use this before planning a kind of task done before: an ordered plan from what worked, or the reason why there is none."),
    input_schema=record(
        {
            "task": string(),
            "task_type": string(),
            **fields.context(),
            "project": string(),
            "max_steps": integer(),
        },
        ["task"],
    ),
    make_output_schema=answered("PlaybookAnswer"),
    run=verb("recommend_playbook"),
    read_only=True,
    labelled=True,
)

GIVE_FEEDBACK = Tool(
    name="give_feedback",
    title="Give feedback",
    description="Call this after using something recalled or suggested: whether it helped moves later rankings.",
    input_schema=record(
        {
            "recommendation_id": string(),
            "outcome": string(values=fields.VERDICTS),
            "used_ids": strings(),
            "rating": number("0..1"),
            "note": string("the right way"),
        },
        ["recommendation_id", "outcome"],
    ),
    make_output_schema=answered("FeedbackRecorded"),
    run=verb("give_feedback"),
)
