"""Where the next page of a query starts, as an opaque string that fits this query only.

The pages of a query hold every row once and in one order, as long as the memory stays as it is. When it changed in between, the pages go
on in the new order and say so: a row may then be seen twice or not at all. Refusing would make a busy memory impossible to page through.
"""

import base64
import hashlib
from dataclasses import dataclass

from mcp_memory.domain import limits
from mcp_memory.domain.query import Query
from mcp_memory.errors import InvalidInput

MAX_OFFSET = 100_000
CHANGED = "the memory has changed since the page before: rows may be repeated or missing; leave `cursor` out to start again"


@dataclass(frozen=True, slots=True)
class Position:
    """The number of rows before a page, and what the page before was made from: change sequence and time (None: now)."""

    offset: int = 0
    seq: int = 0
    as_of_ms: int | None = None

    def lesser(self, seq: int) -> tuple[str, ...]:
        """Return what is to be said of a page that starts here and is made from the views at *seq*."""
        return (CHANGED,) if self.offset and seq != self.seq else ()


def make_cursor(query: Query, position: Position) -> str:
    """Return where the next page of *query* starts, as an opaque string."""
    fields = ("r2", _fingerprint(query), position.offset, position.seq, position.as_of_ms or 0)
    return base64.urlsafe_b64encode(".".join(map(str, fields)).encode()).decode()


def read_cursor(cursor: str | None, query: Query) -> Position:
    """Return the position a cursor stands for; the first page for none. Raises InvalidInput when it belongs to another query."""
    if not cursor:
        return Position()
    try:
        version, fingerprint, *numbers = base64.urlsafe_b64decode(cursor).decode().split(".")
        offset, seq, as_of_ms = map(int, numbers)
        if version != "r2" or fingerprint != _fingerprint(query) or not 0 <= offset <= MAX_OFFSET or not 0 <= as_of_ms <= limits.MAX_INT:
            raise ValueError
        return Position(offset, seq, as_of_ms or None)
    except ValueError:
        raise InvalidInput(
            "`cursor` does not belong to this query", hint="Repeat the query with the same arguments, or leave `cursor` out."
        ) from None


def _fingerprint(query: Query) -> str:
    return hashlib.blake2b(repr((query.text, query.filter, query.strict)).encode(), digest_size=6).hexdigest()
