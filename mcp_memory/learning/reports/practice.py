"""What episodes did that another can do again, or need not: commands, changes that ended errors, tasks solved and not yet. Pure."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mcp_memory.domain import facts
from mcp_memory.domain.commands import command_in, hides_exit, stopped_short
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.learning.patterns.lessons import Practice
from mcp_memory.learning.reading.brief import brief
from mcp_memory.learning.reading.change_lines import without_line_numbers
from mcp_memory.learning.reading.changes import change_of, changes_scratch, is_scratch
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.reading.step_signs import test_counts
from mcp_memory.learning.telling.changes_told import changes
from mcp_memory.phrases import practice as phrases
from mcp_memory.views.vouching import MIN_SOURCES

MAX_COMMAND_CHARS = 120
MAX_LINES = 8  # of one kind
MAX_OF_PROGRAM = 2  # commands of one program and verb
MIN_TASKS = 2  # in which a command worked: attempts at one task are not independent
MIN_FAILED = 2  # attempts at a task from which it counts as one that nobody managed
NOTHING_MORE: Mapping[str, int] = {}
SAME_PLACE = 5  # lines of a file within which two changes are of one place
_PLACE = re.compile(r"(.+?)(?::(\d+))?(?:: |$)")
_PREPARES = frozenset({"mkdir", "touch", "chmod", "rm", "cp", "mv", "echo", "kill", "pkill"})  # that this worked is no news


@dataclass(slots=True)
class _Use:
    worked: int = 0
    failed: int = 0
    message: str = ""  # of the latest failure
    last_at_ms: int = 0  # when it last worked
    episodes: set[str] = field(default_factory=set)  # in which it worked
    tasks: set[str] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)


def practice(episodes: Sequence[Episode], *, is_shared: bool, failures: Mapping[str, int] = NOTHING_MORE) -> Practice:
    """Return lines for a guide, the best supported first.

    Args:
        episodes: Completed ones with their steps, the newest first.
        is_shared: Whether several agents work there: what one of them alone did is then left out.
        failures: How many attempts at a task failed in all, where *episodes* are not all of them.
    """
    won, lost = ([e for e in episodes if e.success is wanted] for wanted in (True, False))
    if is_shared:
        return Practice(_commands(won, MIN_SOURCES))  # a change, a task are of one of them alone
    return Practice(_commands(won, 1), _changes(won), _solved(won, lost), _unsolved(won, lost, failures))


def _commands(episodes: Sequence[Episode], agents_needed: int) -> list[str]:
    uses: dict[tuple[str, str], _Use] = defaultdict(_Use)
    for episode in episodes:
        for step in episode.steps:
            if command := _command(step):
                use = uses[step.key, command]
                use.worked, use.failed = use.worked + (not step.failed), use.failed + step.failed
                if step.failed:
                    use.message = use.message or message_of(step)
                else:
                    use.last_at_ms = max(use.last_at_ms, _day_of(episode))
                    use.episodes.add(episode.id)
                    use.tasks.add(episode.task)
                    use.agents.add(episode.agent)
    found = [(key, command, use) for (key, command), use in uses.items() if _is_supported(use, agents_needed)]
    found.sort(key=lambda item: (-len(item[2].tasks), item[2].failed, item[1]))
    lines: list[str] = []
    told: dict[str, int] = defaultdict(int)
    for key, command, use in found:
        told[key] += 1
        if told[key] <= MAX_OF_PROGRAM:
            tried = use.worked + use.failed
            lines.append(phrases.command(command, use.worked, tried, sorted(use.episodes), use.message, use.last_at_ms))
    return lines[:MAX_LINES]


def _day_of(episode: Episode) -> int:
    """Return when an episode ended; 0 for one that took no time, as where an import gave none: its day is the import's."""
    ended_at_ms = episode.ended_at_ms or 0
    return ended_at_ms if ended_at_ms > episode.started_at_ms else 0


def _command(step: Step) -> str:
    """Return the command of a step that did something another can do; "" where it only looked, tried out, or says too much."""
    command = command_in(step.arguments).strip()
    if not command or "\n" in command or len(command) > MAX_COMMAND_CHARS or role_of(step.key) is not Role.ACTS or hides_exit(command):
        return ""
    if stopped_short(command, step.observation):
        return ""
    program = step.key.partition(":")[2].partition(" ")[0]
    passing = program in _PREPARES or " -c " in command or any(is_scratch(word) for word in command.split() if "." in word)
    return "" if passing else command


def _is_supported(use: _Use, agents_needed: int) -> bool:
    return len(use.tasks) >= MIN_TASKS and len(use.agents) >= agents_needed and use.worked > use.failed


def _changes(episodes: Sequence[Episode]) -> list[str]:
    """Return the errors that were overcome by a change, each kind once, the newest first."""
    lines: dict[tuple[str, str], str] = {}
    for episode in episodes:
        for said in episode.reflection.successes if episode.reflection else ():
            if isinstance(said, facts.Overcome) and said.by != said.worked_at and _says_how(said, episode):
                change = brief(episode.steps, said.by, near=said.error)
                lines.setdefault((said.key, said.error), phrases.change(said.error, said.key, change, episode.id))
    return list(lines.values())[:MAX_LINES]


def _says_how(said: facts.Overcome, episode: Episode) -> bool:
    """Return whether an error names itself, and its change says what it changed: a summary of tests and a file's name do not."""
    if test_counts(said.error) is not None or said.by >= len(episode.steps) or changes_scratch(episode.steps, said.by):
        return False
    change = change_of(episode.steps, said.by)
    return bool(_command(episode.steps[said.by])) if change is None else change.says_what


def _solved(won: Sequence[Episode], lost: Sequence[Episode]) -> list[str]:
    """Return the tasks that a change of files solved, once each, with what an attempt that failed changed there."""
    lines: dict[str, str] = {}
    for episode in won:
        if len(lines) == MAX_LINES:
            break
        if episode.task not in lines and (did := _changed(episode)):
            failed = [d for other in lost if other.task == episode.task and (d := _changed(other)) and _is_otherwise(d, did)][:1]
            lines[episode.task] = phrases.solved(episode.task, did, episode.id, failed[0] if failed else ())
    return list(lines.values())


def _plain(did: Sequence[str]) -> str:
    return without_line_numbers("; ".join(did))


def _changed(episode: Episode) -> tuple[str, ...]:
    return tuple(deed.text for deed in changes(episode, phrases.MAX_CHANGE_CHARS))


def _is_otherwise(failed: Sequence[str], did: Sequence[str]) -> bool:
    """Return whether changes that failed are other ones in the same files: elsewhere, they do not say what is wrong with them."""
    places, others = ({told.partition(":")[0] for told in changes} for changes in (failed, did))
    return tuple(failed) != tuple(did) and not places.isdisjoint(others)


def _unsolved(won: Sequence[Episode], lost: Sequence[Episode], failures: Mapping[str, int]) -> list[str]:
    """Return the tasks that several attempts failed at and none solved, with what was tried."""
    solved = {e.task for e in won}
    tried: dict[str, list[Episode]] = defaultdict(list)
    for episode in lost:
        if episode.task not in solved:
            tried[episode.task].append(episode)
    found = sorted((task for task, attempts in tried.items() if len(attempts) >= MIN_FAILED), key=lambda task: -len(tried[task]))
    lines = []
    for task in found:
        known = [(e, did) for e in tried[task] if (did := _changed(e))]
        if known:
            attempts = max(len(tried[task]), failures.get(task, 0))
            there = max(([one for one in known if _is_there(one[1], other)] for _, other in known), key=len)
            told = Counter(_plain(did) for _, did in there)
            first, did = max(there, key=lambda one: told[_plain(one[1])])
            lines.append(phrases.unsolved(task, attempts, told[_plain(did)], len(there), did, first.id))
    return lines[:MAX_LINES]


def _is_there(did: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether two attempts changed the same, or first of all the same place of a file."""
    if _plain(did) == _plain(other):
        return True
    (path, line), (other_path, other_line) = (found.groups() if (found := _PLACE.match(told[0])) else ("", None) for told in (did, other))
    return path == other_path and line is not None and other_line is not None and abs(int(line) - int(other_line)) <= SAME_PLACE
