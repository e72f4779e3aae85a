"""Empty levels of an FTS5 index, which SQLite before 3.44 lets grow until it takes the index for damaged.

Each request to merge a whole index puts the result one level above all others. Those SQLite versions set no bound to the levels, and
refuse an index of more than 2,000; later ones stop at 64. Levels only order segments by age, so empty ones below the lowest that holds
a segment can go. Source: the structure record as fts5_index.c of SQLite describes it.
"""

STRUCTURE_ID = 10  # FTS5_STRUCTURE_ROWID: the record's id in an index' `_data` table
MAX_LEVELS = 64  # FTS5_MAX_LEVEL of later versions
_COOKIE_BYTES = 4
_SEGMENT_NUMBERS = 3  # id, first and last page
_SECOND_FORM = b"\xff\x00\x00\x01"  # after the cookie, in records of versions that bound the levels


def without_empty_levels(record: bytes) -> bytes | None:
    """Return a structure record without the empty levels at its bottom; None when it has few levels, or is of another form.

    >>> without_empty_levels(bytes(4) + bytes([70, 1, 5]) + bytes(2 * 69) + bytes([0, 1, 9, 1, 2])).hex(" ")
    '00 00 00 00 01 01 05 00 01 09 01 02'
    """
    head = record[:_COOKIE_BYTES]
    if record[_COOKIE_BYTES : _COOKIE_BYTES + 4] == _SECOND_FORM:
        return None
    level_count, at = _varint(record, _COOKIE_BYTES)
    if level_count <= MAX_LEVELS:
        return None
    counters = at
    for _ in range(2):  # segments in all, and a count of writes
        _, at = _varint(record, at)
    first = at
    kept = level_count
    for level in range(level_count):
        start = at
        _, at = _varint(record, at)
        segments, at = _varint(record, at)
        for _ in range(segments * _SEGMENT_NUMBERS):
            _, at = _varint(record, at)
        if segments and kept == level_count:
            kept, first_kept = level_count - level, start
    if at != len(record) or kept == level_count:
        return None
    return head + _encoded(kept) + record[counters:first] + record[first_kept:]


def _varint(record: bytes, at: int) -> tuple[int, int]:
    """Return a number as SQLite packs it, of at most four bytes here, and where the next one begins. Raises IndexError."""
    value = 0
    while True:
        byte = record[at]
        value, at = value << 7 | byte & 0x7F, at + 1
        if byte < 0x80:
            return value, at


def _encoded(value: int) -> bytes:
    return bytes([value]) if value < 0x80 else bytes([0x80 | value >> 7, value & 0x7F])
