"""Files to import, opened one after another, with one progress bar over all their bytes."""

import gzip
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mcp_memory.cli.transcripts.formats import convert, transcript_files
from mcp_memory.cli.transcripts.record import TranscriptError

STDIN = "-"
GZIP_MAGIC = b"\x1f\x8b"


class Source:
    """One file: its interchange lines, and the problems met while converting it."""

    def __init__(self, name: str, reader: "Reader") -> None:
        self.name = "stdin" if name == STDIN else name
        self.problems: list[tuple[int, str]] = []  # (line number or 0, reason)
        self._path, self._reader = name, reader

    def line_of(self, number: int) -> int:
        """Return the line of the file that interchange line *number* came from."""
        return number

    def lines(self) -> Iterator[str | bytes]:
        """Yield the interchange lines, advancing the progress bar."""
        if self._path == STDIN:
            yield from sys.stdin.buffer
            return
        with Path(self._path).open("rb") as raw, _decompressed(raw) as file:
            done = 0
            for line in file:
                yield line
                self._reader.advance(raw.tell() - done)
                done = raw.tell()


@contextmanager
def _decompressed(raw: BufferedReader) -> Iterator[Iterable[bytes]]:
    """Yield the lines of a file that may be compressed: gzip is told by its first two bytes."""
    if raw.peek(2)[:2] != GZIP_MAGIC:
        yield raw
        return
    with gzip.open(raw) as file:
        yield file


class Transcript(Source):
    """One file of another tool, converted as it is read."""

    def __init__(self, name: str, reader: "Reader", kind: str) -> None:
        super().__init__(name, reader)
        self._kind = kind
        self._records: list[int] = []  # the transcript's record number of each line yielded

    def line_of(self, number: int) -> int:
        return self._records[number - 1]

    def lines(self) -> Iterator[str | bytes]:
        """Yield one line per episode found; what cannot be converted goes to `problems`."""
        for record, episode in convert(self._kind, Path(self._path)):
            if isinstance(episode, TranscriptError):
                self.problems.append((record, str(episode)))
                continue
            self._records.append(record)
            yield json.dumps(episode, ensure_ascii=False)
        self._reader.advance(Path(self._path).stat().st_size)


class Reader:
    """A context manager: opens the named sources in turn, shows progress on stderr while it is a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeRemainingColumn())
        console = Console(stderr=True)
        self._progress = Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)
        self._task = self._progress.add_task("importing", total=None)
        self._waiting: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self._progress.stop()

    def sources(self, names: Sequence[str], kind: str | None) -> Iterator[Source]:
        """Yield a source per file, folders searched when a transcript format is given."""
        paths = list(names) if kind is None else [str(path) for name in names for path in transcript_files(kind, Path(name))]
        total_bytes = sum(Path(path).stat().st_size for path in paths if path != STDIN)
        self._progress.update(self._task, total=None if STDIN in paths else total_bytes)
        for path in paths:
            yield Source(path, self) if kind is None else Transcript(path, self, kind)

    def advance(self, size_bytes: int) -> None:
        """Move the bar on."""
        self._progress.advance(self._task, size_bytes)

    def remaining(self, count: int) -> None:
        """Show how many imported episodes still wait for their embedding."""
        if self._waiting is None:
            self._waiting = self._progress.add_task("embedding", total=count)
        done = max(0, int(self._progress.tasks[-1].total or 0) - count)
        self._progress.update(self._waiting, completed=done)
