"""A step of a list as models write it who were shown no field: by the names that their own hosts have for a call. Pure.

A name that is not here, or a second one for the same field, is left for the caller to be told of.
"""

from collections.abc import Mapping
from typing import Any

from mcp_memory.domain.step_keys import is_shell

_FIELDS = frozenset(["tool", "action", "arguments", "observation", "status", "error", "duration_ms", "tokens", "at_ms"])
_SAME_TEXT = """
tool: tool_name toolName name function
arguments: args parameters params input inputs kwargs tool_input toolInput tool_args tool_arguments action_input
observation: output result response content stdout tool_output tool_response tool_result
error: error_message errorMessage exception
action: description
"""
_SAME = {other: name for line in _SAME_TEXT.strip().splitlines() for name, _, rest in [line.partition(": ")] for other in rest.split()}
# Where it is in the list says it already, or it is what the agent thought before the call.
_BESIDE_TEXT = """
step index number step_number step_index turn id call_id tool_call_id type thought thoughts thinking reasoning
"""
_BESIDE = frozenset(_BESIDE_TEXT.split())
_FLAGS = {"success": "ok", "succeeded": "ok", "ok": "ok", "is_error": "error", "isError": "error", "failed": "error"}
_CODES = ("exit_code", "exitCode", "returncode", "return_code")
SHELL_TOOL, ANY_TOOL = "bash", "act"  # of a step that names none


def named_step(given: Any) -> Any:
    """Return *given* by the names of a step's fields; itself where it has them, or is nothing that was done.

    >>> named_step({"name": "move", "input": {"to": "hall"}, "result": "a wall", "success": False})
    {'tool': 'move', 'arguments': {'to': 'hall'}, 'observation': 'a wall', 'status': 'error'}
    >>> named_step({"step": 3, "command": "make", "stdout": "", "stderr": "no rule", "exit_code": 2})
    {'observation': '', 'tool': 'bash', 'arguments': {'command': 'make'}, 'status': 'error', 'error': 'no rule'}
    >>> named_step({"thought": "It is dark", "action": "Lit the lamp", "output": "You see a door"})
    {'action': 'Lit the lamp', 'observation': 'You see a door', 'tool': 'act'}
    >>> named_step({"function": {"name": "look", "arguments": "{}"}}), named_step("Lit the lamp")
    ({'tool': 'look', 'arguments': '{}'}, {'tool': 'act', 'action': 'Lit the lamp'})
    """
    if isinstance(given, str) and given.strip() and given.lstrip()[:1] not in "{[":
        return {"tool": ANY_TOOL, "action": given}
    if not isinstance(given, Mapping) or ("tool" in given and _FIELDS.issuperset(given)):
        return given
    call = given.get("function")
    if isinstance(call, Mapping) and call.keys() <= {"name", "arguments"}:
        given = {**call, **{name: value for name, value in given.items() if name != "function"}}
    named: dict[str, Any] = {}
    for name, value in given.items():
        meant = _SAME.get(name, name)
        if name not in _BESIDE and (meant != "error" or value):
            named[name if meant != name and (meant in given or meant in named) else meant] = value
    return _with_stderr(_with_status(_with_tool(named)))


def _with_tool(named: dict[str, Any]) -> dict[str, Any]:
    """Return the step with the tool that it leaves out: a command is a shell's, and one word that was done is a tool's name."""
    action, text = named.get("action"), named.get("arguments")
    if "tool" not in named and isinstance(action, str) and action.strip():
        named["tool"] = action if len(action.split()) == 1 else ANY_TOOL
    if isinstance(named.get("command"), str) and text is None:
        named["tool"] = named.get("tool", SHELL_TOOL)
        named["arguments"] = {"command": named.pop("command")}
    elif isinstance(text, str) and is_shell(str(named.get("tool"))) and text.lstrip()[:1] != "{":
        named["arguments"] = {"command": text}
    return named


def _with_status(named: dict[str, Any]) -> dict[str, Any]:
    """Return the step with the status that a flag or an exit code says."""
    for name, status in _FLAGS.items():
        if isinstance(named.get(name), bool) and "status" not in named:
            said = named.pop(name)
            named["status"] = status if said else {"ok": "error", "error": "ok"}[status]
    for name in _CODES:
        if type(named.get(name)) is int and "status" not in named:
            named["status"] = "error" if named.pop(name) else "ok"
    return named


def _with_stderr(named: dict[str, Any]) -> dict[str, Any]:
    """Return the step with what a command said beside its output: why it failed, where it is known to have, else more output."""
    said, shown = named.get("stderr"), named.get("observation", "")
    if not isinstance(said, str) or not isinstance(shown, str):
        return named
    del named["stderr"]
    if named.get("status") == "error" and said.strip() and "error" not in named:
        named["error"] = said
    elif said.strip():
        named["observation"] = f"{shown}\n{said}".strip("\n")
    return named
