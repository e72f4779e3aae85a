"""Failed steps as columns: which episode, which tool, with what message, what fixed it and how soon."""

import numpy as np
import numpy.typing as npt

from mcp_memory.domain.episode import Trace
from mcp_memory.views.columns import Column, Interner
from mcp_memory.views.fixes import find_fixes

Numbers = npt.NDArray[np.int32]


class Failures:
    """One row a failed step, in the order of the episodes' rows and of their steps; tools and signatures are interned integers."""

    def __init__(self, tools: Interner, signatures: Interner) -> None:
        self._tools, self._signatures = tools, signatures
        self._row, self._index, self._failed, self._signature = (Column(np.int32) for _ in range(4))
        self._fix, self._lag, self._example = (Column(np.int32) for _ in range(3))
        self._came, self._by, self._by_index, self._worked_at = (Column(np.int32) for _ in range(4))

    def __len__(self) -> int:
        return len(self._row)

    def add(self, row: int, trace: Trace) -> None:
        """Append the failed steps of the episode of that row."""
        for fix in find_fixes(trace):
            self._row.append(row)
            self._index.append(fix.index)
            self._failed.append(self._tools[fix.failed_key])
            self._signature.append(self._signatures[fix.signature])
            self._fix.append(self._tools[fix.fix_key] if fix.fix_key else -1)
            self._lag.append(fix.steps_later)
            self._example.append(fix.example)
            self._came.append(fix.came)
            self._by.append(self._tools[trace.step_keys[fix.by]] if fix.by >= 0 else -1)
            self._by_index.append(fix.by)
            self._worked_at.append(fix.worked_at)

    @property
    def row(self) -> Numbers:
        """Of the episode."""
        return self._row.values

    @property
    def index(self) -> Numbers:
        """Of the step in its episode."""
        return self._index.values

    @property
    def failed(self) -> Numbers:
        """The tool that failed."""
        return self._failed.values

    @property
    def signature(self) -> Numbers:
        """Of the error."""
        return self._signature.values

    @property
    def fix(self) -> Numbers:
        """The tool that worked next, -1 where none did within five steps."""
        return self._fix.values

    @property
    def lag(self) -> Numbers:
        """How many steps later that was."""
        return self._lag.values

    @property
    def example(self) -> Numbers:
        """The index of the step to show of the fix."""
        return self._example.values

    @property
    def came(self) -> Numbers:
        """What came of it (`Came`): fixed, got on with, given up."""
        return self._came.values

    @property
    def by(self) -> Numbers:
        """The tool that fixed it or did the job instead, -1 where it was given up."""
        return self._by.values

    @property
    def by_index(self) -> Numbers:
        """The index of that step, -1 where it was given up."""
        return self._by_index.values

    @property
    def worked_at(self) -> Numbers:
        """The index of the step where the failed call worked, -1 where it never did."""
        return self._worked_at.values
