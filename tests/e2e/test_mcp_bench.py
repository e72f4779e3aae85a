"""The benchmark of the door runs, small, so that it does not rot; and its workloads are the same on every machine."""

import hashlib
import json
import subprocess
import sys

from benchmarks import workloads
from tests.e2e.wire import ROOT


def test_the_benchmark_of_the_door_measures_everything() -> None:
    command = [sys.executable, "-m", "benchmarks.bench_door", "--episodes", "12", "--calls", "5", "--starts", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=110, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout)
    for name in ("no-op floor", "start_episode (recall off)", "log_step", "complete_episode (30 steps)", "recall (cold query)"):
        assert result["latency_ms"][name]["p95"] > 0
    assert {"bare commit (FULL)", "query embedding"} <= set(result["latency_ms"])
    assert set(result["process start to initialize"]) == {"bare SDK server", "ours"}


def test_workloads_are_the_same_bytes_every_time() -> None:
    digests = {hashlib.sha256("\n".join(workloads.lines(50)).encode()).hexdigest() for _ in range(2)}
    assert len(digests) == 1
    assert workloads.queries(5) == workloads.queries(5)
    assert len(set(workloads.queries(500))) == 500
