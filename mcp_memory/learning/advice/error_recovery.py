"""What was tried after errors like this one, and what came of it."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from mcp_memory.domain.answers import NotedLesson, Recovery, TriedFix
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.pattern import ArgumentChange
from mcp_memory.domain.step_keys import SHELL, is_shell, tool_and_action
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.domain.text_words import words
from mcp_memory.learning.advice.endorsing import Endorser
from mcp_memory.learning.advice.examples import Told, arguments_of, as_here, told_call, told_change
from mcp_memory.learning.advice.precedents import ReadEpisodes
from mcp_memory.learning.advice.refused_edits import MAX_READ, MendTold, mend_told
from mcp_memory.learning.advice.what_answered import MAX_CALL_CHARS, names_the_same, what_answered
from mcp_memory.learning.history.lasting import are_calls, next_tried, outlived
from mcp_memory.learning.history.recoveries import Recovered
from mcp_memory.learning.judging.fixed_by import past_error
from mcp_memory.learning.reading.argument_changes import argument_change
from mcp_memory.learning.reading.calls_told import call_told
from mcp_memory.learning.reading.changes import change_of
from mcp_memory.learning.reading.edit_mends import RefusedEdit
from mcp_memory.learning.reading.other_value import is_about_the_same, is_vague
from mcp_memory.learning.reading.run import message_of
from mcp_memory.phrases.patterns import changed
from mcp_memory.views.columns import Ints
from mcp_memory.views.contexts import Standpoint
from mcp_memory.views.experience import Experience
from mcp_memory.views.fixes import Came
from mcp_memory.views.vouching import Support

MAX_FIXES, MAX_EVIDENCE = 3, 3
MIN_ENDS = 3  # runs that ended with an answer, from which it counts as the end
FIX_EXAMPLES, FIX_EXAMPLE_CHARS = 2, 200  # of an error's best answers, and of one text in them
MAX_CHANGES, MIN_ALIKE = 10, 2  # answers whose arguments are compared with the failed call's, and of them that must be alike
MAX_SOUGHT = 4  # answers among which one to the very message is looked for
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
    answered: Ints
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
        self._x, self._read, self._stored, self._endorser, self._beaten = experience, read_episodes, stored, endorser, beaten
        self._here = here

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
            fix = self._fix(key, failed_key, sig, (fixed, got_on, tried))
            support = self._endorser.of_rows(x.failures.row[answered if len(answered) else tried])
            fix = replace(fix, tool=shell if fix.tool == SHELL else fix.tool, provenance=str(support))
            works = not len(answered) or not np.isin(answered, gone).all()
            lasting = answered[~np.isin(answered, gone)] if works else answered
            found.append(_Found(key, fix, lasting, support, key == failed_key, works))
        best = [self._timed(f, failed_key, sig) for f in sorted(found, key=_Found.rank)[:MAX_FIXES]]
        mended = mend_told(episode.steps, self._refused(numbers), is_all=len(numbers) <= MAX_READ) if RefusedEdit.of(own) else None
        shown = [
            _as_mended(f.fix, mended)
            if mended and f.is_retry
            else self._illustrated(f.fix, f.answered, same_call, own, run, is_retry=f.is_retry)
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
        numbers = numbers[self._endorser.showable_rows(failures.row[numbers], failures.index[numbers])]
        latest = numbers[np.argsort(-self._x.ended_at_ms[failures.row[numbers]], kind="stable")][:MAX_READ]
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
        won = won[self._endorser.showable_rows(failures.row[won], failures.index[won])]
        latest = won[np.argsort(-x.ended_at_ms[failures.row[won]], kind="stable")]
        ids = list(dict.fromkeys(x.trace(int(row)).id for row in failures.row[latest]))[:MAX_SOUGHT]
        for episode in filter(None, self._read(ids)):
            for lesson in episode.outcome.lessons if episode.outcome else ():
                if not named.isdisjoint(words(lesson)):
                    yield NotedLesson(" ".join(lesson.split()), episode.id)

    def _fix(self, key: str, failed_key: str, sig: str, found: tuple[Ints, Ints, Ints]) -> TriedFix:
        """Return how often *key* fixed the failed call, did its job instead, and was tried; its kind is the best it did."""
        x = self._x
        fixed, got_on, tried = found
        answered = fixed if len(fixed) else got_on
        name, action = tool_and_action(key)
        evidence = dict.fromkeys(x.trace(r).id for r in x.failures.row[answered if len(answered) else tried].tolist())
        lag = x.failures.by_index[answered] - x.failures.index[answered]
        return TriedFix(
            tool=name,
            action=action,
            kind="fixed" if len(fixed) else "got_on" if len(got_on) else "failed",
            tried=len(tried),
            fixed=len(fixed),
            got_on=len(got_on),
            median_steps=float(np.median(lag)) if len(answered) else None,
            median_ms=None,
            correction=self._stored.corrected(failed_key, sig, key),
            evidence=tuple(evidence)[:MAX_EVIDENCE],
            tasks=len({x.trace(int(r)).task for r in np.unique(x.failures.row[answered])}),
        )

    def _timed(self, found: _Found, failed_key: str, sig: str) -> _Found:
        """Return an answer with the time it took."""
        if not len(found.answered):
            return found
        return replace(found, fix=replace(found.fix, median_ms=self._stored.took_ms(failed_key, sig, found.key)))

    def _example(self, fix: TriedFix, answered: Ints, same_call: Ints, own: Step, run: str) -> TriedFix:
        """Return the fix with the arguments it worked with: after the very call, else in a run that succeeded, the latest of these.

        Its values are shown where it answered the very message; those of another file or module are not.
        """
        x, message = self._x, message_of(own)
        answered = answered[self._endorser.showable_rows(x.failures.row[answered], x.failures.by_index[answered])]
        rows = x.failures.row[answered]
        here = np.isin(rows, [row for key in self._here if (row := x.row(key)) is not None])
        best = answered[np.lexsort((answered, x.success[rows], here, np.isin(answered, same_call)))[::-1]][:MAX_SOUGHT]
        read = self._read([x.trace(int(row)).id for row in x.failures.row[best]])
        places = [(e, int(i), int(by)) for e, i, by in zip(read, x.failures.index[best], x.failures.by_index[best], strict=True) if e]
        for episode, failed, by in places:
            is_very = max(failed, by) < len(episode.steps) and message_of(episode.steps[failed]) == message
            if is_very or (max(failed, by) < len(episode.steps) and names_the_same(episode.steps, failed, own)):
                past = past_error(episode.steps, failed, by) if fix.kind == "fixed" else by
                if past < 0 or episode.steps[past].key != episode.steps[by].key:
                    continue  # what came before the call said something else answered this error
                then = next((step for step in episode.steps[past + 1 :] if step.is_same_call(episode.steps[failed])), None)
                by, fix = past, replace(fix, only_past=then is not None and then.failed)
                did = what_answered(
                    *(episode.steps, failed, by, own, run),
                    is_fixed=fix.kind == "fixed",
                    is_here=episode.id in self._here,
                    is_beaten=episode.id in self._beaten,
                )
                # A change in a file that this run has not got is told with the error, as one to learn from.
                is_elsewhere = did and change_of(episode.steps, by) and not told_call(episode.steps, by, run)
                like = message_of(episode.steps[failed]) if is_elsewhere or not is_very else None
                did = did and as_here(did, episode.steps, failed, by, own, run)
                fix = replace(_with(fix, did, like), arguments_example=arguments_of(episode, by, FIX_EXAMPLE_CHARS, run))
                return replace(fix, evidence=_first(episode.id, fix.evidence))
        if not places:
            return fix
        episode, failed, by = places[0]
        fix = replace(fix, arguments_example=arguments_of(episode, by, FIX_EXAMPLE_CHARS, run, alike=False))
        if fix.kind != "fixed" or max(failed, by) >= len(episode.steps):
            return fix
        like = message_of(episode.steps[failed])
        did = None if episode.steps[by].is_same_call(episode.steps[failed]) else told_change(episode.steps, by, message, like)
        if did is None:
            return fix
        did = as_here(did, episode.steps, failed, by, own, run)
        return replace(_with(fix, did, like), evidence=_first(episode.id, fix.evidence))

    def _illustrated(self, fix: TriedFix, answered: Ints, same_call: Ints, own: Step, run: str, *, is_retry: bool) -> TriedFix:
        """Return the fix with what was different in its arguments, or else with an example of them."""
        change, times, of = self._change(answered) if is_retry else (None, 0, 0)
        if change is None or np.isin(answered, same_call).any():  # of the very call it is told with what it worked
            example = self._example(fix, answered, same_call, own, run)
            if change is None or example.did:
                return example
        counted = (times, of) if len(answered) <= MAX_CHANGES else (0, 0)  # of the latest alone no number is told as one of all
        return replace(fix, change=change, changed=counted[0], compared=counted[1])

    def _change(self, answered: Ints) -> tuple[str | None, int, int]:
        """Return what was different when the failed tool itself was called again, in how many of how many of the latest answers.

        None where not several of the latest answers have it in common.
        """
        x, failures = self._x, self._x.failures
        latest = answered[-MAX_CHANGES:]
        read = self._read([x.trace(int(r)).id for r in failures.row[latest]])
        pairs = [(e, int(i), int(k)) for e, i, k in zip(read, failures.index[latest], failures.by_index[latest], strict=True) if e]
        found = Counter(
            (change.kind, change.argument)
            for e, i, k in pairs
            if max(i, k) < len(e.steps)
            and (change := argument_change(e.steps[i], e.steps[k]))
            and change.kind is not ArgumentChange.INDENTED
        )  # that lines were indented wrongly the error says itself
        (most, times), *_ = [*found.most_common(1), (None, 0)]
        return changed(*most) if most and times >= MIN_ALIKE and 2 * times >= len(pairs) else None, times, len(pairs)

    def _tried(self, numbers: Ints) -> Ints:
        """Return the tool used right after each failed step, -1 at the end of a run."""
        steps = next_tried(self._x, numbers)
        return np.where(steps < 0, -1, self._x.step_tool[np.maximum(steps, 0)])


def _named(step: Step) -> frozenset[str]:
    """Return the words of a failed step that tell it from others: of its error and its call."""
    said = words(f"{message_of(step)} {call_told(step, MAX_CALL_CHARS)}")
    return frozenset(word for word in said if len(word) >= MIN_WORD_CHARS)


def _as_mended(fix: TriedFix, mended: MendTold) -> TriedFix:
    evidence = _first(mended.episode_id, fix.evidence)
    return replace(fix, change=mended.text, changed=mended.times, compared=mended.of, evidence=evidence)


def _with(fix: TriedFix, did: Told | None, like: str | None) -> TriedFix:
    return replace(fix, did=did and did.text, names_failed=did is not None and did.names_failed, like=like)


def _first(episode_id: str, evidence: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([episode_id, *evidence]))[:MAX_EVIDENCE]


def shell_of(episode: Episode) -> str:
    """Return what this agent calls its shell tool, as far as it has used one."""
    return next((s.tool for s in reversed(episode.steps) if is_shell(s.tool)), SHELL)
