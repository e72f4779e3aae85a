"""The metrics as a Prometheus text page. Loading its library takes a third of a second: only the page itself does."""

import re
from collections.abc import Iterator
from itertools import groupby

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from mcp_memory.metrics import BOUNDS_MS, Metrics

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_BOUNDS = [*(str(bound / 1000) for bound in BOUNDS_MS), "+Inf"]


def page(metrics: Metrics, version: str, is_open: bool = True) -> bytes:
    """Return the text page (format 0.0.4): version, process, whether the memory is open, gauges, counters, a histogram per operation."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Families(metrics, version, is_open))
    return generate_latest(registry)


class _Families(Collector):
    def __init__(self, metrics: Metrics, version: str, is_open: bool) -> None:
        self._metrics, self._version, self._is_open = metrics, version, is_open

    def collect(self) -> Iterator[Metric]:
        build = GaugeMetricFamily("mcp_memory_build_info", "The running program; always 1.", labels=["version"])
        build.add_metric([self._version], 1)
        yield build
        yield GaugeMetricFamily("mcp_memory_open", "Whether the memory is open and answers.", value=float(self._is_open))
        for _, of_name in groupby(self._metrics.gauges(), lambda gauge: gauge.name):
            each = list(of_name)
            family = GaugeMetricFamily(f"mcp_memory_{each[0].name}", each[0].help, labels=[each[0].label])
            for gauge in each:
                family.add_metric([gauge.of], gauge.value)
            yield family
        for name, count in sorted(self._metrics.counters().items()):
            metric = "mcp_memory_" + re.sub(r"[^a-zA-Z0-9_]", "_", name)
            yield CounterMetricFamily(metric, f"{name}, counted since the process began.", value=count)
        latency = HistogramMetricFamily("mcp_memory_latency_seconds", "How long an operation took.", labels=["operation"])
        for name, histogram in sorted(self._metrics.histograms().items()):
            latency.add_metric([name], list(zip(_BOUNDS, histogram.at_most, strict=True)), histogram.sum_ms / 1000)
        yield latency
