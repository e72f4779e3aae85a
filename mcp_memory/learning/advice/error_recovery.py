"""What was tried after errors like this one, and what came of it."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median

import numpy as np

from mcp_memory.domain.answers import NotedLesson, Recovery, TriedFix
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.step_keys import SHELL, is_shell, tool_and_action
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.domain.text_words import words
from mcp_memory.learning.advice.endorsing import Endorser
from mcp_memory.learning.advice.fix_examples import MAX_EVIDENCE, MAX_SOUGHT, MIN_ALIKE, FixExamples, first_of
from mcp_memory.learning.advice.refused_edits import MAX_READ, MendTold, mend_told
from mcp_memory.learning.advice.what_answered import MAX_CALL_CHARS
from mcp_memory.learning.history.lasting import are_calls, next_tried, outlived
from mcp_memory.learning.history.recoveries import Recovered
from mcp_memory.learning.reading.calls_told import call_told
from mcp_memory.learning.reading.edit_mends import RefusedEdit
from mcp_memory.learning.reading.other_value import is_about_the_same, is_vague
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.telling.told_attempts import ReadEpisodes
from mcp_memory.views.columns import Ints, distinct
from mcp_memory.views.contexts import Standpoint
from mcp_memory.views.experience import Experience
from mcp_memory.views.fixes import Came
from mcp_memory.views.vouching import Support

MAX_FIXES = 3
MIN_ENDS = 3  # runs that ended with an answer, from which it counts as the end
FIX_EXAMPLES = 2  # of an error's best answers
MAX_NOTED, MIN_WORD_CHARS = 1, 5  # lessons told of an error; of a word that a lesson shares with it
SAME_MESSAGE = 0.5  # likeness from which an earlier failure is shown as the same one


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store knows of an answer: asked with the failed tool's key, the error's signature, and the key of the tool tried."""

    corrected: Callable[[str, str, str], str | None]
    took_ms: Callable[[str, str, str], float | None]  # until it worked, in the median; reads all evidence there is of it


@dataclass(frozen=True, slots=True)
class _Found:
    """What was tried after an error, with the failures it answered and who says so."""

    key: str  # of the tool
    fix: TriedFix
    said: Ints  # the failures that it is told of
    answered: Ints  # those of them that it still answers
    support: Support
    is_retry: bool  # the failed tool itself
    works: bool  # still

    def rank(self) -> tuple[object, ...]:
        """Return what the best is least by: one source alone comes after, however often it says so, and so does what works no longer."""
        fix = self.fix
        is_told = bool(len(self.answered)) and self.support.is_verified
        return not self.works, not is_told, fix.correction is None, -fix.fixed, -fix.got_on, fix.tried, fix.tool, fix.action


class ErrorRecovery:
    """Answers from an `Experience`; full episodes are read only for the examples of arguments, and for what changed in them."""

    def __init__(
        self,
        experience: Experience,
        read_episodes: ReadEpisodes,
        stored: Stored,
        endorser: Endorser,
        beaten: Collection[str] = (),
        here: Collection[str] = (),
    ) -> None:
        """Take the attempts at this very task, too, and which of them failed where others succeeded: of these only commands are told."""
        self._x, self._read, self._stored, self._endorser = experience, read_episodes, stored, endorser
        self._examples = FixExamples(experience, read_episodes, endorser, beaten, here)

    def recovery(self, recovered: Recovered, standpoint: Standpoint, episode: Episode, sig: str, run: str) -> Recovery:
        """Return what was tried after failures with such a message, of this tool where it had any, and what came of it.

        Args:
            run: `text_of_run` of the episode.
        """
        x = self._x
        own = episode.steps[-1]
        failed_key, message = own.key, message_of(own)
        alike = (x.context_weights(standpoint)[x.failures.row] > 0) & (recovered.alike >= SAME_MESSAGE)
        exact = alike & (x.failures.signature == x.signatures.find(sig))
        alike = exact if exact.any() else alike
        of_this_tool = alike & (x.failures.failed == x.tools.find(failed_key))
        numbers = np.flatnonzero(of_this_tool if of_this_tool.any() else alike)  # none: this error is new, and so it says
        if own.description and is_vague(message):
            numbers = self._about_the_same(own, numbers)
        next_tried, by, came = self._tried(numbers), x.failures.by[numbers], x.failures.came[numbers]
        same_call = numbers[are_calls(x, numbers, own)]
        gone = numbers[outlived(x, numbers)]
        shell = shell_of(episode)
        found: list[_Found] = []
        for tool in np.unique(np.concatenate([next_tried[next_tried >= 0], by[by >= 0]])):
            key = str(x.tools.value(int(tool)))
            if role_of(key) is Role.PASSES:
                continue
            fixed, got_on = (numbers[(by == tool) & (came == kind)] for kind in (Came.FIXED, Came.GOT_ON))
            answered = fixed if len(fixed) else got_on
            tried = numbers[(next_tried == tool) | (by == tool)]
            if not len(answered) and (role_of(key) is Role.LOOKS or len(tried) < MIN_ALIKE):
                continue  # looking after a failure is no try to mend it, and one that failed tells nothing
            said = answered if len(answered) else tried
            support = self._endorser.of_rows(x.failures.row[said])
            fix = _fix(key, shell, support, (fixed, got_on, tried), self._stored.corrected(failed_key, sig, key))
            works = not len(answered) or not np.isin(answered, gone).all()
            lasting = answered[~np.isin(answered, gone)] if works else answered
            found.append(_Found(key, fix, said, lasting, support, key == failed_key, works))
        best = [self._in_full(f, failed_key, sig) for f in sorted(found, key=_Found.rank)[:MAX_FIXES]]
        mended = mend_told(episode.steps, self._refused(numbers), is_all=len(numbers) <= MAX_READ) if RefusedEdit.of(own) else None
        shown = [
            _as_mended(f.fix, mended)
            if mended and f.is_retry
            else self._examples.illustrated(f.fix, f.answered, same_call, own, run, is_retry=f.is_retry)
            if f.works and self._endorser.may_show(f.support)
            else f.fix
            for f in best[:FIX_EXAMPLES]
        ]
        noted = tuple(islice(self._noted(numbers, _named(episode.steps[-1])), MAX_NOTED))
        return Recovery(sig, (*shown, *(f.fix for f in best[FIX_EXAMPLES:])), message, noted)

    def _about_the_same(self, own: Step, numbers: Ints) -> Ints:
        """Return those of the latest failures whose calls, told in words as *own* is, were about the same: by their key all are alike."""
        failures = self._x.failures
        latest = numbers[np.argsort(-self._x.ended_at_ms[failures.row[numbers]], kind="stable")][:MAX_READ]
        read = self._read([self._x.trace(int(row)).id for row in failures.row[latest]])
        calls = ((e.steps[i] if e and i < len(e.steps) else None) for e, i in zip(read, failures.index[latest].tolist(), strict=True))
        same = [at for at, call in zip(latest.tolist(), calls, strict=True) if call and is_about_the_same(call, own)]
        return np.array(sorted(same), np.int64)

    def _refused(self, numbers: Ints) -> Iterator[tuple[Episode, int]]:
        """Yield the latest of these failures with their episodes, of those whose calls may be shown."""
        failures = self._x.failures
        numbers = numbers[np.argsort(-self._x.ended_at_ms[failures.row[numbers]], kind="stable")]
        latest = numbers[list(islice(self._endorser.showable_of(failures.row[numbers], failures.index[numbers]), MAX_READ))]
        ids = [self._x.trace(int(row)).id for row in failures.row[latest]]
        read = dict(zip(unique := list(dict.fromkeys(ids)), self._read(unique), strict=True))
        for key, index in zip(ids, failures.index[latest], strict=True):
            if (episode := read[key]) is not None and index < len(episode.steps):
                yield episode, int(index)

    def is_the_end(self, standpoint: Standpoint, failed_key: str, sig: str) -> bool:
        """Whether every run that got such an answer from this tool ended with it, as with a verdict: then nothing is advised."""
        x, failures = self._x, self._x.failures
        same = (failures.signature == x.signatures.find(sig)) & (failures.failed == x.tools.find(failed_key))
        numbers = np.flatnonzero(same & (x.context_weights(standpoint)[failures.row] > 0))
        return len(numbers) >= MIN_ENDS and bool((self._tried(numbers) < 0).all())

    def _noted(self, numbers: Ints, named: frozenset[str]) -> Iterator[NotedLesson]:
        """Yield what those who got past such an error noted about it, the latest first: a lesson that names none of it is about another."""
        x, failures = self._x, self._x.failures
        won = numbers[x.success[failures.row[numbers]]]
        won = won[np.argsort(-x.ended_at_ms[failures.row[won]], kind="stable")]
        ids: list[str] = []
        for at in self._endorser.showable_of(failures.row[won], failures.index[won]):
            key = x.trace(int(failures.row[won[at]])).id
            ids += [key] if key not in ids else []
            if len(ids) == MAX_SOUGHT:
                break
        for episode in filter(None, self._read(ids)):
            for lesson in episode.outcome.lessons if episode.outcome else ():
                if not named.isdisjoint(words(lesson)):
                    yield NotedLesson(" ".join(lesson.split()), episode.id)

    def _in_full(self, found: _Found, failed_key: str, sig: str) -> _Found:
        """Return what was tried with its evidence and, where it answered, how long that took and in how many tasks."""
        x, said = self._x, found.said
        rows = distinct(x.failures.row[said]).tolist()  # failures stand in the order of their episodes
        evidence = tuple(x.trace(row).id for row in rows[:MAX_EVIDENCE])
        took_ms = self._stored.took_ms(failed_key, sig, found.key) if len(found.answered) else None
        if not (found.fix.fixed or found.fix.got_on):
            return replace(found, fix=replace(found.fix, evidence=evidence, median_ms=took_ms))
        lag = float(median((x.failures.by_index[said] - x.failures.index[said]).tolist()))
        tasks = len({x.trace(row).task for row in rows})
        return replace(found, fix=replace(found.fix, evidence=evidence, median_ms=took_ms, median_steps=lag, tasks=tasks))

    def _tried(self, numbers: Ints) -> Ints:
        """Return the tool used right after each failed step, -1 at the end of a run."""
        steps = next_tried(self._x, numbers)
        return np.where(steps < 0, -1, self._x.step_tool[np.maximum(steps, 0)])


def _fix(key: str, shell: str, support: Support, found: tuple[Ints, Ints, Ints], correction: str | None) -> TriedFix:
    """Return how often *key* fixed the failed call, did its job instead, and was tried; its kind is the best it did."""
    fixed, got_on, tried = found
    name, action = tool_and_action(key)
    return TriedFix(
        tool=shell if name == SHELL else name,
        action=action,
        kind="fixed" if len(fixed) else "got_on" if len(got_on) else "failed",
        tried=len(tried),
        fixed=len(fixed),
        got_on=len(got_on),
        median_steps=None,
        median_ms=None,
        evidence=(),
        correction=correction,
        provenance=str(support),
    )


def _named(step: Step) -> frozenset[str]:
    """Return the words of a failed step that tell it from others: of its error and its call."""
    said = words(f"{message_of(step)} {call_told(step, MAX_CALL_CHARS)}")
    return frozenset(word for word in said if len(word) >= MIN_WORD_CHARS)


def _as_mended(fix: TriedFix, mended: MendTold) -> TriedFix:
    evidence = first_of(mended.episode_id, fix.evidence)
    return replace(fix, change=mended.text, changed=mended.times, compared=mended.of, evidence=evidence)


def shell_of(episode: Episode) -> str:
    """Return what this agent calls its shell tool, as far as it has used one."""
    return next((s.tool for s in reversed(episode.steps) if is_shell(s.tool)), SHELL)
