"""Transcripts in each tool's written form, made by number so that a test can have hundreds."""

import json
from pathlib import Path
from typing import Any


def claude_code_lines(number: int, *, tests_pass: bool = True) -> list[dict[str, Any]]:
    """Return the lines of one session: a prompt, an edit, a failing and a last test run, `go on`, and a second prompt."""
    common = {"sessionId": f"session-{number}", "cwd": "/home/ana/shop", "gitBranch": "main", "version": "2.1.0", "isSidechain": False}
    clock = iter(range(100))

    def line(kind: str, content: Any, **more: Any) -> dict[str, Any]:
        tick = next(clock)
        message = {"role": kind, "content": content}
        return common | {"type": kind, "message": message, "uuid": f"u{tick}", "timestamp": f"2026-11-01T10:00:{tick:02d}.000Z"} | more

    def use(call_id: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return line("assistant", [{"type": "tool_use", "id": call_id, "name": name, "input": arguments}])

    def result(call_id: str, text: str, *, failed: bool = False) -> dict[str, Any]:
        return line("user", [{"type": "tool_result", "tool_use_id": call_id, "content": text, "is_error": failed}])

    return [
        {"type": "summary", "summary": "Cart", "leafUuid": "x"},
        line("user", "<command-name>/clear</command-name>", isMeta=True),
        line("user", f"Fix the rounding of cart number {number}, please"),
        line("assistant", [{"type": "thinking", "thinking": "…"}, {"type": "text", "text": "I will look."}]),
        use("t1", "Bash", {"command": "pytest -q"}),
        result("t1", "Exit code 1\n1 failed", failed=True),
        use("side", "Grep", {"pattern": "x"}) | {"isSidechain": True},
        line("user", "go on"),
        use("t2", "Edit", {"file_path": "cart.py", "old_string": "a", "new_string": "b"}),
        result("t2", "done"),
        use("t3", "Bash", {"command": "pytest -q"}),
        result("t3", "3 passed" if tests_pass else "Exit code 1\n1 failed", failed=not tests_pass),
        line("assistant", [{"type": "text", "text": "The rounding is right now."}]),
        line("user", f"Now write a changelog entry for cart number {number}"),
        use("t4", "Write", {"file_path": "CHANGELOG.md", "content": "…"}),
        result("t4", "written"),
    ]


def openai_messages(number: int) -> list[dict[str, Any]]:
    call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Porto"}'}}
    return [
        {"role": "system", "content": "You are helpful."},
        {"role": "user", "content": [{"type": "text", "text": f"Weather for trip {number}?"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "Error: no such city"},
        {"role": "assistant", "content": "I could not find it."},
    ]


def openai_items(number: int) -> list[dict[str, Any]]:
    return [
        {"role": "user", "content": [{"type": "input_text", "text": f"List the files of project {number}"}]},
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "call_id": "f1", "name": "shell", "arguments": '{"command": ["ls"]}'},
        {"type": "function_call_output", "call_id": "f1", "output": "a.py"},
    ]


def langchain_messages(number: int) -> list[dict[str, Any]]:
    call = {"name": "search", "args": {"query": "x"}, "id": "l1", "type": "tool_call"}
    return [
        {"type": "human", "data": {"content": f"Search for order {number}", "type": "human"}},
        {"type": "ai", "data": {"content": "", "tool_calls": [call], "type": "ai"}},
        {"type": "tool", "data": {"content": "timeout", "tool_call_id": "l1", "name": "search", "status": "error", "type": "tool"}},
        {"type": "ai", "data": {"content": "The search timed out.", "tool_calls": [], "type": "ai"}},
    ]


def langchain_dumped(number: int) -> list[dict[str, Any]]:
    def message(name: str, **fields: Any) -> dict[str, Any]:
        return {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", name], "kwargs": fields}

    return [
        message("HumanMessage", content=f"Search for order {number}"),
        message("AIMessage", content="", tool_calls=[{"name": "search", "args": {"query": "x"}, "id": "l1"}]),
        message("ToolMessage", content="found", tool_call_id="l1"),
    ]


def swe_agent_run(number: int, exit_status: str = "submitted") -> dict[str, Any]:
    return {
        "environment": "swe_main",
        "trajectory": [
            {
                "action": "open src/cart.py 10\n",
                "observation": "[File: src/cart.py]",
                "response": "…",
                "thought": "Look first.",
                "state": "{}",
            },
            {"action": "python reproduce.py\n", "observation": "Traceback (most recent call last):\nValueError: x", "execution_time": 0.25},
            {"action": "str_replace_editor create fix.py", "observation": "ok", "thought": "Mend it."},
            {"action": "submit\n", "observation": "diff --git …", "thought": "Done."},
        ],
        "history": [
            {"role": "system", "content": "SETTING: …"},
            {"role": "user", "content": "Here is a demonstration", "is_demo": True},
            {"role": "user", "content": f"We have this issue.\nISSUE:\nCart {number} loses cents\n\nINSTRUCTIONS:\nNow solve it."},
        ],
        "info": {"exit_status": exit_status, "model_stats": {"api_calls": 4}},
    }


def atif_run(number: int, reward: float | None = None) -> dict[str, Any]:
    run = {
        "schema_version": "ATIF-v1.6",
        "session_id": f"run-{number}",
        "agent": {"name": "harbor-agent", "version": "1.0", "model_name": "m"},
        "steps": [
            {"step_id": 1, "source": "system", "message": "You are an agent."},
            {"step_id": 2, "timestamp": "2026-11-01T10:00:00Z", "source": "user", "message": f"Count the lines of file {number}"},
            {
                "step_id": 3,
                "timestamp": "2026-11-01T10:00:05Z",
                "source": "agent",
                "message": "Counting.",
                "tool_calls": [{"tool_call_id": "a1", "function_name": "bash", "arguments": {"command": "wc -l f"}}],
                "observation": {"results": [{"source_call_id": "a1", "content": "12 f"}]},
                "metrics": {"prompt_tokens": 10},
            },
            {"step_id": 4, "source": "agent", "message": "Twelve."},
        ],
        "final_metrics": {"total_steps": 4},
    }
    return run | ({"extra": {"reward": reward}} if reward is not None else {})


def write_lines(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def write_json(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
