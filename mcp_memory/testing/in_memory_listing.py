"""Listings of the in-memory store: filtered, sorted, a page at a time."""

import base64
import json

from mcp_memory.domain.filtering import admits_episode
from mcp_memory.domain.query import Filter, Page, Sort, TextQuery
from mcp_memory.errors import InvalidInput
from mcp_memory.testing.records import Records


def list_episodes(records: Records, where: Filter, sort: Sort, limit: int, cursor: str | None, text: TextQuery | None, now: int) -> Page:
    """Return a page of the episodes that *where* admits; *now* is the change sequence, which a first page's cursor keeps."""
    mark = repr((where, str(sort), text))
    change_seq, last_row, offset = _decode(cursor, mark) if cursor else (now, records.next_row - 1, 0)
    scores = _scores(records, text) if text is not None else None
    found = [r for r in records.episodes.values() if r.row <= last_row and admits_episode(where, r.episode)]
    found = [r for r in found if where.quarantined or not records.is_quarantined(r.base.id)]
    if scores is not None:
        found = [r for r in found if r.row in scores]
    found.sort(key=lambda r: r.row, reverse=not (sort is Sort.OLDEST or (sort is Sort.RELEVANCE and scores is not None)))
    if sort is Sort.RELEVANCE and scores is not None:
        found.sort(key=lambda r: -scores[r.row])
    elif sort is Sort.REWARD:
        found.sort(key=lambda r: -(r.episode.reward.score if r.episode.reward else -1.0))
    elif sort is Sort.DURATION:
        found.sort(key=lambda r: -(r.base.ended_at_ms - r.base.started_at_ms if r.base.ended_at_ms is not None else -1))
    else:
        found.sort(key=lambda r: r.base.started_at_ms * (1 if sort is Sort.OLDEST else -1))
    page = found[offset : offset + limit]
    more = offset + limit < len(found)
    following = _encode(change_seq, last_row, offset + limit, mark) if more else None
    return Page(tuple(r.base.id for r in page), following, len(found))


def _scores(records: Records, query: TextQuery) -> dict[int, float]:
    rows = {r.seq: r.row for r in records.episodes.values() if r.seq}
    scores = {rows[seq]: score for seq, score in records.completed_text.search(query)}
    return scores | dict(records.unfinished_text.search(query))


def _encode(change_seq: int, last_row: int, offset: int, mark: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([change_seq, last_row, offset, mark]).encode()).decode()


def _decode(cursor: str, mark: str) -> tuple[int, int, int]:
    try:
        change_seq, last_row, offset, found = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, TypeError):
        raise InvalidInput("`cursor` is not one this server made") from None
    if found != mark:
        raise InvalidInput("`cursor` belongs to another query")
    return change_seq, last_row, offset
