"""The different words of a text: what most rules and names are ruled out by, and which words were met that none of them asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterable

TYPE_CHECKING = False  # `typing` itself takes longer to import than a hook may take
if TYPE_CHECKING:
    from typing import Any

_WORDS_ONLY = bytes(ord(chr(code).lower()) if chr(code).isalnum() and code < 128 else 32 for code in range(256))
_LINE_ENDS = b"nrt"  # the letter of a `\\n` before a word, as in `rules.START`
_MAX_KNOWN = 20_000  # words: a megabyte and a half
_FEW_WORDS = 200
_MAX_CHARS, _FEW_CHARS = 16, 4  # of a word that is kept, and of one that need not be of letters only: hexadecimal digits are endless


class Known:
    """Words that were met, told apart by whether anything is asked of them. Texts are mostly made of the same thousands.

    May be used from several threads. It is bounded, and begins anew when it is full.
    """

    __slots__ = ("_heads", "_parts", "_whole", "harmless", "telling")

    def __init__(self, whole: Collection[bytes], heads: Iterable[str], parts: Iterable[str]) -> None:
        """Take everything that is asked of words: to be one of these, to begin with one, to have one as a part."""
        self._whole = frozenset(whole)
        self._heads, self._parts = tuple(head.encode() for head in heads), tuple(part.encode() for part in parts)
        self.harmless: set[bytes] = set()
        self.telling: set[bytes] = set()

    def learn(self, words: set[bytes]) -> None:
        """Judge *words* that were not met yet, as far as such are kept."""
        new = {word for word in words if len(word) <= _MAX_CHARS and (len(word) <= _FEW_CHARS or word.isalpha())}
        if new:
            self._judge(new)

    def _judge(self, new: set[bytes]) -> None:
        tails = _tails(new)
        joined = b" ".join([*new, *tails])
        parts = [part for part in self._parts if part in joined]
        asked = {word for word in new | tails if word in self._whole or word.startswith(self._heads) or any(p in word for p in parts)}
        telling = {word for word in new if word in asked or (word[0] in _LINE_ENDS and word[1:] in asked)}
        if len(self.harmless) + len(self.telling) > _MAX_KNOWN:
            self.harmless, self.telling = set(), set()
        self.harmless.update(new - telling)  # at once, as far as other threads see
        self.telling.update(telling)


class Vocabulary:
    """The words of a text in lower case, ASCII letters and digits: as a set, and joined by blanks, each with one before it.

    To ask for a part of a word among the joined ones costs a third of asking for it in an ordinary text.
    """

    __slots__ = ("_has", "are_known", "before", "hits", "joined", "words")

    def __init__(self, codes: bytes, known: Known | None = None, before: Vocabulary | None = None) -> None:
        """Take a text as `Sight.codes`; leave out words that are *known* to be harmless. `are_known`: whether the others are known, too.

        Args:
            before: Words of another form of the text: `words` and `joined` are of what is not among them. See `after`.
        """
        words = set(codes.translate(_WORDS_ONLY).split())
        self.are_known = False
        self.before = before
        self.hits: list[Any] | None = None  # what the table makes of it
        self._has: dict[str, bool] = {}
        if before is not None:
            words = words - before.all_words()
        if known is not None:
            words = words - known.harmless  # not in place: that would go through all that are known
            self.are_known = words <= known.telling
            if not self.are_known:
                known.learn(words - known.telling)
                words = words - known.harmless
                if len(words) <= _FEW_WORDS:  # no long number is asked for; in a long text to look for them takes longer than they do
                    words = {word for word in words if len(word) <= _FEW_CHARS or not word.isdigit()}
                self.are_known = words <= known.telling
            if not words:
                self.words, self.joined = words, " "
                return
        if b"\\" in codes:
            words |= _tails(words)
        self.words, self.joined = words, b" ".join([b"", *words]).decode()  # `in` is three times as fast on str as on bytes

    def after(self, edges: Vocabulary) -> Vocabulary:
        """Return what to ask of the text once places of it were replaced: *edges* are what came in, and what stood beside it.

        Its `words` and `joined` are only of these, its `before` is this one. Words that went out with what was replaced are still taken for
        words of the text: whoever asks looks whether the text has them.
        """
        later = Vocabulary(b"")
        later.words, later.joined, later.before = edges.words, edges.joined, self
        return later

    def has(self, part: str) -> bool:
        """Tell whether a word has *part*, or had it before."""
        known = self._has.get(part)
        if known is None:
            known = self._has[part] = part in self.joined or (self.before is not None and self.before.has(part))
        return known

    def having(self, asked: Iterable[tuple[str, str]]) -> list[str]:
        """Return the first of each pair of which a word has the second: for a dozen of them a fifth of what `has` takes."""
        if self.before is not None:
            return [name for name, part in asked if self.has(part)]
        joined = self.joined
        return [name for name, part in asked if part in joined]

    def all_words(self) -> set[bytes]:
        """Return the words with those before."""
        return self.words if self.before is None else self.words | self.before.all_words()


def _tails(words: Iterable[bytes]) -> set[bytes]:
    """Return the words without the letter of a line end, of those that may have one."""
    return {word[1:] for word in words if word[0] in _LINE_ENDS}
