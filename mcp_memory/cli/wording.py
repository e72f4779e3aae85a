"""The memory's errors are written for agents, who call tools; a person types commands."""

import re

_COMMANDS = {
    "recall": "recall",
    "search_episodes": "episodes",
    "get_episode": "show",
    "search_patterns": "patterns",
    "get_pattern": "show",
    "memory_status": "stats",
    "forget": "forget",
    "prune": "prune",
    "correct": "correct",
    "lessons_markdown": "lessons",
    "import_lines": "import",
}
_ARGUMENTS = {
    "episode_id": "ID",
    "pattern_id": "ID",
    "target_id": "ID",
    "episode_ids": "EPISODE",
    "filter": "the options",
    "confirm": "--yes",
}
_OPTIONS = {"tags": "--tag", "max_bytes": "--max-size"}
_TAKEN = {
    *("project", "domain", "language", "framework", "task_type", "outcome", "since", "until", "state", "sort", "limit", "cursor", "kind"),
    *("min_support", "min_confidence", "budget_tokens", "strict", "older_than_days", "below_reward", "archive", "reason", "contradicts"),
}
_NAMED = re.compile(r"`(\w+)`")


def for_people(text: str) -> str:
    """Return an error's text with commands for tools and options for arguments.

    >>> for_people("there is no pattern 'x'; `search_patterns` lists them")
    "there is no pattern 'x'; `mcp-memory patterns` lists them"
    >>> for_people("`since` must be before `until`")
    '`--since` must be before `--until`'
    """
    return _NAMED.sub(_word, text)


def _word(found: re.Match[str]) -> str:
    name = found[1]
    if name in _COMMANDS:
        return f"`mcp-memory {_COMMANDS[name]}`"
    if name in _ARGUMENTS:
        return _ARGUMENTS[name]
    if name in _OPTIONS or name in _TAKEN:
        return f"`{_OPTIONS.get(name) or '--' + name.replace('_', '-')}`"
    return found[0]
