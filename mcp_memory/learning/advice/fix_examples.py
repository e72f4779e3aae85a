"""What an error's answer is told with: the call, the change or the arguments that it worked with. Pure, but that it reads episodes."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from mcp_memory.domain.answers import TriedFix
from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.pattern import ArgumentChange
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.domain.text_words import stem
from mcp_memory.learning.advice.endorsing import Endorser
from mcp_memory.learning.advice.what_answered import names_the_same, what_answered
from mcp_memory.learning.judging.fixed_by import past_error
from mcp_memory.learning.reading.argument_changes import argument_change
from mcp_memory.learning.reading.calls_told import call_by_names
from mcp_memory.learning.reading.case_values import same_but_ids
from mcp_memory.learning.reading.changes import change_of
from mcp_memory.learning.reading.run import error_text, message_of
from mcp_memory.learning.reading.signatures import quoted_in
from mcp_memory.learning.telling.answers_told import LIKE, Told, as_here, told_call, told_change
from mcp_memory.learning.telling.examples import PLACEHOLDER, arguments_of, example_of
from mcp_memory.learning.telling.told_attempts import ReadEpisodes
from mcp_memory.phrases.patterns import changed
from mcp_memory.views.columns import Ints
from mcp_memory.views.experience import Experience

MAX_EVIDENCE = 3
EXAMPLE_CHARS = 200  # of one text in the arguments
MAX_CHANGES, MIN_ALIKE = 10, 2  # answers whose arguments are compared with the failed call's, and of them that must be alike
MIN_ABOUT_BOTH = 2  # words that two errors and a call share, from which the call is about what both say
_NAME = re.compile(r"[^\W\d]\w{2,}")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
MAX_SOUGHT = 4  # answers among which one to the very message is looked for


class FixExamples:
    """Answers from an `Experience`; up to four episodes are read for an answer, ten where its arguments are compared."""

    def __init__(
        self, experience: Experience, read_episodes: ReadEpisodes, endorser: Endorser, beaten: Collection[str], here: Collection[str]
    ) -> None:
        """Take the attempts at this very task, too, and which of them failed where others succeeded: of these only commands are told."""
        self._x, self._read, self._endorser, self._beaten, self._here = experience, read_episodes, endorser, beaten, here

    def illustrated(self, fix: TriedFix, answered: Ints, same_call: Ints, own: Step, run: str, *, is_retry: bool) -> TriedFix:
        """Return the fix with what was different in its arguments, or else with an example of them."""
        change, times, of = self._change(answered, own) if is_retry else (None, 0, 0)
        if change is None or np.isin(answered, same_call).any():  # of the very call it is told with what it worked
            example = self._example(fix, answered, same_call, own, run)
            if change is None or example.did:
                return example
        counted = (times, of) if len(answered) <= MAX_CHANGES else (0, 0)  # of the latest alone no number is told as one of all
        return replace(fix, change=change, changed=counted[0], compared=counted[1])

    def _example(self, fix: TriedFix, answered: Ints, same_call: Ints, own: Step, run: str) -> TriedFix:
        """Return the fix with the arguments it worked with: after the very call, else in a run that succeeded, the latest of these.

        Its values are shown where it answered the very message; those of another file or module are not.
        """
        x, message = self._x, message_of(own)
        rows = x.failures.row[answered]
        here = np.isin(rows, [row for key in self._here if (row := x.row(key)) is not None])
        ranked = answered[np.lexsort((answered, x.success[rows], here, np.isin(answered, same_call)))[::-1]]
        best = ranked[list(islice(self._endorser.showable_of(x.failures.row[ranked], x.failures.by_index[ranked]), MAX_SOUGHT))]
        read = self._read([x.trace(int(row)).id for row in x.failures.row[best]])
        places = [(e, int(i), int(by)) for e, i, by in zip(read, x.failures.index[best], x.failures.by_index[best], strict=True) if e]
        for episode, failed, by in places:
            if max(failed, by) >= len(episode.steps):
                continue
            is_very = message_of(episode.steps[failed]) == message or same_but_ids(episode.steps[failed], own)
            if is_very or names_the_same(episode.steps, failed, own):
                past = past_error(episode.steps, failed, by) if fix.kind == "fixed" else by
                if past < 0 or episode.steps[past].key != episode.steps[by].key:
                    continue  # what came before the call said something else answered this error
                then = next((step for step in episode.steps[past + 1 :] if step.is_same_call(episode.steps[failed])), None)
                by = past
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
                example = arguments_of(episode, by, EXAMPLE_CHARS, run)
                return replace(_with(fix, did, like, episode, by), arguments_example=example, only_past=then is not None and then.failed)
        if not places:
            return fix
        episode, failed, by = places[0]
        fix = replace(fix, arguments_example=arguments_of(episode, by, EXAMPLE_CHARS, run, alike=False))
        if fix.kind != "fixed" or max(failed, by) >= len(episode.steps):
            return fix
        like = message_of(episode.steps[failed])
        did = None if episode.steps[by].is_same_call(episode.steps[failed]) else told_change(episode.steps, by, message, like)
        did = did or _about_both(episode.steps, failed, by, message, run)
        if did is None:
            return fix
        did = as_here(did, episode.steps, failed, by, own, run)
        return _with(fix, did, like, episode, by)

    def _change(self, answered: Ints, own: Step) -> tuple[str | None, int, int]:
        """Return what was different when the failed tool itself was called again, in how many of how many of the latest answers.

        None where not several of the latest answers have it in common, or where it was a value that the error named and this run's error
        names none that is like its own.
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
        if most and most[0] is ArgumentChange.LISTED and not _names_one_like(own, most[1]):
            return None, 0, 0
        return changed(*most) if most and times >= MIN_ALIKE and 2 * times >= len(pairs) else None, times, len(pairs)


def _names_one_like(own: Step, argument: str) -> bool:
    """Return whether an error names another value that shares a word with the one that was given; where neither is words, it may."""
    given = str(own.arguments.get(argument, "")).strip("'\" ")
    words = _names(given)
    others = [name for name in quoted_in(error_text(own)) if name != given]
    return not words or not others or any(not words.isdisjoint(_names(name)) for name in others)


def _is_of_failure(episode: Episode, by: int) -> bool:
    """Return whether what answered an error did something in a run that failed: it may be why. A command brings what was missing."""
    step, change = episode.steps[by], change_of(episode.steps, by)
    acts = role_of(step.key) is Role.ACTS and not command_in(step.arguments) and (change is None or not change.is_scratch)
    return acts and not episode.success


def _about_both(steps: Sequence[Step], failed: int, by: int, message: str, run: str) -> Told | None:
    """Return the call, other than a command, that fixed an error like this run's *message*, where it is about what both say; None else.

    After *Mobile data cannot be on in low battery mode* it is what ended the low battery mode, though then it was the wifi.
    """
    step = steps[by]
    if command_in(step.arguments) or step.description or step.key == steps[failed].key or change_of(steps, by) is not None:
        return None
    here, there, own = map(_names, (message, message_of(steps[failed]), steps[failed].key))
    about = _names(f"{step.key} {' '.join(map(str, step.arguments.values()))}")
    if len(here & there) < LIKE * len(here | there) or len((here & there & about) - own) < MIN_ABOUT_BOTH:
        return None
    shown = example_of(step.arguments, EXAMPLE_CHARS, run, alike=True) or {}
    return Told(call_by_names(step, {name: value for name, value in shown.items() if not PLACEHOLDER.search(str(value))}, EXAMPLE_CHARS))


def _names(text: str) -> frozenset[str]:
    """Return the words of a text without their endings, of names in it (`lock_doors`, `lockDoors`) each."""
    return frozenset(stem(word.casefold()) for word in _NAME.findall(_CAMEL.sub(" ", text).replace("_", " ")))


def _with(fix: TriedFix, did: Told | None, like: str | None, episode: Episode, by: int) -> TriedFix:
    """Return the fix with what was done in a step of an episode."""
    return replace(
        fix,
        did=did and did.text,
        names_failed=did is not None and did.names_failed,
        like=like,
        evidence=first_of(episode.id, fix.evidence),
        by_failure=_is_of_failure(episode, by),
    )


def first_of(episode_id: str, evidence: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([episode_id, *evidence]))[:MAX_EVIDENCE]
