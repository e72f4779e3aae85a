"""Warnings before the act: how this very kind of step failed before. Silent unless failing is what mostly happened."""

from collections.abc import Callable, Sequence

import numpy as np

from mcp_memory.domain.answers import StepWarning
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.fingerprints import exact_number, fingerprint
from mcp_memory.domain.nearness import SAME_TASK
from mcp_memory.domain.step_roles import Role, changes_state, role_of, runs_tests
from mcp_memory.learning.advice.timeouts import TIMED_OUT
from mcp_memory.learning.history.quoted_values import quoting
from mcp_memory.learning.history.recoveries import Recovered
from mcp_memory.learning.reading.run import error_text, message_of
from mcp_memory.learning.reading.signatures import has_details, signature
from mcp_memory.learning.telling.acts import is_edit, own_names, runs_own
from mcp_memory.learning.telling.fatal_calls import only_in_failures
from mcp_memory.phrases import advice as phrases
from mcp_memory.views.columns import Floats, Ints
from mcp_memory.views.contexts import Standpoint
from mcp_memory.views.experience import Experience

MIN_FAILURES = 2.0  # weighted; fewer are no warning
MIN_SHARE = 0.5  # weighted share of tries that failed
PRIOR = 1.0  # pseudo-tries at the usual failure rate of the tool
EXACT, SHAPE, TASK = 3.0, 1.0, 2.0  # nats: same arguments, same kind of arguments, same task
TASK_WIDTH = 0.2
MAX_EVIDENCE = 3
MIN_RUNS = 2  # at the task, in all of which a call failed, from which it is not made again
MIN_REPEATS = 3  # of a call that failed, from which its agent is in a loop

Answer = Callable[[str, str], Recovered | None]  # (failed tool key, signature) -> what followed such failures


class StepWarner:
    """Warns from an `Experience` and from the run itself."""

    def __init__(self, experience: Experience, may_name: Callable[[int], bool], message_at: Callable[[str, int], str]) -> None:
        """Take whether a tool may be named as what to do instead, and what says a step's real error, "" where it is not to be shown."""
        self._x, self._may_name, self._message_at = experience, may_name, message_at

    def warnings(
        self, standpoint: Standpoint, neighbours: Sequence[tuple[str, float]], episode: Episode, intended: Step, answer: Answer
    ) -> tuple[StepWarning, ...]:
        """Return at most one warning from this run and one from earlier ones."""
        earlier = self._in_earlier_runs(standpoint, neighbours, episode, intended, answer)
        found = [self._in_this_run(episode, intended, answer), earlier or only_in_failures(self._x, standpoint, neighbours, intended)]
        return tuple(w for w in found if w is not None)

    def of_quotes(self, standpoint: Standpoint, step: Step) -> tuple[StepWarning, ...]:
        """Warn of quotes around a value of *step*, made or intended, where every earlier call with them failed and those without work."""
        x = self._x
        found = quoting(x, step, x.context_weights(standpoint) > 0)
        if found is None:
            return ()
        tried = len(found.quoted)
        message = phrases.failed_in_quotes(step.key, found.argument, tried, found.worked, found.bare)
        rows = np.unique(x.rows_at(found.quoted))[-MAX_EVIDENCE:]
        return (StepWarning(message, tried, tried, tuple(x.trace(int(row)).id for row in rows), None),)

    def _in_this_run(self, episode: Episode, intended: Step, answer: Answer) -> StepWarning | None:
        """Warn when the very same call failed in this run, last time it was made, and nothing but reading happened since."""
        exact, key = exact_number(intended), intended.key
        same = [s for s in episode.steps if s.key == key and exact_number(s) == exact]
        if not same or not same[-1].failed:
            return None
        last = same[-1]
        changed = any(not s.failed and s.index > last.index and changes_state(s.key) for s in episode.steps)
        if changed and len(same) < 2:
            return None
        failed = sum(s.failed for s in same)
        sig = signature(error_text(last))
        message = phrases.failed_here(intended.key, [last.index], message_of(last) or str(last.status), changed=changed)
        return StepWarning(message, failed, len(same), (episode.id,), self._instead(answer, intended.key, sig))

    def of_repeats(self, episode: Episode) -> tuple[StepWarning, ...]:
        """Warn when the last step is a call that failed so several times with nothing but reading in between: once more it fails again."""
        last = episode.steps[-1]
        since = max((s.index for s in episode.steps if not s.failed and changes_state(s.key)), default=-1)
        same = [s for s in episode.steps if s.index > since and s.failed and s.is_same_call(last) and message_of(s) == message_of(last)]
        if len(same) < MIN_REPEATS:
            return ()
        message = phrases.failed_here(last.key, [s.index for s in same], message_of(last) or str(last.status), changed=False)
        return (StepWarning(message, len(same), len(same), (episode.id,), None),)

    def of_vain_calls(self, neighbours: Sequence[tuple[str, float]], episode: Episode) -> tuple[StepWarning, ...]:
        """Warn when the last step is a call that failed in every earlier run at this task that made it, in several: it is no slip.

        Tests and a run's own scripts fail until the work is done. What failed in runs that succeeded as well is what the task is about,
        unless it took too long.
        """
        x, last = self._x, episode.steps[-1]
        if role_of(last.key) is not Role.ACTS or runs_tests(last.key) or is_edit(last) or runs_own(last, own_names(episode)):
            return ()
        steps = np.flatnonzero((x.step_tool == x.tools.find(last.key)) & (x.step_exact == exact_number(last)))
        steps = steps[x.spread(neighbours)[x.rows_at(steps)] >= SAME_TASK]
        rows = x.rows_at(steps).tolist()
        if len(set(rows)) < MIN_RUNS or not x.step_failed[steps].all():
            return ()
        if x.success[rows].any() and not TIMED_OUT.search(message_of(last)):
            return ()
        at = [(x.trace(row).id, position) for row, position in zip(rows, x.step_position[steps].tolist(), strict=True)]
        said = next((message for place in reversed(at) if (message := self._message_at(*place))), "")
        message = phrases.failed_before(last.key, len(steps), len(steps), said, same_call=True)
        return (StepWarning(message, len(steps), len(steps), tuple(dict.fromkeys(key for key, _ in at))[:MAX_EVIDENCE], None),)

    def _in_earlier_runs(
        self, standpoint: Standpoint, neighbours: Sequence[tuple[str, float]], episode: Episode, intended: Step, answer: Answer
    ) -> StepWarning | None:
        x = self._x
        tool = x.tools.find(intended.key)
        if tool < 0:
            return None
        steps = np.flatnonzero(x.step_tool == tool)
        rows = x.rows_at(steps)
        context = x.context_weights(standpoint)[rows]
        weight = context * self._alike(steps, rows, neighbours, episode, intended)
        failed = x.step_failed[steps]
        usual = (float(context[failed].sum()) + 0.1) / (float(context.sum()) + 1.0)
        bad, tried = float(weight[failed].sum()), float(weight.sum())
        share = (bad + PRIOR * usual) / (tried + PRIOR)
        at_this = x.spread(neighbours)[rows] >= SAME_TASK
        exact = (context > 0) & (x.step_exact[steps] == exact_number(intended)) & at_this
        says = any(str(value).strip() for value in intended.arguments.values())  # else every call of the tool is the same one
        never_worked = says and bool(exact.any()) and bool(failed[exact].all())
        if not never_worked and (bad < MIN_FAILURES or share < MIN_SHARE):
            return None
        worst = np.flatnonzero(failed & (weight > 0))
        worst = worst[np.lexsort((worst, -weight[worst]))][:MAX_EVIDENCE]
        row, position = int(rows[worst[0]]), int(x.step_position[steps[worst[0]]])
        sig = dict(x.trace(row).errors).get(position, "")
        counted = exact if never_worked else weight >= 0.1
        n_failed, n_tried = int((failed & counted).sum()), int(counted.sum())
        said = self._message_at(x.trace(row).id, position) or ("" if has_details(sig) else sig)
        message = phrases.failed_before(intended.key, n_failed, n_tried, said, same_call=never_worked)
        evidence = tuple(dict.fromkeys(x.trace(int(rows[i])).id for i in worst))
        return StepWarning(message, n_failed, n_tried, evidence, self._instead(answer, intended.key, sig))

    def _alike(self, steps: Ints, rows: Ints, neighbours: Sequence[tuple[str, float]], episode: Episode, intended: Step) -> Floats:
        """Return how alike each earlier try is, 1 for the same arguments at the same task in the same state."""
        x = self._x
        exact, shape = fingerprint(intended)
        nats = EXACT * ((x.step_exact[steps] == exact) - 1.0) + SHAPE * ((x.step_shape[steps] == shape) - 1.0)
        nats += TASK * (np.exp((x.spread(neighbours)[rows] - 1.0) / TASK_WIDTH) - 1.0)
        if episode.steps:
            before = x.step_tool[np.maximum(steps - 1, 0)]
            failed_before = x.step_failed[np.maximum(steps - 1, 0)]
            last = episode.steps[-1]
            same_state = (x.step_position[steps] > 0) & (before == x.tools.find(last.key)) & (failed_before == last.failed)
            nats += 1.0 * (same_state - 1.0)
        alike: Floats = np.exp(nats)
        return alike

    def _instead(self, answer: Answer, failed_key: str, sig: str) -> str | None:
        recovered = answer(failed_key, sig)
        if recovered is None:
            return None
        best = int(np.argmax(recovered.scores))
        key = str(self._x.tools.value(best))
        return None if key == failed_key or not self._may_name(best) else key
