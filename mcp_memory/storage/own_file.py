"""A copied data directory gets a replica id of its own: two machines of one name would write different facts under one id."""

from pathlib import Path

from mcp_memory.storage.connection import Connection, begin, translated
from mcp_memory.storage.queries import QUERIES
from mcp_memory.storage.tables import Tables


def require_own_name(connection: Connection, path: Path, deadline_ms: int) -> None:
    """Mint another replica id where *path* is not the file that the one in it was minted for; one read where it is.

    A file that was moved to another disk or restored looks like a copied one, which does no harm. Raises StoreUnavailable, CorruptRecord.
    """
    file_id = str(path.stat().st_ino)
    with translated():
        if _known(connection) == [(file_id,)]:
            return
        begin(connection, deadline_ms)
        try:
            known = _known(connection)  # again: another process may have been faster
            if known and known != [(file_id,)]:
                connection.execute(QUERIES["mint_replica"])
                connection.execute(QUERIES["no_batches_yet"])
                connection.execute(QUERIES["sum_remotes"])
            connection.execute(QUERIES["note_file"], (file_id,))
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _known(connection: Connection) -> list[tuple[str]]:
    return [(row[0],) for row in Tables(connection).sound("own_file")]
