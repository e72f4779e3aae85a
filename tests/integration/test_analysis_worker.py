"""The analysis process: real ones, that crash, hang, print and go idle."""

import gc
import subprocess
import sys
import threading
import weakref

import pytest

from mcp_memory.domain.episode import Trace
from mcp_memory.domain.query import Filter
from mcp_memory.errors import AnalysisFailed
from mcp_memory.learning.reports.trends import trends
from mcp_memory.learning.reports.worker import AnalysisWorker

HEAVY = ("sklearn", "scipy", "ruptures")


@pytest.fixture(scope="module")
def worker() -> AnalysisWorker:
    return AnalysisWorker(timeout_s=90)


def test_nothing_is_started_before_the_first_call_and_the_process_is_used_again() -> None:
    fresh = AnalysisWorker(timeout_s=60)
    assert fresh.pid is None
    assert fresh.call("operator:neg", 3) == -3
    pid = fresh.pid
    assert fresh.call("operator:neg", 4) == -4
    assert fresh.pid == pid is not None
    fresh.close()
    assert fresh.pid is None


def test_an_error_in_the_worker_is_the_answer_to_that_call_only(worker: AnalysisWorker) -> None:
    with pytest.raises(AnalysisFailed, match="ZeroDivisionError"):
        worker.call("builtins:eval", "1/0")
    assert worker.call("operator:neg", 1) == -1


def test_a_crash_is_an_error_to_that_call_only(worker: AnalysisWorker) -> None:
    with pytest.raises(AnalysisFailed, match="ended while it worked"):
        worker.call("os:_exit", 3)
    assert worker.call("operator:neg", 1) == -1


def test_a_call_that_takes_too_long_is_stopped() -> None:
    hasty = AnalysisWorker(timeout_s=3)
    with pytest.raises(AnalysisFailed, match="longer than 3 s"):
        hasty.call("time:sleep", 60)
    assert hasty.pid is None


def test_what_a_library_prints_does_not_spoil_the_answer(worker: AnalysisWorker) -> None:
    assert worker.call("builtins:print", "noise on standard output") is None
    assert worker.call("operator:neg", 5) == -5


def test_an_idle_worker_ends_by_itself_and_the_next_call_starts_another() -> None:
    brief = AnalysisWorker(timeout_s=60, idle_s=0.05)
    assert brief.call("operator:neg", 1) == -1
    process = brief._process
    assert process is not None
    assert process.wait(30) == 0
    assert brief.call("operator:neg", 2) == -2


def test_the_process_ends_with_the_object_that_started_it() -> None:
    worker = AnalysisWorker(timeout_s=60)
    worker.call("operator:neg", 1)
    process, gone = worker._process, weakref.ref(worker)
    assert process is not None
    del worker
    gc.collect()
    assert gone() is None
    assert process.poll() is not None


def test_callers_of_several_threads_each_get_their_own_answer(worker: AnalysisWorker) -> None:
    answers: dict[int, int] = {}
    threads = [threading.Thread(target=lambda i=i: answers.update({i: worker.call("operator:neg", i)})) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == {i: -i for i in range(8)}


def test_trends_are_computed_by_a_real_worker(worker: AnalysisWorker) -> None:
    def trace(i: int) -> Trace:
        theme = ("deploy kubernetes service", "plot sales table")[i % 2]
        kind = "success" if i >= 20 else "failure"
        return Trace(i, f"e{i}", "p", f"{theme} {i}", "other", "", "", "", (), "", kind, 0.5, 0, i * 86_400_000)

    answer = trends([trace(i) for i in range(40)], Filter(), tool="", metric="success_rate", bucket="week", analyse=worker.call)
    (point,) = answer.changepoints
    assert point.episode_id == "e20"
    assert (point.before, point.after) == (0.0, 1.0)
    assert answer.clusters


def test_the_serving_process_never_imports_the_heavy_libraries() -> None:
    code = (
        "import sys, pkgutil, importlib, mcp_memory.bootstrap, mcp_memory.learning as learning\n"
        "from mcp_memory.learning.reports.trends import trends\n"
        "from mcp_memory.learning.reports.worker import AnalysisWorker\n"
        "w = AnalysisWorker(); assert w.call('operator:neg', 1) == -1\n"
        "w.call('mcp_memory.learning.reports.changepoints:find', {'values': [0.0] * 20})\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert done.stdout.strip() == "[]", done.stderr
