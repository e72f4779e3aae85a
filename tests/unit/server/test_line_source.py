"""Lines arrive whole, in order, and end with None, whether the descriptor can be watched or is read in a thread."""

import os
from pathlib import Path

import anyio
import pytest

from mcp_memory.server import line_source
from mcp_memory.server.line_source import LineSource

pytestmark = pytest.mark.anyio


async def lines_of(fd: int) -> list[bytes]:
    """Return all lines of a descriptor."""
    lines: list[bytes] = []
    ended = anyio.Event()

    def take(line: bytes | None) -> None:
        if line is None:
            ended.set()
        else:
            lines.append(line)

    source = LineSource(fd, take)
    source.start()
    with anyio.fail_after(10):
        await ended.wait()
    return lines


async def test_a_pipe_is_watched_and_a_last_line_without_an_end_counts() -> None:
    read_fd, write_fd = os.pipe()
    os.write(write_fd, b"one\n\ntw")
    os.write(write_fd, b"o\nlast")
    os.close(write_fd)
    assert await lines_of(read_fd) == [b"one", b"", b"two", b"last"]
    os.close(read_fd)


async def test_a_regular_file_is_read_in_a_thread(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(b"\n".join(b"%d" % number for number in range(100_000)))
    with path.open("rb") as file:
        assert await lines_of(file.fileno()) == [b"%d" % number for number in range(100_000)]


async def test_a_line_over_the_limit_comes_out_cut(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(line_source, "MAX_LINE_BYTES", 10)
    monkeypatch.setattr(line_source, "_CHUNK_BYTES", 4)
    path = tmp_path / "input"
    path.write_bytes(b"a" * 100 + b"\nnext\n")
    with path.open("rb") as file:
        lines = await lines_of(file.fileno())
    assert len(lines[0]) < 20
    assert lines[1] == b"next"


async def test_a_paused_source_reads_no_further(tmp_path: Path) -> None:
    read_fd, write_fd = os.pipe()
    lines: list[bytes | None] = []
    source = LineSource(read_fd, lines.append)
    source.start()
    source.pause()
    os.write(write_fd, b"one\n")
    await anyio.wait_all_tasks_blocked()
    assert lines == []
    source.resume()
    with anyio.fail_after(5):
        while not lines:
            await anyio.lowlevel.checkpoint()
    source.stop()
    os.close(write_fd)
    os.close(read_fd)
    assert lines == [b"one"]
