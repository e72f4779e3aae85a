"""One memory-mapped file as the hot tier uses it: open, read, write, evict, start anew. The only module that knows lmdb.

A file that is damaged, truncated or of another format is thrown away: it only holds copies. Commits sync the data pages before
the page that refers to them (`metasync=False`), so a power cut loses the last entries and never the structure.
"""

import os
import struct
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

import lmdb

from mcp_memory import private
from mcp_memory.storage.lmdb_files import DATA_FILE, MAX_READERS, exclusive, identity, remove, reserve_lock_file

FORMAT = b"1"
MIN_MAP_BYTES = 1 << 20
FILL = 0.8  # share of the map that entries may take: LMDB copies pages on write and needs room for both
EVICT_SHARE = 0.1  # of the fill limit, freed at once, so that not every write has to evict
MAX_ITEM_SHARE = 0.25  # of the fill limit: a single item must not push out most others
BATCH_SHARE = 0.05  # of the map, in one transaction: a larger one cannot be made room for
_HEAD = struct.Struct(">QI")  # insertion number, crc32 of the value
_ORDER = struct.Struct(">Q")
_DAMAGE = (lmdb.CorruptedError, lmdb.InvalidError, lmdb.VersionMismatchError, lmdb.PageNotFoundError, lmdb.PanicError)

CacheError = lmdb.Error


def is_damage(error: BaseException) -> bool:
    """Whether *error* says that the file's content is wrong."""
    return isinstance(error, _DAMAGE)


def is_full(error: BaseException) -> bool:
    """Whether *error* says that the map has no room left."""
    return isinstance(error, lmdb.MapFullError | lmdb.TxnFullError)


class Environment:
    """An open file. Any thread may read; one thread of the process writes."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        """Open the file in *folder*, creating it when absent. Raises lmdb.Error."""
        private.make_folder(folder, ours=True)
        self._folder, self._file = folder, folder / DATA_FILE
        self._map_bytes = max(max_bytes, MIN_MAP_BYTES)
        self._fill_bytes = int(self._map_bytes * FILL)
        self.max_batch_bytes = int(self._map_bytes * BATCH_SHARE)
        with exclusive(folder):
            if identity(folder) is None:  # the lock file of a deleted file has its transaction number, which a new one must not inherit
                remove(folder)
            reserve_lock_file(folder)
            self._env = lmdb.open(
                str(folder),
                map_size=self._map_bytes,
                max_dbs=4,
                max_readers=MAX_READERS,
                metasync=False,
                max_spare_txns=16,
                mode=private.FILE,
            )
            try:
                self._prepare()
                self.identity = identity(folder)
            except BaseException:
                self._env.close()
                raise

    def _prepare(self) -> None:
        self._page_bytes = self._env.stat()["psize"]
        self._refuse_truncated()
        self._data = self._env.open_db(b"data")
        self._order = self._env.open_db(b"order")
        with self._env.begin(write=True) as txn:
            found = txn.get(b"format")
            if found is None:
                txn.put(b"format", FORMAT)
        if found not in (None, FORMAT):
            raise lmdb.VersionMismatchError(f"the cache has format {found!r}")
        self._env.reader_check()  # slots of processes that were killed

    def close(self) -> None:
        """Unmap the file."""
        self._env.close()

    def is_current(self) -> bool:
        """Whether the file that is mapped is still the one in the folder."""
        return identity(self._folder) == self.identity

    def get_many(self, keys: Sequence[bytes]) -> tuple[list[bytes | None], int]:
        """Return the values in order, None where missing, and how many failed their checksum."""
        found: list[bytes | None] = []
        spoiled = 0
        with self._env.begin(db=self._data, buffers=True) as txn:
            for key in keys:
                stored = txn.get(key)
                value = None if stored is None else _unpacked(stored)[1]
                spoiled += stored is not None and value is None
                found.append(value)
        return found, spoiled

    def walk(self, after: bytes, limit: int) -> list[tuple[bytes, bytes | None]]:
        """Return up to *limit* entries after a key, in their order; None for a value whose sum or place in the order of age is wrong."""
        found: list[tuple[bytes, bytes | None]] = []
        with self._env.begin(db=self._data) as txn, txn.cursor() as cursor:
            there = cursor.set_range(after + b"\0") if after else cursor.first()
            while there and len(found) < limit:
                key, stored = cursor.key(), cursor.value()
                number, value = _unpacked(stored)
                in_its_place = txn.get(_ORDER.pack(number), db=self._order) == key
                found.append((key, value if in_its_place else None))
                there = cursor.next()
        return found

    def write(self, items: Sequence[tuple[bytes, bytes | None]]) -> int:
        """Put the items (drop those whose value is None or too large) in one transaction; return how many entries were evicted for them."""
        too_large = self._fill_bytes * MAX_ITEM_SHARE
        kept = [(key, None if value is not None and len(value) > too_large else value) for key, value in items]
        with self._env.begin(write=True) as txn:
            evicted = self._make_room(txn, sum(len(key) + len(value or b"") + self._page_bytes // 8 for key, value in kept))
            following = self._next_number(txn)
            for key, value in kept:
                self._drop(txn, key)
                if value is not None:
                    txn.put(key, _HEAD.pack(following, zlib.crc32(value)) + value, db=self._data)
                    txn.put(_ORDER.pack(following), key, db=self._order, append=True)
                    following += 1
        return evicted

    def evict(self, share: float) -> int:
        """Drop the oldest entries until *share* of the fill limit is free; return how many went."""
        with self._env.begin(write=True) as txn:
            return self._evict_to(txn, int(self._fill_bytes * (1 - share)))

    def entries(self) -> int:
        """How many entries there are."""
        with self._env.begin() as txn:
            count: int = txn.stat(self._data)["entries"]
            return count

    def used_bytes(self) -> int:
        """How many bytes the entries' pages take."""
        with self._env.begin() as txn:
            return self._used(txn)

    def process_count(self) -> int:
        """How many processes have the file open and have read from it, this one included."""
        pids = {line.split()[0] for line in self._env.readers().splitlines()[1:] if line.split()}
        return len(pids | {str(os.getpid())})

    def _make_room(self, txn: "lmdb.Transaction", wanted_bytes: int) -> int:
        if self._used(txn) + wanted_bytes <= self._fill_bytes:
            return 0
        return self._evict_to(txn, max(0, int(self._fill_bytes * (1 - EVICT_SHARE)) - wanted_bytes))

    def _evict_to(self, txn: "lmdb.Transaction", target_bytes: int) -> int:
        evicted = 0
        with txn.cursor(db=self._order) as cursor:
            while self._used(txn) > target_bytes and cursor.first():
                key = cursor.value()
                cursor.delete()
                txn.delete(key, db=self._data)
                evicted += 1
        return evicted

    def _drop(self, txn: "lmdb.Transaction", key: bytes) -> None:
        stored = txn.get(key, db=self._data)
        if stored is not None:
            number = _ORDER.pack(_number(stored))
            if txn.get(number, db=self._order) == key:  # a spoiled head may name the place of another
                txn.delete(number, db=self._order)
            txn.delete(key, db=self._data)

    def _next_number(self, txn: "lmdb.Transaction") -> int:
        with txn.cursor(db=self._order) as cursor:
            return _ORDER.unpack(cursor.key())[0] + 1 if cursor.last() else 0

    def _used(self, txn: "lmdb.Transaction") -> int:
        pages = 0
        for db in (self._data, self._order):
            stat = txn.stat(db)
            pages += stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
        return pages * self._page_bytes

    def _refuse_truncated(self) -> None:
        """Touching a mapped page beyond the file's end kills the process (SIGBUS), so look before."""
        needed = (self._env.info()["last_pgno"] + 1) * self._page_bytes
        if sys.platform != "win32" and self._file.stat().st_size < needed:
            raise lmdb.CorruptedError(f"the cache file is shorter than the {needed} bytes it refers to")


def _number(stored: "bytes | memoryview") -> int:
    """Return an entry's insertion number, 0 where its head is cut off."""
    number: int = _HEAD.unpack_from(stored)[0] if len(stored) >= _HEAD.size else 0
    return number


def _unpacked(stored: "bytes | memoryview") -> tuple[int, bytes | None]:
    """Return an entry's insertion number and its value, None where that does not have its checksum."""
    if len(stored) < _HEAD.size:
        return 0, None
    number, checksum = _HEAD.unpack_from(stored)
    value = bytes(stored[_HEAD.size :])
    return number, value if checksum == zlib.crc32(value) else None
