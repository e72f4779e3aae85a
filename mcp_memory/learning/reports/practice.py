"""What successful episodes did that another can do again: commands that worked, files they changed, changes that fixed an error. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from mcp_memory.domain import facts
from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Episode, Step, Use
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.learning.patterns.lessons import Practice
from mcp_memory.phrases import practice as phrases
from mcp_memory.views.vouching import MIN_SOURCES

MAX_COMMAND_CHARS = 120
MAX_LINES = 8  # of one kind
MAX_OF_PROGRAM = 2  # commands of one program and verb
MIN_EPISODES = 2  # that did so, independently


@dataclass(slots=True)
class _Use:
    worked: int = 0
    failed: int = 0
    episodes: set[str] = field(default_factory=set)  # in which it worked
    agents: set[str] = field(default_factory=set)


def practice(episodes: Sequence[Episode], *, is_shared: bool) -> Practice:
    """Return lines for a guide, the best supported first.

    Args:
        episodes: Successful ones with their steps, the newest first.
        is_shared: Whether several agents work there: what one of them alone did is then left out.
    """
    agents_needed = MIN_SOURCES if is_shared else 1
    return Practice(_commands(episodes, agents_needed), _files(episodes, agents_needed), [] if is_shared else _changes(episodes))


def _commands(episodes: Sequence[Episode], agents_needed: int) -> list[str]:
    uses: dict[tuple[str, str], _Use] = defaultdict(_Use)
    for episode in episodes:
        for step in episode.steps:
            if command := _command(step):
                use = uses[step.key, command]
                use.worked, use.failed = use.worked + (not step.failed), use.failed + step.failed
                if not step.failed:
                    use.episodes.add(episode.id)
                    use.agents.add(episode.agent)
    found = [(key, command, use) for (key, command), use in uses.items() if _is_supported(use, agents_needed) and use.worked > use.failed]
    found.sort(key=lambda item: (-len(item[2].episodes), item[2].failed, item[1]))
    lines: list[str] = []
    told: dict[str, int] = defaultdict(int)
    for key, command, use in found:
        told[key] += 1
        if told[key] <= MAX_OF_PROGRAM:
            lines.append(phrases.command(command, use.worked, use.worked + use.failed, len(use.episodes)))
    return lines[:MAX_LINES]


def _command(step: Step) -> str:
    """Return the command of a step that did something, "" where it only looked, or says too much to be done again."""
    command = command_in(step.arguments).strip()
    return command if command and "\n" not in command and len(command) <= MAX_COMMAND_CHARS and role_of(step.key) is Role.ACTS else ""


def _files(episodes: Sequence[Episode], agents_needed: int) -> list[str]:
    uses: dict[str, _Use] = defaultdict(_Use)
    for episode in episodes:
        for file in episode.files or ():
            if file.use is Use.CHANGED:
                uses[file.path].episodes.add(episode.id)
                uses[file.path].agents.add(episode.agent)
    found = [(path, use) for path, use in uses.items() if _is_supported(use, agents_needed)]
    found.sort(key=lambda item: (-len(item[1].episodes), item[0]))
    return [phrases.file(path, len(use.episodes)) for path, use in found[:MAX_LINES]]


def _is_supported(use: _Use, agents_needed: int) -> bool:
    return len(use.episodes) >= MIN_EPISODES and len(use.agents) >= agents_needed


def _changes(episodes: Sequence[Episode]) -> list[str]:
    """Return the errors that were overcome by a change, each kind once, the newest first."""
    lines: dict[tuple[str, str], str] = {}
    for episode in episodes:
        for said in episode.reflection.successes if episode.reflection else ():
            if isinstance(said, facts.Overcome):
                lines.setdefault((said.key, said.error), phrases.change(said, episode.id))
    return list(lines.values())[:MAX_LINES]
