"""Which tool comes next, and which are still to come: states like the present one, in runs like the present one.

A kernel estimate over every earlier step. Each earlier step is weighted by how alike its state was: the same last tools (a
variable-order context, up to four steps back), an answer of the same kind to the last of them, and one that offers values of the same
kinds, the same tools used so far, about as far into the run, the last step failed or not; and by its run: same context, similar task.
What followed it is what is counted. What this run itself did in such a state counts too, as far as runs in this context use a tool again
at all. The estimate is then corrected for what the task's own words name, for what has been used already, and for what this run did when
it last came here, a rhythm that no other run need share. Constants are round numbers found by leave-one-out over memories of five kinds of
agents (docs/measurements.md); nothing is fitted at run time.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mcp_memory.domain.episode import Step
from mcp_memory.domain.fingerprints import answer_kind, exact_number
from mcp_memory.domain.offers import offered_last
from mcp_memory.learning.advice.named_tools import NamedTools
from mcp_memory.learning.history.tries import FAILED_NEXT, Tries, tries_of
from mcp_memory.views.columns import Bools, Floats, Ints, distinct
from mcp_memory.views.contexts import Standpoint
from mcp_memory.views.experience import Experience
from mcp_memory.views.kept import Kept

MAX_EPISODES = 300  # the heaviest; bounds the time of one answer whatever the memory's size
MAX_STEPS = 20_000
MAX_STATES = 500  # compared by the tools used so far, the expensive part
MAX_VIEWS = 16  # kept for the runs that ask; half a megabyte each at most
MAX_ORDER = 4
LAST_TOOLS, USED_TOOLS, PROGRESS, LAST_FAILED = 1.6, 4.0, 0.8, 2.0  # nats
SAME_ANSWER = 2.0  # nats when the same last tool got an answer of the same kind; for the next tool only, the others depend less on it
SAME_OFFER = 1.5  # nats when what that answer was the first to name is of the same kinds (an id, a file, nothing); for the next tool only
SAME_CALL = 1.5  # nats when the last call had the same arguments as well; for the next tool only
TASK, TASK_WIDTH = 3.0, 0.2  # nats at the same task; width of the kernel on similarity
TAGS = 1.5  # nats between equal and disjoint tags
SUCCESS = 0.3  # nats for a run that succeeded
PRIOR = 1.0  # pseudo-count of what is usual in this context
NAMED_NEXT, USED_NEXT, AGAIN_NEXT = 3.5, 0.4, 0.1
LATER, NAMED_LATER, USED_LATER = 0.6, 1.5, 0.4
OWN = 10.0  # what the run so far counts, in runs of this context, times the chance that a tool used before is used again
LAST_TIME = 1.0  # nats for what worked when this run last came here, times the same chance
MAX_NAMING_EPISODES = 60  # episodes by which the naming of tools is judged
FULL_LOG_ODDS = 2.0  # log odds ratio
_MAX_PREFIX = 64  # steps of a long run that its state is compared by
_MAX_USES = 3  # a tool used more often than this says no more


@dataclass(frozen=True, slots=True)
class Prefix:
    """The run so far: per step its tool key and whether it failed.

    Of the last 64 steps, as far as they are of the last one's tool, the kind of the answer too (0: there was none, or it is of another).
    """

    keys: tuple[str, ...]
    failed: tuple[bool, ...]
    answers: tuple[int, ...]
    offer: int = 0  # of the last answer: the kinds of values that it is the first to name
    call: int = -1  # the number of the last step's exact arguments, -1: it had none

    @classmethod
    def of(cls, task: str, steps: Sequence[Step]) -> "Prefix":
        """Return the prefix that *steps* towards *task* are."""
        call = exact_number(steps[-1]) if steps and steps[-1].arguments else -1
        keys = tuple(s.key for s in steps)
        answers = (answer_kind(step) if key == keys[-1] else 0 for step, key in zip(steps[-_MAX_PREFIX:], keys[-_MAX_PREFIX:], strict=True))
        return cls(keys, tuple(s.failed for s in steps), tuple(answers), offered_last(task, steps), call)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Scores per tool number, and the earlier steps they rest on. Tools that only this run has used have the numbers after the last."""

    next: Floats  # probability of being the next tool
    later: Floats  # log score of being used at all from here on
    steps: Ints  # step numbers (columns of the experience) that were counted, in order
    tool: npt.NDArray[np.int32]  # of these steps
    rows: Ints  # of these steps: their episode
    weights: Floats  # of these steps
    runs: int  # the episodes they are of
    comparable: Bools  # of these steps: the tool before was the same, and they weigh something
    reached: Ints  # the episodes of these
    own: Floats  # per tool, how much this run itself speaks for it
    tries: Tries  # what was done in such states, oldest first
    new: tuple[str, ...]  # the keys of the tools that only this run has used


@dataclass(frozen=True, slots=True)
class _View:
    """The episodes looked at, by what they count here, and their steps."""

    rows: Ints  # of the episodes, in order
    context: Floats  # of the episodes: what their context counts
    most: float  # that any context counts, of all episodes
    weight: Floats  # of the episodes: that, and their task's likeness
    naming: float  # how much it has told in runs like this that the task names a tool, from 0 to 1
    steps: Ints  # their numbers, in order
    owner: Ints  # of the steps: the index of their episode
    tool: npt.NDArray[np.int32]  # of the steps
    position: npt.NDArray[np.int32]  # of the steps in their run
    n_tools: int

    def uses(self, steps: Bools) -> Bools:
        """Return which episode (row) used which tool (column) in the given steps."""
        table = np.zeros((len(self.rows), self.n_tools), np.bool_)
        table[self.owner[steps], self.tool[steps]] = True
        return table


class NextTool:
    """Forecasts from an `Experience`."""

    def __init__(self, experience: Experience) -> None:
        self._x = experience
        self._names = NamedTools(experience.tools)
        self._views: Kept[Hashable, _View] = Kept(experience, MAX_VIEWS)

    def forecast(self, standpoint: Standpoint, neighbours: Sequence[tuple[str, float]], task: str, prefix: Prefix) -> Forecast | None:
        """Return the forecast, or None when nothing was ever done in this project. A few milliseconds, however large the memory."""
        x = self._x
        tools, new = self._numbered(prefix.keys[-_MAX_PREFIX:])
        view = self._views.get((standpoint, tuple(neighbours)), lambda: self._looked_at(standpoint, neighbours))  # a run asks at every step
        if not len(view.steps):
            return None
        view = replace(view, n_tools=len(x.tools) + len(new))
        order = self._order(view, tools)
        state = self._state(view, order, tools, prefix)
        usual = np.bincount(view.tool, weights=view.context[view.owner], minlength=view.n_tools).astype(np.float64)
        usual[_occurring(view.n_tools, view.tool, tools)] += 0.1 * view.most  # not tools of other projects
        usual = usual / usual.sum()
        sharp = state * self._last_alike(view, order, prefix)
        to_come, again = self._to_come(view, state, tools, len(prefix.keys))
        own = OWN * _own_continuations(tools, prefix, view.n_tools) * np.exp(again)
        rows = view.rows[view.owner]
        tries = tries_of(x, view.steps, rows, sharp, view.n_tools)
        counted = tries.counts(usual) + own
        near = np.log((counted + PRIOR * usual) / (counted.sum() + PRIOR) + 1e-6)
        named = view.naming * np.pad(self._names.scores(task, prefix.keys), (0, len(new)))
        used = np.log1p(_uses(tools, view.n_tools))
        log_next = near + NAMED_NEXT * named + USED_NEXT * used + AGAIN_NEXT * again
        if (last_time := _last_time(tools, prefix)) is not None:
            log_next[last_time] += LAST_TIME * np.exp(again[last_time])
        later = LATER * np.log(to_come + 1e-4) + NAMED_LATER * named + USED_LATER * used
        following = np.exp(log_next - log_next.max())
        comparable = (order > 0) & (sharp > 0) if tools else sharp > 0
        runs, reached = len(distinct(rows)), distinct(rows[comparable])
        return Forecast(following / following.sum(), later, view.steps, view.tool, rows, sharp, runs, comparable, reached, own, tries, new)

    def _looked_at(self, standpoint: Standpoint, neighbours: Sequence[tuple[str, float]]) -> _View:
        x = self._x
        context = x.context_weights(standpoint, TAGS) * np.exp(SUCCESS * x.success)
        weight = context * np.exp(TASK * np.exp((x.spread(neighbours) - 1.0) / TASK_WIDTH))
        rows = _heaviest(weight, MAX_EPISODES)
        steps, owner = _steps_of(x, rows)
        tool, most = x.step_tool[steps], float(context.max(initial=0.0))
        view = _View(rows, context[rows], most, weight[rows], 0.0, steps, owner, tool, x.step_position[steps], len(x.tools))
        return replace(view, naming=self._naming_weight(view)) if len(steps) else view

    def _numbered(self, keys: Sequence[str]) -> tuple[list[int], tuple[str, ...]]:
        """Return the numbers of the run's tools, and the keys of those that no completed run has used."""
        numbers = {key: self._x.tools.find(key) for key in dict.fromkeys(keys)}
        new = tuple(key for key, number in numbers.items() if number < 0)
        numbers |= {key: len(self._x.tools) + i for i, key in enumerate(new)}
        return [numbers[key] for key in keys], new

    def _naming_weight(self, view: _View) -> float:
        best = np.sort(np.argsort(-view.weight, kind="stable")[:MAX_NAMING_EPISODES])
        used = view.uses(np.ones(len(view.steps), np.bool_))[best]
        tasks = [(trace.id, trace.task) for trace in map(self._x.trace, view.rows[best].tolist())]
        return min(1.0, self._names.naming_log_odds(tasks, used) / FULL_LOG_ODDS)

    def _order(self, view: _View, tools: Sequence[int]) -> Ints:
        """Return how many of the last tools (up to four) came right before each step as well."""
        order = np.zeros(len(view.steps), np.int64)
        alike = np.ones(len(view.steps), np.bool_)
        for back in range(1, min(MAX_ORDER, len(tools)) + 1):
            before = self._x.step_tool[np.maximum(view.steps - back, 0)]
            alike &= (view.position >= back) & (before == tools[-back])
            order += alike
        return order

    def _state(self, view: _View, order: Ints, tools: Sequence[int], prefix: Prefix) -> Floats:
        """Return each step's weight: its run's weight times the likeness of its state."""
        x, steps, position, weight = self._x, view.steps, view.position, view.weight[view.owner]
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

    def _last_alike(self, view: _View, order: Ints, prefix: Prefix) -> Floats:
        """Return what the step before each weighs more by: the same tool's answer of the same kind, what it offers, the same arguments."""
        x, before, after_same = self._x, np.maximum(view.steps - 1, 0), order > 0
        nats = np.zeros(len(view.steps))
        if any(prefix.answers[-1:]):
            nats += SAME_ANSWER * (after_same & (x.step_answer[before] == prefix.answers[-1]))
        nats += SAME_OFFER * (after_same & (x.step_offer[before] == prefix.offer))
        if prefix.call >= 0:
            nats += SAME_CALL * (after_same & (x.step_exact[before] == prefix.call))
        return np.exp(nats)

    def _used_alike(self, steps: Ints, tools: Sequence[int]) -> Floats:
        """Return the cosine between the log-counts of tools used before each step and in the run so far."""
        x = self._x
        spans = np.minimum(x.step_position[steps], _MAX_PREFIX).astype(np.int64)
        which = np.repeat(np.arange(len(steps)), spans)
        offsets = np.arange(len(which)) - np.repeat(np.cumsum(spans) - spans, spans)
        used = x.step_tool[steps[which] - 1 - offsets]
        # Tools that occur nowhere here change no product: numbering the others anew keeps the table small.
        mine = np.log1p(_counts(tools, len(x.tools)))
        occurring = _occurring(len(mine), used)
        local = np.cumsum(occurring) - 1
        n_local = int(occurring.sum())
        theirs = np.log1p(np.bincount(which * n_local + local[used], minlength=len(steps) * n_local).reshape(len(steps), n_local))
        norms = np.sqrt(np.einsum("ij,ij->i", theirs, theirs)) * np.linalg.norm(mine)
        cosine: Floats = np.divide(theirs @ mine[occurring], norms, out=np.zeros(len(steps)), where=norms > 0)
        return cosine

    def _to_come(self, view: _View, state: Floats, tools: Sequence[int], done: int) -> tuple[Floats, Floats]:
        """Return per tool: the chance that it is used from here on, and the log chance that a tool used before is used again."""
        n_rows, context = len(view.rows), view.context
        best = np.zeros(n_rows)
        np.maximum.at(best, view.owner, state)
        is_best = (state >= best[view.owner]) & (state > 0)
        at_best = np.full(n_rows, np.iinfo(np.int32).max)
        np.minimum.at(at_best, view.owner[is_best], view.position[is_best])
        near = best @ view.uses(view.position >= at_best[view.owner])
        had, after = view.uses(view.position < done), view.uses(view.position >= done)
        reached = float(context @ after.any(axis=1))
        usual = (context @ after + 0.5 / view.n_tools) / (reached + 0.5)
        rate = (context @ (had & after) + 0.5) / (context @ had + 1.0)
        return (near + usual) / (best.sum() + 1.0), np.where(_uses(tools, view.n_tools) > 0, np.log(rate), 0.0)


def _counts(tools: Sequence[int], n_tools: int) -> Floats:
    return np.bincount(np.array(tools, np.int64), minlength=n_tools).astype(np.float64)


def _occurring(n_tools: int, *numbers: npt.ArrayLike) -> Bools:
    """Return which tools are among the *numbers*."""
    found = np.zeros(n_tools, np.bool_)
    for some in numbers:
        found[np.asarray(some, np.int64)] = True
    return found


def _uses(tools: Sequence[int], n_tools: int) -> Floats:
    return np.minimum(_counts(tools, n_tools), _MAX_USES)


def _own_continuations(tools: Sequence[int], prefix: Prefix, n_tools: int) -> Floats:
    """Return per tool how alike the states were after which this run used it, by the same measure as those of other runs."""
    failed, answers = prefix.failed[-len(tools) :], prefix.answers[-len(tools) :]
    out = np.zeros(n_tools)
    for at in range(1, len(tools)):
        order = 0
        while order < min(MAX_ORDER, at) and tools[at - 1 - order] == tools[-1 - order]:
            order += 1
        nats = LAST_TOOLS * (order - 2.0) + LAST_FAILED * (failed[at - 1] == failed[-1])
        nats += SAME_ANSWER * (order > 0 and answers[at - 1] == answers[-1] != 0)
        out[tools[at]] += math.exp(nats) * (FAILED_NEXT if failed[at] else 1.0)
    return out


def _last_time(tools: Sequence[int], prefix: Prefix) -> int | None:
    """Return the tool that worked when this run last came from the same tool, ended alike; None where it never did."""
    failed = prefix.failed[-len(tools) :]
    came = (at for at in range(len(tools) - 1, 0, -1) if tools[at - 1] == tools[-1] and failed[at - 1] == failed[-1])
    return next((tools[at] for at in came if not failed[at]), None)


def _heaviest(weight: Floats, limit: int) -> Ints:
    """Return the indexes of the heaviest positive weights, at most *limit*, in order; of equals the later ones."""
    kept = np.flatnonzero(weight > 0)
    if len(kept) <= limit:
        return kept
    heavy = weight[kept]
    least = np.partition(heavy, -limit)[-limit]
    above, equal = heavy > least, np.flatnonzero(heavy == least)
    above[equal[np.count_nonzero(above) - limit :]] = True
    return np.asarray(kept[above])


def _steps_of(x: Experience, rows: Ints) -> tuple[Ints, Ints]:
    """Return the step numbers of the episodes, and for each the index of its episode in *rows*; at most 20,000 steps."""
    lengths = x.length[rows].astype(np.int64)
    owner = np.repeat(np.arange(len(rows)), lengths)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    steps = x.first[rows][owner] + within
    return steps[-MAX_STEPS:], owner[-MAX_STEPS:]
