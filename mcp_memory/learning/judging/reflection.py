"""Episode to facts: what went well, what to improve, what to remember. Deterministic; every fact names its evidence.

The agent's own words come first. Then what the steps show, then the comparison with the memory's earlier attempts at the same task.
`phrases` makes the sentences.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from mcp_memory.domain import facts
from mcp_memory.domain.episode import Episode, OutcomeKind, Reflection, Reward, Step, Trace
from mcp_memory.domain.nearness import SAME_TASK
from mcp_memory.domain.step_keys import SHELL
from mcp_memory.domain.step_roles import Role, changes_state, role_of
from mcp_memory.learning.judging.comparison import Attempts, compared, elsewhere, known_errors, longer, record, shorter
from mcp_memory.learning.judging.fixed_by import fixed_by
from mcp_memory.learning.judging.unchanged import unchanged
from mcp_memory.learning.reading.alternatives import did_the_job
from mcp_memory.learning.reading.argument_changes import put_right
from mcp_memory.learning.reading.brief import brief
from mcp_memory.learning.reading.changes import changes_scratch
from mcp_memory.learning.reading.run import calls_of_steps, is_mistyped, message_of
from mcp_memory.learning.reading.signatures import signature
from mcp_memory.learning.reading.step_signs import Signs, read, rejection_in
from mcp_memory.views.fixes import Calls, Came, Fix, fixes_of

MAX_FACTS = 5  # of each kind; more are not read
MAX_ANSWERED = 2  # failures that were overcome, or got on with, that are told
MAX_MESSAGE = 200
MIN_REASON_WORDS = 5
# What an error says, other than that it is one.
_SAYING = re.compile(r"(?!exit\b|error\b)\b[^\W\d_]{3,}", re.I)


def reflect(
    episode: Episode,
    reward: Reward,
    signs: Signs | None = None,
    attempts: Sequence[tuple[Trace, float]] = (),
    calls: Calls | None = None,
) -> Reflection:
    """Return what is to be learnt from *episode*, at most five facts of each kind.

    Args:
        episode: A closed episode with its outcome and steps.
        reward: What `reward.reward` made of it.
        signs: `step_signs.read(episode.steps)`, when the caller has them already.
        attempts: Earlier completed episodes, and how alike their tasks are in [0, 1]; from `SAME_TASK` on they are compared and have steps.
        calls: `calls_of_steps` of the episode, when the caller has them already.
    """
    assert episode.outcome is not None
    signs = read(episode.steps) if signs is None else signs
    same = [t for t, similarity in attempts if similarity >= SAME_TASK and t.id != episode.id]
    ranked = sorted(same, key=lambda t: (-t.reward, len(t.step_keys), t.id))
    earlier = Attempts(tuple(t for t in ranked if t.success), tuple(t for t in ranked if not t.success))
    similar = [t for t, _ in attempts if t.success and t.id != episode.id]
    fixes: list[Fix] = []
    if signs.failed:
        fixes = [_put_right(episode.steps, fix) for fix in fixes_of(calls or calls_of_steps(episode.steps, episode.success))]
    standing = _standing(episode, signs, fixes)
    wrong = _wrong(episode, signs, standing)
    answered = [fix for fix in fixes if fix.index not in standing]  # what is told as left standing is not told as answered
    return Reflection(
        successes=_few([*_reported(True, episode.outcome.completed), *_worked(episode.steps, signs, answered), *shorter(signs, earlier)]),
        improvements=_few(
            [
                *_reported(False, episode.outcome.failed),
                *unchanged(episode, earlier.good, similar),
                *wrong,
                *elsewhere(episode, earlier),
                *compared(episode, earlier),
                *_wasted(signs),
                *longer(signs, earlier),
            ]
        ),
        insights=_few([*episode.outcome.lessons, *known_errors(episode.steps, signs, earlier), *record(reward, earlier)]),
    )


def taught_by(episode: Episode) -> tuple[facts.Said, ...]:
    """Return what of an episode's reflection helps the next attempt: what it overcame, or what it would have to do better."""
    if episode.reflection is None or episode.outcome is None:
        return ()
    if episode.success:
        return tuple(said for said in episode.reflection.successes if isinstance(said, facts.Overcome | facts.GotOn))
    return episode.reflection.improvements


def asked_about(reflection: Reflection, outcome: OutcomeKind) -> facts.Fact | None:
    """Return the fact that is worth a sentence of the agent's own: what failed and was not answered, or what was and how; None without.

    After a success that is what was overcome, otherwise what stood in the way. That the same tool worked with other arguments is a slip.
    """
    overcome = [said for said in reflection.successes if isinstance(said, facts.Overcome | facts.GotOn) and not _is_slip(said)]
    standing = [said for said in reflection.improvements if _stood_in_the_way(said) or _says_why(said)]
    standing.sort(key=lambda said: -said.failures[-1] if isinstance(said, facts.Standing) else -math.inf)  # the last error first
    first, then = (overcome, standing) if outcome is OutcomeKind.SUCCESS else (standing, overcome)
    telling = [*first, *then]
    return min(telling, key=lambda said: isinstance(said, facts.GotOn), default=None)


def telling(episode: Episode) -> tuple[facts.Said, ...]:
    """Return what of an episode's reflection its agent did not know, or said otherwise; without what it is asked about anyway.

    What it did, what it said it did and how long that took it knows.
    """
    if episode.reflection is None or episode.outcome is None:
        return ()
    asked = None if episode.outcome.lessons else asked_about(episode.reflection, episode.outcome.kind)
    news = tuple(said for said in episode.reflection.improvements if _is_news(said) and said != asked)
    shown = better_attempt(episode.reflection) is not None  # whose changes are shown, and name the file
    return tuple(said for said in news if not (shown and isinstance(said, facts.OtherFile)))


def _is_news(said: facts.Said) -> bool:
    match said:
        case facts.TestsFailed() | facts.Rejected():
            return said.claimed
        case facts.Skipped():
            return said.key.startswith(f"{SHELL}:")  # a program is something to run; that a tool was called says nothing without its values
        case facts.Unchanged() | facts.OtherFile() | facts.Unlogged():
            return True
    return False


def better_attempt(reflection: Reflection) -> str | None:
    """Return the id of the earlier attempt that did better, None where none is known."""
    return next((said.episode_id for said in reflection.insights if isinstance(said, facts.BestAttempt)), None)


def _stood_in_the_way(said: facts.Said) -> bool:
    """Return whether it is a failure that something should be tried against: a look that found nothing is none, nor is a bare exit code."""
    if isinstance(said, facts.Standing):
        return role_of(said.key) is not Role.LOOKS and _SAYING.search(said.error) is not None
    return isinstance(said, facts.TestsFailed)


def _says_why(said: facts.Said) -> bool:
    """Return whether a rejection says more than that it is one: else its agent cannot say what was wrong, either."""
    return isinstance(said, facts.Rejected) and len(said.answer.split()) >= MIN_REASON_WORDS


def _is_slip(said: facts.Overcome | facts.GotOn) -> bool:
    if isinstance(said, facts.Overcome) and role_of(said.key) is Role.LOOKS:
        return True  # nobody learns from why a look worked later
    return said.by == said.worked_at if isinstance(said, facts.Overcome) else said.by_key == said.key


def _few(said: Iterable[facts.Said]) -> tuple[facts.Said, ...]:
    return tuple(dict.fromkeys(one for one in said if not isinstance(one, str) or one.strip()))[:MAX_FACTS]


def _reported(done: bool, items: Sequence[str]) -> list[facts.Fact]:
    return [facts.Reported(done, tuple(items))] if items else []


# --- what the steps show ---


def _worked(steps: Sequence[Step], signs: Signs, fixes: Sequence[Fix]) -> list[facts.Fact]:
    found: list[facts.Fact] = []
    last = signs.last_tests
    if last and last.passed and not last.failed:
        found.append(facts.TestsPassed(last.passed, last.step))
    for came in (Came.FIXED, Came.GOT_ON):
        answered: dict[tuple[str, int, str], list[Fix]] = {}  # failures of one call and kind by what answered them
        for fix in fixes:
            if fix.came is came and not changes_scratch(steps, fix.by) and not is_mistyped(steps[fix.index]):  # nor is it a way to get on
                by = fixed_by(steps, fix) if came is Came.FIXED else fix.by
                answered.setdefault((fix.failed_key, by, fix.signature), []).append(fix)
        for (key, by, _), failures in list(answered.items())[-MAX_ANSWERED:]:
            where, message = tuple(fix.index for fix in failures), _message(steps[failures[-1].index])
            if came is Came.FIXED:
                worked = failures[-1].worked_at
                by = worked if steps[by].failed else by  # only another error of the same call: what changed in between was not logged
                found.append(
                    facts.Overcome(message, key, where, by, brief(steps, by, near=message), worked, _changed_since(steps, by, worked))
                )
            elif put_right(steps, where[-1]) == by or (role_of(steps[by].key) is Role.ACTS and did_the_job(steps, where[-1], by)):
                found.append(facts.GotOn(message, key, where, by, brief(steps, by, near=message), steps[by].key))
    return found


def _changed_since(steps: Sequence[Step], by: int, worked_at: int) -> tuple[int, ...]:
    """Return the steps between two others that changed something as well, so that what worked in the end was not one step's doing alone."""
    between = range(by + 1, worked_at)
    return tuple(k for k in between if not steps[k].failed and role_of(steps[k].key) is Role.ACTS and changes_state(steps[k].key))


def _put_right(steps: Sequence[Step], fix: Fix) -> Fix:
    """Return what came of a failure, where its call was put right that this got on with it: the words show it, their sums do not."""
    right = put_right(steps, fix.index) if fix.came is not Came.FIXED else -1
    return fix if right < 0 else replace(fix, came=Came.GOT_ON, by=right)


def _wrong(episode: Episode, signs: Signs, left: Sequence[int]) -> list[facts.Fact]:
    found: list[facts.Fact] = []
    last = signs.last_tests
    claimed = episode.success
    if last and last.failed:
        found.append(facts.TestsFailed(last.failed, last.passed + last.failed, last.step, claimed))
    if signs.verdict < 0:
        found.append(facts.Rejected(signs.step_count - 1, claimed, rejection_in(episode.steps[-1])[:MAX_MESSAGE]))
    standing: dict[tuple[str, str], list[int]] = {}
    for i in left:
        standing.setdefault((signature(_message(episode.steps[i])), episode.steps[i].key), []).append(i)
    for (_, key), where in list(standing.items())[-2:]:
        found.append(facts.Standing(_message(episode.steps[where[-1]]), key, tuple(where), brief(episode.steps, where[-1])))
    if not episode.steps:
        found.append(facts.Unlogged())
    return found


def _standing(episode: Episode, signs: Signs, fixes: Sequence[Fix]) -> list[int]:
    """Return the failed steps that were left standing near the end; in an attempt that failed, else all that nothing answered."""
    won = episode.success  # then an error that was got on with stood in nobody's way
    answered = (Came.FIXED, Came.GOT_ON) if won else (Came.FIXED,)
    open_ones = [
        fix.index
        for fix in fixes
        if fix.came not in answered and not signs.is_verdict(fix.index) and not is_mistyped(episode.steps[fix.index])
    ]
    near_end = [i for i in open_ones if i in signs.standing]
    if near_end or won:
        return near_end
    return [fix.index for fix in fixes if fix.came is Came.GAVE_UP and fix.index in open_ones]


def _wasted(signs: Signs) -> list[facts.Fact]:
    found: list[facts.Fact] = []
    if signs.repeats:
        found.append(facts.Repeated(signs.repeats))
    if signs.reverts:
        found.append(facts.Reverted(signs.reverts))
    return found


def _message(step: Step) -> str:
    return message_of(step)[:MAX_MESSAGE] or str(step.status)
