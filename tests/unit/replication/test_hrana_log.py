"""What the libSQL adapter makes of a server's answers that a real one gives seldom; the rest is in `tests/contract/test_shared_log.py`."""

from typing import Any

import httpx2
import pytest

from mcp_memory.errors import RemoteRefused, RemoteUnavailable
from mcp_memory.replication import hrana_log
from mcp_memory.replication.hrana_log import HranaLog

BUSY = {"message": "SQLite error: database is locked", "code": "SQLITE_BUSY"}
NO_TABLE = {"message": "SQLite error: no such table: mm_batch", "code": "SQLITE_ERROR"}


def answered(error: dict[str, str] | None) -> httpx2.Response:
    """The answer to `newest_batch`, with one batch in the log or with an error in its first step."""
    row = [{"type": "integer", "value": "7"}, {"type": "text", "value": "nonce"}]
    rows: list[Any] = [{"rows": []}, {"rows": [row]}, {"rows": []}, None]
    result = {"step_results": [None] * 4, "step_errors": [error, None, None, None]} if error else {"step_results": rows, "step_errors": []}
    return httpx2.Response(200, json={"results": [{"type": "ok", "response": {"type": "batch", "result": result}}]})


def log_that_is_told(errors: list[dict[str, str] | None], asked: list[str]) -> HranaLog:
    """A log whose server gives these answers in turn, the last one again and again."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return answered(errors.pop(0) if len(errors) > 1 else errors[0])

    log = HranaLog("http://log.invalid")
    log._http = httpx2.Client(transport=httpx2.MockTransport(answer))
    return log


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hrana_log, "BUSY_PAUSE_S", 0.001)


def test_a_request_that_other_writers_kept_out_is_made_again() -> None:
    asked: list[str] = []
    assert log_that_is_told([BUSY, BUSY, None], asked).newest_batch() == (7, "nonce")
    assert len(asked) == 3


def test_a_request_that_they_keep_out_for_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hrana_log, "BUSY_S", 0.02)
    asked: list[str] = []
    with pytest.raises(RemoteUnavailable, match="locked"):
        log_that_is_told([BUSY], asked).newest_batch()
    assert len(asked) > 1


def test_a_request_that_is_wrong_is_made_once() -> None:
    asked: list[str] = []
    with pytest.raises(RemoteRefused, match="no such table"):
        log_that_is_told([NO_TABLE], asked).newest_batch()
    assert len(asked) == 1
