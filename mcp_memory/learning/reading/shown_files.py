"""Which files an episode's observations and arguments showed, and the words that stood near each, without a model. Pure.

Whatever the tool: a step that names one file shows that file's text; a line that begins with a path (of a search, a compiler, a
traceback, a listing) says something of that path; a path alone on its line heads the lines below it; a patch heads its hunks.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from mcp_memory.domain.episode import Episode, Json, OutcomeKind, Step, Use
from mcp_memory.domain.identifiers import CHANGED, distinct_words, is_full, number, pack_files
from mcp_memory.learning.reading.file_uses import Touch, as_path, files_of, root_of

MAX_FILES, MAX_WORDS, MAX_PAIRS = 160, 64, 640  # of an episode: its files, the words of one file, the words of all of them
_HEAD_CHARS, _TAIL_CHARS, _ARGUMENT_CHARS = 6_000, 2_000, 3_000  # read of one step
_EPISODE_CHARS = 400_000  # read of all steps
_LINE_CHARS = 300
_ASKED_CHARS = 200  # of an argument that may be what was searched for
_FEW = 20  # files in one answer, from which on what was searched for tells little of any of them
_PREFIX = re.compile(
    r"""^(?:diff --git a/|\+\+\+ b/|--- a/|\*\*\* (?:Update|Add|Delete) File: |[\s>*|│├└─-]*(?:\[?File:?\s+|at\s+)?)["'`(<\[]*"""
)
_PATH = re.compile(r"(?:[A-Za-z]:)?[\w@.+~/\\-]+\.[A-Za-z]\w{0,9}\b(?![\w/\\(-])")
_MATCHES = re.compile(r"[\s\]:(\"'`]*(?:\d+ (?:match|line|hit|occurrence)\w*(?: total)?)?[\s)\]\"'`,]*")  # after a path that stands alone
_HEADING = re.compile(r"""^["']?, line \d+|^ b/|^ \(\d+ lines""")


def shown_files(episode: Episode, by_step: Sequence[Sequence[Touch]]) -> Json:
    """Return the files and the words near each as a trace's digest keeps them: at most 160 files and 640 words.

    Paths are relative to the working folder where it is known; files outside of it are left out, and so is what the episode made for
    itself. None where nothing was shown. At most 8,000 characters of an observation are read.

    Args:
        episode: With its files.
        by_step: What `touches_in` gives for its steps.
    """
    touches = [touch for found in by_step for touch in found]
    root = root_of(episode, touches)
    near: dict[str, Counter[str]] = defaultdict(Counter)
    read = 0
    for step, found in zip(episode.steps, by_step, strict=True):
        if read > _EPISODE_CHARS:
            break
        read += min(len(step.observation), _HEAD_CHARS + _TAIL_CHARS)
        for path, text in _said(step, found):
            name = path.removeprefix(root)
            if not (root and is_full(name)):
                words = near[name]
                if text:
                    words.update(distinct_words(text))
    own = _own(episode, touches, root)
    changed = {file.path for file in files_of(episode) if file.use is not Use.READ}
    chosen = _chosen({path: words for path, words in near.items() if path not in own}, changed)
    return pack_files(chosen) if chosen else None


def _own(episode: Episode, touches: list[Touch], root: str) -> set[str]:
    """Return the files that the episode made and that no later one will find, as far as is known."""
    made = {path.removeprefix(root) for touch in touches if touch.use is Use.MADE for _, path in touch.paths}
    if episode.outcome is None or episode.outcome.kind in (OutcomeKind.FAILURE, OutcomeKind.ABSTAINED):
        return made
    return made.difference(episode.outcome.artifacts)


def _chosen(near: Mapping[str, Counter[str]], changed: set[str]) -> dict[str, list[int]]:
    """Return the files with most shown of them first, and of each the words that were shown near few others."""
    files = sorted(near, key=lambda path: -len(near[path]))[:MAX_FILES]
    spread: Counter[str] | None = None  # in how many files each word is: needed where one has more words than are kept
    chosen: dict[str, list[int]] = {}
    left = MAX_PAIRS
    for path in files:
        words, room = near[path], min(MAX_WORDS, left)
        best = list(words)
        if len(best) > room:
            spread = spread or Counter(chain.from_iterable(near[path] for path in files))
            best = _telling(best, spread, words)[:room]
        left -= len(best)
        chosen[path] = [number(word) for word in ([CHANGED, *best] if path in changed else best)]
    return chosen


def _telling(found: list[str], spread: Mapping[str, int], times: Mapping[str, int]) -> list[str]:
    """Return words with those first that are in the fewest files, then those that are near this one most often."""
    return sorted(found, key=lambda word: (spread[word], -times[word]))


def _said(step: Step, touches: Sequence[Touch]) -> Iterator[tuple[str, str]]:
    """Yield (path, text near it) of one step."""
    named = list(dict.fromkeys([path for touch in touches for _, path in touch.paths]))
    subject = named[0] if len(named) == 1 else ""
    asked = ""
    for value in step.arguments.values():
        if not isinstance(value, str):
            continue
        if "\n" in value or len(value) > _ASKED_CHARS:
            yield from _lines(value[:_ARGUMENT_CHARS], subject, "")
        else:
            asked += f" {value}"
    asked = " ".join([word for word in asked.split() if "/" not in word]) if asked else ""
    for path in named:
        yield path, asked
    text = step.observation
    if len(text) > _HEAD_CHARS + _TAIL_CHARS:
        text = f"{text[:_HEAD_CHARS]}\n\n{text[-_TAIL_CHARS:].partition(chr(10))[2]}"
    if text.count("\n") < 2 and "\\n" in text:
        text = text.replace("\\n", "\n").replace('\\"', '"')  # an answer in JSON
    yield from _lines(text, subject, asked)


def _lines(text: str, subject: str, asked: str) -> Iterator[tuple[str, str]]:
    """Yield (path, text near it) of an answer. `subject` is the file it is of, `asked` the words that were searched for."""
    current, block = subject, list[str]()
    alone: list[str] = []
    for line in text.split("\n"):
        line = line[:_LINE_CHARS]
        path, after = _leading(line) if "." in line else ("", "")
        if path and (path == current or ("/" not in path and subject)):
            path = ""
        if path:
            is_alone = _MATCHES.fullmatch(after) is not None
            if is_alone or _HEADING.match(after):
                if block:
                    yield current, "\n".join(block)
                current, block = path, []
            if is_alone:
                alone.append(path)
            else:
                yield path, after
        elif not line.strip() and not subject:
            if block:
                yield current, "\n".join(block)
            current, block = "", []
        elif current:
            block.append(line)
        elif "/" in line and "." in line:
            yield from ((found, line) for word in _PATH.findall(line) if "/" in word and (found := as_path(word)))
    if block and current:
        yield current, "\n".join(block)
    few = len(alone) <= _FEW
    yield from ((path, asked if few else "") for path in alone)


def _leading(line: str) -> tuple[str, str]:
    """Return the path that *line* begins with and what stands after it, ("", "") when it begins otherwise.

    >>> _leading('  File "/repo/src/a.py", line 3, in main'), _leading("./src/a.py:12:def main():")
    (('/repo/src/a.py', '", line 3, in main'), ('src/a.py', ':12:def main():'))
    """
    start = _PREFIX.match(line)
    begin = start.end() if start else 0
    found = _PATH.match(line, begin)
    if found is None or not (path := as_path(found[0])):
        return "", ""
    after = line[found.end() :]
    return (path, after) if "/" in path or after[:1] in ("", ":") else ("", "")
