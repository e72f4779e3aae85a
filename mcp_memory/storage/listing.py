"""Listings with filters: the one place where SQL is put together at run time. Values are always bound, never pasted in."""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from mcp_memory.domain.episode import EpisodeState
from mcp_memory.domain.filtering import fold
from mcp_memory.domain.query import ANY_PROJECT, Filter, Page, Sort, TextQuery
from mcp_memory.errors import InvalidInput
from mcp_memory.storage.queries import IN_LIST
from mcp_memory.storage.tables import Tables
from mcp_memory.storage.text_expression import NOTHING, bm25, expression

_CURSOR_VERSION = 1
_HITS = """WITH hit (episode_row) AS (
    SELECT t.episode_row FROM episode_text AS f CROSS JOIN trace AS t ON t.seq = f.rowid WHERE f.episode_text MATCH ?
    UNION ALL
    SELECT rowid FROM unfinished_text WHERE unfinished_text MATCH ?
)"""
_RANKED_HITS = """WITH hit (episode_row, rank) AS (
    SELECT t.episode_row, f.rank FROM episode_text AS f CROSS JOIN trace AS t ON t.seq = f.rowid
    WHERE f.episode_text MATCH ? AND f.rank MATCH ?
    UNION ALL
    SELECT rowid, rank FROM unfinished_text WHERE unfinished_text MATCH ? AND rank MATCH ?
)"""  # for relevance only: the rank of every hit costs ten times the finding of it
# `filtering.is_named` and `filtering.in_time` in SQL; a property test holds them together. Plain ASCII is compared without leaving SQLite.
_NAMED = "({column} = ? COLLATE NOCASE OR ({column} GLOB '*[^ -~]*' AND fold({column}) = ?))"
_AT = "coalesce(e.ended_at_ms, e.started_at_ms)"
# The first rows of all projects in the order of time are the first of the first rows of each, which `episode_by_start` has in order:
# at 100,000 episodes of 6 projects .2 ms instead of 37. The inner `e` is one project's.
_EVERY_PROJECT = """WITH RECURSIVE known (project) AS (
    SELECT min(project) FROM episode
    UNION ALL
    SELECT (SELECT min(project) FROM episode WHERE project > known.project) FROM known WHERE known.project IS NOT NULL
)"""
_OF_EACH = """SELECT e.id, e.episode_row, {key} FROM known CROSS JOIN episode AS e ON e.episode_row IN (
    SELECT e.episode_row FROM episode AS e WHERE e.project = known.project AND {conditions} {order}
) {order}"""
_BY_TIME = (Sort.NEWEST, Sort.OLDEST)
# sort → (key, ascending). The row number breaks ties, so that a listing has one order.
_KEYS = {
    Sort.NEWEST: ("e.started_at_ms", False),
    Sort.OLDEST: ("e.started_at_ms", True),
    Sort.REWARD: ("coalesce(e.reward, -1.0)", False),
    Sort.DURATION: ("coalesce(e.ended_at_ms - e.started_at_ms, -1)", False),
    Sort.RELEVANCE: ("h.rank", True),
}


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a listing goes on: after (key, row), or at an offset for relevance, among the rows there were at the first page."""

    change_seq: int
    last_row: int
    key: float | int
    row: int


def list_episodes(tables: Tables, where: Filter, sort: Sort, limit: int, cursor: str | None, text: TextQuery | None) -> Page:
    """Return one page of ids, the cursor of the next and the total, as of the change sequence of the first page.

    Episodes that started after the first page was made do not appear in later ones.
    """
    match = None if text is None else expression(text) or NOTHING
    if sort is Sort.RELEVANCE and match is None:
        sort = Sort.NEWEST
    mark = _mark(where, sort, match)
    at = _decode(cursor, mark) if cursor else None
    change_seq = at.change_seq if at else tables.value("last_change")
    last_row = at.last_row if at else tables.rows("SELECT coalesce(max(episode_row), 0) FROM episode", [])[0][0]
    conditions, values = _conditions(where)
    conditions.append("+e.episode_row <= ?")  # +: of no index, so that the count can be one of a covering index
    values.append(last_row)
    condition = " AND ".join(conditions)
    source = "FROM episode AS e"
    hits: tuple[str, list[str | None]] = ("", [])
    ranked_hits = hits
    if text is not None:
        source = "FROM hit AS h CROSS JOIN episode AS e USING (episode_row)"
        hits, ranked_hits = (_HITS, [match] * 2), (_RANKED_HITS, [match, bm25(text.weights)] * 2)
    total = tables.rows(f"{hits[0]} SELECT count(*) {source} WHERE {condition}", [*hits[1], *values])[0][0]
    prefix, matches = ranked_hits if sort is Sort.RELEVANCE else hits
    many = not where.state or where.state == EpisodeState.COMPLETED  # nearly all rows; the others are few, and found by their state
    if sort in _BY_TIME and many:
        conditions = [condition.replace("e.state =", "+e.state =") for condition in conditions]
    if sort in _BY_TIME and many and text is None and where.project in ("", ANY_PROJECT) and not where.projects:
        rows = _page_of_each(tables, conditions, values, sort, limit, at)
    else:
        rows = _page(tables, f"{prefix} SELECT e.id, e.episode_row, {{key}} {source}", conditions, [*matches, *values], sort, limit, at)
    more = len(rows) > limit
    rows = rows[:limit]
    following = None
    if more:
        offset = sort is Sort.RELEVANCE
        key, row = ((at.row if at else 0) + limit,) * 2 if offset else (rows[-1][2], rows[-1][1])
        following = _encode(_Position(change_seq, last_row, key, row), mark)
    return Page(tuple(row[0] for row in rows), following, total)


def _page(
    tables: Tables, select: str, conditions: list[str], values: list[Any], sort: Sort, limit: int, at: _Position | None
) -> list[tuple[Any, ...]]:
    key, ascending = _KEYS[sort]
    direction = "ASC" if ascending else "DESC"
    offset = 0
    if at and sort is Sort.RELEVANCE:  # bm25 moves with every new document: a position by score would skip and repeat
        offset = at.row
    elif at:
        conditions = [*conditions, f"({key}, e.episode_row) {'>' if ascending else '<'} (?, ?)"]
        values = [*values, at.key, at.row]
    sql = (
        f"{select.format(key=key)} WHERE {' AND '.join(conditions)} ORDER BY {key} {direction}, e.episode_row {direction} LIMIT ? OFFSET ?"
    )
    return tables.rows(sql, [*values, limit + 1, offset])


def _page_of_each(
    tables: Tables, conditions: list[str], values: list[Any], sort: Sort, limit: int, at: _Position | None
) -> list[tuple[Any, ...]]:
    """Return what `_page` does, of all projects in the order of time: from the first rows of each project."""
    key, ascending = _KEYS[sort]
    direction = "ASC" if ascending else "DESC"
    order = f"ORDER BY {key} {direction}, e.episode_row {direction} LIMIT ?"
    if at:
        conditions = [*conditions, f"({key}, e.episode_row) {'>' if ascending else '<'} (?, ?)"]
        values = [*values, at.key, at.row]
    sql = _OF_EACH.format(key=key, conditions=" AND ".join(conditions), order=order)
    return tables.rows(f"{_EVERY_PROJECT} {sql}", [*values, limit + 1, limit + 1])


def _conditions(where: Filter) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    if not where.quarantined:
        conditions.append("e.episode_row NOT IN (SELECT episode_row FROM quarantined_episode)")
    project = "" if where.project == ANY_PROJECT else where.project
    for column, value in (
        ("project", project),
        ("task_type", where.task_type),
        ("outcome", where.outcome),
        ("state", where.state),
    ):
        if value:
            conditions.append(f"e.{column} = ?")
            values.append(str(value))
    if where.projects:
        conditions.append(f"e.project {IN_LIST}")
        values.append(json.dumps(where.projects))
    for column, value in (("domain", where.domain), ("language", where.language), ("framework", where.framework)):
        if value:
            conditions.append(_NAMED.format(column=f"e.{column}"))
            values += [fold(value)] * 2
    if where.since_ms is not None:
        conditions.append(f"{_AT} >= ?")
        values.append(where.since_ms)
    if where.until_ms is not None:
        conditions.append(f"{_AT} < ?")
        values.append(where.until_ms)
    for tag in where.tags:
        conditions.append(f"e.episode_row IN (SELECT g.episode_row FROM episode_tag AS g WHERE {_NAMED.format(column='g.tag')})")
        values += [fold(tag)] * 2
    return conditions, values


def _mark(where: Filter, sort: Sort, text_match: str | None) -> str:
    """Return what ties a cursor to its listing."""
    return hashlib.blake2b(repr((where, str(sort), text_match)).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _encode(position: _Position, mark: str) -> str:
    fields = [_CURSOR_VERSION, mark, position.change_seq, position.last_row, position.key, position.row]
    return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode().rstrip("=")


def _decode(cursor: str, mark: str) -> _Position:
    try:
        fields = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
        version, found, change_seq, last_row, key, row = fields
        if version != _CURSOR_VERSION or not all(type(x) is int for x in (change_seq, last_row, row)) or type(key) not in (int, float):
            raise ValueError
    except (ValueError, TypeError, binascii.Error, UnicodeError):
        raise InvalidInput("`cursor` is not one this server made", hint="Leave it out to start from the first page.") from None
    if found != mark:
        raise InvalidInput("`cursor` belongs to another query", hint="Repeat the call it came from with the same arguments.")
    return _Position(change_seq, last_row, key, row)
