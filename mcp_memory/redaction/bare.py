"""A text without its invisible characters and colours, and where in the text a place of it is."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, chain

from mcp_memory.redaction.near import REACH, Near, near
from mcp_memory.redaction.rules import compiled
from mcp_memory.redaction.sight import Sight

Place = tuple[int, int]
_UNSEEN_CHARS = "\xad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\ufeff"
_TAG = "[\U000e0000-\U000e007f]"
_TAGS = b"\xf3\xa0"  # of U+E0000 to U+E007F in UTF-8: the first bytes
_UNSEEN_BYTES = {char: char.encode() for char in _UNSEEN_CHARS}
_UNSEEN = "[\u200b-\u200f\u2060-\u2064\ufeff\xad\u180e\u202a-\u202e\U000e0000-\U000e007f]+"
_COLOUR = r"\x1b\[[0-9;?]{0,20}[A-Za-z]"
_ESCAPED, _ESCAPES = r"\\(?:u001b|x1b|033|e)\[[0-9;]{0,20}m", ("\\u001b[", "\\x1b[", "\\033[", "\\e[")
_COLOUR_SIGNS = ("\x1b[", *_ESCAPES)
_BLOCK = 128
_UNSEEN_PER_TRY, _COLOURS_PER_TRY = 25, 30
_FEW_KINDS = 4  # of invisible characters: so few are replaced faster one after another


class _Seen:
    """A text without invisible characters. Of most of its blocks it is never asked where their characters stood."""

    __slots__ = ("_kept", "_places", "_source", "_unseen", "text")

    def __init__(self, source: str, kinds: list[str]) -> None:
        self._source, self._unseen = _of_one_kind(source, kinds), kinds[0]
        self.text = self._source.replace(self._unseen, "")
        self._kept: list[int] = []
        self._places: dict[int, list[int]] = {}

    def _ends(self) -> list[int]:
        """Return how many characters stay of all blocks up to each, itself included."""
        if not self._kept:
            count, unseen, size = self._source.count, self._unseen, len(self._source)
            gone = accumulate(count(unseen, at, at + _BLOCK) for at in range(0, size, _BLOCK))
            self._kept = [min(size, _BLOCK * number) - less for number, less in enumerate(gone, 1)]
        return self._kept

    def original(self, at: int) -> int:
        ends = self._ends()
        block = bisect_right(ends, at)
        first, begin = ends[block - 1] if block else 0, block * _BLOCK
        if ends[block] - first == _BLOCK:  # nothing was taken out
            return begin + at - first
        kept = self._places.get(block) or self._kept_in(block)
        return begin + at - first + bisect_right(kept, at - first)

    def _kept_in(self, block: int) -> list[int]:
        """Return how many characters of a block stay before each of those that go."""
        stay = self._source[block * _BLOCK : (block + 1) * _BLOCK].split(self._unseen)
        kept = self._places[block] = list(accumulate(map(len, stay[:-1])))
        return kept

    def about(self, at: int, is_end: bool) -> int:
        """Return where a place of the source is in the text, or at most a block before, with *is_end* after it."""
        ends = self._ends()
        block = min(at // _BLOCK + is_end, len(ends))
        return ends[block - 1] if block else 0


class _Plain:
    """A text without colours."""

    __slots__ = ("_ends", "_kept", "_left_out", "_noise", "_parts", "text")

    def __init__(self, source: str, colours: str) -> None:
        parts = compiled(f"({colours})").split(source)
        self._parts, self._noise = parts[::2], parts[1::2]
        self.text = "".join(self._parts)
        self._kept: list[int] = []  # how many characters of the text there are up to the end of each part
        self._ends: list[int] = []  # where these ends are in the source
        self._left_out: list[int] = []

    def original(self, at: int) -> int:
        if not self._left_out:
            self._kept = self._kept or list(accumulate(map(len, self._parts)))
            self._left_out = [0, *accumulate(map(len, self._noise)), 0]
        return at + self._left_out[bisect_right(self._kept, at)]

    def about(self, at: int, is_end: bool) -> int:
        if not self._ends:
            sizes = zip(map(len, self._parts), map(len, [*self._noise, ""]), strict=True)
            self._ends = list(accumulate(chain.from_iterable(sizes)))[::2]
            self._kept = list(accumulate(map(len, self._parts)))
        index = bisect_right(self._ends, at)
        return self._kept[index] - max(0, self._ends[index] - at) if index < len(self._kept) else self._kept[-1]


class Bare:
    """A text without colours and invisible characters, and what tells where in the text a place of it is, and the other way."""

    __slots__ = ("_layers", "_size", "text")

    def __init__(self, sight: Sight) -> None:
        """Take what has noise."""
        self._size = len(sight.text)
        self._layers: list[_Seen | _Plain] = []
        self.text = sight.text
        if unseen := _unseen_in(sight):
            self._layers.append(_Seen(self.text, unseen))
            self.text = self._layers[-1].text
        if colours := _colours(self.text):
            self._layers.append(_Plain(self.text, colours))
            self.text = self._layers[-1].text

    def original(self, at: int) -> int:
        """Return the place in the text itself of a place of the bare text."""
        for layer in reversed(self._layers):
            at = layer.original(at)
        return at

    def near(self, stretches: Sequence[Place]) -> Near | None:
        """Return what is near *stretches* of the text in the bare text."""
        if 2 * sum(end - start for start, end in stretches) >= self._size:  # most of it
            return None
        for layer in self._layers:
            stretches = [(layer.about(start, False), layer.about(end, True)) for start, end in stretches]
        return near(stretches, len(self.text))


def has_noise(sight: Sight) -> bool:
    """Tell whether a text has colours or invisible characters."""
    return bool(_unseen_in(sight) or _colours(sight.plain))


def stretches(sight: Sight) -> list[Place]:
    """Return where the noise of a text is, roughly: a text of any length has few such stretches, none of them near another."""
    noise = compiled("|".join(filter(None, (_colours(sight.plain), _UNSEEN))))
    found: list[Place] = []
    at = noise.search(sight.text)
    while at:
        begin, end = at.start(), at.start() + 2 * REACH
        if found and begin <= found[-1][1] + 2 * REACH:
            begin = found.pop()[0]
        found.append((begin, min(end, len(sight.text))))
        at = noise.search(sight.text, end)
    return found


def tries_of(sight: Sight) -> float:
    """Return how many tries it takes to make a text bare."""
    unseen = sum(map(sight.text.count, _unseen_in(sight)))
    return unseen / _UNSEEN_PER_TRY + sum(map(sight.plain.count, _COLOUR_SIGNS)) / _COLOURS_PER_TRY


def _colours(text: str) -> str:
    """Return the pattern of colours, nothing where there is none of them: asked for apart, for a backslash is common."""
    kinds = [_COLOUR] if "\x1b[" in text else []
    if "\\" in text and any(sign in text for sign in _ESCAPES):
        kinds.append(_ESCAPED)
    return "|".join(kinds)


def _unseen_in(sight: Sight) -> list[str]:
    """Return the invisible characters of a text: looked for once."""
    if sight.unseen is None:
        others = sight.others
        sight.unseen = [char for char, encoded in _UNSEEN_BYTES.items() if encoded in others] if others else []
        if _TAGS in others:
            sight.unseen += set(compiled(_TAG).findall(sight.text))
    return sight.unseen


def _of_one_kind(text: str, kinds: list[str]) -> str:
    """Return *text* with each of its invisible characters, which are of these *kinds*, in the place of the first kind."""
    if len(kinds) > _FEW_KINDS:
        return compiled(_UNSEEN).sub(lambda run: kinds[0] * len(run[0]), text)
    for char in kinds[1:]:
        text = text.replace(char, kinds[0])
    return text
