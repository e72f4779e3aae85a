"""Which tool comes next, and which are still to come: states like the present one, in runs like the present one.

A kernel estimate over every earlier step. Each earlier step is weighted by how alike its state was: the same last tools (a
variable-order context, up to four steps back), the same tools used so far, about as far into the run, the last step failed or not; and
by its run: same context, similar task. What followed it is what is counted. The estimate is then corrected for what the task's own
words name and for what has been used already. Constants are round numbers found by leave-one-out over memories of five kinds of
agents (docs/design.md); nothing is fitted at run time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcp_memory.learning.experience import Bools, Experience, Floats, Ints, Place
from mcp_memory.learning.text_words import sentences, tool_words

MAX_EPISODES = 600  # the heaviest; bounds the time of one answer whatever the memory's size
MAX_STEPS = 20_000
MAX_STATES = 1_500  # compared by the tools used so far, the expensive part
MAX_ORDER = 4
LAST_TOOLS, USED_TOOLS, PROGRESS, LAST_FAILED = 1.6, 4.0, 0.8, 1.0  # nats
TASK, TASK_WIDTH = 3.0, 0.2  # nats at the same task; width of the kernel on similarity
TAGS = 1.5  # nats between equal and disjoint tags
SUCCESS = 0.3  # nats for a run that succeeded
PRIOR = 1.0  # pseudo-count of what is usual in this context
NAMED_NEXT, USED_NEXT, AGAIN_NEXT = 0.5, 0.4, 0.1
STATE_LATER, LATER, NAMED_LATER, USED_LATER, AGAIN_LATER = 0.2, 0.6, 1.0, 0.4, 0.2
_MAX_PREFIX = 64  # steps of a long run that its state is compared by
_MAX_USES = 3  # a tool used more often than this says no more


@dataclass(frozen=True, slots=True)
class Prefix:
    """The run so far: tool keys and whether each step failed."""

    keys: tuple[str, ...]
    failed: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Scores per tool number, and the earlier steps they rest on."""

    next: Floats  # probability of being the next tool
    later: Floats  # log score of being used at all from here on
    steps: Ints  # step numbers (columns of the experience) that were counted
    weights: Floats  # of these steps
    matched: Bools  # of these steps: the tool before was the same


class NextTool:
    """Forecasts from an `Experience`."""

    def __init__(self, experience: Experience) -> None:
        self._x = experience

    def forecast(self, place: Place, neighbours: Sequence[tuple[str, float]], task: str, prefix: Prefix) -> Forecast | None:
        """Return the forecast, or None when nothing was ever done in this project. A few milliseconds, however large the memory."""
        x = self._x
        context = x.context_weights(place, TAGS)
        if not context.any():
            return None
        context = context * np.exp(SUCCESS * x.success)
        similarity = x.spread(neighbours)
        weight = context * np.exp(TASK * np.exp((similarity - 1.0) / TASK_WIDTH))
        rows = _heaviest(weight, MAX_EPISODES)
        steps, owner = _steps_of(x, rows)
        if not len(steps):
            return None
        tools = [x.tools.find(key) for key in prefix.keys[-_MAX_PREFIX:]]
        order = self._order(steps, tools)
        state = self._state(steps, order, tools, prefix, weight[rows][owner])
        usual = np.bincount(x.step_tool[steps], weights=context[rows][owner], minlength=len(x.tools)) + 0.1 * context.max()
        usual /= usual.sum()
        counted = np.bincount(x.step_tool[steps], weights=state, minlength=len(x.tools))
        near = (counted + PRIOR * usual) / (counted.sum() + PRIOR)
        to_come, again = self._to_come(rows, steps, owner, state, context[rows], tools, len(prefix.keys))
        named, used = self._named(task, prefix), self._uses(tools)
        log_next = np.log(near + 1e-6) + NAMED_NEXT * named + USED_NEXT * np.log1p(used) + AGAIN_NEXT * again
        later = STATE_LATER * np.log(near + 1e-6) + LATER * np.log(to_come + 1e-4) + NAMED_LATER * named
        later += USED_LATER * np.log1p(used) + AGAIN_LATER * again
        following = np.exp(log_next - log_next.max())
        return Forecast(following / following.sum(), later, steps, state, order > 0 if tools else order >= 0)

    def _order(self, steps: Ints, tools: Sequence[int]) -> Ints:
        """Return how many of the last tools (up to four) came right before each step as well."""
        x = self._x
        order = np.zeros(len(steps), np.int64)
        alike = np.ones(len(steps), np.bool_)
        position = x.step_position[steps]
        for back in range(1, min(MAX_ORDER, len(tools)) + 1):
            before = x.step_tool[np.maximum(steps - back, 0)]
            alike &= (position >= back) & (before == tools[-back])
            order += alike
        return order

    def _state(self, steps: Ints, order: Ints, tools: Sequence[int], prefix: Prefix, weight: Floats) -> Floats:
        """Return each step's weight: its run's weight times the likeness of its state."""
        x = self._x
        position = x.step_position[steps]
        if not prefix.keys:
            return np.where(position == 0, weight, 0.0)
        failed_before = (position > 0) & x.step_failed[np.maximum(steps - 1, 0)]
        nats = LAST_TOOLS * (order - 2.0) - PROGRESS * np.abs(np.log1p(position) - np.log1p(len(prefix.keys)))
        nats += LAST_FAILED * ((position > 0) & (failed_before == prefix.failed[-1])) - USED_TOOLS
        state: Floats = weight * np.exp(nats)
        best = _heaviest(state, MAX_STATES)
        state_best = state[best] * np.exp(USED_TOOLS * self._used_alike(steps[best], tools))
        out = np.zeros_like(state)
        out[best] = state_best
        return out

    def _used_alike(self, steps: Ints, tools: Sequence[int]) -> Floats:
        """Return the cosine between the log-counts of tools used before each step and in the run so far."""
        x = self._x
        known = np.array([t for t in tools if t >= 0], np.int64)
        mine = np.log1p(np.bincount(known, minlength=len(x.tools)).astype(np.float64))
        spans = np.minimum(x.step_position[steps], _MAX_PREFIX).astype(np.int64)
        which = np.repeat(np.arange(len(steps)), spans)
        offsets = np.arange(len(which)) - np.repeat(np.cumsum(spans) - spans, spans)
        used = x.step_tool[steps[which] - 1 - offsets]
        cells, counts = np.unique(which * len(x.tools) + used, return_counts=True)
        logs = np.log1p(counts)
        norms = np.sqrt(np.bincount(cells // len(x.tools), weights=logs**2, minlength=len(steps)))
        dots = np.bincount(cells // len(x.tools), weights=logs * mine[cells % len(x.tools)], minlength=len(steps))
        norms *= np.linalg.norm(mine)
        cosine: Floats = np.divide(dots, norms, out=np.zeros(len(steps)), where=norms > 0)
        return cosine

    def _to_come(
        self, rows: Ints, steps: Ints, owner: Ints, state: Floats, context: Floats, tools: Sequence[int], done: int
    ) -> tuple[Floats, Floats]:
        """Return per tool: the chance that it is used from here on, and the log chance that a tool used before is used again."""
        x, n_tools = self._x, len(self._x.tools)
        best = np.zeros(len(rows))
        np.maximum.at(best, owner, state)
        at_best = np.full(len(rows), np.iinfo(np.int64).max)
        is_best = (state >= best[owner]) & (state > 0)
        np.minimum.at(at_best, owner[is_best], x.step_position[steps][is_best].astype(np.int64))
        tool, position = x.step_tool[steps].astype(np.int64), x.step_position[steps]
        cells = owner * n_tools + tool
        after_best = np.unique(cells[position >= at_best[owner]])
        near = np.bincount(after_best % n_tools, weights=best[after_best // n_tools], minlength=n_tools)
        after_done = np.unique(cells[position >= done])
        usual = np.bincount(after_done % n_tools, weights=context[after_done // n_tools], minlength=n_tools)
        usual = (usual + 0.5 / n_tools) / ((context * (x.length[rows] > done)).sum() + 0.5)
        had = np.unique(cells[position < done])
        twice = np.intersect1d(had, after_done, assume_unique=True)
        rate = np.bincount(twice % n_tools, weights=context[twice // n_tools], minlength=n_tools) + 0.5
        rate /= np.bincount(had % n_tools, weights=context[had // n_tools], minlength=n_tools) + 1.0
        return (near + usual) / (best.sum() + 1.0), np.where(self._uses(tools) > 0, np.log(rate), 0.0)

    def _uses(self, tools: Sequence[int]) -> Floats:
        known = np.array([t for t in tools if t >= 0], np.int64)
        return np.minimum(np.bincount(known, minlength=len(self._x.tools)), _MAX_USES).astype(np.float64)

    def _named(self, task: str, prefix: Prefix) -> Floats:
        """Return how well the task's words, from where the run has got to, name each tool that was not used yet, in [0, 1]."""
        parts = sentences(task)
        in_names: dict[str, int] = {}
        for key in self._x.tools.all():
            for word in tool_words(key):
                in_names[word] = in_names.get(word, 0) + 1

        def share(key: str, part: frozenset[str]) -> float:
            name = tool_words(key)
            whole = sum(1 / in_names.get(w, 1) for w in name)
            return sum(1 / in_names.get(w, 1) for w in name & part) / whole if whole else 0.0

        done = frozenset(prefix.keys)
        reached = 0
        for key in done:
            shares = [share(key, part) for part in parts]
            if max(shares) > 0:
                reached = max(reached, shares.index(max(shares)))
        ahead = parts[reached:]
        anywhere = frozenset().union(*ahead)
        scores = np.zeros(len(self._x.tools))
        for number, key in enumerate(self._x.tools.all()):
            if key not in done and tool_words(key) & anywhere:
                scores[number] = max(share(key, part) for part in ahead)
        return scores


def _heaviest(weight: Floats, limit: int) -> Ints:
    """Return the indexes of the heaviest positive weights, at most *limit*, in order; of equals the later ones."""
    kept = np.flatnonzero(weight > 0)
    if len(kept) > limit:
        order = np.lexsort((-kept, -weight[kept]))[:limit]
        kept = np.sort(kept[order])
    return kept


def _steps_of(x: Experience, rows: Ints) -> tuple[Ints, Ints]:
    """Return the step numbers of the episodes, and for each the index of its episode in *rows*; at most 20,000 steps."""
    lengths = x.length[rows].astype(np.int64)
    owner = np.repeat(np.arange(len(rows)), lengths)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    steps = x.first[rows][owner] + within
    return steps[-MAX_STEPS:], owner[-MAX_STEPS:]
