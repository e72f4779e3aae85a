"""Where the next page of a query starts, as an opaque string that fits this query only."""

import base64
import hashlib

from mcp_memory.domain.query import Query
from mcp_memory.errors import InvalidInput

MAX_OFFSET = 100_000


def make_cursor(query: Query, offset: int) -> str:
    """Return where the next page of *query* starts, as an opaque string."""
    return base64.urlsafe_b64encode(f"r1.{_fingerprint(query)}.{offset}".encode()).decode()


def read_cursor(cursor: str | None, query: Query) -> int:
    """Return the offset a cursor stands for; 0 for none. Raises InvalidInput when it belongs to another query."""
    if not cursor:
        return 0
    try:
        version, fingerprint, offset = base64.urlsafe_b64decode(cursor).decode().split(".")
        if version != "r1" or fingerprint != _fingerprint(query) or not 0 <= int(offset) <= MAX_OFFSET:
            raise ValueError
        return int(offset)
    except ValueError:
        raise InvalidInput(
            "`cursor` does not belong to this query", hint="Repeat the query with the same arguments, or leave `cursor` out."
        ) from None


def _fingerprint(query: Query) -> str:
    return hashlib.blake2b(repr((query.text, query.filter, query.strict)).encode(), digest_size=6).hexdigest()
