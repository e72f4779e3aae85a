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
class SeenAgent:
    """Who completed attempts, by the name an agent gives or the host it works in; "" stands for all without one."""

    name: str
    attempts: int
    worked: int
    last_at_ms: int  # when the newest ended
    episode_id: str  # the newest


@dataclass(frozen=True, slots=True)
class Activity:
    """Attempts by day, and the errors that came again among the latest episodes."""

    days: tuple[Day, ...]  # without gaps, oldest first
    errors: tuple[RepeatedError, ...]  # met most first
    agents: tuple[SeenAgent, ...] = ()  # of all episodes; seen last first


@dataclass(frozen=True, slots=True)
class HookedHost:
    """What the files of the hooks on this machine tell of one agent host, of the last two weeks."""

    host: str
    last_at_ms: int  # of its last event
    sessions: int
    at_work: int  # of these, that did not say they ended


@dataclass(frozen=True, slots=True)
class HookState:
    """The hosts whose hooks were heard of, last first, and the sessions with events that no process has taken in yet."""

    hosts: tuple[HookedHost, ...] = ()
    waiting: int = 0


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
