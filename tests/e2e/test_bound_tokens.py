"""A token for one project or for several, over HTTP: whatever its holder asks for, nothing of another project comes back."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ResourceTemplateReference

from mcp_memory.server import tools
from mcp_memory.server.token_file import create_token
from tests.e2e.wire import ROOT

pytestmark = pytest.mark.anyio
SECRET = "zanzibar"  # in every text of the other project
STEPS: list[dict[str, Any]] = [
    {"tool": "shell", "action": "pytest", "status": "error", "error": f"KeyError: '{SECRET}'"},
    {"tool": "editor", "action": "edit", "arguments": {"path": f"{SECRET}.py"}},
    {"tool": "shell", "action": "pytest", "observation": f"4 passed {SECRET}"},
]
OWN_STEPS = [json.loads(json.dumps(step).replace(SECRET, "harbour")) for step in STEPS]


class Server:
    """A real server with its token file."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/mcp"
        self.owner = create_token(folder / "tokens", "owner")
        self.bound = create_token(folder / "tokens", "harbour", ["harbour"])
        self.of_two = create_token(folder / "tokens", "two", ["harbour", "quay"])

    @asynccontextmanager
    async def client(self, token: str) -> AsyncIterator[Client]:
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http,
            Client(streamable_http_client(self.url, http_client=http)) as client,
        ):
            yield client

    def get(self, path: str, token: str) -> int:
        return httpx2.get(self.url.removesuffix("/mcp") + path, headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("bound")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = Server(folder, port)
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MCP_MEMORY_")}
    own = {"MCP_MEMORY_EMBEDDING__PROVIDER": "off", "MCP_MEMORY_SERVER__TOKEN_FILE": str(folder / "tokens"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "mcp_memory", "serve", "--port", str(port), "--data-dir", str(folder / "data")]
    with (folder / "server.log").open("ab") as log:
        popen = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=clean | own)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and popen.poll() is None:
            try:
                if httpx2.get(f"http://127.0.0.1:{port}/healthz").json()["status"] == "ready":
                    break
            except httpx2.TransportError:
                pass
            time.sleep(0.05)  # until the memory is open: nothing announces it
        yield found
    finally:
        popen.kill()
        popen.wait(30)


async def called(client: Client, tool: str, **arguments: Any) -> Any:
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    return answer.structured_content


async def record(client: Client, project: str, word: str, steps: list[dict[str, Any]]) -> dict[str, str]:
    """Record what one project has of everything, and return the ids."""
    ids = {}
    for number in range(3):
        said = {"project": project, "domain": word, "agent": word, "tags": [word], "framework": word}
        started = await called(client, "start_episode", task=f"Mend the {word} parser {number}", **said)
        ids["episode_id"] = started["episode_id"]
        await called(client, "log_steps", episode_id=ids["episode_id"], steps=steps)
        await called(client, "complete_episode", episode_id=ids["episode_id"], outcome="success", lessons=[f"ask {word}"])
    recalled = await called(client, "recall", query=f"{word} parser", project=project)
    ids["recommendation_id"] = recalled["recommendation_id"]
    learned = (await called(client, "search_patterns", project=project, limit=50))["patterns"]
    ids["pattern_id"] = next(p["pattern_id"] for p in learned if word in p["description"] and p["kind"] != "error_recovery")
    ids["open_id"] = (await called(client, "start_episode", task=f"Open {word} work", project=project))["episode_id"]
    ids["checkpoint_id"] = (await called(client, "checkpoint_episode", episode_id=ids["open_id"], label=word))["checkpoint_id"]
    return ids


@pytest.fixture
async def ids(server: Server) -> dict[str, dict[str, str]]:
    async with server.client(server.owner) as owner:
        foreign = await record(owner, "zanzibar", SECRET, STEPS)
        own = await record(owner, "harbour", "harbour", OWN_STEPS)
        second = await record(owner, "quay", "quay", json.loads(json.dumps(STEPS).replace(SECRET, "quay")))
        await called(owner, "link_episodes", from_id=own["episode_id"], to_id=foreign["episode_id"], type="references", note=SECRET)
    return {"foreign": foreign, "own": own, "second": second}


def _values(schema: dict[str, Any], name: str, kinds: dict[str, str]) -> Any:
    """Return a value for an argument of a tool: an id of the given episode, or something that fits."""
    ids = {"pattern_id": "pattern_id", "recommendation_id": "recommendation_id", "checkpoint_id": "checkpoint_id"}
    if name in ids:
        return kinds[ids[name]]
    if name.endswith("_id") or name in ("helped", "hindered", "used_ids", "episode_ids"):
        return [kinds["episode_id"]] if schema.get("type") == "array" else kinds["episode_id"]
    fits = {"string": SECRET, "integer": 1, "number": 0.5, "boolean": True, "object": {}, "array": []}
    return schema["enum"][0] if "enum" in schema else fits[schema.get("type", "string")]


def _without(text: str, *given: str) -> str:
    for value in given:
        text = text.replace(value, "ID")
    return text


@pytest.mark.parametrize("holder", ["bound", "of_two"])
async def test_no_tool_shows_or_touches_anything_of_another_project(server: Server, ids: dict[str, dict[str, str]], holder: str) -> None:
    foreign = ids["foreign"]
    unknown = {name: "0190" + value[4:] if name != "pattern_id" else value[:-4] + "0000" for name, value in foreign.items()}
    tried = set()
    async with server.client(server.owner) as owner, server.client(getattr(server, holder)) as client:
        before = await called(owner, "memory_status")
        for tool in (await client.list_tools()).tools:
            properties = tool.input_schema["properties"]
            for name in [n for n in properties if n.endswith(("_id", "_ids")) or n in ("helped", "hindered")]:
                # One foreign id at a time: all other ids are the caller's own, so that nothing else is refused first.
                sayings = []
                for kinds in (foreign, unknown):
                    arguments = {}
                    for other in {*tool.input_schema.get("required", ()), name}:
                        arguments[other] = _values(properties[other], other, kinds if other == name else ids["own"])
                    answer = await client.call_tool(tool.name, arguments)
                    text = " ".join(block.text for block in answer.content if block.type == "text")
                    assert answer.is_error or tool.name == "give_feedback", (tool.name, name, text)
                    sayings.append(_without(text, *kinds.values(), kinds["episode_id"]))
                    tried.add(tool.name)
                assert sayings[0] == sayings[1], (tool.name, name, sayings)
                assert SECRET not in sayings[0].replace(f"{SECRET} ", "")
        after = await called(owner, "memory_status")
        for kind in ("evidence", "patterns", "links", "checkpoints", "feedback"):
            assert after["counts"][kind] >= before["counts"][kind], "nothing of the other project went"
        kept = await called(owner, "get_episode", episode_id=foreign["episode_id"], detail="full")
        assert kept["outcome"]["kind"] == "success"
    assert {"get_episode", "get_pattern", "forget", "resume_episode", "link_episodes", "update_episode", "related_episodes"} <= tried


async def test_listings_counts_advice_and_completions_are_of_the_own_project_only(server: Server, ids: dict[str, dict[str, str]]) -> None:
    own = ids["own"]
    async with server.client(server.bound) as client:
        answers: list[Any] = []
        for project in ({}, {"project": "*"}, {"project": "harbour"}):
            answers.append(await called(client, "recall", query="parser", detail="full", limit=50, **project))
            answers.append(await called(client, "search_episodes", query="parser", limit=50, **project))
            answers.append(await called(client, "search_patterns", limit=50, **project))
            answers.append(await called(client, "recommend_playbook", task="Mend the parser", **project))
            answers.append(await called(client, "analyze_trends", **project))
        silent = await called(client, "recall", query=f"{SECRET} {SECRET}.py KeyError")
        assert not silent.get("elsewhere")
        answers.append(silent)
        answers.append(await called(client, "start_episode", task="Mend the parser again"))
        answers.append(await called(client, "suggest_next_step", episode_id=own["open_id"]))
        answers.append(await called(client, "related_episodes", episode_id=own["episode_id"]))
        answers.append(await called(client, "get_pattern", pattern_id=own["pattern_id"]))
        answers.append(await called(client, "get_episode", episode_id=own["episode_id"], detail="full"))
        status = await called(client, "memory_status")
        answers.append(status)
        whole = json.dumps(answers)
        assert [whole[max(0, i - 150) : i + 60] for i in range(len(whole)) if whole.startswith(SECRET, i)] == []
        assert ids["foreign"]["episode_id"] not in whole
        listed = await called(client, "search_episodes", project="*", limit=50)
        assert status["counts"]["episodes"] == listed["total"]
        assert status["data_dir"] == ""
        refused = await client.call_tool("search_episodes", {"project": "zanzibar"})
        unknown = await client.call_tool("search_episodes", {"project": "atlantis"})
        assert refused.is_error
        assert refused.content[0].text.replace("zanzibar", "x") == unknown.content[0].text.replace("atlantis", "x")  # type: ignore[union-attr]
        forgotten = await called(client, "forget", filter={"domain": SECRET})
        assert forgotten["would_delete"]["episodes"] == 0


async def test_resources_prompts_completions_and_routes_are_of_the_own_project_only(server: Server, ids: dict[str, dict[str, str]]) -> None:
    foreign, own = ids["foreign"], ids["own"]
    async with server.client(server.bound) as client:
        texts = []
        for resource in (await client.list_resources()).resources:
            texts.append(str((await client.read_resource(str(resource.uri))).contents))
        for address in (f"memory://episode/{own['episode_id']}", f"memory://pattern/{own['pattern_id']}", "memory://project/harbour"):
            texts.append(str((await client.read_resource(address)).contents))
        texts.append(str((await client.read_resource(f"memory://lessons/{SECRET}")).contents).replace(SECRET, "", 3))
        for address in (f"memory://episode/{foreign['episode_id']}", "memory://project/zanzibar"):
            with pytest.raises(MCPError):
                await client.read_resource(address)
        with pytest.raises(MCPError):
            await client.get_prompt("wrap_up", {"episode_id": foreign["open_id"]})
        for prompt in (await client.list_prompts()).prompts:
            given = {a.name: own["open_id"] if a.name == "episode_id" else "Mend the parser" for a in prompt.arguments or () if a.required}
            texts.append(str(await client.get_prompt(prompt.name, given)))
        for variable in ("project", "domain", "episode_id", "pattern_id"):
            for typed in ("", foreign["episode_id"][:8], "zan"):
                template = ResourceTemplateReference(uri="memory://episode/{episode_id}")
                found = await client.complete(template, {"name": variable, "value": typed})
                texts.append(str(found))
        whole = " ".join(texts)
        assert [whole[max(0, i - 150) : i + 60] for i in range(len(whole)) if whole.startswith(SECRET, i)] == []
        assert foreign["episode_id"] not in whole
    assert server.get("/metrics", server.owner) == 200
    assert server.get("/ui", server.bound) == server.get("/ui", server.owner) == 401, "no bearer token opens the pages"
    for path in ("/metrics", "/hook/stop"):
        assert server.get(path, server.bound) == 403


async def test_a_token_for_two_projects_lists_counts_and_completes_both_and_no_other(
    server: Server, ids: dict[str, dict[str, str]]
) -> None:
    async with server.client(server.of_two) as client:
        listed = [await called(client, "search_episodes", limit=50, **project) for project in ({}, {"project": "*"})]
        for page in listed:
            assert {row["project"] for row in page["episodes"]} == {"harbour", "quay"}
        status = await called(client, "memory_status")
        assert status["counts"]["episodes"] == listed[0]["total"]
        each = [(await called(client, "search_episodes", project=name))["total"] for name in ("harbour", "quay")]
        assert status["counts"]["episodes"] == sum(each)
        patterns = [row["description"] for row in (await called(client, "search_patterns", limit=50))["patterns"]]
        assert any("harbour" in row for row in patterns)
        assert any("quay" in row for row in patterns)
        answers: list[Any] = [status, *listed, patterns]
        for name in ("harbour", "quay"):
            answers.append(await called(client, "recall", query=f"{name} parser", project=name, detail="full"))
            assert name in json.dumps(answers[-1])
            answers.append(await called(client, "recommend_playbook", task=f"Mend the {name} parser", project=name))
        for key in ("own", "second"):
            answers.append(await called(client, "get_episode", episode_id=ids[key]["episode_id"], detail="full"))
            answers.append(await called(client, "get_pattern", pattern_id=ids[key]["pattern_id"]))
            answers.append(await called(client, "suggest_next_step", episode_id=ids[key]["open_id"]))
        answers.append(await called(client, "related_episodes", episode_id=ids["own"]["episode_id"]))
        for resource in (await client.list_resources()).resources:
            answers.append(str((await client.read_resource(str(resource.uri))).contents))
        for address in ("memory://project/quay", "memory://lessons/quay"):
            answers.append(str((await client.read_resource(address)).contents))
        for variable in ("project", "domain", "episode_id", "pattern_id"):
            template = ResourceTemplateReference(uri="memory://episode/{episode_id}")
            found = (await client.complete(template, {"name": variable, "value": ""})).completion.values
            answers.append(found)
            if variable == "project":
                assert found == ["harbour", "quay"]
        forgotten = await called(client, "forget", filter={"domain": SECRET})
        assert forgotten["would_delete"]["episodes"] == 0
        forgotten = await called(client, "forget", filter={"tags": ["quay"]})
        assert forgotten["would_delete"]["episodes"] >= 3
    whole = json.dumps(answers)
    assert [whole[max(0, i - 150) : i + 60] for i in range(len(whole)) if whole.startswith(SECRET, i)] == []
    assert ids["foreign"]["episode_id"] not in whole


async def test_which_of_two_projects_is_meant_is_taken_from_ids_or_asked_for(server: Server, ids: dict[str, dict[str, str]]) -> None:
    async with server.client(server.of_two) as client:
        for tool, arguments in (
            ("start_episode", {"task": "Mend something"}),
            ("recall", {"query": "parser"}),
            ("recall", {"query": "parser", "project": "*"}),
            ("recommend_playbook", {"task": "Mend something"}),
            ("analyze_trends", {}),
        ):
            refused = await client.call_tool(tool, arguments)
            assert refused.is_error, tool
            text = refused.content[0].text  # type: ignore[union-attr]
            assert "'harbour', 'quay'" in text, text
            assert SECRET not in text
        follows = await called(client, "start_episode", task="Go on with it", parent_id=ids["second"]["episode_id"])
        assert follows["project"] == "quay"
        named = await called(client, "start_episode", task="Mend something", project="harbour")
        assert named["project"] == "harbour"
        foreign = await client.call_tool("start_episode", {"task": "Mend something", "project": SECRET})
        unknown = await client.call_tool("start_episode", {"task": "Mend something", "project": "atlantis"})
        assert foreign.is_error
        assert foreign.content[0].text.replace(SECRET, "x") == unknown.content[0].text.replace("atlantis", "x")  # type: ignore[union-attr]


def test_the_full_set_is_what_was_tried() -> None:
    assert len(tools.FULL) == 20
