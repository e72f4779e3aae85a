"""What went on lately: what the pages Today and Files show. Records only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Day:
    """Attempts that ended on one day, UTC."""

    at_ms: int  # its beginning
    worked: int
    other: int


@dataclass(frozen=True, slots=True)
class RepeatedError:
    """An error that several attempts met, `message` as the newest of them did."""

    message: str
    attempts: int
    worked: int  # of these
    episode_id: str  # the newest
    step: int
    last_at_ms: int


@dataclass(frozen=True, slots=True)
class Activity:
    """Attempts by day, and the errors that came again among the latest episodes."""

    days: tuple[Day, ...]  # without gaps, oldest first
    errors: tuple[RepeatedError, ...]  # met most first


@dataclass(frozen=True, slots=True)
class WorkedFile:
    """A file that attempts changed."""

    path: str
    attempts: int
    worked: int
    last_at_ms: int
    episode_id: str  # the newest of them
    fixed_by: str | None  # the newest that worked


@dataclass(frozen=True, slots=True)
class FoundSessions:
    """Sessions of an agent host on this machine, and how many of their tasks the memory does not have."""

    host: str
    folder: str
    sessions: int
    new: int
