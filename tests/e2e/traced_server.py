"""A server and its client in one process, whose program has set a tracer provider: prints the spans of three calls as JSON."""

import json
import sys

import anyio
from mcp import Client
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, set_tracer_provider

from mcp_memory.config_sources import load_config
from mcp_memory.server.app import build_server
from mcp_memory.server.lifecycle import MemoryHost


async def call_tools(words: str) -> None:
    """Record a task of these words, ask for it, and ask for what is not there."""
    host = MemoryHost(load_config())
    app = build_server(host, "full")
    async with anyio.create_task_group() as group:
        group.start_soon(host.keep_open)
        async with Client(app.server) as client:
            await client.call_tool("complete_episode", {"task": words, "outcome": "success", "steps": [{"tool": "shell"}]})
            await client.call_tool("recall", {"query": words})
            await client.call_tool("get_episode", {"episode_id": words})
        await host.aclose()
        group.cancel_scope.cancel()


def main(words: str) -> None:
    """Print the spans that are not the client's."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    set_tracer_provider(provider)
    anyio.run(call_tools, words)
    kept = [span for span in exporter.get_finished_spans() if span.kind is not SpanKind.CLIENT]
    print(json.dumps([json.loads(span.to_json()) for span in kept]))


if __name__ == "__main__":
    main(sys.argv[1])
