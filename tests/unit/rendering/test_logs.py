"""Log lines hold no secret, wherever in the record it stands, and no line that nobody logged."""

import json
import logging
import sys

from mcp_memory.rendering.logs import JsonFormatter, SafeFormatter

TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


def test_message_arguments_and_traceback_are_redacted() -> None:
    try:
        raise ValueError(f"cannot store {TOKEN}")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed with %s", (TOKEN,), sys.exc_info())
    line = SafeFormatter("%(levelname)s %(message)s").format(record)
    assert line.startswith("ERROR failed with [redacted:github-token]\n    Traceback")
    assert "cannot store [redacted:github-token]" in line
    assert TOKEN not in line


def test_an_ordinary_line_is_as_it_was() -> None:
    record = logging.LogRecord("x", logging.WARNING, __file__, 1, "listening on %s", ("127.0.0.1",), None)
    assert SafeFormatter("%(levelname)s %(name)s: %(message)s").format(record) == "WARNING x: listening on 127.0.0.1"


def test_quoted_text_neither_forges_a_line_nor_acts_on_the_display() -> None:
    name = "X\nERROR mcp_memory: all is lost\r\x1b[2J\u202e" + "=" * 10_000
    record = logging.LogRecord("x", logging.WARNING, __file__, 1, "the environment's %s is left alone", (name,), None)
    first, *rest = SafeFormatter("%(levelname)s %(message)s").format(record).splitlines()
    assert first == "WARNING the environment's X"
    assert rest
    assert all(line.startswith("    ") for line in rest)
    shown = first + "".join(rest) + json.loads(JsonFormatter().format(record))["message"]
    assert not set(shown) & {"\x1b", "\u202e", "\r"}
    assert len(shown) < 10_000
