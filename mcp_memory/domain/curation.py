"""What people and agents lay over and between episodes: corrections, links, and handoffs of unfinished work."""

from dataclasses import dataclass

BY_VOTE = "feedback "  # how the reason of a correction begins that an agent made with a vote, before the vote's id


@dataclass(frozen=True, slots=True)
class Correction:
    """What is right instead of a pattern or of an episode's lessons; it outranks what it corrects."""

    text: str = ""
    reason: str = ""
    contradicts: bool = False  # what it corrects is wrong, and no longer shown
    by: str = ""  # who made it
    kept_as: str = ""  # of a project's name instead: the earlier name that its memories are kept under


@dataclass(frozen=True, slots=True)
class Link:
    """From one episode to another."""

    from_id: str
    to_id: str
    type: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Handoff:
    """What another agent needs to go on with an episode."""

    goal: str
    done: tuple[str, ...] = ()
    worked: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    next: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A handoff as it was kept."""

    id: str
    episode_id: str
    handoff: Handoff
    at_ms: int
