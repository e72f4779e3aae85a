"""The metrics as a Prometheus text page."""

import re

from mcp_memory.metrics import Metrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_QUANTILES = (("p50", "0.5"), ("p95", "0.95"), ("p99", "0.99"))


def page(metrics: Metrics) -> str:
    """Return counters and latency quantiles in the Prometheus text format (version 0.0.4)."""
    lines = []
    for name, count in sorted(metrics.counters().items()):
        metric = f"mcp_memory_{re.sub(r'[^a-zA-Z0-9_]', '_', name)}_total"
        lines += [f"# TYPE {metric} counter", f"{metric} {count}"]
    lines.append("# TYPE mcp_memory_latency_seconds summary")
    for name, values in sorted(metrics.latencies_ms().items()):
        label = re.sub(r'[\\"\n]', "_", name)
        lines += [
            f'mcp_memory_latency_seconds{{operation="{label}",quantile="{quantile}"}} {values[key] / 1000:.6f}'
            for key, quantile in _QUANTILES
        ]
        lines.append(f'mcp_memory_latency_seconds_count{{operation="{label}"}} {int(values["count"])}')
    return "\n".join(lines) + "\n"
