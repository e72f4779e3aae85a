"""Other memories beside this one, on the same questions: what is found first, what reading the answer costs, how soon the first one comes.

    python -m benchmarks.peers SPLIT NAME=COMMAND …

SPLIT is a folder as `benchmarks.quality` takes it. Each server is started anew over MCP (stdio) and is told the tasks of the split's
episodes, one memory an episode, then asked the questions of B1 (the same task in other words). All get the same text; what only some can
keep (steps, outcomes) is left out, so this is about finding alone. A NAME without a way to be told (see PEERS) is refused.
"""

import argparse
import asyncio
import json
import re
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters
from mcp_types import TextContent

from benchmarks.quality import split
from benchmarks.quality.session import clean_environment
from mcp_memory.domain.text import token_estimate

Call = tuple[str, dict[str, Any]]
CALL_TIMEOUT_S = 120
TOLD_AT_ONCE = 50
MARK = re.compile(r"episode-(\d+)\b")  # how a memory is known again in an answer


@dataclass(frozen=True)
class Peer:
    """How a server is told texts and asked. `env` has `{folder}` for a folder of its own."""

    tell: Callable[[Sequence[tuple[str, str]]], list[Call]]  # of (mark, text) pairs
    ask: Callable[[str], Call]
    env: Mapping[str, str]


def _ours(told: Sequence[tuple[str, str]]) -> list[Call]:
    return [("complete_episode", {"task": text, "outcome": "partial", "summary": mark}) for mark, text in told]


def _entities(told: Sequence[tuple[str, str]]) -> list[Call]:
    return [("create_entities", {"entities": [{"name": mark, "entityType": "task", "observations": [text]} for mark, text in told]})]


PEERS = {
    "mcp-episodic-memory": Peer(_ours, lambda query: ("recall", {"query": query}), {"MCP_MEMORY_DATA_DIR": "{folder}"}),
    "server-memory": Peer(_entities, lambda query: ("search_nodes", {"query": query}), {"MEMORY_FILE_PATH": "{folder}/memory.jsonl"}),
}


async def measured(
    peer: Peer, command: str, told: Sequence[tuple[str, str]], asked: Sequence[tuple[str, frozenset[str]]]
) -> dict[str, Any]:
    """Return what a server found: hit@1 and hit@5 over the questions, an answer's tokens (median, largest), seconds to the first answer."""
    program, *arguments = shlex.split(command)
    with tempfile.TemporaryDirectory() as folder:
        env = clean_environment() | {name: value.format(folder=folder) for name, value in peer.env.items()}
        parameters = StdioServerParameters(command=program, args=arguments, env=env)
        began = time.perf_counter()
        async with Client(parameters, read_timeout_seconds=CALL_TIMEOUT_S) as client:
            await _text(client, peer.ask("anything at all"))
            first_s = time.perf_counter() - began
            for start in range(0, len(told), TOLD_AT_ONCE):
                for call in peer.tell(told[start : start + TOLD_AT_ONCE]):
                    await _text(client, call)
            rows = [(await _text(client, peer.ask(query)), right) for query, right in asked]
    found = [(list(dict.fromkeys(MARK.findall(text))), right, token_estimate(text)) for text, right in rows]
    tokens = [size for *_, size in found]
    return {
        "questions": len(found),
        "hit1": round(statistics.mean(bool(set(marks[:1]) & right) for marks, right, _ in found), 3),
        "hit5": round(statistics.mean(bool(set(marks[:5]) & right) for marks, right, _ in found), 3),
        "tokens_median": int(statistics.median(tokens)),
        "tokens_max": max(tokens),
        "first_answer_s": round(first_s, 1),
    }


async def _text(client: Client, call: Call) -> str:
    """Return the text a call answers with. Raises RuntimeError: the server refuses it."""
    name, arguments = call
    result = await client.call_tool(name, arguments)
    text = "\n".join(part.text for part in result.content if isinstance(part, TextContent))
    if result.is_error:
        raise RuntimeError(f"{name}: {text[:500]}")
    return text


def material(folder: Path, memories: int, limit: int) -> tuple[list[tuple[str, str]], list[tuple[str, frozenset[str]]]]:
    """Return the (mark, text) of the first episodes of the split's memory, and of up to *limit* questions the words and the right marks."""
    lines = split.memory_lines(folder, "repeat")[:memories]
    places = {line["external_id"]: str(place) for place, line in enumerate(lines)}
    told = [(f"episode-{place}", line["task"]) for place, line in enumerate(lines)]
    rows = split.spread(split.rows(split.task_file(folder, "b1")), limit)
    return told, [(row["query"], frozenset(places[name] for name in row["truth"]["relevant"] if name in places)) for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("split", type=Path)
    parser.add_argument("peers", nargs="*", metavar="NAME=COMMAND", help=f"NAME is one of {', '.join(PEERS)}")
    parser.add_argument("--memories", type=int, default=1_000_000, help="told at most; 0 measures the start alone")
    parser.add_argument("--limit", type=int, default=100, help="questions")
    args = parser.parse_args()
    commands = dict(peer.partition("=")[::2] for peer in args.peers) or {"mcp-episodic-memory": f"{sys.executable} -m mcp_memory stdio"}
    told, asked = material(args.split, args.memories, args.limit)
    for name, command in commands.items():
        if name not in PEERS:
            parser.error(f"{name} is none of {', '.join(PEERS)}")
        print(json.dumps({"peer": name, "memories": len(told)} | asyncio.run(measured(PEERS[name], command, told, asked))), flush=True)


if __name__ == "__main__":
    main()
