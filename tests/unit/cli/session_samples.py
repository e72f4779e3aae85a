"""Sessions in each agent host's written form, as small as shows its peculiarities; every one is the same work.

A failing test run, a file read, an edit, the test again; calls of the memory's own tools between them; what the program put in.
"""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

TASK = "The total of the cart is off by a cent; please fix it"
FAILED_RUN = "FAILED test_cart.py - assert 0.30000000000000004 == 0.3\n1 failed"
PASSED_RUN = "1 passed"
EPISODE_ID = "01a22510-4b48-7bb1-9a33-41f9a2b0665a"
START_MS = 1_795_922_700_000


def write_lines(path: Path, lines: Iterable[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def write_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def at(second: float) -> str:
    return f"2026-11-29T03:25:{second:06.3f}Z"


class Claude:
    """The lines of one session of Claude Code."""

    def __init__(self, session: str = "s1", agent: str = "") -> None:
        self.lines: list[dict[str, Any]] = []
        self._common: dict[str, Any] = {"sessionId": session, "cwd": "/home/ana/shop", "version": "2.1.332", "gitBranch": "main"}
        self._common |= {"isSidechain": bool(agent)} | ({"agentId": agent} if agent else {})

    def add(self, kind: str, content: Any, **more: Any) -> "Claude":
        number = len(self.lines)
        line = {"type": kind, "message": {"role": kind, "content": content}, "uuid": f"u{number}", "timestamp": at(number)}
        self.lines.append(self._common | line | more)
        return self

    def call(self, call_id: str, tool: str, **arguments: Any) -> "Claude":
        return self.add("assistant", [{"type": "tool_use", "id": call_id, "name": tool, "input": arguments}])

    def result(self, call_id: str, text: Any, *, failed: bool = False) -> "Claude":
        return self.add("user", [{"type": "tool_result", "tool_use_id": call_id, "content": text, "is_error": failed}])

    def say(self, text: str) -> "Claude":
        return self.add("assistant", [{"type": "text", "text": text}])

    def ask(self, text: str, prompt_id: str, **more: Any) -> "Claude":
        return self.add("user", text, promptId=prompt_id, **more)

    def done(self, command: str, call_id: str, *, text: str = "done", failed: bool = False) -> "Claude":
        """A shell command with its result."""
        return self.call(call_id, "Bash", command=command).result(call_id, text, failed=failed)


def claude_fix() -> list[dict[str, Any]]:
    session = Claude().ask(TASK, "p1").done("pytest -q", "t1", text=FAILED_RUN, failed=True)
    session.call("m1", "ToolSearch", query="select:mcp__memory__recall").result("m1", [{"type": "tool_reference", "tool_name": "x"}])
    session.call("m2", "mcp__memory__recall", query="cart").result("m2", '{"episodes": []}')
    session.call("t2", "Read", file_path="/home/ana/shop/cart.py").result("t2", "total = sum(prices)")
    session.call("t3", "Edit", file_path="/home/ana/shop/cart.py", old_string="sum", new_string="fsum").result("t3", "updated")
    return session.done("pytest -q", "t4", text=PASSED_RUN).say("Fixed.").lines


def codex_fix() -> list[dict[str, Any]]:
    turn = {"turn_id": "turn1"}

    def line(second: float, kind: str, **payload: Any) -> dict[str, Any]:
        return {"timestamp": at(second), "type": kind, "payload": payload}

    def message(second: float, role: str, text: str) -> dict[str, Any]:
        part = {"type": "input_text" if role == "user" else "output_text", "text": text}
        extra = {"internal_chat_message_metadata_passthrough": turn}
        return line(second, "response_item", type="message", role=role, content=[part], **extra)

    def call(second: float, call_id: str, command: str, output: str, exit_code: int) -> list[dict[str, Any]]:
        item: dict[str, Any] = {
            "type": "CommandExecution",
            "id": call_id,
            "command": ["/bin/bash", "-lc", command],
            "status": "failed" if exit_code else "completed",
        }
        item |= {"aggregated_output": output, "exit_code": exit_code, "duration": {"secs": 1, "nanos": 500_000_000}}
        ended = START_MS + int(second * 1000) + 2000
        text = f"Chunk ID: 1\nWall time: 1.5000 seconds\nProcess exited with code {exit_code}\nOriginal token count: 1\nOutput:\n{output}"
        return [
            line(
                second, "response_item", type="function_call", name="exec_command", arguments=json.dumps({"cmd": command}), call_id=call_id
            ),
            line(second + 2, "event_msg", type="item_completed", item=item, started_at_ms=ended, completed_at_ms=ended, **turn),
            line(second + 2.1, "response_item", type="function_call_output", call_id=call_id, output=text),
        ]

    return [
        line(0, "session_meta", id="c1", cwd="/home/ana/shop", cli_version="0.171.0"),
        line(0.1, "event_msg", type="task_started", **turn),
        message(0.2, "developer", "Rules"),
        message(0.3, "user", "<environment_context>\n  <cwd>/home/ana/shop</cwd>\n</environment_context>"),
        message(1, "user", TASK),
        *call(2, "x1", "pytest -q", FAILED_RUN, 1),
        line(
            5, "response_item", type="function_call", name="recall", namespace="mcp__memory__", arguments='{"query": "cart"}', call_id="x2"
        ),
        line(6, "response_item", type="function_call_output", call_id="x2", output='{"episodes": []}'),
        line(7, "response_item", type="custom_tool_call", name="apply_patch", input="*** Begin Patch", call_id="x3"),
        line(
            8,
            "response_item",
            type="custom_tool_call_output",
            call_id="x3",
            output='{"output":"Success","metadata":{"exit_code":0,"duration_seconds":0.2}}',
        ),
        *call(9, "x4", "pytest -q", PASSED_RUN, 0),
        message(12, "assistant", "Fixed."),
        line(13, "event_msg", type="task_complete", **turn),
    ]


def gemini_fix() -> list[dict[str, Any]]:
    def call(call_id: str, name: str, second: float, output: str, **args: Any) -> dict[str, Any]:
        response = {"functionResponse": {"id": call_id, "name": name, "response": {"output": output}}}
        return {"id": call_id, "name": name, "args": args, "result": [response], "status": "success", "timestamp": at(second)}

    def said(message_id: str, second: float, text: str, *calls: dict[str, Any]) -> dict[str, Any]:
        return {"id": message_id, "timestamp": at(second), "type": "gemini", "content": text, "model": "gemini-3", "toolCalls": list(calls)}

    failed = f"<untrusted_context>\nOutput: {FAILED_RUN}\nExit Code: 1\n</untrusted_context>\n\n<hook_context>known</hook_context>"
    context = "<session_context>\n- **Workspace Directories:**\n  - /home/ana/shop\n</session_context>"
    first = call("g1", "run_shell_command", 3, failed, command="pytest -q")
    return [
        {"sessionId": "g-1", "projectHash": "0", "startTime": at(0), "kind": "main"},
        {"$set": {"messages": [{"id": "m0", "timestamp": at(0), "type": "user", "content": [{"text": context}]}]}},
        {
            "id": "m1",
            "timestamp": at(1),
            "type": "user",
            "content": [{"text": f"<hook_context>project</hook_context>\n\n{TASK}"}, {"text": "<hook_context>memory</hook_context>"}],
        },
        {"$set": {"lastUpdated": at(1)}},
        said("m2", 2, "I run it.", {key: first[key] for key in ("id", "name", "args")} | {"status": "executing"}),
        said("m2", 2, "I run it.", first),
        {"id": "m3", "timestamp": at(3), "type": "user", "content": first["result"]},
        said("m4", 4, "", call("g2", "mcp_memory_recall", 5, "{}", query="cart")),
        said("m5", 6, "I edit.", call("g3", "replace", 7, "modified", file_path="cart.py", old_string="sum", new_string="fsum")),
        said("m6", 8, "Again.", call("g4", "run_shell_command", 9, f"Output: {PASSED_RUN}", command="pytest -q")),
        said("m7", 10, "Fixed."),
    ]


def qwen_fix() -> list[dict[str, Any]]:
    common = {"sessionId": "q1", "cwd": "/home/ana/shop", "version": "0.24.4", "gitBranch": "main"}

    def line(kind: str, second: float, parts: list[Any], **more: Any) -> dict[str, Any]:
        return common | {"type": kind, "uuid": f"q{second}", "timestamp": at(second), "message": {"role": kind, "parts": parts}} | more

    def call(call_id: str, second: float, name: str, took_ms: int, status: str, text: str, shown: Any, **args: Any) -> list[dict[str, Any]]:
        answer = {"functionResponse": {"id": call_id, "name": name, "response": {"output" if status == "success" else "error": text}}}
        event = {"event.name": "qwen-code.tool_call", "call_id": call_id, "duration_ms": took_ms}
        return [
            line("assistant", second, [{"functionCall": {"id": call_id, "name": name, "args": args}}]),
            common | {"type": "system", "subtype": "ui_telemetry", "timestamp": at(second), "systemPayload": {"uiEvent": event}},
            line("tool_result", second + 1, [answer], toolCallResult={"callId": call_id, "status": status, "resultDisplay": shown}),
        ]

    def shell(output: str, exit_code: int) -> dict[str, Any]:
        return {"type": "shell_result", "exitCode": exit_code, "output": output}

    context = {"text": "<qwen:user-prompt-submit-context>\nmemory\n</qwen:user-prompt-submit-context>"}
    return [
        line("user", 1, [{"text": TASK}, context], provenance="real_user"),
        *call("q1", 2, "run_shell_command", 700, "error", f"{FAILED_RUN}\nfixed before by Read", shell(FAILED_RUN, 1), command="pytest -q"),
        *call("q2", 4, "mcp__memory__recall", 5, "success", "{}", "", query="cart"),
        *call("q3", 6, "edit", 160, "success", "updated", {"fileDiff": "…"}, file_path="cart.py"),
        *call("q4", 8, "run_shell_command", 500, "success", PASSED_RUN, shell(PASSED_RUN, 0), command="pytest -q"),
        line("assistant", 10, [{"text": "thinking", "thought": True}, {"text": "Fixed."}]),
    ]


def copilot_fix() -> list[dict[str, Any]]:
    def line(kind: str, second: float, **data: Any) -> dict[str, Any]:
        return {"type": kind, "data": data, "id": f"e{second}", "timestamp": at(second)}

    def call(call_id: str, second: float, name: str, done: dict[str, Any], **arguments: Any) -> list[dict[str, Any]]:
        return [
            line("tool.execution_start", second, toolCallId=call_id, toolName=name, arguments=arguments),
            line("tool.execution_complete", second + 1, toolCallId=call_id, **done),
        ]

    def shell(text: str, exit_code: int) -> dict[str, Any]:
        return {"success": True, "result": {"content": text}, "shellExecution": {"exitCode": exit_code}}

    return [
        line("session.start", 0, sessionId="cp1", copilotVersion="1.0.102", context={"cwd": "/home/ana/shop", "branch": "main"}),
        line("user.message", 1, content=TASK, transformedContent=f"<current_datetime>now</current_datetime>\n\n{TASK}"),
        *call("o1", 2, "bash", shell(FAILED_RUN, 1), command="pytest -q"),
        *call("o2", 4, "memory-recall", {"success": True, "result": {"content": "{}"}}, query="cart"),
        *call("o3", 6, "view", {"success": False, "error": {"message": "no such file", "code": "failure"}}, path="none.py"),
        *call("o4", 8, "edit", {"success": True, "result": {"content": "updated"}}, path="cart.py"),
        line("tool.execution_start", 9, toolCallId="sub", toolName="bash", arguments={}, parentToolCallId="o9"),
        *call("o5", 10, "bash", shell(PASSED_RUN, 0), command="pytest -q"),
        line("assistant.message", 12, content="Fixed."),
    ]


def cline_fix() -> dict[str, Any]:
    def message(role: str, second: int, *blocks: dict[str, Any]) -> dict[str, Any]:
        return {"role": role, "content": list(blocks), "ts": START_MS + second * 1000}

    def call(call_id: str, second: int, name: str, given: dict[str, Any], content: Any) -> list[dict[str, Any]]:
        return [
            message("assistant", second, {"type": "tool_use", "id": call_id, "name": name, "input": given}),
            message("user", second + 1, {"type": "tool_result", "tool_use_id": call_id, "name": name, "content": content}),
        ]

    return {
        "sessionId": "cl1",
        "origin": {"version": "3.0.65"},
        "system_prompt": "You are\n4. Working Directory: /home/ana/shop\n</env>",
        "messages": [
            message("user", 0, {"type": "text", "text": f'<user_input mode="act">{TASK}</user_input>'}),
            *call("k1", 2, "run_commands", {"commands": ["pytest -q"]}, [{"query": "pytest -q", "result": FAILED_RUN, "success": False}]),
            *call("k2", 4, "memory__recall", {"query": "cart"}, '{"content":[{"type":"text","text":"{}"}],"isError":false}'),
            *call("k3", 6, "crm__find", {"q": 1}, '{"content":[{"type":"text","text":"no such customer"}],"isError":true}'),
            *call("k4", 8, "editor", {"path": "cart.py"}, [{"result": "updated", "success": True}]),
            *call("k5", 10, "run_commands", {"commands": ["pytest -q"]}, [{"query": "pytest -q", "result": PASSED_RUN, "success": True}]),
            message("assistant", 12, {"type": "text", "text": "Fixed."}),
        ],
    }


def continue_fix() -> dict[str, Any]:
    def call(call_id: str, name: str, output: str, status: str = "done", **arguments: Any) -> dict[str, Any]:
        state: dict[str, Any] = {
            "toolCallId": call_id,
            "toolCall": {"id": call_id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}},
        }
        state |= {"status": status, "parsedArgs": arguments, "output": [{"content": output, "name": "Tool Result"}]}
        return {"message": {"role": "assistant", "content": ""}, "toolCallStates": [state]}

    return {
        "sessionId": "co1",
        "title": "Cart",
        "workspaceDirectory": "file:///home/ana/shop",
        "history": [
            {"message": {"role": "user", "content": TASK}},
            call("n1", "Bash", f"Error: command failed\n{FAILED_RUN}", command="pytest -q"),
            call("n2", "recall_memory", "{}", query="cart") | {"message": {"role": "assistant", "content": "I look."}},
            call("n3", "start_episode", f'{{"episode_id":"{EPISODE_ID}"}}', task="cart"),
            call("n4", "Read", "no such file", status="errored", path="none.py"),
            call("n5", "Edit", "updated", path="cart.py"),
            call("n6", "Bash", PASSED_RUN, command="pytest -q"),
            {"message": {"role": "assistant", "content": "Fixed."}},
        ],
    }


def write_opencode(path: Path) -> Path:
    """A database with a session, a subagent's session, and one whose message was aborted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows: list[tuple[str, str, dict[str, Any], list[dict[str, Any]]]] = []  # session, message id, message, parts

    def tool(
        name: str, given: dict[str, Any], second: int, status: str = "completed", output: str = "ok", exit_code: int | None = None
    ) -> dict[str, Any]:
        time = {"start": START_MS + second * 1000, "end": START_MS + second * 1000 + 700}
        state: dict[str, Any] = {
            "status": status,
            "input": given,
            "time": time,
            "metadata": {} if exit_code is None else {"exit": exit_code},
        }
        state["error" if status == "error" else "output"] = output
        return {"type": "tool", "callID": f"{name}{second}", "tool": name, "state": state}

    def text(words: str, **more: Any) -> dict[str, Any]:
        return {"type": "text", "text": words} | more

    user, agent = {"role": "user"}, {"role": "assistant"}
    rows.append(("s1", "m1", user, [text(TASK), text("<file>put in</file>", synthetic=True)]))
    steps = [tool("bash", {"command": "pytest -q"}, 1, output=FAILED_RUN, exit_code=1), tool("memory_recall", {"query": "cart"}, 2)]
    steps += [tool("task", {"prompt": "look"}, 3), tool("read", {"filePath": "none.py"}, 4, status="error", output="File not found")]
    steps += [tool("edit", {"filePath": "cart.py"}, 5), tool("bash", {"command": "pytest -q"}, 6, output=PASSED_RUN, exit_code=0)]
    rows.append(("s1", "m2", agent, [{"type": "step-start"}, *steps, text("Fixed.")]))
    rows.append(("s2", "m3", user, [text("look at the cart")]))
    rows.append(("s2", "m4", agent, [tool("grep", {"pattern": "sum"}, 3), text("It is in cart.py.")]))
    rows.append(("s3", "m5", user, [text("Do something that takes long")]))
    rows.append(
        ("s3", "m6", agent | {"error": {"name": "MessageAbortedError"}}, [tool("bash", {"command": "sleep 60"}, 9, status="running")])
    )
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "CREATE TABLE session (id TEXT, parent_id TEXT, directory TEXT, version TEXT, time_created INTEGER);"
            "CREATE TABLE message (id TEXT, session_id TEXT, time_created INTEGER, data TEXT);"
            "CREATE TABLE part (id TEXT, message_id TEXT, session_id TEXT, time_created INTEGER, data TEXT);"
        )
        for number, (session, parent) in enumerate((("s1", None), ("s2", "s1"), ("s3", None))):
            database.execute("INSERT INTO session VALUES (?, ?, '/home/ana/shop', '1.18', ?)", (session, parent, START_MS + number))
        for number, (session, message_id, message, parts) in enumerate(rows):
            created = START_MS + (3_000 if session == "s2" else 0) + number
            database.execute("INSERT INTO message VALUES (?, ?, ?, ?)", (message_id, session, created, json.dumps(message)))
            for index, part in enumerate(parts):
                part_id = f"prt{number}-{index:02d}"
                database.execute("INSERT INTO part VALUES (?, ?, ?, ?, ?)", (part_id, message_id, session, created, json.dumps(part)))
        database.commit()
    return path


def write_all(home: Path) -> dict[str, Path]:
    """Write every host's session into the folder it keeps them in; return the files."""
    return {
        "claude-code": write_lines(home / ".claude/projects/-home-ana-shop/s1.jsonl", claude_fix()),
        "codex": write_lines(home / ".codex/sessions/2026/11/29/rollout-2026-11-29T03-25-00-c1.jsonl", codex_fix()),
        "gemini": write_lines(home / ".gemini/tmp/shop/chats/session-2026-11-29T03-25-g-1.jsonl", gemini_fix()),
        "qwen": write_lines(home / ".qwen/projects/-home-ana-shop/chats/q1.jsonl", qwen_fix()),
        "copilot": write_lines(home / ".copilot/session-state/cp1/events.jsonl", copilot_fix()),
        "opencode": write_opencode(home / ".local/share/opencode/opencode.db"),
        "cline": write_json(home / ".cline/data/sessions/cl1/cl1.messages.json", cline_fix()),
        "continue": write_json(home / ".continue/sessions/co1.json", continue_fix()),
    }
