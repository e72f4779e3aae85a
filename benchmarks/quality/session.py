"""The memory as an agent host meets it: filled by the command line, asked through an MCP client over stdio, with default settings."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters

from mcp_memory.domain.text import token_estimate

Answer = dict[str, Any]
Context = dict[str, Any]
CALL_TIMEOUT_S = 120
BUDGET_TOKENS = 20_000  # so that the wanted number of episodes is the limit, not the answer's length
READY_S, POLL_S = 120, 0.2
ROOT = Path(__file__).parents[2]


def clean_environment() -> dict[str, str]:
    """Return this process' environment without settings of the memory, so that the defaults are measured."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MCP_MEMORY_") and key != "CLAUDE_PROJECT_DIR"}
    return kept | {"PYTHONPATH": str(ROOT)}


def fill(data_dir: Path, lines: Iterable[dict[str, Any]]) -> Answer:
    """Import interchange lines with `mcp-memory import` and return its report, with its duration. Raises CalledProcessError."""
    file = data_dir / "episodes.jsonl"
    data_dir.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8") as out:
        for line in lines:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    command = [sys.executable, "-m", "mcp_memory", "import", str(file), "--quiet", "--json", "--data-dir", str(data_dir)]
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout) | {"seconds": round(time.perf_counter() - started, 1)}


@dataclass(frozen=True, slots=True)
class Reading:
    """A tool's structured answer, and the text beside it, which most hosts show the model instead."""

    answer: Answer
    text: str

    @property
    def text_tokens(self) -> int:
        return token_estimate(self.text)

    @property
    def structured_tokens(self) -> int:
        return token_estimate(json.dumps(self.answer, ensure_ascii=False, separators=(",", ":")))


class Session:
    """One MCP client session. Every call's duration is kept."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.durations_ms: dict[str, list[float]] = {}

    async def call(self, tool: str, /, **arguments: Any) -> Answer:
        """Return a tool's structured answer. Raises RuntimeError: the tool refused."""
        return (await self.read(tool, **arguments)).answer

    async def read(self, tool: str, /, **arguments: Any) -> Reading:
        """Return a tool's answer as a host gets it. Raises RuntimeError: the tool refused."""
        started = time.perf_counter()
        result = await self._client.call_tool(tool, arguments)
        self.durations_ms.setdefault(tool, []).append((time.perf_counter() - started) * 1000)
        text = "\n".join(getattr(part, "text", "") for part in result.content)
        if result.is_error:
            raise RuntimeError(text)
        return Reading(dict(result.structured_content or {}), text)

    async def ready(self) -> None:
        """Wait until recall answers without a lesser state. Raises TimeoutError."""
        deadline = time.monotonic() + READY_S
        while lesser := (await self.call("recall", query="ready?")).get("degraded"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the memory did not become ready: {lesser}")
            await asyncio.sleep(POLL_S)
        self.durations_ms.clear()

    async def recall(self, query: str, limit: int, context: Context | None = None, **more: Any) -> list[Answer]:
        """Return the *limit* best episodes, page by page."""
        found: list[Answer] = []
        cursor: str | None = None
        while len(found) < limit:
            page = {"cursor": cursor} if cursor else {}
            arguments = {"query": query, "limit": limit, "include": ["episodes"], "budget_tokens": BUDGET_TOKENS, **(context or {}), **more}
            answer = await self.call("recall", **arguments, **page)
            found += answer["episodes"]
            cursor = answer.get("next_cursor")
            if not cursor or not answer["episodes"]:
                break
        return found[:limit]


@asynccontextmanager
async def opened(data_dir: Path) -> AsyncIterator[Session]:
    """Start a server process with the default settings on *data_dir* and connect to it."""
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "mcp_memory", "stdio", "--data-dir", str(data_dir)], env=clean_environment(), cwd=ROOT
    )
    async with Client(parameters, read_timeout_seconds=CALL_TIMEOUT_S) as client:
        session = Session(client)
        await session.ready()
        yield session
