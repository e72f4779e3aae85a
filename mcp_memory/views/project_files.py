"""The files of a project, from everything that episodes' observations showed: words to files, an inverted index.

A posting says that an episode showed a word near a file. A project keeps its newest 4 million postings (some 50 MB).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

from mcp_memory.domain.episode import Trace
from mcp_memory.domain.identifiers import CHANGED, SHOWN, is_full, number, unpack_files, words_in
from mcp_memory.views.columns import Column, Floats, Interner
from mcp_memory.views.file_requests import NAMED, aside, named, query_words
from mcp_memory.views.postings import Postings, Segments

MAX_POSTINGS = 4_000_000  # of a project: the oldest go
MAX_WORDS = 100  # of a request, the rarest
PATH_WEIGHT = 2.0  # of a word in a file's path, in looks at the file
K1, B = 1.2, 0.75  # of BM25
OTHER_CONTEXT = 0.05  # weight of an episode of another domain or framework
SEEN, CHANGES = 0.5, 2.0
LEAST = 1.8  # of the weight of a word that one file has: of requests about something else, 1 in 20 gets that far
_GIVEN = re.compile(r"\w\.[A-Za-z]{1,5}$")
_BETWEEN = re.compile(r"[^\w./@+-]+")
_BITS = 64
_CANDIDATES, _REQUEST_CHARS = 60, 20_000
_NO_FILES = (np.zeros(0, np.uint32), np.zeros(0, np.uint32))


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file that a request leads to."""

    path: str
    score: float  # BM25's, higher is better; comparable within one answer
    tasks: int  # different tasks whose episodes showed it


class ProjectFiles:
    """The files of one project."""

    def __init__(self) -> None:
        self._files, self._tasks, self._places = Interner(), Interner(), Interner()
        self._episodes: dict[str, int] = {}
        self._dead = 0  # with postings that are still there
        self._postings = Segments()
        self._tops: Counter[str] = Counter()  # how many relative paths begin with a folder
        self._ends: dict[str, list[int]] = {}  # paths by their last two parts
        self._wholes: dict[int, int] = {}  # the path that a path is the end of, as found since the last new file
        self._one = Column(np.int64)  # of each path, the file it is: a full path is the relative one that it ends with
        self._length, self._aside = Column(np.float32), Column(np.float32)  # words that were shown near a file; what its path makes of it
        self._shows, self._changes = Column(np.int32), Column(np.int32)  # episodes that showed a file, that changed it
        self._seen_from = Column(np.uint64)  # a bit for each context of theirs
        self._alive, self._task, self._place = Column(np.bool_), Column(np.int32), Column(np.int32)
        self._files_of: list[tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]] = []  # of each episode: shown, changed
        self._new_episode(0, ("", ""), _NO_FILES)  # episode 0 stands for the words of the paths themselves

    def add(self, traces: Sequence[Trace]) -> None:
        self._postings.push([self._taken_in(trace) for trace in traces])
        while self._postings.size > MAX_POSTINGS:
            for episode_id in list(self._episodes)[: max(1, len(self._episodes) // 8)]:
                self._kill(episode_id)
            self._compact()

    def remove(self, episode_id: str) -> None:
        if episode_id in self._episodes:
            self._kill(episode_id)
            if self._dead > max(64, len(self._episodes) // 3):
                self._compact()

    def find(self, request: str, limit: int, domain: str, framework: str) -> list[SeenFile]:
        request = request[:_REQUEST_CHARS]
        words = query_words(request)
        if not words or not self._episodes:
            return []
        agrees = [all(not a or not b or a == b for a, b in ((domain, d), (framework, f))) for d, f in self._places.all()]
        scores = self._scores(words, np.array([1.0 if agree else OTHER_CONTEXT for agree in agrees]))
        best = np.argpartition(-scores, min(_CANDIDATES, len(scores) - 1))[:_CANDIDATES]
        best = best[(scores[best] > 0) & (self._shows.values[best] > 0)]
        near = np.uint64(sum(1 << (place % _BITS) for place in {i % _BITS for i, agree in enumerate(agrees) if agree}))
        factor = np.where(self._seen_from.values[best] & near, 1.0, OTHER_CONTEXT) * self._aside.values[best]
        prior = SEEN * np.log1p(self._shows.values[best]) + CHANGES * np.log1p(self._changes.values[best])
        given = [word.strip(".-") for word in _BETWEEN.split(request) if "." in word]
        names = frozenset(word.rpartition("/")[2] for word in given)
        told = np.array([named(self._files.value(int(file)), request, names) for file in best])
        total = self._whole(dict(zip(best.tolist(), ((scores[best] + told + prior) * factor).tolist())))
        least = LEAST * log(1 + len(self._files))
        chosen = [file for file in sorted(total, key=lambda file: (-total[file], file))[:limit] if total[file] >= least]
        found = [SeenFile(self._files.value(f), total[f], tasks) for f, tasks in zip(chosen, self._tasks_of(chosen))]
        return sorted([*found, *self._only_named(given)], key=lambda file: -file.score)[:limit]

    def _whole(self, scores: Mapping[int, float]) -> dict[int, float]:
        """Return the scores with that of a path which somebody saw from a folder below added to that of the path it is the end of."""
        found: dict[int, float] = {}
        for file, score in scores.items():
            whole = self._whole_of(file)
            found[whole] = found.get(whole, 0.0) + score
        return found

    def _whole_of(self, file: int) -> int:
        """Return the path that a path is the end of, or itself.

        In `shop/` they say `cart/total.py` of what others call `shop/cart/total.py`. Only where there is one such path and more begin as
        it does: a copy below `build/` or a path cut at its beginning is no better name.
        """
        whole = self._wholes.get(file)
        if whole is None:
            whole = self._wholes[file] = self._look_for_whole(file)
        return whole

    def _look_for_whole(self, file: int) -> int:
        path = self._files.value(file)
        alike = self._ends[_end(path)] if "/" in path and not is_full(path) else []
        if len(alike) < 2:  # it alone
            return file
        longer = {one for one in self._one.values[alike].tolist() if self._files.value(one).endswith(f"/{path}")}
        if len(longer) != 1:
            return file
        (whole,) = longer
        more = self._tops[self._files.value(whole).partition("/")[0]] > self._tops[path.partition("/")[0]]
        return whole if more and self._aside.values[whole] >= self._aside.values[file] else file

    def _only_named(self, given: Sequence[str]) -> Iterator[SeenFile]:
        """Yield the files among the words of a request that nobody has seen and that are below a folder of the workspace."""
        for word in dict.fromkeys(word for word in given if "/" in word and _GIVEN.search(word)):
            parts = word.split("/")
            start = next((i for i, part in enumerate(parts[:-1]) if part in self._tops), None)
            if start is not None and self._files.find(path := "/".join(parts[start:])) < 0:
                yield SeenFile(path, NAMED * aside(path), 0)

    # --- writing ---

    def _new_episode(self, task: int, place: tuple[str, str], files: tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]) -> int:
        self._alive.append(True)
        self._task.append(self._tasks[task])
        self._place.append(self._places[place])
        self._files_of.append(files)
        return len(self._alive) - 1

    def _taken_in(self, trace: Trace) -> Postings:
        """Take in what an episode showed, and return its postings with those of the paths that are new."""
        paths, counts, packed = unpack_files(trace.digest[SHOWN])
        words = np.frombuffer(packed, "<u4").astype(np.uint32)
        known = len(self._files)
        numbers = [self._files[path] for path in paths]
        new = self._of_paths(range(known, len(self._files)))
        files = self._one.values[numbers].astype(np.uint32)
        near = np.repeat(files, counts)
        changed = near[words == number(CHANGED)]
        episode = self._new_episode(number(trace.task), (trace.domain, trace.framework), (np.unique(files), np.unique(changed)))
        self._episodes[trace.id] = episode
        np.add.at(self._length.values, files, np.array(counts, np.float32))
        self._shows.values[np.unique(files)] += 1
        self._changes.values[np.unique(changed)] += 1
        self._seen_from.values[files] |= np.uint64(1 << (int(self._place.values[episode]) % _BITS))
        word = np.concatenate([words, np.array([_mark(int(file)) for file in files], np.uint32)])
        file = np.concatenate([near, files])
        return np.concatenate([new, np.stack([word, file, np.full(len(word), episode, np.uint32)])], axis=1)

    def _of_paths(self, files: Sequence[int]) -> Postings:
        """Make room for new files, and return the postings of the words of their paths."""
        if files:
            self._wholes.clear()
        for column in (self._length, self._shows, self._changes, self._seen_from):
            column.extend([0] * len(files))
        self._one.extend(files)
        self._aside.extend([aside(self._files.value(file)) for file in files])
        for file in files:
            self._unite(file)
        pairs = [(number(word), file) for file in files for word in dict.fromkeys(words_in(self._files.value(file)))]
        np.add.at(self._length.values, [file for _, file in pairs], PATH_WEIGHT)
        return np.array([(word, file, 0) for word, file in pairs], np.uint32).reshape(-1, 3).T

    def _unite(self, file: int) -> None:
        """Find the other paths of a new one's file: `/home/ana/shop/src/a.py` and `src/a.py` are one, a bare name tells too little."""
        path = self._files.value(file)
        if "/" not in path:
            return
        if not is_full(path):
            self._tops[path.partition("/")[0]] += 1
        alike = self._ends.setdefault(_end(path), [])
        for other in alike:
            theirs = self._files.value(other)
            if is_full(path) and not is_full(theirs) and path.endswith(f"/{theirs}"):
                self._one.values[file] = self._one.values[other]
            elif is_full(theirs) and not is_full(path) and theirs.endswith(f"/{path}"):
                self._one.values[self._one.values == other] = file
                for column in (self._length, self._shows, self._changes):
                    column.values[file] += column.values[other]
                    column.values[other] = 0
                self._seen_from.values[file] |= self._seen_from.values[other]
        alike.append(file)

    def _kill(self, episode_id: str) -> None:
        episode = self._episodes.pop(episode_id)
        self._alive.values[episode] = False
        self._dead += 1
        for column, files in zip((self._shows, self._changes), self._files_of[episode], strict=True):
            column.values[np.unique(self._one.values[files])] -= 1  # two paths of one file may have been found to be one meanwhile
        self._files_of[episode] = _NO_FILES

    def _compact(self) -> None:
        """Leave out the postings of dead episodes."""
        self._postings.keep(self._alive.values)
        self._dead = 0

    # --- reading ---

    def _scores(self, words: Mapping[int, float], by_place: Floats) -> Floats:
        """Return BM25 of every file, its words counted by the weights of the contexts of the episodes that showed them."""
        asked_for = sorted(words)
        at, files, episodes, counts, read = self._postings.look_up(np.array(asked_for, np.uint32))
        looks = np.where(episodes > 0, by_place[self._place.values[episodes]], PATH_WEIGHT) * self._alive.values[episodes]
        count = len(self._files)
        keys = at * count + self._one.values[files]
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        first = np.flatnonzero(np.concatenate([keys[:1] >= 0, keys[1:] != keys[:-1]]))
        tf = np.add.reduceat(looks[order], first) if len(first) else np.zeros(0)
        term, file = np.divmod(keys[first], count)
        df = np.minimum(count, np.bincount(term, minlength=len(words)) * counts / np.maximum(read, 1))
        rare = np.zeros(len(words))
        kept = np.argsort(df, kind="stable")[:MAX_WORDS]
        rare[kept] = np.log(1 + (count - df[kept] + 0.5) / (df[kept] + 0.5)) * np.array([words[asked_for[i]] for i in kept])
        length = self._length.values
        norm = K1 * (1 - B + B * length[file] / max(1.0, float(length.mean())))
        return np.asarray(np.bincount(file, rare[term] * tf * (K1 + 1) / (tf + norm), count), np.float64)

    def _tasks_of(self, files: Sequence[int]) -> list[int]:
        """Return of how many tasks the newest episodes were that showed each file."""
        marks = np.array([_mark(file) for file in files], np.uint32)
        at, found, episodes, _, _ = self._postings.look_up(marks)
        right = self._alive.values[episodes] & (np.array(files, np.int64)[at] == found) if files else np.zeros(0, np.bool_)
        shown_by = np.zeros((len(files), len(self._tasks)), np.bool_)  # a byte a file and task: to mark them costs less than to sort pairs
        shown_by[at[right], self._task.values[episodes[right]]] = True
        return [max(1, int(n)) for n in shown_by.sum(axis=1)]


def _end(path: str) -> str:
    """Return the last two parts of a path."""
    return "/".join(path.rsplit("/", 2)[-2:])


def _mark(file: int) -> int:
    """Return the number under which an episode's having seen a file is found."""
    return number(f"\0{file}")
