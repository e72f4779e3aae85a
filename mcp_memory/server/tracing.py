"""OpenTelemetry spans, where `server.traces` asks for them. The MCP library makes one for every request: for `tools/call` with the tool's
name, whether it failed, and the client's trace as its parent. Here they get a place to go, the outcome, and children. No contents: neither
arguments nor answers.

Nothing of OpenTelemetry's SDK is imported while traces are off.
"""

import time
from typing import TYPE_CHECKING

from mcp_memory.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from mcp_memory.metrics import Metrics

_NEED = 'server.traces = "otlp" needs OpenTelemetry'
SERVICE = "mcp-memory"  # `OTEL_SERVICE_NAME` names another
OUTCOME = "mcp_memory.outcome"  # of a tool's span: `ok`, or the error's code


class Tracing:
    """Spans of this process' calls. `OTEL_*` variables say where they go and which are kept, as OpenTelemetry documents them."""

    def __init__(self, version: str) -> None:
        """Let spans be made from now on. A provider that the program has set already is left as it is.

        Raises:
            ConfigError: The extra `otel` is not installed.
        """
        try:
            from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider, set_tracer_provider
        except ImportError as error:
            raise ConfigError.without_extra(_NEED, "otel", error) from error
        if isinstance(get_tracer_provider(), ProxyTracerProvider):
            set_tracer_provider(_provider(version))

    def follow(self, metrics: "Metrics") -> None:
        """Make what is timed inside a call a child of its span: the search, an embedding, a write with its commit."""
        from opentelemetry.trace import get_current_span, get_tracer

        tracer = get_tracer(SERVICE)

        def child(name: str, duration_ms: float) -> None:
            if get_current_span().is_recording():
                ended_ns = time.time_ns()
                tracer.start_span(name, start_time=ended_ns - int(duration_ms * 1_000_000)).end(ended_ns)

        metrics.follow(child)

    def tell(self, outcome: str) -> None:
        """Say on the span of the call at hand how it went."""
        from opentelemetry.trace import get_current_span

        get_current_span().set_attribute(OUTCOME, outcome)


def _provider(version: str) -> "TracerProvider":
    """Return a provider that sends spans by OTLP over HTTP, in a thread of its own, and what is left when the process ends."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ConfigError.without_extra(_NEED, "otel", error) from error
    named = Resource.create({"service.name": SERVICE, "service.version": version}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=named)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
