"""The embedding benchmark runs, so that it does not rot. What it measures is not judged here."""

import json
import subprocess
import sys
from pathlib import Path


def test_the_embedding_benchmark_reports_every_section() -> None:
    command = [sys.executable, "-m", "benchmarks.bench_embed", "--runs", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2], timeout=100)
    report = json.loads(done.stdout)
    assert set(report) == {"loading, fresh process", "query ms", "documents", "against float32"}
    assert report["loading, fresh process"]["import_to_ready_ms"] > 0
    assert report["against float32"]["same best"] == 1
