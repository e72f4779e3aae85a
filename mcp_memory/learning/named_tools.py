"""How well a task's own words name each tool: "post a tweet" speaks for `post_tweet`."""

from collections.abc import Iterable

import numpy as np

from mcp_memory.learning.columns import Interner
from mcp_memory.learning.experience import Floats
from mcp_memory.learning.text_words import sentences, tool_words


class NamedTools:
    """Looks tools up by the words of their names; a word that many tools share says little."""

    def __init__(self, tools: Interner) -> None:
        self._tools = tools
        self._indexed = 0
        self._by_word: dict[str, list[int]] = {}

    def scores(self, task: str, done: Iterable[str]) -> Floats:
        """Return per tool number how much of its name the task's sentences say, in [0, 1]; 0 for tools that were used already.

        Tasks tend to list their steps in order, so only the sentences from the last one that names a tool in *done* count.
        """
        self._index()
        used = frozenset(done)
        parts = sentences(task)
        ahead = parts[self._reached(parts, used) :]
        scores = np.zeros(len(self._tools))
        for part in ahead:
            for number in {n for word in part for n in self._by_word.get(word, ())}:
                key = self._tools.value(number)
                if key not in used:
                    scores[number] = max(scores[number], self._share(key, part))
        return scores

    def _reached(self, parts: tuple[frozenset[str], ...], used: frozenset[str]) -> int:
        reached = 0
        for key in used:
            shares = [self._share(key, part) for part in parts]
            if max(shares) > 0:
                reached = max(reached, shares.index(max(shares)))
        return reached

    def _share(self, key: str, part: frozenset[str]) -> float:
        name = tool_words(key)
        whole = sum(1 / len(self._by_word.get(w, ".")) for w in name)
        return sum(1 / len(self._by_word.get(w, ".")) for w in name & part) / whole if whole else 0.0

    def _index(self) -> None:
        for number in range(self._indexed, len(self._tools)):
            for word in tool_words(self._tools.value(number)):
                self._by_word.setdefault(word, []).append(number)
        self._indexed = len(self._tools)
