"""A text in the forms that rules look at it: each of the same length, so that a place in one is a place in all."""

from mcp_memory.redaction.near import Near
from mcp_memory.redaction.rules import compiled

_ASCII = bytes(range(128))
FEW = 16  # places: so few are tried faster one by one than a pattern is compiled that finds the others


class Sight:
    """Forms of one text.

    `lowered` has its ASCII letters in lower case. `plain` and `plain_lowered` are the same two with `?` for each character that is not
    ASCII: to look for ASCII words there takes a fifth of the time. `codes` is `plain` as bytes. `others` are the bytes in UTF-8 of what is
    not ASCII; `unseen` are the invisible characters among them, once `bare` was asked. `near` is where a later look has to look again,
    None for everywhere.
    """

    __slots__ = ("_backwards", "_first", "codes", "lowered", "near", "others", "plain", "plain_lowered", "text", "unseen")

    def __init__(self, text: str, near: Near | None = None) -> None:
        self.text, self.near = text, near
        self._backwards = ""
        self.unseen: list[str] | None = None
        self._first: dict[tuple[str, bool, bool], list[int]] = {}
        if text.isascii():
            self.codes, self.plain, self.others = text.encode("ascii"), text, b""
            self.lowered = self.plain_lowered = text.lower()
            return
        encoded = text.encode("utf-8", "surrogatepass")
        self.others = encoded.translate(None, _ASCII)
        self.lowered = encoded.lower().decode("utf-8", "surrogatepass")  # `str.lower` makes some letters longer (İ), and takes longer
        self.codes = text.encode("ascii", "replace")
        self.plain = self.codes.decode("ascii")
        self.plain_lowered = self.plain.lower()

    def first(self, word: str, lowered: bool = True, *, far: bool = False) -> list[int]:
        """Return the first FEW places of an ASCII word, in the lowered text or the text itself; several rules ask for the same.

        Args:
            far: Also those that a later look has not to look at again.
        """
        near = None if far else self.near
        known = self._first.get((word, lowered, near is None))
        if known is None:
            known = self._first[word, lowered, near is None] = []
            plain = self.plain_lowered if lowered else self.plain
            at = plain.find(word)
            while at >= 0 and len(known) < FEW:
                if near is not None and (there := near.next(at)) != at:
                    at = plain.find(word, there) if there >= 0 else -1
                    continue
                known.append(at)
                at = plain.find(word, at + 1)
        return known

    def ahead(self, pattern: str, at: int, most: int) -> str:
        """Return what a pattern that is read backwards matches right ahead of *at*, backwards, of at most so many characters."""
        backwards = self._backwards
        if not backwards:
            backwards = self._backwards = self.lowered[::-1]
        start = len(backwards) - at
        match = compiled(pattern).match(backwards, start, start + most)
        return match[0] if match else ""

    def has_word(self, word: str, is_whole: bool) -> bool:
        """Tell whether an ASCII word in lower case is one of the text as `Vocabulary` has them, or (not *is_whole*) begins one."""
        places, plain, size = self.first(word), self.plain_lowered, len(word)
        has_line_ends = "\\" in plain
        for at in places:
            if is_whole and plain[at + size : at + size + 1].isalnum():
                continue
            before = plain[max(0, at - 2) : at]
            if not before[-1:].isalnum() or (has_line_ends and before[-1] in "nrt" and not before[:-1].isalnum()):
                return True
        if len(places) < FEW:
            return False
        line_end = f"|(?<=[^a-z0-9][nrt]{word})" if has_line_ends else ""
        pattern = f"{word}{'(?![a-z0-9])' if is_whole else ''}(?:(?<![a-z0-9]{word}){line_end})"  # `re` is quick as it begins with the word
        return compiled(pattern).search(plain, places[-1]) is not None
