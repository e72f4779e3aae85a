"""Attempts at one task aligned to one of them, column by column. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from mcp_memory.domain.answers import EpisodeRow
from mcp_memory.domain.episode import Episode, OutcomeKind, Step
from mcp_memory.domain.fingerprints import target
from mcp_memory.domain.forks import Did, ForkCell, ForkColumn, ForkRow
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.attempts import MAX_ROUTE, common
from mcp_memory.learning.reading.brief import brief
from mcp_memory.learning.reading.changes import change_of
from mcp_memory.learning.reading.run import message_of

BRIEF_CHARS, ERROR_CHARS = 90, 140
MAX_KEYS = 8  # of steps besides the reference's that are named
_PARTS_GAP = 0.5  # between the shares of successes and failures that did the same, where they part


@dataclass(frozen=True, slots=True)
class _Move:
    """Steps of one kind in a row, as one move."""

    key: str
    first: int
    count: int
    said: int  # the step that tells most: the last that changed something, else the last
    target: int
    failed: bool


def aligned(
    reference: Episode, others: Sequence[tuple[Episode, EpisodeRow, float]], row: EpisodeRow
) -> tuple[tuple[ForkColumn, ...], tuple[ForkRow, ...], int]:
    """Return columns, rows (the reference's own first) and how many moves of the reference are not shown.

    A success holds no column for a call that failed in it. Cost: the product of two lengths an attempt, each at most 80 moves.
    """
    every = [move for move in _moves(reference.steps) if not (move.failed and reference.success)]
    trunk = every[:MAX_ROUTE]
    own = tuple(ForkCell(_did(m, m), m.first, m.count, _brief(reference.steps, m), _error(reference.steps, m)) for m in trunk)
    rows = [ForkRow(row, reference.agent, 1.0, own), *(_row(trunk, reference, *other) for other in others)]
    good = [r for r in rows[1:] if r.episode.outcome == OutcomeKind.SUCCESS]
    bad = [r for r in rows[1:] if r.episode.outcome != OutcomeKind.SUCCESS]
    columns = [
        ForkColumn(move.first, move.key, own[i].brief, _same(good, i), _same(bad, i), _parts(_same(good, i) + 1, len(good) + 1, bad, i))
        for i, move in enumerate(trunk)
    ]
    return tuple(_first_parting(columns)), tuple(rows), len(every) - len(trunk)


def _first_parting(columns: Sequence[ForkColumn]) -> Iterator[ForkColumn]:
    """Yield the columns; of several in a row where failures part, the first says so."""
    before = False
    for column in columns:
        yield replace(column, parts=column.parts and not before)
        before = column.parts


def _parts(good: int, goods: int, bad: Sequence[ForkRow], i: int) -> bool:
    """Return whether failures leave here: most successes do this, the reference among them, and few failures do."""
    return bool(bad) and good / goods - _same(bad, i) / len(bad) >= _PARTS_GAP


def _same(rows: Sequence[ForkRow], i: int) -> int:
    return sum(r.cells[i].did is Did.SAME for r in rows)


def _row(trunk: Sequence[_Move], reference: Episode, episode: Episode, row: EpisodeRow, similarity: float) -> ForkRow:
    moves = _moves(episode.steps)[: 2 * MAX_ROUTE]
    at = dict(_pairs(trunk, moves))
    cells, done = [], 0
    for i, column in enumerate(trunk):
        if i not in at:
            cells.append(ForkCell(Did.NOTHING))
        else:
            move = moves[at[i]]
            between, done = moves[done : at[i]], at[i] + 1
            cells.append(_cell(column, move, episode.steps, between))
    rest = moves[done:]
    failed = next((s for s in reversed(episode.steps) if s.failed), None)
    standing = message_of(failed) if failed is not None and not episode.success else ""
    return ForkRow(row, episode.agent, similarity, tuple(cells), sum(m.count for m in rest), _keys(rest), standing)


def _cell(column: _Move, move: _Move, steps: Sequence[Step], between: Sequence[_Move]) -> ForkCell:
    error = _error(steps, move)
    before = sum(m.count for m in between)
    return ForkCell(_did(column, move), move.first, move.count, _brief(steps, move), error, before, _keys(between))


def _did(column: _Move, move: _Move) -> Did:
    if move.failed:
        return Did.FAILED
    known = column.target >= 0 and move.target >= 0
    return Did.OTHER if known and column.target != move.target else Did.SAME


def _pairs(a: Sequence[_Move], b: Sequence[_Move]) -> list[tuple[int, int]]:
    """Align two routes: first what is the same in tool and target, then the same tool in the gaps that leaves."""
    exact = common([(m.key, m.target, m.failed) for m in a], [(m.key, m.target, m.failed) for m in b])
    pairs, i, j = [], 0, 0
    for x, y in [*exact, (len(a), len(b))]:
        pairs += [(i + p, j + q) for p, q in common([m.key for m in a[i:x]], [m.key for m in b[j:y]])]
        pairs.append((x, y))
        i, j = x + 1, y + 1
    return pairs[:-1]


def _moves(steps: Sequence[Step]) -> list[_Move]:
    moves = []
    for (key, _, _), group in groupby(range(len(steps)), key=lambda i: (steps[i].key, target(steps[i]), steps[i].failed)):
        at = list(group)
        said = next((i for i in reversed(at) if change_of(steps, i)), at[-1])
        moves.append(_Move(key, at[0], len(at), said, target(steps[said]), steps[at[-1]].failed))
    return moves


def _brief(steps: Sequence[Step], move: _Move) -> str:
    said = brief(steps, move.said, BRIEF_CHARS)
    return said.removeprefix(move.key).removeprefix(steps[move.said].tool).strip() or move.key


def _error(steps: Sequence[Step], move: _Move) -> str:
    return shorten(message_of(steps[move.said]), ERROR_CHARS) if move.failed else ""


def _keys(moves: Sequence[_Move]) -> tuple[str, ...]:
    return tuple(f"{m.key} ✗" if m.failed else m.key for m in moves[:MAX_KEYS])
