"""ATIF, the Agent Trajectory Interchange Format (schema_version ATIF-v1.x): one JSON document per run.

Steps have a `source` (system, user, agent), a `message`, `tool_calls` and an `observation` whose results name their call. Embedded
`subagent_trajectories` are the subagents' own; the call that started them is a step here.
The format has no verdict of its own; a run's reward, where a harness stores one under `extra` or `final_metrics.extra`, is taken as stated.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mcp_memory.cli.transcripts.assemble import assemble
from mcp_memory.cli.transcripts.lines import document as json_document
from mcp_memory.cli.transcripts.record import Event, EventKind, Origin, TranscriptError, arguments_of, at_ms, content_id, expect, text_of

SUFFIXES = (".json",)


def convert(path: Path) -> Iterator[tuple[int, dict[str, Any] | TranscriptError]]:
    """Yield (0, episode) for a run with tool calls."""
    try:
        document = expect(dict, json_document(path), "the document")
        if not str(document.get("schema_version", "")).startswith("ATIF-v1"):
            raise TranscriptError(f"`schema_version` is {document.get('schema_version')!r}, not ATIF-v1.x")
        steps = expect(list, document.get("steps"), "`steps`")
        agent = expect(dict, document.get("agent", {}), "`agent`")
        events = [event for step in steps for event in _step_events(step)]
    except (ValueError, RecursionError) as error:
        yield 0, TranscriptError(str(error))
        return
    origin = Origin(
        external_id="/".join(("atif", *_ids(document))) if _ids(document) else f"atif/{content_id(steps)}",
        agent=str(agent.get("name") or "atif"),
        outcome=_outcome(document),
        metadata={key: agent[key] for key in ("version", "model_name") if agent.get(key)},
    )
    for episode in assemble(events, origin, split=False):
        yield 0, episode


def _ids(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the run's id and, from v1.7 on, the document's: the trajectories of one run share the first."""
    return tuple(str(document[key]) for key in ("session_id", "trajectory_id") if document.get(key))


def _step_events(step: Any) -> Iterator[Event]:
    expect(dict, step, "a step")
    if step.get("is_copied_context") and step.get("source") != "user":
        return  # a continuation repeats what another document has; the task it goes on with is still the first prompt
    source, text, when = step.get("source"), text_of(step.get("message")), at_ms(step.get("timestamp"))
    if source == "user":
        yield Event(EventKind.PROMPT, text=text, at_ms=when)
    elif source == "agent":
        yield Event(EventKind.ANSWER, text=text, at_ms=when)
    elif source != "system":
        raise TranscriptError(f"a step of unknown source {source!r}")
    calls = step.get("tool_calls") or []
    for call in calls:
        name = expect(str, expect(dict, call, "a tool call").get("function_name"), "`function_name`")
        yield Event(
            EventKind.CALL, tool=name, arguments=arguments_of(call.get("arguments")), call_id=str(call.get("tool_call_id")), at_ms=when
        )
    observation = expect(dict, step.get("observation") or {}, "`observation`")
    for result in observation.get("results") or []:
        call_id = expect(dict, result, "a result").get("source_call_id") or (calls[0].get("tool_call_id") if len(calls) == 1 else None)
        yield Event(EventKind.RESULT, text=text_of(result.get("content")), call_id=str(call_id))


def _outcome(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the outcome a harness wrote beside the run: full reward is success, none is failure, between them partial."""
    for holder in (document.get("extra"), (document.get("final_metrics") or {}).get("extra"), document.get("final_metrics")):
        reward = holder.get("reward") if isinstance(holder, dict) else None
        if isinstance(reward, bool | int | float):
            return {"kind": "success" if reward >= 1 else "failure" if reward <= 0 else "partial", "summary": ""}
    return None
