"""What operators rely on: promtool is content, the dashboard asks for metrics that exist, logs are objects without secrets."""

import json
import logging
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_memory.metrics import Gauge, Metrics
from mcp_memory.rendering.logs import JsonFormatter
from mcp_memory.server.exposition import page

DASHBOARD = Path(__file__).parents[3] / "packaging" / "grafana" / "mcp-memory.json"
SECRET = "ghp_" + "a1B2" * 9
COUNTERS = ("writes", "commits", "hot_tier_hits", "hot_tier_misses", "redacted.github-token")

GAUGES = ("pending_rows", "lag_seconds", "in_step_timestamp_seconds", "reachable")


def exposed(*, is_open: bool = True) -> bytes:
    metrics = Metrics()
    for name in COUNTERS:
        metrics.count(name)
    metrics.observe("log_step", 3.0)
    metrics.offer(lambda: [Gauge(f"shared_log_{name}", "Help.", "remote", "http://log", 2.5) for name in GAUGES])
    return page(metrics, "1.2.3", is_open)


@pytest.mark.parametrize("text", [exposed(), page(Metrics(), "1", False)])
def test_promtool_finds_nothing_to_say(text: bytes) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool here: `.ci/run` installs Debian's prometheus")
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_memory_that_is_not_open_is_told_and_the_page_is_not_empty() -> None:
    assert b"mcp_memory_open 0.0" in page(Metrics(), "1", False)
    assert b"mcp_memory_open 1.0" in exposed()


def test_a_gauge_is_told_for_each_of_its_things() -> None:
    metrics = Metrics()
    metrics.offer(lambda: [Gauge("lag", "How late.", "remote", of, value) for of, value in (("b", 2.0), ("a", 1.0))])
    told = page(metrics, "1", True).decode()
    assert 'mcp_memory_lag{remote="a"} 1.0\nmcp_memory_lag{remote="b"} 2.0\n' in told
    assert told.count("# HELP mcp_memory_lag How late.") == 1


def test_the_dashboard_asks_for_metrics_that_exist() -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    asked = {name for each in panels for target in each["targets"] for name in re.findall(r"\b(?:mcp_memory|process)_\w+", target["expr"])}
    offered = set(re.findall(r"^(\w+)", exposed().decode(), re.M))
    assert asked - offered == set()
    assert len({each["id"] for each in panels}) == len(panels)


def test_a_log_line_is_one_object_without_secrets() -> None:
    try:
        raise ValueError(f"token={SECRET}")
    except ValueError:
        record = logging.getLogger("x").makeRecord("x", logging.ERROR, "f", 1, "two\nlines %s", (SECRET,), sys.exc_info())
    line = JsonFormatter().format(record)
    assert "\n" not in line
    entry = json.loads(line)
    assert (entry["level"], entry["logger"]) == ("ERROR", "x")
    assert entry["message"].startswith("two\nlines")
    assert SECRET not in line
    assert "ValueError" in entry["traceback"]
