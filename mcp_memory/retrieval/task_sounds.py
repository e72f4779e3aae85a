"""The words of the tasks in memory by their sound, for requests that write English words in katakana."""

from collections.abc import Collection, Mapping

from mcp_memory.domain.episode import Trace
from mcp_memory.domain.loanwords import MAX_CHARS, MIN_CHARS, Loan, in_katakana, loaned, sounds_of_english
from mcp_memory.domain.text_words import terms_of

MAX_TASKS = 20_000  # the newest, whose words are read: a second's work where none was read before


class TaskSounds:
    """Grows with the tasks. Words of tasks that are gone stay: whoever looks for them finds nothing."""

    def __init__(self) -> None:
        self._by_sound: dict[str, set[str]] = {}
        self._words: set[str] = set()
        self._read_to = -1  # row number

    def loaned(self, text: str, traces: Mapping[int, Trace]) -> tuple[Loan, ...]:
        """Return for each word of a text in katakana the words of tasks that it may stand for; none for a text without such words."""
        written = in_katakana(text)
        if not written:
            return ()
        self._read(traces)
        found = (loaned(word, self._of) for word in written)
        return tuple(loan for loan in found if loan.words)

    def _of(self, sound: str) -> Collection[str]:
        return self._by_sound.get(sound, ())

    def _read(self, traces: Mapping[int, Trace]) -> None:
        new = sorted(seq for seq in traces if seq > self._read_to)[-MAX_TASKS:]
        for seq in new:
            for word in terms_of(traces[seq].task):
                if word not in self._words and MIN_CHARS <= len(word) <= MAX_CHARS and word.isascii() and word.isalpha():
                    self._words.add(word)
                    self._add(word)
        self._read_to = max(new, default=self._read_to)

    def _add(self, word: str) -> None:
        forms = [word, word[:-1]] if word.endswith("s") and not word.endswith("ss") else [word]  # スーツケース is of suitcases, too
        for sound in {sound for form in forms for sound in sounds_of_english(form)}:
            self._by_sound.setdefault(sound, set()).add(word)
