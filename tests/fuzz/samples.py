"""Good inputs, from which strange ones are made."""

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.strange import as_json, documents
from tests.unit.cli import memory_samples, session_samples, transcript_samples

_COMMON = {"session_id": "s", "cwd": "/home/ana/shop", "transcript_path": "t.jsonl", "prompt_id": "p1"}
_STEP = {"tool": "Bash", "arguments": {"command": "ls"}, "observation": "ok", "status": "ok", "duration_ms": 5}


def _call(tool: str, given: Any, response: Any) -> dict[str, Any]:
    return _COMMON | {"tool_name": tool, "tool_use_id": "u1", "tool_input": given, "tool_response": response}


_PATCH = {"filePath": "a.py", "structuredPatch": [{"oldStart": 1, "newStart": 1, "lines": ["+x"]}]}
HOOK_EVENTS: list[Any] = [
    _COMMON | {"hook_event_name": "SessionStart", "source": "startup"},
    _COMMON | {"hook_event_name": "UserPromptSubmit", "prompt": "Make the mean of an empty list zero"},
    _call("Bash", {"command": "ls"}, {"stdout": "ok", "stderr": "", "interrupted": False}),
    _call("Edit", {"file_path": "a.py"}, _PATCH),
    _call("mcp__memory__start_episode", {"task": "x"}, [{"type": "text", "text": '{"episode_id": "e"}'}]),
    _COMMON | {"hook_event_name": "PostToolBatch", "tool_calls": [_call("Bash", {}, "x")]},
    _COMMON | {"hook_event_name": "Stop", "last_assistant_message": "Done.", "background_tasks": []},
    _COMMON | {"hook_event_name": "SubagentStop", "agent_id": "a1", "agent_type": "x"},
    _COMMON | {"hook_event_name": "SessionEnd", "reason": "other"},
]
_RECORD = {"id": "1-1", "session": "s", "project": "shop", "at_ms": 1_790_000_000_000, "host": "claude-code"}
SPOOL_LINES: list[Any] = [
    _RECORD | {"event": "user-prompt-submit", "prompt": "Make it work", "turn": "p1"},
    _RECORD | {"event": "post-tool-use", "step": _STEP},
    _RECORD | {"event": "post-tool-batch", "calls": [{"step": _STEP}]},
    _RECORD | {"event": "stop", "answer": "Done.", "background": 0},
    _RECORD | {"event": "session-end", "reason": "other"},
    _RECORD | {"event": "pre-compact"},
]
_TIMES = {"started_at_ms": 1_790_000_000_000, "ended_at_ms": 1_790_000_001_000}
_OUTCOME = {"kind": "success", "summary": "s", "lessons": ["l"]}
_WORK = {"task": "fix the parser", "steps": [_STEP, _STEP | {"status": "error", "error": "E"}], "context": {"domain": "web", "tags": ["t"]}}
EPISODES: list[Any] = [
    _WORK | _TIMES | {"external_id": "x/1", "project": "shop", "agent": "a", "outcome": _OUTCOME, "metadata": {"k": 1}},
    {"external_id": "x/2", "task": "go on", "follows": "x/1", "parent": "x/1", "same_as": ["x/3"], "project_before": ["p"], "steps": []},
    {"task": "no id", "steps": [_STEP]},
]
_HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "fuzz", "version": "1"}}
_COMPLETED = {"ref": {"type": "ref/prompt", "name": "x"}, "argument": {"name": "a", "value": "b"}}
FRAMES: list[Any] = [
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "recall", "arguments": {"query": "x", "limit": 3}}},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "start_episode", "arguments": {"task": "x", "recall": False}}},
    {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1, "reason": "x"}},
    {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": 0.5}},
    {"jsonrpc": "2.0", "id": "a", "method": "resources/read", "params": {"uri": "memory://status"}},
    {"jsonrpc": "2.0", "id": 3, "method": "completion/complete", "params": _COMPLETED},
    {"jsonrpc": "2.0", "id": 4, "method": "initialize", "params": _HELLO},
    {"jsonrpc": "2.0", "id": 5, "result": {}},
    [{"jsonrpc": "2.0", "id": 6, "method": "ping"}],
]
SETTINGS = [
    b'[storage]\ndata_dir = "x"\nbusy_deadline_ms = 100\n[server]\nport = 8765\nallowed_origins = ["https://a.example"]\ntoken = "t"\n',
    b'[embedding]\nprovider = "openai"\nbase_url = "https://user:pw@b.example/v1"\nmodel = "m"\n',
    b"[learning]\nholdout = 0.1\nhalf_life_days = 30.0\n",
    b"[retrieval]\ncandidates = 100\n",
]
HOST_CONFIGURATIONS = [
    b'{\n  // servers\n  "mcpServers": {"other": {"command": "x", "args": []},},\n  "a": [1, 2]\n}\n',
    b"{}",
    b'[mcp_servers.other]\ncommand = "x"\nargs = ["y"] # why\n\n[[list]]\na = 1\n',
    b"name: x\nmcpServers:\n  - name: other\n    command: x\n    args:\n      - y # why\nmodels: []\n",
    b"",
]


@cache
def _files(name: str) -> tuple[bytes, ...]:
    """Return whole files of a format."""
    made = transcript_samples
    with tempfile.TemporaryDirectory() as folder:
        written = session_samples.write_all(Path(folder))
        if name in written:
            return (written[name].read_bytes(),)
        if name == "mcp-memory-service":
            database = memory_samples.write_database(Path(folder) / "sqlite_vec.db", later=True)
            return (database.read_bytes(), as_json(memory_samples.SERVICE))
    if name == "server-memory":
        return (b"\n".join(map(as_json, memory_samples.GRAPH)),)
    if name == "basic-memory":
        return (memory_samples.NOTE.encode(),)
    documents_of: dict[str, list[Any]] = {
        "openai": [{"messages": made.openai_messages(1)}, made.openai_items(1)],
        "langchain": [made.langchain_messages(1), made.langchain_dumped(1)],
        "swe-agent": [made.swe_agent_run(1)],
        "atif": [made.atif_run(1, 0.5)],
        "mem0": [memory_samples.MEM0],
    }
    return tuple(map(as_json, documents_of[name]))


def transcripts(name: str) -> st.SearchStrategy[bytes]:
    """Draw a file of a format: lines or a document with values made strange; a database or a text only as bytes."""
    if name in ("opencode", "basic-memory"):
        return st.sampled_from(_files(name))
    if name == "mcp-memory-service":
        database, exported = _files(name)
        return st.just(database) | _strange(exported)
    return st.sampled_from(_files(name)).flatmap(_strange)


def _strange(data: bytes) -> st.SearchStrategy[bytes]:
    try:
        return documents([json.loads(data)]).map(as_json)
    except ValueError:
        found = [json.loads(line) for line in data.splitlines() if line.strip()]
        return documents([found]).map(lambda made: b"\n".join(map(as_json, made if isinstance(made, list) else [made])))


def suffix(name: str) -> str:
    """Return how the format's files end."""
    return {"opencode": ".db", "swe-agent": ".traj", "mcp-memory-service": ".db", "basic-memory": ".md"}.get(
        name, ".jsonl" if name in ("claude-code", "codex", "gemini", "qwen", "copilot", "server-memory") else ".json"
    )
