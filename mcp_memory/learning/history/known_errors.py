"""Which errors of earlier runs a text quotes: found by their signatures, wherever they stand in it, or by the words of a short request."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mcp_memory.domain.identifiers import words_in
from mcp_memory.domain.text_words import stem
from mcp_memory.learning.history.lasting import StaleAnswers, outlived
from mcp_memory.learning.reading.signatures import signature_words, without_details
from mcp_memory.views.experience import Experience
from mcp_memory.views.fixes import Came
from mcp_memory.views.kept import Kept
from mcp_memory.views.vouching import Vouching

MAX_KEPT = 32  # texts, of what they quote
READ_CHARS = 4_000  # of a long text, its beginning and its end
MIN_WORDS = 2  # of a signature that tells one error from another
MIN_UNLABELLED = 4  # and of one that is quoted without the label before it
MIN_ASKED, MAX_ASKED = 3, 12  # words of a request that may be nothing but words of an error and of the call that failed
ASKED_CHARS = 400  # of such a request
MIN_OF_ERROR = 2  # of them in the error itself
MIN_BUT_ONE = 4  # words of a request of which one may not be the error's
_ASKING_TEXT = "can could how why what when where which who does did should would must may there my our"
_ASKING = frozenset(map(stem, _ASKING_TEXT.split()))
UNNAMED = "\0"  # who asks without a name: no agent's
MAX_ELSEWHERE = 5  # failures of other projects among which one is looked for that may be told
MAX_FAILURES = 200  # looked at of one text, the newest
WORTH = {Came.FIXED: 1.0, Came.GOT_ON: 0.8, Came.GAVE_UP: 0.5}  # of an episode that met the error, by what came of it there
_ERROR = re.compile(
    r"error|exception|fail|not found|no such|denied|invalid|cannot|could not|unable|timed? ?out|refused|missing|traceback"
    r"|does(?:n['’]t| not) exist|undefined|unknown|unrecogni[sz]ed|forbidden|unauthori[sz]ed"
    r"|warning|panic|fatal|错误|异常|失败|エラー|例外|失敗|오류",
    re.I,
)
_WORD = re.compile(r"\w+")
_CODE = re.compile(r"[A-Za-z]+(?:_[A-Za-z]+)+|[A-Z]{6,}|(?:[A-Z][a-z]+){2,}")  # `not_in_channel`, `ECONNREFUSED`, `AccessDenied`
_LABEL = re.compile(r"(?:error|fatal|panic|warning)\s*:\s*", re.I)  # which whoever quotes an error may leave out
_QUOTED = re.compile(r"`([^`\n]+)`|\"([^\"\n]+)\"|“([^”\n]+)”|「([^」\n]+)」|«([^»\n]+)»")


class KnownErrors:
    """Answers from an `Experience`. Signatures are only ever added to it, and so to this index of their first words."""

    def __init__(self, experience: Experience) -> None:
        self._x = experience
        # By first word: how it is said, where the word begins in that, the signature, its number.
        self._by_first: dict[str, list[tuple[str, int, str, int]]] = {}
        self._codes: dict[str, int] = {}  # signatures that are one word, as APIs name their errors
        self._known = 0
        self._calls: set[tuple[int, int]] = set()  # signatures, each with a tool that failed so
        self._with: dict[str, set[tuple[int, int]]] = {}  # those by the stems of the signature and the tool
        self._failures = self._removals = 0
        self._quotes: Kept[str, Sequence[tuple[str, int]]] = Kept(experience, MAX_KEPT)  # one answer asks for them several times

    def quoted(self, text: str) -> Sequence[tuple[str, int]]:
        """Return the signatures that *text* quotes, with their numbers, in order; of a short one, those that have all of its words.

        `docker build no space left` is how people ask for an error. A tenth of a millisecond for a text that speaks of no error.
        """
        return self._quotes.get(text, lambda: self._read(text))

    def _read(self, text: str) -> Sequence[tuple[str, int]]:
        self._refresh()
        codes = {sig: self._codes[sig] for sig in dict.fromkeys(_WORD.findall(text[:READ_CHARS])) if sig in self._codes}
        if not _ERROR.search(text):
            return list(codes.items()) or self._asked(text)
        if len(text) > 2 * READ_CHARS:
            text = f"{text[:READ_CHARS]}\n{text[-READ_CHARS:]}"
        found: dict[str, int] = dict(codes)
        for line in spoken_of(text):
            found |= self._quoted(without_details(line))
        return list(found.items()) or self._asked(text)

    def episodes(self, text: str, project: str) -> dict[str, float]:
        """Return the episodes of a project that met an error which *text* quotes, the newest 200 failures, with their worth in [0, 1].

        An error that half of the episodes met says little; one that one in ten met or fewer counts in full. Who answered it by what
        answers it no longer is left out.
        """
        x, failures = self._x, self._x.failures
        worth: dict[str, float] = {}
        for _, number in self.quoted(text):
            seen = x.in_project(project)[failures.row] & (failures.signature == number)
            numbers = np.flatnonzero(seen)
            numbers = numbers[~outlived(x, numbers)]
            episodes = len(np.unique(failures.row[numbers]))
            rare = min(1.0, math.log10(max(1.0, len(x) / max(1, episodes))))
            for at in numbers[-MAX_FAILURES:]:
                episode_id = x.trace(int(failures.row[at])).id
                worth[episode_id] = max(worth.get(episode_id, 0.0), rare * WORTH[Came(int(failures.came[at]))])
        return worth

    def answered_elsewhere(self, text: str, project: str, asker: str) -> list[tuple[str, int]]:
        """Return the latest failures, by episode and step, of other projects with an error that *text* quotes, whose answers still hold.

        Only answers that *asker* gave itself, or several agents: what one other agent alone did is no advice in another project.
        """
        x, failures = self._x, self._x.failures
        if not text or not (quoted := {number for _, number in self.quoted(text)}):
            return []
        is_met = np.isin(failures.signature, list(quoted)) & (failures.came == Came.FIXED)
        numbers = np.flatnonzero(is_met & ~x.in_project(project)[failures.row] & x.alive[failures.row])
        vouching, stale = x.derived(Vouching), x.derived(StaleAnswers)
        found: list[tuple[str, int]] = []
        for at in numbers[np.argsort(-x.ended_at_ms[failures.row[numbers]], kind="stable")][:MAX_ELSEWHERE].tolist():
            row, trace = int(failures.row[at]), x.trace(int(failures.row[at]))
            known = vouching.is_known_call(row, int(failures.by_index[at]), asker or UNNAMED)
            if known and at not in stale.to(trace.project, int(failures.failed[at]), int(failures.signature[at])):
                found.append((trace.id, int(failures.index[at])))
        return found

    def _quoted(self, line: str) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for word in _WORD.finditer(line):
            said = self._by_first.get(word[0], ())
            there = [(told, sig, n) for told, before, sig, n in said if _stands_at(line, word.start() - before, told)]
            if there:
                _, sig, number = max(there, key=lambda one: len(one[0]))
                found[sig] = number
        return found

    def _asked(self, text: str) -> list[tuple[str, int]]:
        """Return the signatures that have, together with the call that failed so, all words of a short text; two words as they stand.

        Of four or more words, three in the error itself, one may be another's: `can a customer return an undelivered order`.
        """
        if len(text) > ASKED_CHARS or not MIN_OF_ERROR <= len(asked := _stems(said := without_details(text)) - _ASKING) <= MAX_ASKED:
            return []
        self._refresh_calls()
        times = Counter(call for word in asked for call in self._with.get(word, ()))
        most = max(times.values(), default=0)
        if most < len(asked) - (len(asked) >= MIN_BUT_ONE):
            return []
        found: dict[str, int] = {}
        for number, _ in sorted(call for call, known in times.items() if known == most):
            sig = str(self._x.signatures.value(number))
            of_error = len(asked & _stems(sig))
            is_all = most == len(asked) and of_error >= MIN_OF_ERROR and (len(asked) >= MIN_ASKED or said in sig)
            if is_all or of_error >= MIN_BUT_ONE - 1:
                found[sig] = number
        return list(found.items())

    def _refresh_calls(self) -> None:
        x, failures = self._x, self._x.failures
        if self._removals != x.removals:  # failures have moved; what is known of those that went finds no episode
            self._removals, self._failures = x.removals, 0
        new = slice(self._failures, len(failures))
        for call in set(zip(failures.signature[new].tolist(), failures.failed[new].tolist(), strict=True)) - self._calls:
            tool = str(x.tools.value(call[1]))
            for word in _stems(f"{tool} {' '.join(words_in(tool))} {x.signatures.value(call[0])}"):
                self._with.setdefault(word, set()).add(call)
            self._calls.add(call)
        self._failures = len(failures)

    def _refresh(self) -> None:
        for number in range(self._known, len(self._x.signatures)):
            sig = str(self._x.signatures.value(number))
            if _CODE.fullmatch(sig):
                self._codes[sig] = number
            for told, least in ((sig, MIN_WORDS), (_LABEL.sub("", sig, count=1), MIN_UNLABELLED)):
                if _ERROR.search(told) and len(signature_words(told)) >= least and (first := _WORD.search(told)):
                    self._by_first.setdefault(first[0], []).append((told, first.start(), sig, number))
                if not _LABEL.match(sig):
                    break
        self._known = len(self._x.signatures)


def _stems(sig: str) -> frozenset[str]:
    """Return the words of a signature without their endings: who asks says them otherwise (`locked`, `lock`)."""
    return frozenset(map(stem, signature_words(sig)))


def _stands_at(line: str, at: int, sig: str) -> bool:
    end = at + len(sig)
    return at >= 0 and line.startswith(sig, at) and not line[end : end + 1].isalnum()


def spoken_of(text: str) -> Iterator[str]:
    """Yield the lines of a text that speak of an error, and what stands in quotes there: people quote errors."""
    for line in text.splitlines():
        if _ERROR.search(line):
            yield line
            yield from (quoted for found in _QUOTED.findall(line) if _ERROR.search(quoted := "".join(found)))
