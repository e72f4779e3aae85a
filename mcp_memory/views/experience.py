"""All completed episodes as columns: what the advice is computed from, kept current by `add` and `remove`.

A copy of the store's traces; losing it costs the time to read them again. Rows of removed episodes are marked dead and left out of
every selection; the columns are rebuilt when more than a quarter is dead.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from operator import attrgetter
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from mcp_memory.domain.episode import Trace
from mcp_memory.domain.fingerprints import unpack, unpack_answers
from mcp_memory.domain.offers import unpack_offers
from mcp_memory.domain.status import ExperienceStats
from mcp_memory.views.columns import Bools, Column, Floats, Interner, Ints
from mcp_memory.views.contexts import Contexts
from mcp_memory.views.failures import Failures

T = TypeVar("T")
IS_NOTE = "note"  # in a trace's digest: its episode is no attempt at anything

_TRACE_FIELDS = [field.name for field in fields(Trace)]
_STEPS_AT = _TRACE_FIELDS.index("step_keys")
_BEFORE_STEPS, _AFTER_STEPS = attrgetter(*_TRACE_FIELDS[:_STEPS_AT]), attrgetter(*_TRACE_FIELDS[_STEPS_AT + 2 :])
_REBUILD_SHARE = 0.25  # of dead episodes
_REBUILD_MIN = 256


class Experience(Contexts):
    """Columns over episodes (rows), over their steps and over their `failures`; tools, contexts, signatures are interned integers."""

    def __init__(self) -> None:
        super().__init__()
        self.tools, self.signatures = Interner(), Interner()
        self._derived: dict[object, object] = {}
        self._last_asked: Sequence[tuple[str, float]] = ()
        self._last_as_of = (-1, -1)
        self._last_rows: tuple[Ints, Floats] = np.zeros(0, np.int64), np.zeros(0)
        self.removals = 0  # so many episodes went: what follows the columns must begin anew
        self._clear()

    def _clear(self) -> None:
        self._clear_contexts()
        self._rows: dict[str, int] = {}
        self._traces: list[Trace | None] = []
        self._dead = 0
        self._attempt = Column(np.bool_)
        self._success, self._length, self._first = Column(np.bool_), Column(np.int32), Column(np.int64)
        self._ended, self._reward, self._soundness = Column(np.int64), Column(np.float64), Column(np.float64)
        self._step_tool, self._step_failed, self._step_position = Column(np.int32), Column(np.bool_), Column(np.int32)
        self._step_exact, self._step_shape, self._step_answer = Column(np.int32), Column(np.int32), Column(np.int32)
        self._step_offer = Column(np.int8)
        self.failures = Failures(self.tools, self.signatures)

    def __len__(self) -> int:
        return len(self._rows)

    def derived(self, make: Callable[["Experience"], T]) -> T:
        """Return what *make* makes of this experience, made once: an index that follows the columns lives as long as they do."""
        if make not in self._derived:
            self._derived[make] = make(self)
        return cast(T, self._derived[make])

    def add(self, traces: Sequence[Trace]) -> None:
        """Add completed episodes; one that is there already is left as it is."""
        for trace in traces:
            if trace.id not in self._rows:
                self._add(trace)

    def _add(self, trace: Trace) -> None:
        row = len(self._traces)
        self._rows[trace.id] = row
        self._add_context(trace)
        self._success.append(trace.success)
        self._attempt.append(not trace.digest.get(IS_NOTE))
        self._ended.append(trace.ended_at_ms)
        self._length.append(len(trace.step_keys))
        self._first.append(len(self._step_tool))
        self._reward.append(trace.reward)
        self._soundness.append(trace.soundness)
        self._step_tool.extend([self.tools[key] for key in trace.step_keys])
        self._step_failed.extend([bool(flag) for flag in trace.step_failed])
        self._step_position.extend(list(range(len(trace.step_keys))))
        exact, shape = unpack(str(trace.digest.get("args", "")), len(trace.step_keys))
        self._step_exact.extend(exact)
        self._step_shape.extend(shape)
        self._step_answer.extend(unpack_answers(str(trace.digest.get("answers", "")), len(trace.step_keys)))
        self._step_offer.extend(unpack_offers(str(trace.digest.get("offers", "")), len(trace.step_keys)))
        self.failures.add(row, trace)
        # Keys, flags and text of the steps now live in the columns; keeping them twice would double the memory.
        self._traces.append(replace(trace, step_keys=(), step_failed=b""))

    def remove(self, episode_ids: Sequence[str]) -> None:
        """Forget episodes; unknown ids are ignored."""
        for episode_id in episode_ids:
            row = self._rows.pop(episode_id, None)
            if row is not None:
                self._alive.values[row] = False
                self._traces[row] = None
                self._dead += 1
                self.removals += 1
        if self._dead > max(_REBUILD_MIN, _REBUILD_SHARE * len(self._traces)):
            traces = list(self.traces())
            self._clear()
            self.add(traces)

    def traces(self) -> Iterator[Trace]:
        """Yield every episode's trace, oldest row first."""
        for row, trace in enumerate(self._traces):
            if trace is not None:
                yield self.full_trace(row)

    def outlines(self) -> Iterator[Trace]:
        """Yield every episode's trace without its steps, oldest row first. Free."""
        return (trace for trace in self._traces if trace is not None)

    def ids(self) -> list[str]:
        """Return the ids of all episodes, in the order they came."""
        return [trace.id for trace in self.outlines()]

    def full_traces(self, ids: Sequence[str]) -> list[Trace]:
        """Return the traces, with their steps, of those of *ids* that are here."""
        return [self.full_trace(row) for key in ids if (row := self.row(key)) is not None]

    def full_trace(self, row: int) -> Trace:
        """Return the trace of a live row with its steps, as it was added."""
        outline, failed = self.trace(row), self._step_failed.values[self.steps_of(row)].tobytes()
        return Trace(*(*_BEFORE_STEPS(outline), self.step_keys(row), failed, *_AFTER_STEPS(outline)))  # a third of what `replace` takes

    def trace(self, row: int) -> Trace:
        """Return the trace of a live row, without its steps (they are in the columns)."""
        trace = self._traces[row]
        assert trace is not None
        return trace

    def step_keys(self, row: int) -> tuple[str, ...]:
        """Return the tool keys of one episode."""
        return self.tools.values(self._step_tool.values[self.steps_of(row)])

    def steps_of(self, row: int) -> slice:
        """Return where the episode's steps are in the step columns."""
        first = int(self._first.values[row])
        return slice(first, first + int(self._length.values[row]))

    def rows_at(self, steps: Ints) -> Ints:
        """Return the row of the episode that each place in the step columns is of."""
        rows: Ints = np.searchsorted(self.first, steps, side="right") - 1
        return rows

    def row(self, episode_id: str) -> int | None:
        return self._rows.get(episode_id)

    # --- columns over episodes ---

    @property
    def success(self) -> Bools:
        return self._success.values

    @property
    def attempt(self) -> Bools:
        """Which episodes are attempts at something; the others are notes."""
        return self._attempt.values

    @property
    def reward(self) -> Floats:
        return self._reward.values

    @property
    def soundness(self) -> Floats:
        return self._soundness.values

    @property
    def length(self) -> npt.NDArray[np.int32]:
        return self._length.values

    @property
    def first(self) -> Ints:
        return self._first.values

    @property
    def ended_at_ms(self) -> Ints:
        return self._ended.values

    # --- columns over steps ---

    @property
    def step_tool(self) -> npt.NDArray[np.int32]:
        return self._step_tool.values

    @property
    def step_failed(self) -> Bools:
        return self._step_failed.values

    @property
    def step_position(self) -> npt.NDArray[np.int32]:
        return self._step_position.values

    @property
    def step_exact(self) -> npt.NDArray[np.int32]:
        return self._step_exact.values

    @property
    def step_shape(self) -> npt.NDArray[np.int32]:
        return self._step_shape.values

    @property
    def step_answer(self) -> npt.NDArray[np.int32]:
        """The kind of each step's answer, 0 where nothing came back."""
        return self._step_answer.values

    @property
    def step_offer(self) -> npt.NDArray[np.int8]:
        """The kinds of values that each step's answer is the first to name, added up; -1 where they are not known."""
        return self._step_offer.values

    def used(self, rows: Ints, tools: Sequence[int]) -> Bools:
        """Return which of the episodes (row) used which of the tools (column)."""
        length = self._length.values[rows].astype(np.int64)
        owner = np.repeat(np.arange(len(rows)), length)
        steps = np.arange(len(owner)) + np.repeat(self._first.values[rows] - np.cumsum(length) + length, length)
        found, used = self._step_tool.values[steps], np.zeros((len(rows), len(tools)), np.bool_)
        for column, tool in enumerate(tools):
            used[owner[found == tool], column] = True
        return used

    def spread(self, pairs: Sequence[tuple[str, float]]) -> Floats:
        """Return (episode id, value) pairs as a column, 0 where nothing was said."""
        column = np.zeros(len(self._traces))
        rows, values = self.rows_of(pairs)
        column[rows] = values
        return column

    def rows_of(self, pairs: Sequence[tuple[str, float]]) -> tuple[Ints, Floats]:
        """Return the rows of the (episode id, value) pairs that are here, and their values; nobody may change them.

        What makes one answer asks for the same pairs several times: the last ones are kept until an episode comes or goes.
        """
        as_of = (self.row_count, self.removals)
        if self._last_asked is not pairs or self._last_as_of != as_of or not isinstance(pairs, tuple):
            rows = np.array([self._rows.get(episode_id, -1) for episode_id, _ in pairs], np.int64)
            known = rows >= 0
            self._last_rows = rows[known], np.array([value for _, value in pairs], np.float64)[known]
            self._last_asked, self._last_as_of = pairs, as_of
        return self._last_rows

    def stats(self) -> ExperienceStats:
        """Return how much there is."""
        return ExperienceStats(len(self), len(self._step_tool), len(self.tools), len(self.failures))
