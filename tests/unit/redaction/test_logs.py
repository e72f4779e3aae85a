"""Log lines hold no secret, wherever in the record it stands."""

import logging
import sys

from mcp_memory.redaction.logs import RedactedFormatter

TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


def test_message_arguments_and_traceback_are_redacted() -> None:
    try:
        raise ValueError(f"cannot store {TOKEN}")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed with %s", (TOKEN,), sys.exc_info())
    line = RedactedFormatter("%(levelname)s %(message)s").format(record)
    assert line.startswith("ERROR failed with [redacted:github-token]\nTraceback")
    assert "cannot store [redacted:github-token]" in line
    assert TOKEN not in line


def test_an_ordinary_line_is_as_it_was() -> None:
    record = logging.LogRecord("x", logging.WARNING, __file__, 1, "listening on %s", ("127.0.0.1",), None)
    assert RedactedFormatter("%(levelname)s %(name)s: %(message)s").format(record) == "WARNING x: listening on 127.0.0.1"
