"""What a hook is told, as a record of our own: one form for all hosts, kept between processes and versions; and what is told back."""

import json

from mcp_memory.domain import limits
from mcp_memory.domain.clipping import clip
from mcp_memory.domain.inference import check_of, check_passed
from mcp_memory.domain.metadata_keys import WORKING_DIR
from mcp_memory.domain.own_tools import is_work, own_tool
from mcp_memory.domain.prompts import typed
from mcp_memory.hooks import texts
from mcp_memory.hooks.field_maps import DEFAULT_HOST, field_map
from mcp_memory.hooks.kinds import EVENTS, PROMPTS
from mcp_memory.projects import DEFAULT_PROJECT, Project, project_at, project_named_by

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from mcp_memory.hooks.field_maps import FieldMap

OBSERVATION_CHARS = 8_000  # of a tool's output: hooks see every file that is read
ARGUMENT_CHARS = 4_000  # of one argument, a written file for instance
ERROR_CHARS = 2_000
WORKING_DIR_CHARS = 1_000
MAX_BATCH = 200  # calls of one round
_ID_KEY = "episode_id"
_OUR_ID_CHARS = 36


def told_by(raw: bytes) -> "dict[str, Any]":
    """Return a hook's input. Raises ValueError: it is not a JSON object."""
    told = json.loads(raw.decode("utf-8", "replace"))
    if not isinstance(told, dict):
        raise ValueError("the event is not a JSON object")
    return told


def record_of(
    event: str,
    told: "Mapping[str, Any]",
    *,
    call_id: str,
    project: str,
    at_ms: int,
    host: str = "",
    process: str = "",
    before: "Sequence[str]" = (),
    is_here: bool = True,
) -> "dict[str, Any]":
    """Return what the memory needs of an event.

    Args:
        event: One of EVENTS.
        told: The host's JSON.
        project: The configured one, or the one the hook found; else the folder the agent works in gives it.
        host: The agent host; "" where the hook was set up by a version that knew one host only, and no batches.
        process: The host's process, when it runs on this machine.
        before: Names under which earlier versions kept the project.
        is_here: Whether that folder is on this machine, and may be looked at.
    """
    fields = field_map(host or DEFAULT_HOST)
    cwd = _folder(fields.get(told, "cwd"))
    found = Project(project, before) if project else (is_here and project_at(cwd)) or (None if is_here else project_named_by(cwd))
    record: dict[str, Any] = {
        "id": call_id,
        "event": event,
        "host": clip(fields.host, limits.MAX_NAME_CHARS),
        "session": clip(fields.text(told, "session") or "unknown", limits.MAX_ID_CHARS),
        "project": clip(found.name if found else DEFAULT_PROJECT, limits.MAX_NAME_CHARS),
        "at_ms": at_ms,
    }
    if found and found.before:
        record["project_before"] = [clip(name, limits.MAX_NAME_CHARS) for name in found.before]
    if process:
        record["process"] = clip(process, limits.MAX_NAME_CHARS)
    if agent := fields.text(told, "agent"):
        record["agent"] = clip(agent, limits.MAX_ID_CHARS)
    if event in PROMPTS:
        record |= _prompt_of(told, fields) | {WORKING_DIR: clip(cwd, WORKING_DIR_CHARS)}
    elif event == "post-tool-use":
        if is_here and (path := fields.text(told, "rollout")):
            from mcp_memory.hooks.rollout import ended  # one host's

            told = {**told, **ended(path, fields.text(told, "call"))}
        record |= _call_of(told, fields, at_ms) | {"waits": bool(host) and fields.has_batches}
    elif event == "post-tool-batch":
        calls = fields.get(told, "calls")
        calls = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
        record["calls"] = [_call_of(call, fields, at_ms, in_batch=True) for call in calls[:MAX_BATCH]]
    elif event in ("stop", "subagent-stop"):
        record["answer"] = clip(fields.text(told, "answer"), limits.MAX_NOTE_CHARS)
        record["busy"] = bool(fields.get(told, "busy"))
    elif event == "session-start":
        record["source"] = clip(fields.text(told, "source"), limits.MAX_NAME_CHARS)
    return record


def _prompt_of(told: "Mapping[str, Any]", fields: "FieldMap") -> "dict[str, Any]":
    """Return what the person asked for, and how the turn is named."""
    from mcp_memory.domain.session_ids import HOST_TURN_FIELDS, prompt_turn  # it loads `hashlib`, which steps need not pay for

    prompt = typed(fields.text(told, "prompt"))
    turn = fields.text(told, "turn") if fields.host in HOST_TURN_FIELDS else ""
    return {"prompt": clip(prompt.strip(), limits.MAX_TASK_CHARS), "turn": clip(turn or prompt_turn(prompt), limits.MAX_ID_CHARS)}


def _call_of(told: "Mapping[str, Any]", fields: "FieldMap", at_ms: int, *, in_batch: bool = False) -> "dict[str, Any]":
    """Return a call: its id, and its step; of our own tools what was called and on which episode; of no work neither."""
    found: dict[str, Any] = {"call": clip(fields.text(told, "call"), limits.MAX_ID_CHARS)}
    tool, arguments = fields.text(told, "tool") or "unknown", fields.get(told, "arguments")
    if tool == "tool_call" and isinstance(arguments, dict) and arguments.get("name"):  # Qwen Code's bridge to MCP tools
        tool, arguments = str(arguments["name"]), arguments.get("arguments")
    if own := own_tool(tool):
        text, failed = _outcome_of(told, fields)
        return found | {"own": own, "episode_id": "" if failed else _our_id(own, arguments, text)}
    if not is_work(tool):
        return found
    if (agent := fields.text(told, "started")) and isinstance(arguments, dict):  # a subagent, and what it was asked to do
        task = str(arguments.get("prompt") or arguments.get("description") or "")
        found |= {"started": clip(agent, limits.MAX_ID_CHARS), "task": clip(task.strip(), limits.MAX_TASK_CHARS)}
    found["interrupted"] = bool(fields.get(told, "interrupted"))
    if in_batch and told.get("status") in ("success", "ok"):
        found["made"] = True
    step = _step(told, fields, tool, arguments) | {"at_ms": at_ms}
    if step["status"] == "ok" and check_of(step) and check_passed(step) is False:  # hosts that tell no exit status
        step |= {"status": "error", "error": clip(step["observation"], ERROR_CHARS)}
    return found | {"step": step}


def _step(told: "Mapping[str, Any]", fields: "FieldMap", tool: str, arguments: "Any") -> "dict[str, Any]":
    step: dict[str, Any] = {"tool": clip(tool, limits.MAX_NAME_CHARS), "arguments": _arguments(arguments)}
    duration = fields.get(told, "duration_ms")
    if isinstance(duration, int | float) and not isinstance(duration, bool) and 0 <= duration < limits.MAX_INT:
        step["duration_ms"] = int(duration)
    text, failed = _outcome_of(told, fields)
    step["observation"] = clip(text, OBSERVATION_CHARS)
    return step | ({"status": "error", "error": clip(text, ERROR_CHARS) or "failed without a word"} if failed else {"status": "ok"})


def _outcome_of(told: "Mapping[str, Any]", fields: "FieldMap") -> tuple[str, bool]:
    """Return what came back from a call as text, and whether it failed."""
    if (error := fields.get(told, "error")) is not None:
        return texts.answered(error)[0], True
    text, failed = texts.answered(fields.get(told, "response"))
    if isinstance(code := fields.get(told, "exit_code"), int):
        return text, code != 0
    return text, failed or fields.get(told, "succeeded") is False or told.get("status") == "error"


def _our_id(own: str, arguments: "Any", text: str) -> str:
    """Return the id of the episode that a call of our own was about: the answer names one that was begun, the arguments any other."""
    if own != "start_episode":
        return str(arguments.get("episode_id") or "")[:_OUR_ID_CHARS] if isinstance(arguments, dict) else ""
    begin = text.find(_ID_KEY)
    return text[begin + len(_ID_KEY) :].lstrip(': \\"')[:_OUR_ID_CHARS] if begin >= 0 else ""


def _arguments(given: "Any") -> "dict[str, Any]":
    """Return a tool's input, long values clipped; as one text where there is too much of it, or where it is nested too deep."""
    if isinstance(given, str) and given.startswith("{"):  # Copilot's: JSON in a string
        try:
            given = json.loads(given)
        except ValueError:
            return {"input": clip(given, ARGUMENT_CHARS)}
    if isinstance(given, str) and given:
        return {"input": clip(given, ARGUMENT_CHARS)}
    if not isinstance(given, dict):
        return {}
    try:
        arguments = {clip(str(key), limits.MAX_NAME_CHARS): _short(value) for key, value in given.items()}
        if len(json.dumps(arguments, ensure_ascii=False).encode("utf-8")) <= limits.MAX_ARGUMENTS_BYTES and _depth(arguments) < _MAX_DEPTH:
            return arguments
    except RecursionError:
        return {"left_out": "arguments nested too deep"}
    return {"shortened": clip(json.dumps(given, ensure_ascii=False), ARGUMENT_CHARS)}


_MAX_DEPTH = limits.MAX_JSON_DEPTH - 5  # a step's arguments lie some levels down in what is stored


def _depth(value: "Any") -> int:
    if isinstance(value, dict | list):
        return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value), default=0)
    return 0


def _short(value: "Any") -> "Any":
    """Return a value without what no store takes (lone surrogates), or the clipped JSON of a long one."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    clipped = clip(text, ARGUMENT_CHARS)
    return value if clipped == text else clipped


def is_understood(record: "Any") -> bool:
    """Return whether a record, which another version may have kept, is one that this version can handle."""
    if not isinstance(record, dict) or not all(isinstance(record.get(name), str) for name in ("id", "event", "session", "project")):
        return False
    event = record["event"]
    if not (isinstance(before := record.get("project_before", []), list) and all(isinstance(name, str) for name in before)):
        return False
    if event not in EVENTS or not isinstance(record.get("host", ""), str) or not isinstance(record.get("agent", ""), str):
        return False
    if event == "post-tool-use":
        return _is_call(record)
    if event == "post-tool-batch":
        return isinstance(record.get("calls"), list) and all(map(_is_call, record["calls"]))
    if event in PROMPTS:
        return all(isinstance(record.get(name, ""), str) for name in ("prompt", "turn", WORKING_DIR))
    return isinstance(record.get("answer", ""), str)


def _is_call(call: "Any") -> bool:
    if not isinstance(call, dict) or not isinstance(call.get("call", ""), str):
        return False
    if "step" not in call:
        return isinstance(call.get("own", ""), str) and isinstance(call.get("episode_id", ""), str) and ("call" in call or "own" in call)
    step = call["step"]
    return (
        isinstance(step, dict)
        and isinstance(step.get("tool"), str)
        and isinstance(step.get("arguments", {}), dict)
        and isinstance(step.get("observation", ""), str)
        and step.get("status") in ("ok", "error", "timeout")
        and isinstance(step.get("error"), str | None)
    )


def name_of(event: str, told: "Mapping[str, Any]", host: str = "") -> str:
    """Return the name the host gave the event: its output must carry the same."""
    given = field_map(host or DEFAULT_HOST).text(told, "name")
    return given or ("PostToolUseFailure" if event == "post-tool-use" and "error" in told else EVENTS[event])


def folder_of(told: "Mapping[str, Any]", host: str = "") -> str:
    """Return the folder that an event says the agent works in, "" where it says none."""
    return _folder(field_map(host or DEFAULT_HOST).get(told, "cwd"))


def _folder(value: "Any") -> str:
    """Return a folder; hosts with several name a list, of which the first counts."""
    if isinstance(value, list):
        value = value[0] if value else ""
    return value if isinstance(value, str) else ""
