"""Whatever is named as a file: read within bounds, and explained in one line where it cannot be read."""

import gzip
import io
import os
import sys
from pathlib import Path

import pytest

from mcp_memory.cli import bounded
from mcp_memory.cli.transcripts.lines import document, objects
from mcp_memory.cli.transcripts.record import TranscriptError


def test_a_line_over_the_bound_is_passed_over_and_the_next_one_read() -> None:
    file = io.BytesIO(b"one\n" + b"x" * 1000 + b"\ntwo\n" + b"y" * 11)
    assert list(bounded.lines(file, 10)) == [(1, b"one\n"), (2, None), (3, b"two\n"), (4, None)]


def test_a_line_of_exactly_the_bound_is_read() -> None:
    assert list(bounded.lines(io.BytesIO(b"123456789\n12345678"), 10)) == [(1, b"123456789\n"), (2, b"12345678")]


def test_the_content_of_a_compressed_line_is_never_held_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tracemalloc

    path = tmp_path / "big.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(100):
            file.write(b" " * 2**20)
        file.write(b"\n{}\n")
    tracemalloc.start()
    with bounded.opened(path) as (_, content):
        assert list(bounded.lines(content, 2**20)) == [(1, None), (2, b"{}\n")]
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's files are Linux's")
@pytest.mark.parametrize("name", ["/proc/version", "/proc/self/mem", "/dev/zero", "/sys/kernel/uevent_seqnum", "/proc"])
def test_what_is_no_file_is_not_opened(name: str) -> None:
    with pytest.raises(bounded.NotAFile):
        bounded.check_is_file(Path(name))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_as_good_as_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    bounded.check_is_file(tmp_path / "pipe")


def test_cut_and_damaged_compressed_files_give_what_came_before_and_one_line(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(b'{"n": %d, "x": "%s"}\n' % (n, os.urandom(20).hex().encode()) for n in range(2000)))
    (tmp_path / "cut.jsonl").write_bytes(whole[: len(whole) // 2])
    *read, (line, problem) = objects(tmp_path / "cut.jsonl")
    assert len(read) > 500
    assert (line, str(problem)) == (0, "the compressed data is cut off; what came before was read")
    (tmp_path / "bad.jsonl").write_bytes(whole[:200] + b"\xff" * 50 + whole[250:])
    assert "the compressed data is damaged" in str(list(objects(tmp_path / "bad.jsonl"))[-1][1])


def test_a_document_over_the_bound_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "MAX_DOCUMENT_BYTES", 2**20)
    (tmp_path / "x.json").write_bytes(b" " * (2**20 + 1))
    with pytest.raises(TranscriptError, match="larger than 1 MiB"):
        document(tmp_path / "x.json")
