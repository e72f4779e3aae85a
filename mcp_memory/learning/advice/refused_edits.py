"""What made refused edits go through after all, told to whose edit was refused for the same error. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mcp_memory.domain.episode import Episode, Step
from mcp_memory.learning.reading.edit_mends import Kind, Mend, RefusedEdit, mend_of, own_place
from mcp_memory.phrases import advice as phrases

MIN_ALIKE = 2  # edits that went through with one and the same difference, which are also more than half of all
MAX_READ = 16  # failures that are looked at, the latest
Failure = tuple[Episode, int]


class MendTold(NamedTuple):
    """What was different, in how many of how many edits that went through (0: not counted), and where one of them is."""

    text: str
    times: int
    of: int
    episode_id: str


def mend_told(steps: Sequence[Step], failures: Iterable[Failure], *, is_all: bool = True) -> MendTold | None:
    """Return what most of the edits that met the same error went through with; None where they have nothing in common.

    Only edits like this one count, of the head of a file or within it, the text at the margin or not: each kind is mended otherwise. Where
    this one's text does not stand as the line does that it was to replace, any within a file do, and one that was indented is enough.

    Args:
        steps: Of the run that asks, whose last one is the refused edit.
        failures: Earlier edits that were refused for the same error, the latest first.
        is_all: Whether these are all there are; else nothing is counted.
    """
    own = RefusedEdit.of(steps[-1])
    if own is None:
        return None
    place = own_place(steps, len(steps) - 1)
    is_shifted = place is not None and place[1] != place[2]
    mended = list(_mended(own, failures, is_shifted=is_shifted))
    (kind, times), *_ = [*Counter(mend.kind for _, _, mend in mended).most_common(1), (Kind.OTHER, 0)]
    least = 1 if is_shifted and kind is Kind.INDENTED else MIN_ALIKE
    if kind is Kind.OTHER or times < least or 2 * times <= len(mended) or (kind is Kind.INDENTED and place and place[1] == place[2]):
        return None
    alike = [one for one in mended if one[2].kind is kind]
    episode, _, mend = min(alike, key=lambda one: one[1].path != own.path)
    return MendTold(_told(mend, place), *((times, len(mended)) if is_all else (0, 0)), episode.id)


def _mended(own: RefusedEdit, failures: Iterable[Failure], *, is_shifted: bool) -> Iterable[tuple[Episode, RefusedEdit, Mend]]:
    for episode, index in failures:
        edit = RefusedEdit.of(episode.steps[index])
        if edit is None:
            continue
        is_like = own.is_like(edit) or (is_shifted and not edit.old and edit.first > 1 and own.first > 1)
        if is_like and (mend := mend_of(episode.steps, index)):
            yield episode, edit, mend


def _told(mend: Mend, place: tuple[int, int, int] | None) -> str:
    if mend.kind is Kind.GIVEN:
        return phrases.name_given(mend.now, mend.then)
    if mend.kind is Kind.INDENTED:
        return phrases.indented(mend.now, mend.then, place)
    return phrases.other_lines(mend.now, mend.then, more=mend.kind is Kind.MORE)
