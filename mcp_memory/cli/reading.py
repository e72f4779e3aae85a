"""Files to import, opened one after another, with one progress bar over all their bytes."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mcp_memory.cli import bounded
from mcp_memory.cli.transcripts.formats import convert
from mcp_memory.cli.transcripts.record import StillRunning, TranscriptError

STDIN = "-"


class Source:
    """One file: its interchange lines, and the problems met while reading it."""

    def __init__(self, name: str, reader: "Reader") -> None:
        self.name = "stdin" if name == STDIN else name
        self.problems: list[tuple[int, str]] = []  # (line number or 0, reason)
        self.running: list[str] = []  # tasks left for the next import
        self._path, self._reader = name, reader
        self._numbers: list[int] = []  # the number in the file of each line yielded

    def line_of(self, number: int) -> int:
        """Return the line of the file that interchange line *number* came from."""
        return self._numbers[number - 1]

    def lines(self) -> Iterator[str | bytes]:
        """Yield the interchange lines, advancing the progress bar; what cannot be read goes to `problems`."""
        try:
            if self._path == STDIN:
                yield from self._kept(bounded.lines(sys.stdin.buffer))
                return
            with bounded.opened(Path(self._path)) as (raw, file):
                done = 0
                for line in self._kept(bounded.lines(file)):
                    yield line
                    self._reader.advance(raw.tell() - done)
                    done = raw.tell()
        except bounded.UNREADABLE as error:
            self.problems.append((0, bounded.explained(error)))

    def _kept(self, lines: Iterable[tuple[int, bytes | None]]) -> Iterator[bytes]:
        for number, line in lines:
            if line is None:
                self.problems.append((number, bounded.too_long()))
                continue
            self._numbers.append(number)
            yield line


class Transcript(Source):
    """One file of another tool, converted as it is read."""

    def __init__(self, name: str, reader: "Reader", kind: str) -> None:
        super().__init__(name, reader)
        self._kind = kind

    def lines(self) -> Iterator[str | bytes]:
        """Yield one line per episode found; what cannot be converted goes to `problems`."""
        for number, episode in convert(self._kind, Path(self._path)):
            if isinstance(episode, StillRunning):
                self.running.append(str(episode))
            elif isinstance(episode, TranscriptError):
                self.problems.append((number, str(episode)))
            else:
                self._numbers.append(number)
                self.note(episode)
                yield json.dumps(episode, ensure_ascii=False)
        self._reader.advance(_size_bytes(self._path))

    def note(self, episode: dict[str, Any]) -> None:
        """Look at an episode that is passed on."""


class Reader:
    """A context manager: shows on stderr, while that is a terminal, how far the reading has come."""

    def __init__(self, *, quiet: bool, doing: str = "importing") -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeRemainingColumn())
        console = Console(stderr=True)
        self._progress = Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)
        self._task = self._progress.add_task(doing, total=None)
        self._waiting: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self._progress.stop()

    def expect(self, paths: Iterable[str]) -> None:
        """Say which files will be read, so that the bar knows its whole."""
        named = list(paths)
        self._progress.update(self._task, total=None if STDIN in named else sum(map(_size_bytes, named)))

    def advance(self, size_bytes: int) -> None:
        """Move the bar on."""
        self._progress.advance(self._task, size_bytes)

    def remaining(self, count: int) -> None:
        """Show how many imported episodes still wait for their embedding."""
        if self._waiting is None:
            self._waiting = self._progress.add_task("embedding", total=count)
        done = max(0, int(self._progress.tasks[-1].total or 0) - count)
        self._progress.update(self._waiting, completed=done)


def _size_bytes(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
