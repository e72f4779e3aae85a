"""What earlier attempts at this very task did that tells how they ended: what worked, and what need not be tried again. Pure.

A change of a file is told of a task that is as good as the same; an answer or the values of calls only of one whose words are, for the next
customer's booking is another one.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mcp_memory.domain import facts
from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Episode, OutcomeKind, Step, Use
from mcp_memory.domain.step_roles import Role, gives_answer, role_of, runs_tests
from mcp_memory.learning.reading.attempts import SAME_TASK
from mcp_memory.learning.reading.changes import Change, brief, change_of, is_scratch
from mcp_memory.learning.reading.step_values import last_changes
from mcp_memory.views.experience import Experience

MAX_READ = 4  # attempts of one outcome that are looked at, the best or the latest
MAX_TOLD = 2  # precedents of one outcome
MAX_DEEDS = 3  # of one attempt
MAX_STEPS = 400  # of a longer run, its end
DEED_CHARS = 240
SAME_DEED = 0.75  # of their words, from which two deeds are the same
SAME_WORDS = 0.9  # of two tasks, from which the values of one are those of the other
MANY_WORDS = 25  # of a task, from which it is a case of its own without naming anything
_WORD = re.compile(r"\w+")
_NAMED = re.compile(r"\d|(?<=[a-z,;] )[A-Z]\w|[\"“`_/]|[a-z]\.[a-z]")  # a number, a name, a quotation, an identifier, a file
_TEST = re.compile(r"(?:^|/)(?:tests?/|test[_-])|_test\.\w+$|[._]spec\.\w+$")
_FILE = re.compile(r"\S*\w\.\w+")

Showable = Callable[[str, int], bool]  # whether the arguments of a step of an episode may be shown


@dataclass(frozen=True, slots=True)
class _Told:
    episode: Episode
    deeds: tuple[str, ...]
    came: str


def precedents(task: str, attempts: Sequence[Episode], showable: Showable = lambda _id, _index: True) -> tuple[Precedent, ...]:
    """Return what attempts at *task* did, those that worked first; what both kinds did tells nothing.

    Args:
        task: The task asked about.
        attempts: Completed episodes at it with their steps, the best first.
        showable: Whether a step's arguments may be shown.
    """
    told = [_Told(e, deeds, _came(e)) for e in attempts if (deeds := tuple(_deeds(task, e, showable)))]
    good, bad = ([t for t in told if _won(t.episode) is won] for won in (True, False))
    worked = {t.deeds for t in good}
    return (*_grouped(good, worked=True), *_grouped([t for t in bad if t.deeds not in worked], worked=False))


def attempts_at(x: Experience, neighbours: Sequence[tuple[str, float]]) -> list[str]:
    """Return the attempts at the very task that *neighbours* are of: a few of each outcome, successes first, the best and latest first."""
    rows = [row for key, similarity in neighbours if similarity >= SAME_TASK and (row := x.row(key)) is not None]
    ranked = sorted(rows, key=lambda row: (-x.trace(row).reward, -x.trace(row).ended_at_ms, row))
    kinds = ([row for row in ranked if bool(x.success[row]) is won][:MAX_READ] for won in (True, False))
    return [x.trace(row).id for rows in kinds for row in rows]


def _won(episode: Episode) -> bool:
    return episode.outcome is not None and episode.outcome.kind is OutcomeKind.SUCCESS


def _grouped(told: Sequence[_Told], *, worked: bool) -> Iterator[Precedent]:
    """Yield what was done, the commonest first; attempts that did the same count together."""
    groups: dict[frozenset[str], list[_Told]] = {}
    for one in sorted(told, key=lambda t: len("".join(t.deeds))):
        words = _words(one.deeds)
        known = next((other for other in groups if len(other & words) >= SAME_DEED * len(other | words)), words)
        groups.setdefault(known, []).append(one)
    for same in sorted(groups.values(), key=len, reverse=True)[:MAX_TOLD]:
        came = "" if worked else next((t.came for t in same if t.came), "")
        yield Precedent(worked, same[0].deeds, came, len(same), len(told), same[0].episode.id)


def _words(deeds: Sequence[str]) -> frozenset[str]:
    """Return the words of deeds without what does not make them others: line numbers, blanks, marks."""
    return frozenset(_WORD.findall(re.sub(r":\d+", "", " ".join(deeds)).casefold()))


def changes_told(episode: Episode, showable: Showable = lambda _id, _index: True) -> tuple[str, ...]:
    """Return what an episode changed last in each of its last two files, in few words; tests only where nothing else was changed."""
    steps = episode.steps
    changes = {i: change for i in sorted(last_changes(steps, episode.files or ())) if (change := _told_change(steps, i))}
    of_work = [i for i, change in changes.items() if not _TEST.search(change.path)]
    return tuple(brief(steps, i, DEED_CHARS, whole=True) for i in of_work or changes if showable(episode.id, i))


def _deeds(task: str, episode: Episode, showable: Showable) -> Iterator[str]:
    """Yield what an attempt did, in few words: its changes of files, else its answer, else, where it worked, its last acts."""
    steps = episode.steps
    if changes := changes_told(episode, showable):
        yield from changes
        return
    if not is_same_case(task, episode.task):
        return
    acts = [i for i in range(len(steps) - 1, -1, -1) if gives_answer(steps[i].key) and _says(steps[i])][:1]
    if not acts and _won(episode):
        acts = _last_acts(episode)
    yield from dict.fromkeys(brief(steps, i, DEED_CHARS) for i in acts if showable(episode.id, i))


def _told_change(steps: Sequence[Step], index: int) -> Change | None:
    change = change_of(steps, index)
    return change if change is not None and change.says_what and not change.is_scratch else None


def _last_acts(episode: Episode) -> list[int]:
    """Return the last steps that did something that lasts: nothing that tries something out, no test run, no script that only it has."""
    steps, found = episode.steps, list[int]()
    made = {file.path.rsplit("/", 1)[-1] for file in episode.files or () if file.use is Use.MADE}
    for i in range(len(steps) - 1, max(-1, len(steps) - 1 - MAX_STEPS), -1):
        if len(found) == MAX_DEEDS:
            break
        step = steps[i]
        if step.failed or role_of(step.key) is not Role.ACTS or runs_tests(step.key) or change_of(steps, i) is not None:
            continue
        command = command_in(step.arguments).strip()
        if "\n" in command or " -c " in command:
            continue  # a script of its own
        words = command or " ".join(map(str, step.arguments.values()))
        names = _FILE.findall(words)
        if _says(step) and not any(is_scratch(name) or name.rsplit("/", 1)[-1] in made for name in names):
            found.append(i)
    return found[::-1]


def _says(step: Step) -> bool:
    return any(str(value).strip() for value in step.arguments.values())


def is_same_case(a: str, b: str) -> bool:
    """Return whether two tasks speak of the same things: the same numbers, nearly all words, and something that is not said of every case.

    >>> is_same_case("Cancel the booking of Mia Li", "cancel the booking of Mia Li!"), is_same_case("Cancel trip 7", "Cancel trip 8")
    (True, False)
    >>> is_same_case("Hi, I want to cancel a booking", "Hi, I want to cancel a booking")
    False
    """
    if not _NAMED.search(a) and len(a.split()) < MANY_WORDS:
        return False
    x, y = (frozenset(_WORD.findall(text.casefold())) for text in (a, b))
    numbers = [{word for word in words if any(c.isdigit() for c in word)} for words in (x, y)]
    return numbers[0] == numbers[1] and len(x & y) >= SAME_WORDS * len(x | y)


def _came(episode: Episode) -> str:
    """Return what the attempt was told in the end, "" where nobody said."""
    for said in episode.reflection.improvements if episode.reflection else ():
        match said:
            case facts.Rejected() if said.answer:
                return said.answer
            case facts.TestsFailed():
                return f"{said.failed} of {said.total} tests failed"
    return (episode.outcome.error or "") if episode.outcome else ""
