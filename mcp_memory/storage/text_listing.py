"""Listings by words: what a page costs is bounded, however many episodes have the words.

Finding an episode that has a word costs a microsecond, counting it (its record is looked at) six, ranking it another ten. So rows are
counted up to a bound, and where too many are found, only the rarest parts of the request rank. What has none of those follows, the latest
first, and is read no further than the page goes.
"""

from collections.abc import Sequence
from typing import Any

from mcp_memory.domain.episode import EpisodeState
from mcp_memory.domain.query import ANY_PROJECT, Filter, TextQuery
from mcp_memory.storage.listing_position import Position
from mcp_memory.storage.tables import Tables
from mcp_memory.storage.text_expression import NOTHING, bm25, joined, parts

MAX_COUNTED = 5_000  # beyond, a listing by words or by what no index counts says that there are more
MAX_RANKED = 10_000  # hits, of all parts that rank together: 20 ms of processor time
ALL = -1  # every part ranks: there are few hits
LAST = (1 << 63) - 1  # no row comes after it
_IN_RANKED = -1  # the key of a position among what ranks: its row is an offset
_COMPLETED, _UNFINISHED = range(2)  # the two indexes

_COMPLETED_HIT = "SELECT t.episode_row{rank} FROM episode_text AS f CROSS JOIN trace AS t ON t.seq = f.rowid WHERE f.episode_text MATCH ?"
_UNFINISHED_HIT = "SELECT f.rowid{rank} FROM unfinished_text AS f WHERE f.unfinished_text MATCH ?"
_COMPLETED_ROW = "FROM episode_text AS f CROSS JOIN trace AS t ON t.seq = f.rowid CROSS JOIN episode AS e USING (episode_row)"
_UNFINISHED_ROW = "FROM unfinished_text AS f CROSS JOIN episode AS e ON e.episode_row = f.rowid"
_SOURCES = {
    _UNFINISHED: (_UNFINISHED_HIT, _UNFINISHED_ROW, "unfinished_text"),
    _COMPLETED: (_COMPLETED_HIT, _COMPLETED_ROW, "episode_text"),
}
# A project's rows are found by its index, and of a word that many episodes have the numbers alone are read: where few of them are the
# project's, 30 ms at 100,000 instead of 110. The +: found once, instead of a search of the index for every row.
_COUNT_OF_PROJECT = """WITH completed (seq) AS MATERIALIZED (SELECT rowid FROM episode_text WHERE episode_text MATCH ?),
unfinished (episode_row) AS MATERIALIZED (SELECT rowid FROM unfinished_text WHERE unfinished_text MATCH ?)
SELECT count(*) FROM (
    SELECT 1 FROM episode AS e LEFT JOIN trace AS t USING (episode_row)
    WHERE (+t.seq IN (SELECT seq FROM completed) OR +e.episode_row IN (SELECT episode_row FROM unfinished)) AND {condition} LIMIT ?
)"""
FROM_HITS = "FROM hit AS h CROSS JOIN episode AS e USING (episode_row)"


def _indexes(where: Filter) -> Sequence[int]:
    """Return which of the two indexes can hold what *where* admits."""
    if where.state and where.state != EpisodeState.COMPLETED:
        return (_UNFINISHED,)
    return (_COMPLETED,) if where.state or where.outcome else (_UNFINISHED, _COMPLETED)


def hits(where: Filter, match: str) -> tuple[str, list[Any]]:
    """Return the rows that are found, as a table `hit`, and its values."""
    found = [_SOURCES[index][0].format(rank="") for index in _indexes(where)]
    return f"WITH hit (episode_row) AS ({' UNION ALL '.join(found)})", [match] * len(found)


def counted(tables: Tables, where: Filter, match: str, condition: str, values: Sequence[Any]) -> tuple[int, bool]:
    """Return how many are found, and whether counting stopped there."""
    of_projects = where.projects or where.project not in ("", ANY_PROJECT)
    if of_projects and _at_most(tables, match, MAX_RANKED) > MAX_RANKED:
        sql, matches = _COUNT_OF_PROJECT, [match, match]
    else:
        prefix, matches = hits(where, match)
        sql = f"{prefix} SELECT count(*) FROM (SELECT 1 {FROM_HITS} WHERE {{condition}} LIMIT ?)"
    found: int = tables.rows(sql.format(condition=condition), [*matches, *values, MAX_COUNTED + 1])[0][0]
    return min(found, MAX_COUNTED), found > MAX_COUNTED


def chosen(tables: Tables, text: TextQuery, match: str) -> int:
    """Return which parts of *text* rank: a bit for each, or ALL. The rarest do, as many as have MAX_RANKED hits together."""
    if _at_most(tables, match, MAX_RANKED) <= MAX_RANKED:
        return ALL
    left, ranked = MAX_RANKED, 0
    if not text.every:
        frequency = sorted((_at_most(tables, part, MAX_RANKED), at) for at, part in enumerate(parts(text)))
        for number, at in frequency:
            left -= number
            if left < 0:
                break
            ranked |= 1 << at
    return ranked


def _at_most(tables: Tables, match: str, bound: int) -> int:
    """Return how many completed episodes match; of more than *bound*, one more than that."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM episode_text WHERE episode_text MATCH ? LIMIT ?)"
    found: int = tables.rows(sql, [match, bound + 1])[0][0]
    return found


def by_relevance(
    tables: Tables, where: Filter, text: TextQuery, condition: str, values: Sequence[Any], limit: int, ranked: int, at: Position | None
) -> list[tuple[str, int, int]]:
    """Return at most *limit* rows as (id, key, row), where (key, row) is the position after it.

    That is how many of what ranks come before, or how far both indexes were read: by the number of completed rows, and of unfinished ones.
    """
    rows: list[tuple[str, int, int]] = []
    before = (LAST, LAST)
    if at and at.key != _IN_RANKED:
        before = (int(at.key), at.row)
    elif limit:
        rows = _ranked(tables, where, text, condition, values, limit, ranked, at.row if at else 0)
    if ranked != ALL and len(rows) < limit:
        rows += _unranked(tables, where, text, condition, values, limit - len(rows), ranked, before)
    return rows


def _ranked(
    tables: Tables, where: Filter, text: TextQuery, condition: str, values: Sequence[Any], limit: int, ranked: int, offset: int
) -> list[tuple[str, int, int]]:
    """Return the best of the parts that rank; bm25 moves with every new document, so that a position by score would skip and repeat."""
    match = _of_parts(text, ranked)
    found = [f"{_SOURCES[index][0].format(rank=', f.rank')} AND f.rank MATCH ?" for index in _indexes(where)]
    sql = (
        f"WITH hit (episode_row, rank) AS ({' UNION ALL '.join(found)}) SELECT e.id {FROM_HITS} "
        f"WHERE {condition} ORDER BY h.rank, e.episode_row LIMIT ? OFFSET ?"
    )
    rows = tables.rows(sql, [*[match, bm25(text.weights)] * len(found), *values, limit, offset])
    return [(row[0], _IN_RANKED, offset + number) for number, row in enumerate(rows, 1)]


def _unranked(
    tables: Tables, where: Filter, text: TextQuery, condition: str, values: Sequence[Any], limit: int, ranked: int, before: tuple[int, int]
) -> list[tuple[str, int, int]]:
    """Return the latest rows that have none of the parts that rank: both indexes are read from the end, no further than the limit."""
    match = f"({_of_parts(text, ALL)})" + (f" NOT ({_of_parts(text, ranked)})" if ranked else "")
    read: list[list[tuple[int, int, str]]] = [[], []]  # of each index: (when it started, row, id), the latest last
    for index in _indexes(where):
        _, source, table = _SOURCES[index]
        found = f"SELECT e.started_at_ms, f.rowid, e.id {source} WHERE f.{table} MATCH ? AND f.rowid < ? AND {condition}"
        sql = f"{found} ORDER BY f.rowid DESC LIMIT ?"
        read[index] = tables.rows(sql, [match, before[index], *values, limit])[::-1]
    rows: list[tuple[str, int, int]] = []
    reached = list(before)
    while len(rows) < limit and any(read):
        index = max((each for each in (_COMPLETED, _UNFINISHED) if read[each]), key=lambda each: read[each][-1][0])
        _, reached[index], episode_id = read[index].pop()
        rows.append((episode_id, reached[_COMPLETED], reached[_UNFINISHED]))
    return rows


def _of_parts(text: TextQuery, ranked: int) -> str:
    if text.every:
        return (joined(parts(text), every=True) if ranked == ALL else None) or NOTHING
    return joined([part for at, part in enumerate(parts(text)) if ranked >> at & 1]) or NOTHING
