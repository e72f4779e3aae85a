"""What an agent is advised: the next step, what answered an error, a playbook, what attempts at the very task did."""

from collections.abc import Mapping
from dataclasses import dataclass

from mcp_memory.domain.answers.recalling import Nearest
from mcp_memory.domain.episode import Json
from mcp_memory.domain.query import InferredContext, Suggestion


@dataclass(frozen=True, slots=True)
class Precedent:
    """What attempts at this very task, or, where `alike` is below 1, at another case of it, did that tells how they ended."""

    worked: bool
    did: tuple[str, ...]  # the changes of files, or the answer given, or the last calls
    came: str  # of what failed, what stood in the way; "" where nothing says so
    times: int  # attempts that did just so; 0 where there are too many to be counted
    attempts: int  # all that ended that way
    episode_id: str
    alike: float = 1.0  # its task to the one asked about
    partly: bool = False  # it succeeded in part
    made: bool = False  # the run that asks has made the very changes, too
    about: str = ""  # the id that both were about, where the tasks are not in like words


@dataclass(frozen=True, slots=True)
class TriedFix:
    """What was tried after such an error, how often, and with what success."""

    tool: str
    action: str
    kind: str  # its best: fixed (the failed call then worked), got_on (this did its job instead), failed
    tried: int
    fixed: int
    got_on: int
    median_steps: float | None
    median_ms: float | None
    evidence: tuple[str, ...]
    arguments_example: Mapping[str, Json] | None = None  # of the best only, and of what is verified
    provenance: str = ""  # the independent sources it worked for; begins with "unverified" where there are fewer than two
    correction: str | None = None  # what somebody said of this answer to this very error
    change: str | None = None  # of the same tool again: what was different in its arguments, where that was the same several times
    did: str | None = None  # what the call was that answered this very message, where it may be made here too
    names_failed: bool = False  # `did` says "instead of" what had failed
    by_failure: bool = False  # `did` is from a run that did not succeed itself
    only_past: bool = False  # what was `did` got the call past this error, and then it met another one
    like: str | None = None  # the error it answered, where that was another one of this kind
    tasks: int = 0  # different tasks in which it was an answer
    changed: int = 0  # of all answers by the same tool, those whose call was different in just that; 0 where they are too many to count
    compared: int = 0  # all of these answers, or 0


@dataclass(frozen=True, slots=True)
class NotedLesson:
    """What whoever got past an error, or made an attempt at a task, noted for the next one."""

    lesson: str
    episode_id: str
    alike: float = 1.0  # its task and the one that is asked about
    worked: bool = True


@dataclass(frozen=True, slots=True)
class Recovery:
    """What an error like this one was, and what came of it before."""

    error_signature: str
    fixes: tuple[TriedFix, ...]
    error: str = ""  # as it was
    noted: tuple[NotedLesson, ...] = ()


@dataclass(frozen=True, slots=True)
class StepWarning:
    """How the intended step failed before, and what to do instead."""

    message: str
    failed: int
    tried: int
    evidence: tuple[str, ...]
    instead: str | None = None


@dataclass(frozen=True, slots=True)
class NextStep:
    recommendation_id: str
    suggestions: tuple[Suggestion, ...]
    recovery: Recovery | None
    warnings: tuple[StepWarning, ...]
    degraded: tuple[str, ...] = ()
    inferred: InferredContext | None = None  # the context the advice is for, where the episode names none
    precedents: tuple[Precedent, ...] = ()  # what was done at this very task, what worked first
    elsewhere: Nearest | None = None  # what is close in another project, or met the same error, where nothing here is or did


@dataclass(frozen=True, slots=True)
class PlaybookStep:
    order: int
    tool: str
    action: str
    why: str
    arguments_example: Mapping[str, Json] | None = None  # of the best attempt that took the step
    provenance: str = ""  # the independent sources that took it; begins with "unverified" where there are fewer than two
    contrast: float | None = None  # its share among the successes less that among the failures; None without failures


@dataclass(frozen=True, slots=True)
class Playbook:
    title: str
    steps: tuple[PlaybookStep, ...]
    pitfalls: tuple[str, ...]
    when_not_to_use: str
    confidence: float  # a lower bound, at 95 %, of the success rate of attempts that went this way, times how alike their tasks are
    evidence: tuple[str, ...]
    confidence_is: str = "lower bound"  # no estimate: few attempts give a low one
    successes: int = 0  # attempts that worked, from which it was made


@dataclass(frozen=True, slots=True)
class PlaybookAnswer:
    recommendation_id: str | None
    playbook: Playbook | None
    reason: str | None
    degraded: tuple[str, ...] = ()
    precedents: tuple[Precedent, ...] = ()  # what was done at this very task, what worked first
    elsewhere: Nearest | None = None  # what is close in another project, where nothing here is
    noted: tuple[NotedLesson, ...] = ()  # by the agents of the most alike attempts, those of successes first


@dataclass(frozen=True, slots=True)
class FeedbackRecorded:
    recorded: bool
    counted: tuple[str, ...]  # the ids whose standing it moved
