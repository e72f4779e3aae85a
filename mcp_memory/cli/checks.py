"""What `doctor` says of one thing it looked at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """*ok* is False where something is broken; a *fix* with what is not broken is a suggestion."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
