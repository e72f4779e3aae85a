"""What was done with success, as lines of a guide. Pure."""

from mcp_memory.domain import facts
from mcp_memory.domain.text import shorten
from mcp_memory.phrases.words import counted, quoted

MAX_CHANGE_CHARS = 200


def command(text: str, worked: int, tried: int, episodes: int) -> str:
    """Return a command that worked.

    >>> command("python -m pytest -q", 5, 6, 3)
    '- `python -m pytest -q` worked 5 of 6 times, in 3 episodes'
    """
    return f"- `{text}` worked {worked} of {counted(tried, 'time')}, in {counted(episodes, 'episode')}"


def file(path: str, episodes: int) -> str:
    """Return a file that was changed."""
    return f"- {path}: changed in {counted(episodes, 'successful episode')}"


def change(said: facts.Overcome, episode_id: str) -> str:
    """Return an error and the change after which it was gone, with where that was."""
    return f"- {quoted(said.error)} in {said.key} was gone after {shorten(' '.join(said.change.split()), MAX_CHANGE_CHARS)} [{episode_id}]"
