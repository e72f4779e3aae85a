"""Empty levels of an FTS5 index, which SQLite before 3.44 lets grow until it takes the index for damaged.

Each request to merge a whole index puts the result one level above all others. Those SQLite versions set no bound to the levels, and
refuse an index of more than 2,000; later ones stop at 64. Levels only order segments by age, so those that hold none can go. Source: the
structure record as fts5_index.c of SQLite describes it.
"""

STRUCTURE_ID = 10  # FTS5_STRUCTURE_ROWID: the record's id in an index' `_data` table
MAX_LEVELS = 64  # FTS5_MAX_LEVEL of later versions
_COOKIE_BYTES = 4
_SEGMENT_NUMBERS = 3  # id, first and last page
_SECOND_FORM = b"\xff\x00\x00\x01"  # after the cookie, in records of versions that bound the levels


def without_empty_levels(record: bytes) -> bytes | None:
    """Return a structure record without its empty levels; None when it has few levels, or does not add up as a record of this form.

    A merge under way writes from its level to the next; both hold segments, so they stay neighbours.

    >>> without_empty_levels(bytes(4) + bytes([70, 1, 5]) + bytes(2 * 69) + bytes([0, 1, 9, 1, 2])).hex(" ")
    '00 00 00 00 01 01 05 00 01 09 01 02'
    """
    if record[_COOKIE_BYTES : _COOKIE_BYTES + 4] == _SECOND_FORM:
        return None
    level_count, counters = _varint(record, _COOKIE_BYTES)
    if level_count <= MAX_LEVELS:
        return None
    segment_count, at = _varint(record, counters)
    _, first = _varint(record, at)  # a count of writes
    kept, found, at = [], 0, first
    for _ in range(level_count):
        start = at
        merging, at = _varint(record, at)
        segments, at = _varint(record, at)
        for _ in range(segments * _SEGMENT_NUMBERS):
            _, at = _varint(record, at)
        found += segments
        if merging or segments:
            kept.append(record[start:at])
    if at != len(record) or found != segment_count or not kept:
        return None
    return record[:_COOKIE_BYTES] + _encoded(len(kept)) + record[counters:first] + b"".join(kept)


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
