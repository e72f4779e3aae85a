"""What is learnt from an attempt, as typed facts; `phrases` makes the sentences.

Stored as they are: a fact may gain fields at its end, with defaults, and its tag never changes. A plain string among facts is a sentence
that was stored before there were facts, or a text of somebody's own.
"""

from typing import Union

from msgspec import Struct


class FactBase(Struct, frozen=True, array_like=True):
    """Steps are positions in the episode; `key` is a tool key, `error` a real message."""


class Reported(FactBase, frozen=True, tag="reported"):
    """What the agent said it did, or did not do."""

    done: bool
    items: tuple[str, ...]


class TestsPassed(FactBase, frozen=True, tag="tests_passed"):
    """The last test run passed."""

    __test__ = False

    passed: int
    step: int


class TestsFailed(FactBase, frozen=True, tag="tests_failed"):
    """The last test run failed."""

    __test__ = False

    failed: int
    total: int
    step: int
    claimed: bool  # the agent reported a success


class Rejected(FactBase, frozen=True, tag="rejected"):
    """The last answer was a rejection of the work."""

    step: int
    claimed: bool
    answer: str = ""  # the line that rejects it


class Overcome(FactBase, frozen=True, tag="overcome"):
    """A failed call that worked later."""

    error: str
    key: str
    failures: tuple[int, ...]
    by: int  # the change before it worked; the step at which it worked where the call itself was changed
    change: str  # that step in a few words
    worked_at: int
    others: tuple[int, ...] = ()  # what else was changed between it and where the call worked


class GotOn(FactBase, frozen=True, tag="got_on"):
    """A failed call whose job another tool did."""

    error: str
    key: str
    failures: tuple[int, ...]
    by: int
    change: str
    by_key: str = ""  # the other tool; "" of what was stored before this was


class Standing(FactBase, frozen=True, tag="standing"):
    """An error that nothing in the episode answered."""

    error: str
    key: str
    failures: tuple[int, ...]
    call: str = ""  # the last failed call in a few words


class Unlogged(FactBase, frozen=True, tag="unlogged"):
    """No steps were logged."""


class Repeated(FactBase, frozen=True, tag="repeated"):
    """Calls that got an answer that was there already."""

    steps: tuple[int, ...]


class Reverted(FactBase, frozen=True, tag="reverted"):
    """Steps that took work back."""

    steps: tuple[int, ...]


class Skipped(FactBase, frozen=True, tag="skipped"):
    """What the successful attempts did and this one did not."""

    key: str
    before: str  # the step they did it before, "" where that is not settled
    did: int
    attempts: int
    steps: int  # of this one


class OtherFile(FactBase, frozen=True, tag="other_file"):
    """A file that the successful attempts changed and this one did not."""

    path: str
    did: int
    attempts: int
    steps: int


class Unchanged(FactBase, frozen=True, tag="unchanged"):
    """The attempt ended without a change to any file but what it made to try something out."""

    scratch: tuple[str, ...]  # names of such files
    read: tuple[str, ...] = ()  # the files it looked at most
    refusals: int = 0  # changes it tried that failed
    refused: str = ""  # how the last of them did


class Length(FactBase, frozen=True, tag="length"):
    """How long it was beside the successful attempts."""

    steps: int
    attempts: int
    usual: float


class KnownError(FactBase, frozen=True, tag="known_error"):
    """An error that earlier attempts met too."""

    error: str
    step: int
    attempts: int
    won: int


class Record(FactBase, frozen=True, tag="record"):
    """How earlier attempts at the task ended."""

    won: int
    attempts: int


class BestAttempt(FactBase, frozen=True, tag="best_attempt"):
    """An earlier attempt that did better than this one."""

    episode_id: str
    reward: float


Fact = Union[  # noqa: UP007 - msgspec reads it at run time
    Reported, TestsPassed, TestsFailed, Rejected, Overcome, GotOn, Standing, Unlogged, Repeated, Reverted, Skipped, OtherFile, Length,
    KnownError, Record, BestAttempt, Unchanged,
]  # fmt: skip
Said = Union[str, Fact]  # noqa: UP007
