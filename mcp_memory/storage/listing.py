"""Listings with filters: the one place where SQL is put together at run time. Values are always bound, never pasted in."""

import json
from typing import Any

from mcp_memory.domain.episode import EpisodeState
from mcp_memory.domain.filtering import fold
from mcp_memory.domain.query import ANY_PROJECT, Filter, Page, Sort, TextQuery
from mcp_memory.storage import text_listing
from mcp_memory.storage.listing_position import Position, decoded, encoded, mark_of
from mcp_memory.storage.queries import IN_LIST
from mcp_memory.storage.tables import Tables
from mcp_memory.storage.text_expression import NOTHING, expression

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
_OF_EACH = """SELECT e.id, {key}, e.episode_row FROM known CROSS JOIN episode AS e ON e.episode_row IN (
    SELECT e.episode_row FROM episode AS e WHERE e.project = known.project AND {conditions} {order}
) {order}"""
_BY_TIME = (Sort.NEWEST, Sort.OLDEST)
# sort → (key, ascending). The row number breaks ties, so that a listing has one order.
_KEYS = {
    Sort.NEWEST: ("e.started_at_ms", False),
    Sort.OLDEST: ("e.started_at_ms", True),
    Sort.REWARD: ("coalesce(e.reward, -1.0)", False),
    Sort.DURATION: ("coalesce(e.ended_at_ms - e.started_at_ms, -1)", False),
}


def list_episodes(tables: Tables, where: Filter, sort: Sort, limit: int, cursor: str | None, text: TextQuery | None) -> Page:
    """Return one page of ids, the cursor of the next and the total, as of the change sequence of the first page.

    Episodes that started after the first page was made do not appear in later ones.
    """
    match = "" if text is None else expression(text) or NOTHING
    if sort is Sort.RELEVANCE and text is None:
        sort = Sort.NEWEST
    mark = mark_of(where, sort, match)
    at = decoded(cursor, mark) if cursor else None
    last_row = at.last_row if at else tables.rows("SELECT coalesce(max(episode_row), 0) FROM episode", [])[0][0]
    conditions, values = _conditions(where)
    conditions.append("+e.episode_row <= ?")  # +: of no index, so that the count can be one of a covering index
    values.append(last_row)
    condition = " AND ".join(conditions)
    if at:
        total, more_than_total, ranked = at.total, at.more_than_total, at.ranked
    elif text is None:
        (total, more_than_total), ranked = _counted(tables, where, condition, values), 0
    else:
        total, more_than_total = text_listing.counted(tables, where, match, condition, values)
        ranked = text_listing.chosen(tables, text, match) if sort is Sort.RELEVANCE else 0
    wanted = limit + 1 if at or more_than_total else min(limit + 1, total)  # all that there are: nobody looks for one more
    if text is not None and sort is Sort.RELEVANCE:
        rows = text_listing.by_relevance(tables, where, text, condition, values, wanted, ranked, at)
    else:
        rows = _in_order(tables, where, conditions, values, sort, wanted, match, at)
    following = None
    if len(rows) > limit:
        _, key, row = rows[limit - 1]
        change_seq = at.change_seq if at else tables.value("last_change")
        following = encoded(Position(change_seq, last_row, total, more_than_total, ranked, key, row), mark)
    return Page(tuple(row[0] for row in rows[:limit]), following, total, more_than_total)


def _counted(tables: Tables, where: Filter, condition: str, values: list[Any]) -> tuple[int, bool]:
    """Return how many rows meet the conditions, and whether counting stopped there: at a bound, where no index counts them."""
    by_index = Filter(project=where.project, projects=where.projects, state=where.state, quarantined=where.quarantined) == where
    most = -1 if by_index else text_listing.MAX_COUNTED + 1
    if not by_index and where.state == EpisodeState.COMPLETED:  # nearly all rows: the index would only lead to each of them
        condition = condition.replace("e.state =", "+e.state =")
    found: int = tables.rows(f"SELECT count(*) FROM (SELECT 1 FROM episode AS e WHERE {condition} LIMIT ?)", [*values, most])[0][0]
    return (found, False) if by_index else (min(found, text_listing.MAX_COUNTED), found > text_listing.MAX_COUNTED)


def _in_order(
    tables: Tables, where: Filter, conditions: list[str], values: list[Any], sort: Sort, limit: int, match: str, at: Position | None
) -> list[tuple[Any, ...]]:
    """Return at most *limit* rows as (id, key, row), of any order but relevance."""
    many = not where.state or where.state == EpisodeState.COMPLETED  # nearly all rows; the others are few, and found by their state
    if sort in _BY_TIME and many:
        conditions = [condition.replace("e.state =", "+e.state =") for condition in conditions]
        if not match and where.project in ("", ANY_PROJECT) and not where.projects:
            return _page_of_each(tables, conditions, values, sort, limit, at)
    if not match:
        return _page(tables, "SELECT e.id, {key}, e.episode_row FROM episode AS e", conditions, values, sort, limit, at)
    prefix, matches = text_listing.hits(where, match)
    select = f"{prefix} SELECT e.id, {{key}}, e.episode_row {text_listing.FROM_HITS}"
    return _page(tables, select, conditions, [*matches, *values], sort, limit, at)


def _page(
    tables: Tables, select: str, conditions: list[str], values: list[Any], sort: Sort, limit: int, at: Position | None
) -> list[tuple[Any, ...]]:
    key, ascending = _KEYS[sort]
    direction = "ASC" if ascending else "DESC"
    if at:
        conditions = [*conditions, f"({key}, e.episode_row) {'>' if ascending else '<'} (?, ?)"]
        values = [*values, at.key, at.row]
    sql = f"{select.format(key=key)} WHERE {' AND '.join(conditions)} ORDER BY {key} {direction}, e.episode_row {direction} LIMIT ?"
    return tables.rows(sql, [*values, limit])


def _page_of_each(
    tables: Tables, conditions: list[str], values: list[Any], sort: Sort, limit: int, at: Position | None
) -> list[tuple[Any, ...]]:
    """Return what `_page` does, of all projects in the order of time: from the first rows of each project."""
    key, ascending = _KEYS[sort]
    direction = "ASC" if ascending else "DESC"
    order = f"ORDER BY {key} {direction}, e.episode_row {direction} LIMIT ?"
    if at:
        conditions = [*conditions, f"({key}, e.episode_row) {'>' if ascending else '<'} (?, ?)"]
        values = [*values, at.key, at.row]
    sql = _OF_EACH.format(key=key, conditions=" AND ".join(conditions), order=order)
    return tables.rows(f"{_EVERY_PROJECT} {sql}", [*values, limit, limit])


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
