"""What a run left changed of files that were there before it: not every edit, but what stood there in the end. Pure.

A diff that the run showed at its end tells it; of its files only those that the run's own steps edited, for a working folder may hold
changes of somebody else. Where there is none, the edits are put together: one that rewrites what an earlier one wrote counts with it as
one, and what was put back is no change.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cache
from itertools import pairwise

from mcp_memory.domain.episode import Episode, Step, Use
from mcp_memory.domain.identifiers import is_full
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.learning.reading.changes import is_scratch
from mcp_memory.learning.reading.edit_slips import but_doubled, shifted_block
from mcp_memory.learning.reading.edits import DIFF, GAP, Edit, Hunk, Patched, edits_of, lines_kept, lines_seen, patched_by, pieces
from mcp_memory.learning.reading.file_uses import files_of, root_of, same_file, touches_in

MAX_LINES = 400  # of a text that is compared with another
CONTEXT = 3  # known lines between two that are not, from which on more of them make two places
MIN_SHARED_CHARS = 8  # of a text within another, from which an edit is of what an earlier one wrote


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that was there before, with what went and what came."""

    path: str  # relative to the working folder, where that is known
    step: int  # the last that changed it
    hunks: tuple[Hunk, ...]
    is_whole: bool = True  # False: some of what is known of it was cut out by who kept it


@dataclass(frozen=True, slots=True)
class _Kept:
    edit: Edit
    step: int


def left_changed(episode: Episode) -> list[FileChange]:
    """Return the files that the run changed and neither made nor only tried something out in, those changed last first."""
    steps = episode.steps
    files = files_of(episode)
    made = [file.path for file in files if file.use is Use.MADE]
    edits = [_Kept(edit, i) for i in range(len(steps)) if role_of(steps[i].key) is Role.ACTS for edit in edits_of(steps, i)]
    if not edits and not any(_is_patch(step) for step in steps):
        return []
    names = sorted((file.path for file in files), key=len, reverse=True)
    by_path: dict[str, list[_Kept]] = {}
    for one in edits:
        by_path.setdefault(one.edit.path, []).append(one)
    found = {path: FileChange(path, all_of[-1].step, _hunks(steps, all_of), _are_whole(all_of)) for path, all_of in by_path.items()}
    cut = {path: [one.edit.line for one in of_file if _only_cuts(one.edit)] for path, of_file in by_path.items()}
    found |= _patches(steps, found, cut)
    found = {path: replace(change, hunks=but_doubled(steps, change.hunks)) for path, change in found.items()}
    left = [change for change in found.values() if change.hunks and not is_scratch(change.path)]
    root = cache(lambda: root_of(episode, [touch for found in touches_in(steps) for touch in found]))  # few need it
    left = [replace(c, path=_named(c.path, names, root)) for c in left if not any(same_file(c.path, path) for path in made)]
    return sorted(left, key=lambda change: -change.step)


def changed_between(steps: Sequence[Step], start: int, end: int) -> list[FileChange]:
    """Return what the edits between two steps came to, by file, those edited last first; the paths as they were given."""
    by_path: dict[str, list[_Kept]] = {}
    for i in range(start + 1, end):
        for edit in edits_of(steps, i) if role_of(steps[i].key) is Role.ACTS else ():
            by_path.setdefault(edit.path, []).append(_Kept(edit, i))
    found = [FileChange(path, of_file[-1].step, _hunks(steps, of_file), _are_whole(of_file)) for path, of_file in by_path.items()]
    return sorted((change for change in found if change.hunks), key=lambda change: -change.step)


def _named(path: str, names: Sequence[str], root: Callable[[], str]) -> str:
    """Return a path relative to the working folder: by the name that the episode's files have, the longest, else by what its steps tell."""
    path = path.replace("\\", "/").removeprefix("./")
    if known := next((name for name in names if same_file(name, path) and (not is_full(path) or "/" in name)), ""):
        return known
    return path.removeprefix(root()) if is_full(path) else path


def _is_patch(step: Step) -> bool:
    return DIFF in step.observation or any(isinstance(value, str) and "*** " in value for value in step.arguments.values())


def _only_cuts(edit: Edit) -> bool:
    """Return whether an edit took out lines that had not been shown: only a diff says which."""
    return edit.before is None and not edit.after.strip()


def _patches(steps: Sequence[Step], edited: dict[str, FileChange], cut: Mapping[str, Collection[int]]) -> dict[str, FileChange]:
    """Return the files that patches changed, and those edited as the last diff that was shown after it says.

    *cut* is where lines that had not been shown were taken out of the edited files.
    """
    found: dict[str, FileChange] = {}
    for i, step in enumerate(steps):
        if step.failed or not _is_patch(step):
            continue
        shown = DIFF in step.observation
        for patched in patched_by(step):
            before = next((path for path in edited if same_file(path, patched.path)), None)
            knows_more = patched.is_whole or (before is not None and not _is_sure(edited[before].hunks) and _says_what_came(patched.hunks))
            own = before is not None and (_shares(edited[before].hunks, patched.hunks) or _went_there(patched.hunks, cut[before]))
            if before is not None and shown and knows_more and edited[before].step <= i and own:
                hunks = () if patched.is_new else (*patched.hunks, *_behind_the_cut(patched, edited[before].hunks))
                known = edited[before].is_whole and _is_sure(edited[before].hunks)  # by the edits themselves
                found[before] = FileChange(before, edited[before].step, hunks, patched.is_whole or known)
            elif before is not None and shown and edited[before].step <= i:
                begun = [part for hunk in edited[before].hunks for part in _with_its_beginning(hunk, patched.hunks)]
                found[before] = replace(edited[before], hunks=tuple(begun))
            elif before is None and not shown and not patched.is_new:
                earlier = found[patched.path].hunks if patched.path in found else ()
                found[patched.path] = FileChange(patched.path, i, (*earlier, *patched.hunks), patched.is_whole)
        if shown and step is steps[-1] and len(pieces(step.observation)) == 1:  # the whole of what is handed in: what it lacks was put back
            there = [patched.path for patched in patched_by(step)]
            gone = [path for path, change in edited.items() if not any(same_file(path, other) for other in there)]
            found.update({path: replace(edited[path], hunks=()) for path in gone})
    return found


def _with_its_beginning(hunk: Hunk, shown: Sequence[Hunk]) -> tuple[Hunk, ...]:
    """Return a hunk of which it is not known what went; its first line apart, where a cut diff says it stood indented otherwise."""
    gone = next((other.removed[0] for other in shown if other.line == hunk.line and other.removed and GAP in other.added), "")
    if hunk.is_sure or not hunk.line or not hunk.added or gone == hunk.added[0] or gone.strip() != hunk.added[0].strip():
        return (hunk,)
    return (Hunk(hunk.line, (gone,), hunk.added[:1]), replace(hunk, line=hunk.line + 1, added=hunk.added[1:]))


def _behind_the_cut(patched: Patched, edited: Sequence[Hunk]) -> list[Hunk]:
    """Return what a run edited below the place up to which a diff was kept."""
    end = 0 if patched.is_whole else max(hunk.line + len(hunk.added) for hunk in patched.hunks)
    return [hunk for hunk in edited if end and hunk.line > end]


def _shares(a: Sequence[Hunk], b: Sequence[Hunk]) -> bool:
    """Return whether two changes have a line in common that says something."""
    lines = [{line.strip() for hunk in hunks for line in (*hunk.removed, *hunk.added)} for hunks in (a, b)]
    return any(line and line != GAP for line in lines[0] & lines[1])


def _are_whole(edits: Sequence[_Kept]) -> bool:
    return all(len(pieces(text)) == 1 for kept in edits for text in (kept.edit.before or "", kept.edit.after))


def hunks_of(steps: Sequence[Step], edit: Edit, index: int) -> list[Hunk]:
    """Return what an edit of the step of that index changed, as far as it is known."""
    return _between(steps, _Kept(edit, index))


def hunks_asked(steps: Sequence[Step], edit: Edit, index: int) -> list[Hunk]:
    """Return what a refused edit would have changed, as far as it is known; of lines that nobody had shown those that are new."""
    known = lines_seen(steps[: index + 1], edit.path) | lines_kept(steps[: index + 1], edit.path)
    if edit.before is None:
        return [replace(hunk, is_sure=True) for piece in pieces(edit.after)[:1] for hunk in _unseen(piece, edit.line, known)]
    return [replace(hunk, is_sure=True) for hunk in hunks_of(steps, edit, index)]


def _is_sure(hunks: Sequence[Hunk]) -> bool:
    return all(hunk.is_sure for hunk in hunks)


def _says_what_came(hunks: Sequence[Hunk]) -> bool:
    return any(hunk.added not in ((), (GAP,)) for hunk in hunks)


def _went_there(hunks: Sequence[Hunk], lines: Collection[int]) -> bool:
    """Return whether something went just where lines were taken out."""
    return any(hunk.removed and hunk.line in lines for hunk in hunks)


def _hunks(steps: Sequence[Step], edits: Sequence[_Kept]) -> tuple[Hunk, ...]:
    return tuple(hunk for kept in _together(edits) for hunk in _between(steps, kept))


def _together(edits: Sequence[_Kept]) -> list[_Kept]:
    """Return the edits of a file with those as one that rewrite what an earlier one wrote."""
    kept: list[_Kept] = []
    for new in edits:
        for at in range(len(kept) - 1, -1, -1):
            if (both := _joined(kept[at].edit, new.edit)) is not None:
                kept[at] = _Kept(both, new.step)
                break
        else:
            kept.append(new)
    return [one for one in kept if one.edit.before != one.edit.after]


def _joined(old: Edit, new: Edit) -> Edit | None:
    """Return two edits as one where the second is of what the first wrote, else None."""
    if new.before is None:
        return None
    if _is_within(new.before, old.after):
        return replace(old, after=old.after.replace(new.before, new.after, 1))
    if _is_within(old.after, new.before) and old.before is not None:
        return replace(new, before=new.before.replace(old.after, old.before, 1))
    return None


def _is_within(part: str, whole: str) -> bool:
    return len(part.strip()) >= MIN_SHARED_CHARS and part in whole


def _between(steps: Sequence[Step], kept: _Kept) -> list[Hunk]:
    """Return what differs of the two texts of an edit; where one is not known as a whole, the lines that nobody has seen before.

    Where some of the old text was left out, what stands behind that may have stood there before.
    """
    edit = kept.edit
    new, known = pieces(edit.after), frozenset[str]()
    if edit.before is None:
        known = lines_seen(steps[: kept.step], edit.path)
    else:
        old = pieces(edit.before)
        if len(new) == len(old) == 1 and max(len(old[0]), len(new[0])) <= MAX_LINES:
            codes = SequenceMatcher(None, old[0], new[0], autojunk=False).get_opcodes()
            return [
                Hunk(edit.line + j if edit.line else 0, old[0][i:i_end], new[0][j:j_end])
                for tag, i, i_end, j, j_end in codes
                if tag != "equal"
            ]
        known = frozenset(" ".join(line.split()) for piece in old for line in piece)
        if len(old) > 1:
            new = [new[0][: len(old[0])]]
    lines = [edit.line, *[0] * (len(new) - 1)]  # by how much a cut moves what follows it is not known
    moved = shifted_block(steps[: kept.step], edit, new[0]) if edit.before is None else []
    return [*moved, *(hunk for piece, line in zip(new, lines, strict=True) for hunk in _unseen(piece, line, known))]


def _unseen(lines: Sequence[str], line: int, known: Collection[str]) -> Iterator[Hunk]:
    """Yield the lines that are not known, with the few that stand between them, `line` being where the first of all stands."""
    came = [i for i, text in enumerate(lines) if text.strip() and " ".join(text.split()) not in known]
    starts = [n for n, i in enumerate(came) if n == 0 or i - came[n - 1] > CONTEXT + 1]
    for start, end in pairwise([*starts, len(came)]):
        first, last = came[start], came[end - 1]
        yield Hunk(line + first if line else 0, (), tuple(lines[first : last + 1]), is_sure=False)
