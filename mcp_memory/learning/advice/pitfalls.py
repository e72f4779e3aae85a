"""What goes wrong on the way to a task, as sentences: errors with their answers, choices that failed, habits of failures. Pure."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice

from mcp_memory.domain.pattern import Pattern, PatternKind
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.domain.text_words import sentence_stems, tool_stems
from mcp_memory.learning.patterns.confidence import wilson
from mcp_memory.learning.patterns.error_answers import MAX_ANSWERS, answers_by_error
from mcp_memory.learning.patterns.relevance import MIN_SUPPORT
from mcp_memory.learning.reading.attempts import Attempt
from mcp_memory.learning.reading.signatures import has_details, same_error
from mcp_memory.phrases import pitfalls as phrases
from mcp_memory.phrases.words import share

MAX_SENTENCES, MAX_CONTRAST = 5, 2
MIN_CONTRASTED = 3  # attempts that did, and attempts that succeeded: with fewer it may well be chance
Nearest = tuple[bool, bool]  # whether successes, and failures, are only those most alike
_Said = tuple[str, list[str]]  # a sentence and the ids of the patterns it rests on


def pitfalls(
    task: str,
    good: Sequence[Attempt],
    bad: Sequence[Attempt],
    patterns: Sequence[Pattern],
    recommended: Collection[str],
    usual: float,
    message_at: Callable[[str, int], str],
    nearest: Nearest = (False, False),
) -> tuple[list[str], list[str]]:
    """Return at most five sentences, and the ids of the patterns among their evidence: corrections, then what failures had in common.

    Args:
        task: What is asked for.
        good: Attempts that succeeded.
        bad: Attempts that failed.
        patterns: Relevant to the task, with their confidence.
        recommended: Tool keys that the advice consists of: no choice of them is told as one that fails.
        usual: The share of failures among attempts at tasks like it.
        message_at: The real error of a step of an episode; "" where it is not to be shown.
        nearest: Whether *good* and *bad* are only those most alike, of more.
    """
    ranked = sorted(patterns, key=lambda p: (-p.confidence, -p.support, p.id))
    corrected = _corrected(ranked)
    contrast = [
        *_habits(task, good, bad, nearest)[:MAX_CONTRAST],
        *islice(_fatal_errors(good, bad, message_at, nearest), MAX_CONTRAST),
    ]
    learnt = [*_errors(ranked), *_choices(ranked, usual, recommended)]
    said = [*corrected, *((sentence, []) for sentence in contrast), *learnt][:MAX_SENTENCES]
    return [sentence for sentence, _ in said], [key for _, keys in said for key in keys]


def _corrected(patterns: Sequence[Pattern]) -> list[_Said]:
    return [(phrases.corrected(p), [p.id]) for p in patterns if p.corrected_by]


def _errors(patterns: Sequence[Pattern]) -> list[_Said]:
    """Return a sentence for each error with what was different in the call that then worked: the name of a tool is no answer."""
    changes = [p for p in patterns if p.kind is PatternKind.ARGUMENT_CHANGE and not p.corrected_by]
    told = [p for p in changes if p.is_telling and p.support >= MIN_SUPPORT]
    said = []
    for found in answers_by_error(told).values():
        said += [(phrases.answer(p), [p.id]) for p in found[:MAX_ANSWERS]]
    return said


def _choices(patterns: Sequence[Pattern], usual: float, recommended: Collection[str]) -> list[_Said]:
    """Return the choices after which runs surely failed more often than tasks like this do anyway."""
    said = []
    for p in patterns:
        tried = p.successes + p.failures
        if p.kind is not PatternKind.DECISION_POINT or p.corrected_by or p.content["choose"] in recommended:
            continue
        if wilson(p.failures, tried)[0] > max(0.5, usual):
            said.append((phrases.choice(p), [p.id]))
    return said


def _habits(task: str, good: Sequence[Attempt], bad: Sequence[Attempt], nearest: Nearest) -> list[str]:
    """Return what most failed attempts did and hardly any successful one, commonest first; not what the task itself asks for."""
    sentences = []
    asked = frozenset[str]().union(*sentence_stems(task))
    for key, n in sorted(Counter(key for r in bad for key in set(r.route)).items(), key=lambda item: (-item[1], item[0])):
        did = sum(key in r.route for r in good)
        if role_of(key) is not Role.ACTS or tool_stems(key) & asked:
            continue  # thinking, talking and looking decide nothing by themselves, and what is asked for has to be done
        if (
            min(n, len(good)) >= MIN_CONTRASTED and n >= 0.5 * len(bad) and wilson(n, len(bad))[0] > wilson(did, len(good))[1]
        ):  # else it may well be chance
            sentences.append(phrases.habit(key, *_shares(n, bad, did, good, nearest)))
    return sentences


def _shares(n: int, bad: Sequence[Attempt], did: int, good: Sequence[Attempt], nearest: Nearest) -> tuple[str, str]:
    return share(n, len(bad), nearest=nearest[1]), share(did, len(good), nearest=nearest[0])


def _fatal_errors(
    good: Sequence[Attempt], bad: Sequence[Attempt], message_at: Callable[[str, int], str], nearest: Nearest
) -> Iterator[str]:
    """Yield the errors that several failed attempts met and few successful ones, commonest first, each with a message that was met."""
    met: list[tuple[str, dict[str, int]]] = []  # signature, and in which episodes at which step
    for run in bad:
        for index, sig in run.trace.errors:
            group = next((where for other, where in met if same_error(sig, other)), None)
            if group is None and sig:
                met.append((sig, {run.trace.id: index}))
            elif group is not None:
                group.setdefault(run.trace.id, index)
    for sig, where in sorted(met, key=lambda m: (-len(m[1]), m[0])):
        survived = sum(any(same_error(sig, s) for _, s in r.trace.errors) for r in good)
        if min(len(where), len(good)) >= MIN_CONTRASTED and wilson(len(where), len(bad))[0] > wilson(survived, len(good))[1]:
            message = next(filter(None, (message_at(*place) for place in where.items())), "")
            if message or not has_details(sig):
                yield phrases.fatal_error(message or sig, sig, *_shares(len(where), bad, survived, good, nearest))
