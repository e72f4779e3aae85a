"""What a backup says of itself, and which scheduled ones are kept. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

FORMAT = 1
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
# Of how old ones one in each span is kept: all of a day, then one a day for a week, one a week for eight, one in four weeks beyond.
_KEPT = ((_DAY_MS, 0), (7 * _DAY_MS, _DAY_MS), (56 * _DAY_MS, 7 * _DAY_MS))
_OLDEST_SPAN_MS = 28 * _DAY_MS
_NAME = "memory-%Y%m%dT%H%M%SZ.backup"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The first thing in a backup file: whose memory it is, of when, and the sum of its bytes."""

    made_at_ms: int
    program: str  # the version that made it
    schema_version: int
    replica_id: str
    change_seq: int
    counts: Mapping[str, int]
    size_bytes: int  # of the database
    sha256: str  # of the database
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup file that was made."""

    path: str
    size_bytes: int  # of the file
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Restored:
    """A memory that was put back."""

    manifest: Manifest
    replica_id: str  # the new one
    kept: str | None  # the folder with the files that were there


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found, and what a repair did about it."""

    problems: tuple[str, ...]  # that are left
    repaired: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compacted:
    """The database's size before and after."""

    before_bytes: int
    after_bytes: int


def name_of(made_at_ms: int) -> str:
    """Return the file name of a scheduled backup.

    >>> name_of(1_793_527_200_000)
    'memory-20261101T100000Z.backup'
    """
    return datetime.fromtimestamp(made_at_ms / 1000, UTC).strftime(_NAME)


def made_at(name: str) -> int | None:
    """Return when a scheduled backup was made, None for another file.

    >>> made_at("memory-20261101T100000Z.backup"), made_at("mine.backup")
    (1793527200000, None)
    """
    try:
        return int(datetime.strptime(name, _NAME).replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        return None


def outlived(made: Iterable[int], now_ms: int) -> list[int]:
    """Return the times of the backups to let go of. Of each span the newest is kept, so what is kept grows older without gaps.

    >>> hour, day = 3_600_000, 86_400_000
    >>> outlived([0, 2 * hour, day], 2 * day - hour), outlived([0, 2 * hour], 2 * hour)
    ([0], [])
    """
    gone = []
    taken: set[tuple[int, int]] = set()
    for at in sorted(made, reverse=True):
        span = next((span for age, span in _KEPT if now_ms - at < age), _OLDEST_SPAN_MS)
        if span and (span, at // span) in taken:
            gone.append(at)
        elif span:
            taken.add((span, at // span))
    return sorted(gone)
