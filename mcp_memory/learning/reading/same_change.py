"""Whether two runs left the same change: blanks, quotes, comments and the names of what is local to it make no other one. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mcp_memory.learning.reading.change_places import bare
from mcp_memory.learning.reading.code_lines import has_comments, is_bare, telling
from mcp_memory.learning.reading.edits import GAP, Hunk
from mcp_memory.learning.reading.left_changed import FileChange
from mcp_memory.learning.reading.likeness import likeness

LIKE_TEXT = 0.85  # of two texts in code, from which they say the same
_TEXT = re.compile(r"'([^']{16,})'")
MIN_USES = 2  # of a name, from which it is local to the change: one that is only given is what the change gives
_GIVEN = re.compile(
    r"^(?:\s+(\w+)|([a-z_]\w*))(?:\s*:[^=]+)?\s*=(?!=).*[^,\s]\s*$"
    r"|^\s*(?:async )?for (\w+)(?:, *(\w+))* in\b|^\s*with\b.*\bas (\w+):|\bfor (\w+) in\b"
)
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w)")


@dataclass(frozen=True, slots=True)
class ChangeMade:
    """What a run left changed, to be compared: the lines that went and came, and of these those that may have stood there before.

    And what came as it was written: what is local to a change cannot be told of one of which nobody knows what went.
    """

    lines: frozenset[str]
    unsure: frozenset[str]
    came: frozenset[str] = frozenset()
    came_unsure: frozenset[str] = frozenset()

    @classmethod
    def of(cls, left: Iterable[FileChange]) -> "ChangeMade":
        """Read it off the files that a run left changed."""
        lines, unsure, came, came_unsure = set[str](), set[str](), set[str](), set[str]()
        for change in left:
            name, is_plain = change.path.rpartition("/")[2], not has_comments(change.path)
            names = {} if is_plain else _local_names(change.hunks)
            for hunk in change.hunks:
                sides = list(_sides(hunk, is_plain))
                found = {f"{sign}{name}:{_plain(line, names, is_plain)}" for sign, line in sides}
                found = _without_moved_comma(found)
                written = {f"{name}:{_plain(line, {}, is_plain)}" for sign, line in sides if sign == "+"}
                lines |= found
                came |= written
                unsure |= set() if hunk.is_sure else found
                came_unsure |= set() if hunk.is_sure else written
        return cls(frozenset(lines), frozenset(unsure), frozenset(came), frozenset(came_unsure))

    def is_same(self, other: "ChangeMade") -> bool:
        """Return whether another run left the same: of what may have stood there before, one may tell more than the other."""
        if not self.lines or not other.lines:
            return False
        if self.lines == other.lines:
            return True
        small, large = sorted((self, other), key=lambda change: len(change.lines))
        return small._is_part(large) or large._is_part(small)

    def is_nearly(self, other: "ChangeMade") -> bool:
        """Return whether another run left the same but for how it put what its code says: a message in other words."""
        mine, theirs = self.lines - other.lines, other.lines - self.lines
        if not mine or len(mine) != len(theirs):
            return False
        left = list(theirs)
        for line in mine:
            same = next((one for one in left if _says_nearly(line, one)), None)
            if same is None:
                return False
            left.remove(same)
        return True

    def _is_part(self, of: "ChangeMade") -> bool:
        """Return whether another one tells the same and lines that may have stood there before; of what went it may know nothing."""
        if not of.unsure:
            return False
        mine, theirs = (frozenset(line for line in change.lines if line[0] == "+") for change in (self, of))
        return _is_within(mine, theirs, of.unsure) or _is_within(self.came, of.came, of.came_unsure)


def _says_nearly(a: str, b: str) -> bool:
    """Return whether two lines, without blanks, differ only in texts, and these in a few letters.

    >>> _says_nearly("+a.py:raiseError('Noseatisleftforchildren.')", "+a.py:raiseError('Noseatleftforchildren.')")
    True
    >>> _says_nearly("+a.py:x=row['amount_paid']", "+a.py:x=row['amount_owed']"), _says_nearly("+a.py:x>1", "+a.py:x<1")
    (False, False)
    """
    texts = [_TEXT.findall(line) for line in (a, b)]
    if not texts[0] or len(texts[0]) != len(texts[1]) or _TEXT.sub("''", a) != _TEXT.sub("''", b):
        return False
    return all(likeness(x, y) >= LIKE_TEXT for x, y in zip(*texts, strict=True))


def _is_within(mine: frozenset[str], theirs: frozenset[str], unsure: frozenset[str]) -> bool:
    return bool(mine) and mine <= theirs and theirs - mine <= unsure


def _without_moved_comma(lines: set[str]) -> set[str]:
    """Return the lines of a place where one that went came again with a comma behind it, or without, as if it had stayed.

    So the same line is one change, whether it was put last in a list or before that.

    >>> sorted(_without_moved_comma({"-a.py:x,", "+a.py:x", "+a.py:y,"})), sorted(_without_moved_comma({"+a.py:y,"}))
    (['+a.py:y'], ['+a.py:y,'])
    """
    bare_ones = {line[1:].rstrip(",") for line in lines if line[0] == "-"} & {line[1:].rstrip(",") for line in lines if line[0] == "+"}
    if not bare_ones:
        return lines
    return {line.rstrip(",") for line in lines if line[1:].rstrip(",") not in bare_ones}


def _sides(hunk: Hunk, is_plain: bool) -> Iterator[tuple[str, str]]:
    """Yield the lines that went and those that came; what stands on both sides only where it is indented otherwise, and so marked."""
    kept = set(hunk.removed) & set(hunk.added)
    moved = {line.strip() for line in hunk.removed} & {line.strip() for line in hunk.added}
    for sign, lines in (("-", hunk.removed), ("+", hunk.added)):
        told = set(telling(lines, is_plain=is_plain))
        for line in lines:
            said = line.strip()
            if line not in kept and said in told and said != GAP and not is_bare(said, is_plain=is_plain):
                yield sign, f"{len(line) - len(line.lstrip())}|{said}" if said in moved else said


def _plain(line: str, names: dict[str, str], is_plain: bool) -> str:
    said = line if is_plain else _NAME.sub(lambda found: names.get(found[0], found[0]), bare(line)).replace('"', "'")
    return "".join(said.split())


def _local_names(hunks: Sequence[Hunk]) -> dict[str, str]:
    """Return the names that a change gives and uses itself, each with a number in their order."""
    went = set(_NAME.findall("\n".join(line for hunk in hunks for line in hunk.removed)))
    came = [line for hunk in hunks for line in hunk.added]
    used = _NAME.findall("\n".join(came))
    given = (name for line in came if (found := _GIVEN.search(line)) for name in found.groups() if name)
    local = dict.fromkeys(name for name in given if name not in went and used.count(name) >= MIN_USES)
    return {name: f"§{i}" for i, name in enumerate(local)}
