"""How well a task's own words name each tool: "post a tweet" speaks for `post_tweet`."""

from collections.abc import Iterable, Sequence

import numpy as np

from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.domain.text_words import sentence_stems, tool_stems
from mcp_memory.views.columns import Bools, Floats, Interner, Ints

CLEARLY = 0.5  # share of a tool's name that a task must say to name it
MAX_KEPT = 20_000


class NamedTools:
    """Looks tools up by the words of their names; a word that many tools share says little."""

    def __init__(self, tools: Interner) -> None:
        self._tools = tools
        self._indexed = 0
        self._by_word: dict[str, list[int]] = {}
        self._wholes: dict[str, float] = {}  # what the words of each tool's name weigh, while no new tool appears
        self._kept: BoundedMap[str, tuple[int, Ints]] = BoundedMap(MAX_KEPT)

    def scores(self, task: str, done: Iterable[str]) -> Floats:
        """Return per tool number how much of its name the task's sentences say, in [0, 1]; 0 for tools that were used already.

        Tasks tend to list their steps in order, so only the sentences from the last one that names a tool in *done* count.
        """
        self._index()
        used = frozenset(done)
        parts = sentence_stems(task)
        ahead = parts[self._reached(parts, used) :]
        scores = np.zeros(len(self._tools))
        for part in ahead:
            for number in {n for word in part for n in self._by_word.get(word, ())}:
                key = self._tools.value(number)
                if key not in used:
                    scores[number] = max(scores[number], self._share(key, part))
        return scores

    def naming_log_odds(self, tasks: Sequence[tuple[str, str]], used: Bools) -> float:
        """Return how much a name in a task has told so far: the log odds ratio of using a tool when it is named, at least 0.

        Where a task's words happen to be tool names ("edit the page") it is near 0; where tasks spell out their steps it is large.

        Args:
            tasks: (episode id, task) of some episodes.
            used: Which of them (row) used which tool (column).
        """
        usual = (used.sum(axis=0) + 0.5) / (len(tasks) + 1.0)
        numbers = [self._named(episode_id, task) for episode_id, task in tasks]
        tools = np.concatenate([np.zeros(0, np.int64), *numbers])
        named, expected = len(tools), float(usual[tools].sum())
        came_true = float(used[np.repeat(np.arange(len(tasks)), [len(found) for found in numbers]), tools].sum()) if named else 0.0
        chance, base = (came_true + 1.0) / (named + 2.0), (expected + 1.0) / (named + 2.0)
        return max(0.0, float(np.log(chance / (1.0 - chance)) - np.log(base / (1.0 - base))))

    def _named(self, episode_id: str, task: str) -> Ints:
        """Return the tools that an earlier task names, kept while no new tool appears."""
        known = self._kept.get(episode_id)
        if known is None or known[0] != len(self._tools):
            known = (len(self._tools), np.flatnonzero(self.scores(task, ()) >= CLEARLY))
            self._kept.put(episode_id, known)
        return known[1]

    def _reached(self, parts: tuple[frozenset[str], ...], used: frozenset[str]) -> int:
        reached = 0
        for key in used:
            shares = [self._share(key, part) for part in parts]
            if max(shares) > 0:
                reached = max(reached, shares.index(max(shares)))
        return reached

    def _share(self, key: str, part: frozenset[str]) -> float:
        name = tool_stems(key)
        if not (said := name & part):
            return 0.0
        if (whole := self._wholes.get(key)) is None:
            if len(self._wholes) >= MAX_KEPT:
                self._wholes.clear()
            whole = self._wholes[key] = self._weight(name)
        return self._weight(said) / whole

    def _weight(self, words: frozenset[str]) -> float:
        return sum(1 / len(self._by_word.get(word, ".")) for word in words)

    def _index(self) -> None:
        if self._indexed < len(self._tools):
            self._wholes.clear()
        for number in range(self._indexed, len(self._tools)):
            for word in tool_stems(self._tools.value(number)):
                self._by_word.setdefault(word, []).append(number)
        self._indexed = len(self._tools)
