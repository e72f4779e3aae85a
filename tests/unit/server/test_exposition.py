"""The page that Prometheus reads says what was counted and timed since the process began."""

from prometheus_client.parser import text_string_to_metric_families

from mcp_memory.metrics import Metrics
from mcp_memory.server.exposition import page


def samples(metrics: Metrics) -> dict[tuple[str, str], float]:
    """Every sample's value by its name and its bucket."""
    families = text_string_to_metric_families(page(metrics, "1.2.3").decode())
    return {(each.name, each.labels.get("le", "")): each.value for family in families for each in family.samples}


def test_a_page_is_never_empty() -> None:
    assert samples(Metrics())["mcp_memory_build_info", ""] == 1


def test_counters_have_the_names_of_the_status_report() -> None:
    metrics = Metrics()
    metrics.count("redacted.github-token", 3)
    assert samples(metrics)["mcp_memory_redacted_github_token_total", ""] == 3


def test_a_histogram_counts_all_durations_since_the_start_not_the_last_ones() -> None:
    metrics = Metrics()
    for duration_ms in [0.5] * 3_000 + [7.0, 60_000.0]:
        metrics.observe("recall", duration_ms)
    seen = samples(metrics)
    buckets = [seen["mcp_memory_latency_seconds_bucket", le] for le in ("0.00025", "0.0005", "0.005", "0.01", "10.0", "+Inf")]
    assert buckets == [0, 3_000, 3_000, 3_001, 3_001, 3_002]
    assert seen["mcp_memory_latency_seconds_count", ""] == 3_002
    assert round(seen["mcp_memory_latency_seconds_sum", ""], 6) == 61.507
