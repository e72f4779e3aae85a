"""Where a listing goes on: what a cursor says, and what ties it to its listing."""

import base64
import binascii
import hashlib
import json
from dataclasses import astuple, dataclass

from mcp_memory.domain.query import Filter, Sort
from mcp_memory.errors import InvalidInput

_CURSOR_VERSION = 2


@dataclass(frozen=True, slots=True)
class Position:
    """After (key, row), among the rows there were at the first page, which were counted there."""

    change_seq: int
    last_row: int
    total: int
    more_than_total: bool
    ranked: int  # which parts of a text rank, `text_listing.chosen`
    key: float | int
    row: int


def mark_of(where: Filter, sort: Sort, text_match: str | None) -> str:
    """Return what ties a cursor to its listing."""
    return hashlib.blake2b(repr((where, str(sort), text_match)).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def encoded(position: Position, mark: str) -> str:
    """Return a position as a cursor of its listing."""
    fields = [_CURSOR_VERSION, mark, *astuple(position)]
    return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode().rstrip("=")


def decoded(cursor: str, mark: str) -> Position:
    """Return the position that a cursor names. Raises InvalidInput: it is none of ours, or of another listing."""
    try:
        version, found, *fields = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
        change_seq, last_row, total, more, ranked, key, row = fields
        whole = all(type(x) is int for x in (change_seq, last_row, total, ranked, row)) and type(key) in (int, float)
        storable = whole and all(
            abs(x) < 1 << 63 for x in (change_seq, last_row, total, key, row)
        )  # infinity and what is no number are not
        if version != _CURSOR_VERSION or not storable or type(more) is not bool:
            raise ValueError
    except (ValueError, TypeError, binascii.Error, UnicodeError, RecursionError):
        raise InvalidInput("`cursor` is not one this server made", hint="Leave it out to start from the first page.") from None
    if found != mark:
        raise InvalidInput("`cursor` belongs to another query", hint="Repeat the call it came from with the same arguments.")
    return Position(change_seq, last_row, total, more, ranked, key, row)
