"""Which files hold what, from everything that episodes' observations showed: words to files, an inverted index.

A posting says that an episode showed a word near a file. Postings lie in segments sorted by word, of sizes that grow geometrically, so
that adding an episode costs little and asking a few binary searches. A project keeps its newest 4 million postings (some 50 MB).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
import numpy.typing as npt

from mcp_memory.domain.episode import Trace
from mcp_memory.domain.identifiers import CHANGED, SHOWN, number, unpack_files, words_in
from mcp_memory.domain.paths import is_full
from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.views.columns import Column, Interner

MAX_POSTINGS = 4_000_000  # of a project: the oldest go
MAX_WORDS, MAX_READ = 100, 20_000  # of a request: its rarest words, and postings read for them
PATH_WEIGHT = 2.0  # of a word in a file's path, in looks at the file
K1, B = 1.2, 0.75  # of BM25
OTHER_CONTEXT = 0.05  # weight of an episode of another domain or framework
NAMED, MODULE, BASENAME = 40.0, 15.0, 8.0  # in BM25's unit: the request names the file, the module, the last part of its path
SEEN, CHANGES = 0.5, 2.0
LEAST = 1.8  # of the weight of a word that one file has: of requests about something else, 1 in 20 gets that far
ASIDE = 0.3  # of a test or a scratch file: where a request leads to last
_GIVEN = re.compile(r"(?:[\w@+.-]+/)+[\w@+-][\w@+.-]*\.[A-Za-z]{1,5}\b")
_CANDIDATES, _REQUEST_CHARS = 60, 20_000
_ASIDE = re.compile(
    r"(?:^|/)(?:tests?|testing|__tests__|specs?|fixtures|examples?|docs?|build|dist|node_modules|site-packages)/"
    r"|(?:^|/)test_[^/]*$|[._-](?:test|spec|tests)\.\w+$|(?:^|/)tests?\.\w+$|\.(?:log|out|txt|md|rst|csv|lock)$"
    r"|^[^/]*(?:repro|replicate|simulat|bug|tmp|scratch|debug|demo|try)[^/]*$",
    re.I,
)
Postings = npt.NDArray[np.uint32]  # (3, n): word, file, episode, sorted by word


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file that a request leads to."""

    path: str
    score: float  # BM25's, higher is better; comparable within one answer
    tasks: int  # different tasks whose episodes showed it


class Workspace:
    """One index for each project."""

    def __init__(self) -> None:
        self._projects: dict[str, ProjectFiles] = {}
        self._project_of: dict[str, str] = {}

    def add(self, traces: Sequence[Trace]) -> None:
        """Add what episodes showed; one that is there already is replaced."""
        self.remove([trace.id for trace in traces])
        by_project: dict[str, list[Trace]] = {}
        for trace in traces:
            if SHOWN in trace.digest:
                by_project.setdefault(trace.project, []).append(trace)
                self._project_of[trace.id] = trace.project
        for project, shown in by_project.items():
            self._projects.setdefault(project, ProjectFiles()).add(shown)

    def remove(self, episode_ids: Sequence[str]) -> None:
        """Forget what episodes showed; unknown ids are ignored."""
        for episode_id in episode_ids:
            if (project := self._project_of.pop(episode_id, None)) is not None:
                self._projects[project].remove(episode_id)

    def find(self, project: str, request: str, limit: int, domain: str = "", framework: str = "") -> list[SeenFile]:
        """Return the files that *request* leads to, best first. `*` asks every project. Some milliseconds for 10,000 episodes."""
        asked = self._projects.values() if project == ANY_PROJECT else [p for p in (self._projects.get(project),) if p is not None]
        found = [file for files in asked for file in files.find(request, limit, domain, framework)]
        return sorted(found, key=lambda file: -file.score)[:limit]

    def postings(self) -> int:
        """How many postings there are, dead ones too."""
        return sum(project.size for project in self._projects.values())


class ProjectFiles:
    """The files of one project."""

    def __init__(self) -> None:
        self._files, self._tasks, self._places = Interner(), Interner(), Interner()
        self._episodes: dict[str, int] = {}
        self._segments: list[Postings] = []
        self._path_words: list[Postings] = []
        self._length = Column(np.float32)  # words of each file, from all episodes
        self._one = Column(np.int64)  # of each path, the file it is: a full path is the relative one that it ends with
        self._tops: set[str] = set()  # first folders of relative paths
        self._ends: dict[str, list[int]] = {}  # paths by their last two parts
        self._alive, self._task, self._place = Column(np.bool_), Column(np.int32), Column(np.int32)

    @property
    def size(self) -> int:
        return sum(segment.shape[1] for segment in self._segments)

    def add(self, traces: Sequence[Trace]) -> None:
        parts: list[Postings] = []
        for trace in traces:
            episode = self._episodes[trace.id] = len(self._alive)
            self._alive.append(True)
            self._task.append(self._tasks[number(trace.task)])
            self._place.append(self._places[(trace.domain, trace.framework)])
            parts.append(self._postings(trace, episode))
        self._push(self._segments, np.concatenate(parts, axis=1))
        while self.size > MAX_POSTINGS:
            self._forget_oldest()

    def remove(self, episode_id: str) -> None:
        self._alive.values[self._episodes.pop(episode_id)] = False
        dead = len(self._alive) - len(self._episodes)
        if dead > max(64, len(self._episodes) // 3):
            self._compact()

    def find(self, request: str, limit: int, domain: str, framework: str) -> list[SeenFile]:
        words = _query_words(request)
        if not words or not self._episodes:
            return []
        weight = self._weights(domain, framework)
        scores = self._scores(words, weight)
        best = np.argsort(-scores, kind="stable")[:_CANDIDATES]
        best = best[scores[best] > 0]
        found = []
        changed, _ = _lookup(self._segments, np.array([number(CHANGED)], np.uint32))
        changes = np.bincount(self._one.values[changed[1]], weight[changed[2]], len(self._files))
        for file, (seen, tasks) in zip(best.tolist(), self._seen(best, weight)):
            path = self._files.value(file)
            prior = SEEN * log(1 + tasks) + CHANGES * log(1 + changes[file])
            score = (float(scores[file]) + _named(path, request) + prior) * seen * (ASIDE if _ASIDE.search(path) else 1.0)
            if tasks:
                found.append(SeenFile(path, score, tasks))
        found += self._named_only(request)
        least = LEAST * log(1 + len(self._files))
        return sorted((file for file in found if file.score >= least), key=lambda file: -file.score)[:limit]

    def _named_only(self, request: str) -> Iterator[SeenFile]:
        """Yield the files that the request names, that nobody has seen, and that are below a folder of the workspace."""
        for given in dict.fromkeys(_GIVEN.findall(request[:_REQUEST_CHARS])):
            parts = given.split("/")
            for i, part in enumerate(parts[:-1]):
                if part in self._tops:
                    path = "/".join(parts[i:])
                    if self._files.find(path) < 0:
                        yield SeenFile(path, NAMED * (ASIDE if _ASIDE.search(path) else 1.0), 0)
                    break

    # --- writing ---

    def _postings(self, trace: Trace, episode: int) -> Postings:
        paths, counts, packed = unpack_files(trace.digest[SHOWN])
        words = np.frombuffer(packed, "<u4").astype(np.uint32)
        known = len(self._files)
        files = np.array([self._files[path] for path in paths], np.uint32)
        new = range(known, len(self._files))
        if len(new):
            self._length.extend([0.0] * len(new))
            self._one.extend(new)
            for file in new:
                self._unite(file)
            self._push(self._path_words, self._of_paths(new))
        files = self._one.values[files].astype(np.uint32)
        np.add.at(self._length.values, files, np.array(counts, np.float32))
        marks = np.array([_mark(int(file)) for file in files], np.uint32)
        word = np.concatenate([words, marks])
        file = np.concatenate([np.repeat(files, counts), files])
        return np.stack([word, file, np.full(len(word), episode, np.uint32)]).astype(np.uint32)

    def _unite(self, file: int) -> None:
        """Find the other paths of a new one's file: `/home/ana/shop/src/a.py` and `src/a.py` are one, a bare name tells too little."""
        path = self._files.value(file)
        if "/" not in path:
            return
        if not is_full(path):
            self._tops.add(path.partition("/")[0])
        alike = self._ends.setdefault("/".join(path.rsplit("/", 2)[-2:]), [])
        for other in alike:
            theirs = self._files.value(other)
            if is_full(path) and not is_full(theirs) and path.endswith(f"/{theirs}"):
                self._one.values[file] = self._one.values[other]
            elif is_full(theirs) and not is_full(path) and theirs.endswith(f"/{path}"):
                self._one.values[self._one.values == other] = file
                self._length.values[file] += self._length.values[other]
        alike.append(file)

    def _of_paths(self, files: Sequence[int]) -> Postings:
        pairs = [(number(word), file) for file in files for word in dict.fromkeys(words_in(self._files.value(file)))]
        np.add.at(self._length.values, [file for _, file in pairs], PATH_WEIGHT)
        return np.array([(word, file, 0) for word, file in pairs], np.uint32).reshape(-1, 3).T

    @staticmethod
    def _push(segments: list[Postings], new: Postings) -> None:
        """Append postings; a segment is merged with the one before it while that is less than twice as large."""
        while segments and segments[-1].shape[1] < 2 * new.shape[1]:
            new = np.concatenate([segments.pop(), new], axis=1)
        segments.append(new[:, np.argsort(new[0], kind="stable")])

    def _forget_oldest(self) -> None:
        for episode_id in list(self._episodes)[: max(1, len(self._episodes) // 8)]:
            self._alive.values[self._episodes.pop(episode_id)] = False
        self._compact()

    def _compact(self) -> None:
        """Leave out the postings of dead episodes."""
        if self._segments:
            alive = np.concatenate([s[:, self._alive.values[s[2]]] for s in self._segments], axis=1)
            self._segments = [alive[:, np.argsort(alive[0], kind="stable")]]

    # --- reading ---

    def _weights(self, domain: str, framework: str) -> npt.NDArray[np.float64]:
        """Return how much each episode counts: nothing when it is forgotten, little where both sides say another context."""
        places = [
            1.0 if all(not a or not b or a == b for a, b in ((domain, d), (framework, f))) else OTHER_CONTEXT for d, f in self._places.all()
        ]
        return np.asarray(np.array(places)[self._place.values] * self._alive.values)

    def _scores(self, words: Mapping[int, float], weight: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return BM25 of every file, its words counted by the weights of the episodes that showed them."""
        terms = np.array(sorted(words), np.uint32)
        shown, counts = _lookup(self._segments, terms)
        path, _ = _lookup(self._path_words, terms)
        rare = np.argsort(counts, kind="stable")
        kept = rare[: max(1, int(np.searchsorted(np.cumsum(counts[rare]), MAX_READ, "right")))][:MAX_WORDS]
        use = np.zeros(len(terms), np.bool_)
        use[kept] = True
        looks = np.concatenate([weight[shown[2]], np.full(path.shape[1], PATH_WEIGHT)])
        at = np.concatenate([shown[0], path[0]]).astype(np.int64)
        file = self._one.values[np.concatenate([shown[1], path[1]])]
        chosen = use[at] & (looks > 0)
        count = len(self._files)
        keys, inverse = np.unique(at[chosen] * count + file[chosen], return_inverse=True)
        tf = np.bincount(inverse, looks[chosen], len(keys))
        term, file = keys // count, keys % count
        df = np.bincount(term, minlength=len(terms))[term]
        idf = np.log(1 + (count - df + 0.5) / (df + 0.5))
        length = self._length.values
        norm = K1 * (1 - B + B * length[file] / max(1.0, float(length.mean())))
        asked = np.array([words[int(t)] for t in terms])[term]
        return np.bincount(file, asked * idf * tf * (K1 + 1) / (tf + norm), count)

    def _seen(self, files: npt.NDArray[np.int64], weight: npt.NDArray[np.float64]) -> list[tuple[float, int]]:
        """Return for each file the most that an episode counts which showed it, and how many tasks' episodes did."""
        marks = np.array([_mark(int(file)) for file in files], np.uint32)
        found, _ = _lookup(self._segments, marks)
        result = []
        for i, file in enumerate(files.tolist()):
            episodes = found[2, (found[0] == i) & (found[1] == file)]
            episodes = episodes[self._alive.values[episodes]]
            result.append((float(weight[episodes].max(initial=0.0)), len(np.unique(self._task.values[episodes]))))
        return result


def without_shown(trace: Trace) -> Trace:
    """Return the trace without what its episode showed."""
    return replace(trace, digest={k: v for k, v in trace.digest.items() if k != SHOWN}) if SHOWN in trace.digest else trace


def _lookup(segments: Sequence[Postings], words: Postings) -> tuple[Postings, npt.NDArray[np.int64]]:
    """Return the postings of *words* (row 0 is the place in *words*) and how many each has."""
    parts = [np.zeros((3, 0), np.uint32)]
    total = np.zeros(len(words), np.int64)
    for segment in segments:
        first, last = np.searchsorted(segment[0], words, "left"), np.searchsorted(segment[0], words, "right")
        counts = last - first
        places = np.repeat(np.arange(len(words)), counts)
        rows = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
        parts.append(np.stack([places.astype(np.uint32), segment[1, rows], segment[2, rows]]))
        total += counts
    return np.concatenate(parts, axis=1), total


def _mark(file: int) -> int:
    """Return the number under which an episode's having seen a file is found."""
    return number(f"\0{file}")


def _query_words(request: str) -> dict[int, float]:
    """Return the numbers of the request's words, and how much each is asked for."""
    counts: dict[int, int] = {}
    for word in words_in(request[:_REQUEST_CHARS]):
        n = number(word)
        counts[n] = counts.get(n, 0) + 1
    return {n: 1 + log(count) for n, count in counts.items()}


def _named(path: str, request: str) -> float:
    """Return what it counts that the request names the file: in full, as a module, or by the last part."""
    stem = path.rpartition(".")[0]
    name = path.rpartition("/")[2]
    if "/" in path and path in request:
        return NAMED
    if "/" in path and stem.removesuffix("/__init__").replace("/", ".") in request:
        return MODULE
    return BASENAME if re.search(rf"(?<![\w.-]){re.escape(name)}\b", request) else 0.0
