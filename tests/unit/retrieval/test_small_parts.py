"""The token estimate, the catalog."""

import numpy as np

from mcp_memory.domain.answers import RecalledEpisode
from mcp_memory.domain.episode import Episode, Step, StepStatus, Trace
from mcp_memory.domain.query import Filter
from mcp_memory.domain.text import token_estimate
from mcp_memory.retrieval.indexed_text import index_text
from mcp_memory.verbs.budgeting import estimate_tokens
from mcp_memory.views.catalog import Catalog


def trace(seq: int, id_: str, project: str = "p") -> Trace:
    return Trace(seq, id_, project, "task", "other", "web", "python", "django", ("a", "B"), "", "success", 1.0, 0, 5)


def test_longer_records_cost_more_tokens() -> None:
    short = RecalledEpisode("id", None, "task", "success", 1.0, "", (), (), 0.0, 0.5, {"lexical": 1.0})
    long = RecalledEpisode("id", None, "task " * 100, "success", 1.0, "", (), (), 0.0, 0.5, {"lexical": 1.0})
    assert 30 < estimate_tokens(short) < 90
    assert 100 < estimate_tokens(long) - estimate_tokens(short) < 200
    assert token_estimate("") == 0


def test_the_catalog_admits_by_project_and_only_strictly_by_more() -> None:
    catalog = Catalog()
    catalog.add([trace(1, "a"), trace(2, "b"), trace(5, "c", "q")])
    assert catalog.allowed(Filter(project="*"), strict=False) is None
    assert allowed(catalog, Filter(project="p", domain="nothing")) == [1, 2]
    assert allowed(catalog, Filter(project="p", domain="nothing"), strict=True) == []
    assert allowed(catalog, Filter(project="q", domain="WEB", tags=("b",), until_ms=6), strict=True) == [5]
    assert allowed(catalog, Filter(project="q", until_ms=5), strict=True) == []
    catalog.remove(["c"])
    assert catalog.allowed(Filter(project="p"), strict=False) is None
    assert allowed(catalog, Filter(project="q")) == []
    assert catalog.newest(None, 1) == [2]


def test_a_replaced_trace_is_there_once() -> None:
    catalog = Catalog()
    catalog.add([trace(1, "a"), trace(2, "b")])
    catalog.add([trace(2, "b", "q")])
    assert len(catalog) == 2
    assert catalog.size_of("p") == 1
    assert catalog.newest(np.array([1, 2]), 5) == [2, 1]


def allowed(catalog: Catalog, where: Filter, *, strict: bool = False) -> list[int]:
    found = catalog.allowed(where, strict=strict)
    assert found is not None
    return found.tolist()


def test_code_and_numbers_cost_more_than_english_of_the_same_length() -> None:
    english = "the memory recalls what worked before and says why it is there"
    assert token_estimate("x=3;y[17]={'a':0.5};" * 3) > 1.5 * token_estimate(english)


def test_the_end_of_a_long_error_or_output_is_indexed_like_its_beginning() -> None:
    traceback = "Traceback (most recent call last):\n" + "  File somewhere\n" * 100 + "ModuleNotFoundError: No module named 'pandas'"
    step = Step("bash", "bash", {}, "started\n" + "noise\n" * 500 + "finished with exit status 7", StepStatus.ERROR, traceback)
    text = index_text(Episode("e", "p", "task", steps=(step,), step_count=1)).steps
    assert "ModuleNotFoundError: No module named 'pandas'" in text
    assert "exit status 7" in text
    assert "Traceback" in text
    assert "started" in text
