"""Hostile wire and hostile arguments against real server processes: no crash, no hang, no stack trace, no write from a refused call.

`FUZZ_REQUESTS=30000 pytest tests/e2e/test_mcp_fuzz.py` for a long run; the default is a short one.
"""

import json
import math
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_memory.server import tools
from mcp_memory.server.outputs import Schema
from tests.e2e.wire import INITIALIZE, Process

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "600"))
BATCH = 10
LEAKS = ("Traceback", 'File "', "pydantic", "sqlite3.", "site-packages")
fuzzing = settings(
    max_examples=max(1, REQUESTS // (2 * BATCH)),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
ids = count(1_000_000)

texts = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", " ", "\x00", "a\u202eb", '" OR 1=1 --', "NEAR(", "*", "a" * 30_000, "../../etc/passwd", "日本語", "👩\u200d👧", "{}", "[1"]
    ),
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.integers(-(2**70), 2**70), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=8,
)
METHODS = [
    "initialize",
    "ping",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/read",
    "resources/templates/list",
    "resources/subscribe",
    "resources/unsubscribe",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "logging/setLevel",
    "server/discover",
    "tasks/get",
    "nothing/like/this",
]


@st.composite
def request_params(draw: st.DrawFn) -> Any:
    """Draw params that are half right for some method."""
    shape = draw(st.integers(0, 5))
    if shape == 0:
        return draw(json_values)
    params: dict[str, Any] = {
        "name": draw(st.one_of(st.sampled_from(list(tools.by_name("full"))), texts)),
        "arguments": draw(json_values),
        "uri": draw(st.one_of(texts, texts.map("memory://episode/".__add__), st.just("memory://status"))),
        "ref": {
            "type": draw(st.sampled_from(["ref/prompt", "ref/resource", "x"])),
            "name": "wrap_up",
            "uri": "memory://pattern/{pattern_id}",
        },
        "argument": {"name": draw(st.sampled_from(["episode_id", "domain", "x"])), "value": draw(texts)},
        "cursor": draw(json_values),
        "_meta": draw(st.one_of(st.just({}), json_values, st.just({"progressToken": 1}))),
    }
    keep = draw(st.sets(st.sampled_from(list(params))))
    return {key: value for key, value in params.items() if key in keep}


requests = st.fixed_dictionaries({"method": st.sampled_from(METHODS), "params": request_params()})
raw_lines = st.one_of(
    st.binary(max_size=60).filter(lambda data: b"\n" not in data),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries({}, optional={"jsonrpc": json_values, "id": json_values, "method": json_values, "params": json_values}).map(
        lambda value: json.dumps(value).encode()
    ),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A real server with a real memory; no model, because nothing here is about meaning."""
    data_dir = tmp_path_factory.mktemp("fuzz")
    settings_file = data_dir / "settings.toml"
    settings_file.write_text('[embedding]\nprovider = "off"\n')
    arguments = ("-m", "mcp_memory", "stdio", "--tools", "full", "--config", str(settings_file))
    with Process(data_dir, *arguments) as process:
        process.send("initialize", INITIALIZE, 0)
        process.answer(0)
        process.send("notifications/initialized")
        yield process


@pytest.fixture(scope="module")
def stored(server: Process) -> Iterator["Stored"]:
    status = exchange(server, "tools/call", {"name": "memory_status", "arguments": {}})["result"]["structuredContent"]
    with closing(sqlite3.connect(Path(status["data_dir"]) / "memory.db", isolation_level=None)) as connection:
        yield Stored(connection)


class Stored:
    """Looks into the server's database. What was recommended is left out: it is written after the answer of a call that was accepted."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%' AND name NOT LIKE 'sqlite%'"
        ).fetchall()
        self._sizes = {table: self._size_query(table) for (table,) in tables if table != "recommendation"}
        assert {"episode", "step", "change", "episode_edit", "link", "checkpoint", "feedback", "tombstone"} <= self._sizes.keys()

    def _size_query(self, table: str) -> str:
        columns = [row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")]
        return f"SELECT count(*), {', '.join(f'total(length({column}))' for column in columns)} FROM {table}" + (
            " WHERE kind <> 'recommendation'" if table == "change" else ""
        )

    def __call__(self) -> dict[str, Any]:
        """Return the number of rows of each table and the length of all that is in each of its columns."""
        return {table: self._connection.execute(query).fetchone() for table, query in self._sizes.items()}


def exchange(server: Process, method: str, params: Any) -> dict[str, Any]:
    """Send one request and return its answer, free of leaks."""
    request_id = next(ids)
    server.send(method, params, request_id)
    answer = server.answer(request_id)
    shown = json.dumps(answer)
    assert not [leak for leak in LEAKS if leak in shown], shown
    return answer


@fuzzing
@given(st.lists(st.one_of(requests, raw_lines), min_size=BATCH, max_size=BATCH))
def test_whatever_comes_over_the_wire_the_server_goes_on(server: Process, batch: list[Any]) -> None:
    for item in batch:
        if isinstance(item, bytes):
            server.write(item.replace(b"\n", b" ") + b"\n")
        else:
            answer = exchange(server, item["method"], item["params"])
            assert ("result" in answer) != ("error" in answer)
    assert exchange(server, "ping", {})["result"] == {}


def valid(schema: Schema) -> st.SearchStrategy[Any]:
    """Return values that fit a schema of ours."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema["type"]
    if kind == "array":
        return st.lists(valid(schema["items"]), max_size=4)
    if kind == "object" and "properties" in schema:
        properties = {name: valid(item) for name, item in schema["properties"].items()}
        required = schema.get("required", ())
        return st.fixed_dictionaries(
            {name: properties[name] for name in required},
            optional={name: item for name, item in properties.items() if name not in required},
        )
    return {
        "string": texts,
        "integer": st.integers(-5, 200),
        "number": st.floats(-1, 2),
        "boolean": st.booleans(),
        "object": st.dictionaries(texts, json_values, max_size=3),
    }[kind]


@st.composite
def tool_calls(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a call that fits its schema, or nearly."""
    tool = draw(st.sampled_from(list(tools.by_name("full").values())))
    arguments = draw(valid(tool.input_schema))
    fault = draw(st.integers(0, 4))
    if fault == 0:
        arguments = arguments | {draw(st.one_of(texts, st.sampled_from(list(arguments) or ["x"]))): draw(json_values)}
    elif fault == 1 and arguments:
        del arguments[draw(st.sampled_from(list(arguments)))]
    elif fault == 2 and arguments:
        arguments[draw(st.sampled_from(list(arguments)))] = draw(json_values)
    return {"name": tool.name, "arguments": arguments}


@fuzzing
@given(st.lists(tool_calls(), min_size=BATCH, max_size=BATCH), st.data())
def test_whatever_arguments_come_a_refused_call_writes_nothing(
    server: Process, stored: Stored, calls: list[dict[str, Any]], data: st.DataObject
) -> None:
    started = exchange(server, "tools/call", {"name": "start_episode", "arguments": {"task": "fuzz", "recall": False}})
    known = started["result"]["structuredContent"]["episode_id"]
    before = stored()
    for call in calls:
        for field in ("episode_id", "from_id", "to_id"):
            if field in call["arguments"] and data.draw(st.booleans()):
                call["arguments"][field] = known
        answer = exchange(server, "tools/call", call)
        if "result" not in answer:
            assert answer["error"]["code"] == -32602, answer  # arguments that are no object
            continue
        result = answer["result"]
        if result["isError"]:
            line = result["content"][0]["text"]
            assert "\n" not in line
            assert not line.startswith("internal_error"), (call, line)
            assert stored() == before, (call, line)
        before = stored()


def test_numbers_json_has_no_word_for_are_refused(server: Process) -> None:
    for value in (math.nan, math.inf, -math.inf):
        call = {"name": "give_feedback", "arguments": {"recommendation_id": "x", "outcome": "helped", "rating": value}}
        result = exchange(server, "tools/call", call)["result"]
        assert result["isError"]
