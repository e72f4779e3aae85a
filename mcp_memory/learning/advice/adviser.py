"""Advice in the middle of a run: the next tools, what to do about an error, and warnings about an intended step."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from mcp_memory.domain.answers import Precedent, Recovery, StepWarning
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.nearness import SAME_TASK
from mcp_memory.domain.query import InferredContext, Suggestion
from mcp_memory.domain.step_keys import SHELL, tool_and_action
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.learning.advice.attempts_told import Attempts
from mcp_memory.learning.advice.brought_there import brought_there
from mcp_memory.learning.advice.chances import blended, sobered
from mcp_memory.learning.advice.endorsing import Endorser, led_by_verified
from mcp_memory.learning.advice.error_recovery import SAME_MESSAGE, ErrorRecovery, Stored, shell_of
from mcp_memory.learning.advice.next_tool import Forecast, NextTool, Prefix
from mcp_memory.learning.advice.refusing_sites import refusing_site
from mcp_memory.learning.advice.step_warnings import StepWarner
from mcp_memory.learning.advice.timeouts import timed_out_too
from mcp_memory.learning.history.inferring import inferred
from mcp_memory.learning.history.recoveries import Recovered, Recoveries
from mcp_memory.learning.patterns.confidence import wilson
from mcp_memory.learning.reading.run import error_signatures, message_of
from mcp_memory.learning.telling.examples import arguments_of, calls_own, is_new_call, text_of_run
from mcp_memory.learning.telling.same_case import is_same_case
from mcp_memory.learning.telling.told_attempts import ReadEpisodes, ReadOnce, ToldAttempt
from mcp_memory.learning.telling.unlike_this_run import not_yet_done
from mcp_memory.phrases import advice as phrases
from mcp_memory.ports import Situation
from mcp_memory.views.columns import Ints, distinct, without
from mcp_memory.views.contexts import Standpoint
from mcp_memory.views.experience import Experience
from mcp_memory.views.fixes import Came
from mcp_memory.views.vouching import MIN_SOURCES, Support

NEXT_SLOTS = 3  # the first suggestions say what comes next, the others what is still to come
MAX_EVIDENCE = 3
MAX_EXAMPLES = 50  # earlier uses among which one is looked for that may be shown
OWN = Support(MIN_SOURCES)  # what only this run has done needs nobody to vouch for it
MAX_EXAMPLE_CHARS = 600  # of one text in the arguments shown
MIN_SCORE = 0.02  # a tool less likely than this is no suggestion
MIN_CONTRASTED = 3  # runs on either side of a comparison of how they ended


@dataclass(frozen=True, slots=True)
class Advice:
    """`suggestions` best first, `recovery` when the last step failed, `warnings` when a step is intended.

    `inferred` is the context that all of it goes by, None where the episode names its own or nothing is like it.
    """

    suggestions: tuple[Suggestion, ...] = ()
    recovery: Recovery | None = None
    warnings: tuple[StepWarning, ...] = ()
    inferred: InferredContext | None = None
    precedents: tuple[Precedent, ...] = ()


@dataclass(frozen=True, slots=True)
class _Pick:
    tool: int
    confidence: float
    coming: bool  # among the next steps, not of those still to come


class Adviser:
    """Answers from an `Experience`; full episodes are read only for the examples of arguments."""

    def __init__(self, experience: Experience, read_episodes: ReadEpisodes, stored: Stored) -> None:
        self._x, self._read, self._stored = experience, ReadOnce(read_episodes), stored
        self._next, self._recoveries = experience.derived(NextTool), experience.derived(Recoveries)
        self._endorser: Endorser  # of the episode that is advised
        self._warner = StepWarner(experience, lambda tool: self._endorser.may_show(self._endorser.of_tool(tool)), self._message_at)

    def suggest(self, situation: Situation, limit: int, intended: Step | None) -> Advice:
        """Return what earlier episodes say about going on from here."""
        episode, neighbours = situation.episode, situation.neighbours
        self._endorser = Endorser(self._x, episode.project, episode.agent)
        prefix = Prefix.of(episode.task, episode.steps)
        said = standpoint_of(episode)
        standpoint = inferred(self._x, said, neighbours, prefix.keys)
        context = None if standpoint == said else InferredContext(standpoint.domain, standpoint.framework, tuple(sorted(standpoint.tags)))
        recovered, sig = None, ""
        if episode.steps and episode.steps[-1].failed:
            sig = dict(error_signatures(episode)).get(len(episode.steps) - 1, "")
            recovered = self._recoveries.after(standpoint, neighbours, episode.steps[-1].key, sig)
        warnings: tuple[StepWarning, ...] = ()
        if intended is not None:
            warnings = self._warner.warnings(
                standpoint, neighbours, episode, intended, lambda key, s: self._recoveries.after(standpoint, neighbours, key, s)
            )
            warnings = (*warnings, *self._of_site(episode, intended))
        if (asked := intended or (episode.steps[-1] if recovered else None)) is not None:
            warnings = (*self._warner.of_quotes(standpoint, asked), *warnings)
        if intended is None and episode.steps and episode.steps[-1].failed:
            vain = self._warner.of_vain_calls(neighbours, episode)
            slow = timed_out_too(self._x, self._read, neighbours, episode, only_with_way=bool(vain))
            warnings = (*self._warner.of_repeats(episode), *(slow or self._of_site(episode, episode.steps[-1]) or vain), *warnings)
        told = Attempts(self._x, self._read, episode.task, neighbours, self._endorser, episode.project, episode)
        won, beaten = self._attempts(situation, told.here())
        here = {key for key, similarity in neighbours if similarity >= SAME_TASK}
        answers = ErrorRecovery(self._x, self._read, self._stored, self._endorser, beaten, here)
        forecast = self._next.forecast(standpoint, neighbours, episode.task, prefix)
        run = text_of_run(episode)
        known = not_yet_done(told.told(), episode.steps)
        if forecast is None or (recovered and answers.is_the_end(standpoint, episode.steps[-1].key, sig)):
            return Advice(warnings=warnings, inferred=context, precedents=known)
        suggestions = self._suggestions(forecast, recovered, prefix, limit, situation, run, (won, beaten))
        recovery = answers.recovery(recovered, standpoint, episode, sig, run) if recovered else None
        answered = any(fix.did or fix.change or fix.correction for fix in recovery.fixes) if recovery else False
        if sig and not answered and self._endorser.is_alone:
            known = (*brought_there(self._read, neighbours, episode), *known)
        return Advice(suggestions, recovery, warnings, context, known)

    def _of_site(self, episode: Episode, asked: Step) -> tuple[StepWarning, ...]:
        return refusing_site(self._x, self._read, self._endorser, episode, asked)

    def _message_at(self, episode_id: str, index: int) -> str:
        if not self._endorser.showable(episode_id, index):
            return ""
        episode = self._read([episode_id])[0]
        return message_of(episode.steps[index]) if episode is not None and index < len(episode.steps) else ""

    def _suggestions(
        self,
        forecast: Forecast,
        recovered: Recovered | None,
        prefix: Prefix,
        limit: int,
        situation: Situation,
        run: str,
        attempts: tuple[Collection[str], Collection[str]],
    ) -> tuple[Suggestion, ...]:
        won = attempts[0]
        known = len(self._x.tools)  # beyond it are tools of this run itself
        supports = {
            pick: self._endorser.of_tool(pick.tool) if pick.tool < known else OWN
            for pick in self._picks(forecast, recovered, prefix, limit)
        }
        done = {key for key, failed in zip(prefix.keys, prefix.failed, strict=True) if not failed}  # here, that may lead
        picks = list(supports)
        if picks and self._key(picks[0].tool, forecast) not in done:
            picks = led_by_verified(picks, lambda pick: supports[pick].is_verified)
        sources = [self._sources(forecast, recovered if pick.coming else None, pick.tool) for pick in picks]
        rows_won, rows_beaten = ({row for key in ids if (row := self._x.row(key)) is not None} for ids in attempts)
        shown = [
            self._shown([place for place in places if place[0] not in rows_beaten], rows_won)
            if self._endorser.may_show(supports[pick])
            else None
            for pick, places in zip(picks, sources, strict=True)
        ]
        read = {e.id: e for e in self._read(list(dict.fromkeys(place[0] for place in shown if place))) if e is not None}
        shell = shell_of(situation.episode)
        alike = self._at_this(situation, recovered)
        out: list[Suggestion] = []
        for pick, places, place in zip(picks, sources, shown, strict=True):
            is_alike = place is not None and self._x.row(place[0]) in alike
            example = arguments_of(read.get(place[0]), place[1], MAX_EXAMPLE_CHARS, run, alike=is_alike) if place else None
            tool, action = tool_and_action(self._key(pick.tool, forecast))
            tool = shell if tool == SHELL else tool
            reason = self._reason(pick, forecast, recovered, prefix)
            acts = not out and pick.coming and role_of(self._key(pick.tool, forecast)) is Role.ACTS
            is_shown = place is not None and place[0] in won and is_new_call(situation.episode, example)
            is_shown = is_shown and place is not None and not calls_own(read[place[0]], place[1], run)
            basis = phrases.AS_IN_A_SUCCESS if acts and is_shown else ""
            evidence = tuple(dict.fromkeys([*([place[0]] if basis and place else []), *self._first_of(places)]))[:MAX_EVIDENCE]
            out.append(Suggestion(tool, action, reason, round(pick.confidence, 3), evidence, example, str(supports[pick]), basis))
        return tuple(out)

    def _at_this(self, situation: Situation, recovered: Recovered | None) -> set[int]:
        """Return the rows of those whose code and files may fit here: those at this very task, and those that met this very error."""
        same = {row for key, similarity in situation.neighbours if similarity >= SAME_TASK and (row := self._x.row(key)) is not None}
        if recovered is None:
            return same
        met = recovered.fixes[recovered.alike[recovered.fixes] >= SAME_MESSAGE]
        return same | set(self._x.failures.row[met].tolist())

    def _attempts(self, situation: Situation, here: Sequence[ToldAttempt]) -> tuple[set[str], set[str]]:
        """Return the attempts that succeeded at this very case, which may be done again, and those that failed where others succeeded."""
        near = [(key, row) for key, similarity in situation.neighbours if similarity >= SAME_TASK and (row := self._x.row(key)) is not None]
        task = situation.episode.task
        won = {key for key, row in near if self._x.success[row] and is_same_case(task, self._x.trace(row).task)}
        beaten = {one.episode_id for one in here if not one.won} if any(one.won for one in here) else set()
        return won, {key for key, row in near if won and not self._x.success[row]} | beaten

    def _shown(self, places: Sequence[tuple[int, int]], won: Collection[int]) -> tuple[str, int] | None:
        """Return the first of the steps whose arguments may be shown, of an attempt that succeeded at this very case before others."""
        first = [place for place in places if place[0] in won]
        named = ((self._x.trace(row).id, at) for row, at in (*first, *places))
        return next((place for place in named if self._endorser.showable(*place)), None)

    def _first_of(self, places: Sequence[tuple[int, int]]) -> list[str]:
        """Return the episodes of the first of these steps, as many as are told as evidence."""
        rows = dict.fromkeys(row for row, _ in places)
        return [self._x.trace(row).id for row in islice(rows, MAX_EVIDENCE)]

    def _picks(self, forecast: Forecast, recovered: Recovered | None, prefix: Prefix, limit: int) -> list[_Pick]:
        """Choose the tools: up to three for the next step, then those most likely still to come."""
        chances = ranked = forecast.next
        if recovered is not None:
            chances, ranked = (blended(scores, forecast.next, len(prefix.keys)) for scores in (recovered.chances, recovered.scores))
            chances = sobered(chances, prefix.failed)
        coming = [int(t) for t in np.argsort(-ranked, kind="stable")[: min(limit, NEXT_SLOTS)] if ranked[t] >= MIN_SCORE]
        picks = [_Pick(t, float(chances[t]), True) for t in coming]
        likely = 1.0 / (1.0 + np.exp(-np.clip(forecast.later, -30, 30)))
        for t in np.argsort(-forecast.later, kind="stable"):
            if len(picks) >= limit or not self._was_used(forecast, int(t)):
                break
            if int(t) not in coming:
                picks.append(_Pick(int(t), float(likely[t]), False))
        return picks

    def _key(self, tool: int, forecast: Forecast) -> str:
        known = len(self._x.tools)
        return str(self._x.tools.value(tool)) if tool < known else forecast.new[tool - known]

    def _was_used(self, forecast: Forecast, tool: int) -> bool:
        """Whether anything looked at for this answer used the tool at all: what other contexts use is no advice here."""
        return bool((forecast.tool == tool).any())

    def _sources(self, forecast: Forecast, recovered: Recovered | None, tool: int) -> list[tuple[int, int]]:
        """Return (row of the episode, step index) of the weightiest earlier uses of *tool*, those that worked first."""
        x = self._x
        if recovered is not None:
            mine = x.failures.fix[recovered.fixes] == tool
            fixes, weights = recovered.fixes[mine], recovered.weights[mine]
            if len(fixes):
                best = fixes[np.argsort(-weights, kind="stable")[:MAX_EXAMPLES]]
                return list(zip(x.failures.row[best].tolist(), x.failures.example[best].tolist(), strict=True))
        best = forecast.tries.examples(tool)[:MAX_EXAMPLES]
        if not len(best):
            mine = forecast.tool == tool
            steps, weights = forecast.steps[mine], forecast.weights[mine] * np.where(x.step_failed[forecast.steps[mine]], 0.1, 1.0)
            best = steps[np.argsort(-weights, kind="stable")[:MAX_EXAMPLES]]
        return list(zip(x.rows_at(best).tolist(), x.step_position[best].tolist(), strict=True))

    def _reason(self, pick: _Pick, forecast: Forecast, recovered: Recovered | None, prefix: Prefix) -> str:
        key = self._key(pick.tool, forecast)
        if recovered is not None and pick.coming and (said := self._after_failures(pick.tool, key, recovered, prefix)):
            return said
        same_tool = forecast.tool == pick.tool
        used, runs = len(distinct(forecast.rows[same_tool])), forecast.runs
        if not pick.coming:
            return phrases.still_to_come(key, used, runs)
        chosen = forecast.comparable & same_tool
        if chosen.any():
            said = phrases.next_step(key, prefix.keys[-1] if prefix.keys else "", int(chosen.sum()), int(forecast.comparable.sum()))
            contrast = self._contrast(distinct(forecast.rows[chosen]), forecast.reached)
            return f"{said}; {contrast}" if contrast else said
        if forecast.own[pick.tool] > 0:
            return phrases.own_habit(key, prefix.keys.count(key))
        return phrases.usual(key, used, runs)

    def _contrast(self, took: Ints, reached: Ints) -> str:
        """Return how the runs that took a step ended beside those that did not, "" where that tells nothing."""
        others = without(reached, took)
        if min(len(took), len(others)) < MIN_CONTRASTED:
            return ""
        won, others_won = int(self._x.success[took].sum()), int(self._x.success[others].sum())
        (low, high), (others_low, others_high) = wilson(won, len(took)), wilson(others_won, len(others))
        return phrases.contrast(won, len(took), others_won, len(others)) if low > others_high or high < others_low else ""

    def _after_failures(self, tool: int, key: str, recovered: Recovered, prefix: Prefix) -> str:
        """Return what came of *tool* after failures like the last one, "" when it never worked after any."""
        failures = self._x.failures
        near = recovered.fixes[recovered.weights >= 0.05 * recovered.weights.max()]
        alike = near[recovered.alike[near] >= SAME_MESSAGE]
        of = alike if len(alike) else near  # a new error: only what other failures tell
        mine = failures.by[of] == tool
        fixed, got_on = (int((mine & (failures.came[of] == kind)).sum()) for kind in (Came.FIXED, Came.GOT_ON))
        went_on = int((failures.fix[of] == tool).sum())
        among = phrases.among(len(of), same_error=len(alike) > 0)
        name = phrases.again(key) if key == prefix.keys[-1] else key
        if fixed:
            return phrases.fixed(name, fixed, among)
        if got_on:
            return phrases.got_on(name, got_on, among)
        return phrases.went_on(name, went_on, among) if went_on else ""


def standpoint_of(episode: Episode) -> Standpoint:
    """Return the context of an episode as a standpoint to look from."""
    return Standpoint(episode.project, episode.context.domain, episode.context.framework, frozenset(episode.context.tags))
