"""Episode, step, outcome, reward, reflection: one attempt at one task, and what was made of it."""

import enum
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar, cast

from mcp_memory.domain.facts import Said
from mcp_memory.domain.metadata_keys import session_of
from mcp_memory.domain.step_keys import description, step_key

_IMPORTED = uuid.UUID("6f0c9a52-3c1e-5d0b-9a3f-0d6f5f1b7e21")  # the namespace of imported episodes; never to be changed
T = TypeVar("T")
Json = Any  # a JSON value: dict, list, str, int, float, bool, None


class TaskType(enum.StrEnum):
    CODE_GENERATION = "code_generation"
    DEBUGGING = "debugging"
    REFACTORING = "refactoring"
    TESTING = "testing"
    ANALYSIS = "analysis"
    DOCUMENTATION = "documentation"
    RESEARCH = "research"
    OPERATIONS = "operations"
    OTHER = "other"


class Complexity(enum.StrEnum):
    SIMPLE = "simple"
    MODERATE = "moderate"
    COMPLEX = "complex"


class EpisodeState(enum.StrEnum):
    OPEN = "open"
    COMPLETED = "completed"
    ABANDONED = "abandoned"


class OutcomeKind(enum.StrEnum):
    SUCCESS = "success"
    PARTIAL = "partial"
    FAILURE = "failure"
    ABSTAINED = "abstained"


class StepStatus(enum.StrEnum):
    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Context:
    """What a task is about. Empty strings mean "not said"."""

    domain: str = ""
    language: str = ""
    framework: str = ""
    complexity: Complexity = Complexity.MODERATE
    tags: tuple[str, ...] = ()


class _ReadOnce:
    """Room for what was read off a record that never changes: learning asks for the same several times, in one answer and in the next."""

    __slots__ = ("_known",)
    _known: dict[object, object]

    def once(self, read: Callable[[Self], T]) -> T:
        """Return what *read* returns of this record, worked out once; nobody may change it. *read* is pure, and as it is every time.

        What was read goes with the record, and an edited one is another record.
        """
        try:
            known = self._known
        except AttributeError:
            object.__setattr__(self, "_known", known := {})
        if read not in known:
            known[read] = read(self)
        return cast(T, known[read])


class _Keyed(_ReadOnce):
    """Room for a key that was made once: learning asks for it a dozen times a step."""

    __slots__ = ("_key",)
    _key: str


@dataclass(frozen=True, slots=True)
class Step(_Keyed):
    """One action and what came back. `index` is assigned by the store; -1 before that."""

    tool: str
    action: str = ""  # defaults to the tool's name
    arguments: Mapping[str, Json] = field(default_factory=dict)
    observation: str = ""
    status: StepStatus = StepStatus.OK
    error: str | None = None
    duration_ms: int | None = None
    tokens: int | None = None
    at_ms: int = 0
    index: int = -1

    @property
    def description(self) -> str:
        """The sentence that alone says what was done, where no arguments do; see `step_keys`."""
        return description(self.tool, self.action, self.arguments)

    def is_same_call(self, other: "Step") -> bool:
        """Return whether another step made the very same call."""
        return self.key == other.key and self.arguments == other.arguments and self.description == other.description

    @property
    def key(self) -> str:
        """What the step is called in everything that is learnt; see `step_keys`."""
        try:
            return self._key
        except AttributeError:
            object.__setattr__(self, "_key", step_key(self.tool, self.action, self.arguments))
            return self._key

    @property
    def failed(self) -> bool:
        return self.status is not StepStatus.OK


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the agent says became of the task."""

    kind: OutcomeKind
    summary: str = ""
    lessons: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    completed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Reward:
    """A number in [0, 1] and the components it was computed from, each in [0, 1]."""

    score: float
    components: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reflection:
    """Facts, each with its evidence (step numbers); `phrases.sentence` says them. What was stored as a sentence stays one."""

    successes: tuple[Said, ...] = ()
    improvements: tuple[Said, ...] = ()
    insights: tuple[Said, ...] = ()


class Use(enum.StrEnum):
    READ = "read"
    CHANGED = "changed"
    MADE = "made"  # the episode's own: it was not there before


@dataclass(frozen=True, slots=True)
class FileUse:
    """A file that an episode worked on, and the most it did to it."""

    path: str
    use: Use = Use.READ


@dataclass(frozen=True, slots=True)
class Episode(_ReadOnce):
    """One attempt at one task. Once completed it never changes (tags and metadata are rows of their own)."""

    id: str
    project: str
    task: str
    task_type: TaskType = TaskType.OTHER
    context: Context = Context()
    agent: str = ""
    started_at_ms: int = 0
    ended_at_ms: int | None = None
    state: EpisodeState = EpisodeState.OPEN
    steps: tuple[Step, ...] = ()
    step_count: int = 0  # also right where the steps were not loaded
    outcome: Outcome | None = None
    reward: Reward | None = None
    reflection: Reflection | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)
    parent_id: str | None = None
    external_id: str | None = None
    follows: str | None = None  # id of the episode before this one in the same thread
    key_steps: tuple[int, ...] = ()  # indexes of the steps that mattered, at most three, set at completion
    files: tuple[FileUse, ...] | None = None  # most worked on first, set at completion; None: completed before files were kept
    change_seq: int = 0  # the store's change sequence of the last write to this episode

    @property
    def success(self) -> bool:
        """Whether it ended, and as a success."""
        return self.outcome is not None and self.outcome.kind is OutcomeKind.SUCCESS

    @property
    def partial(self) -> bool:
        """Whether it ended, and succeeded in part."""
        return self.outcome is not None and self.outcome.kind is OutcomeKind.PARTIAL


QUALITY = "quality"  # the component of a reward that the steps alone decide; in a trace's digest as well
USUAL_QUALITY = 0.6  # of steps that show nothing either way (learning/judging/reward.py)


@dataclass(frozen=True, slots=True)
class Trace:
    """A completed episode as the in-memory indexes keep it: no texts but the task's, no arguments, no observations.

    `step_keys`, `step_failed` run parallel to the steps. `errors` holds (step index, error signature) of failed steps.
    """

    seq: int  # the store's row number; grows in order of completion or import
    id: str
    project: str
    task: str
    task_type: str
    domain: str
    language: str
    framework: str
    tags: tuple[str, ...]
    agent: str
    outcome: str
    reward: float
    started_at_ms: int
    ended_at_ms: int
    step_keys: tuple[str, ...] = ()
    step_failed: bytes = b""
    errors: tuple[tuple[int, str], ...] = ()
    external_id: str | None = None
    follows: str | None = None
    digest: Mapping[str, Json] = field(default_factory=dict)  # what the learner adds; see learning/
    session: str = ""  # of the agent host, where somebody said

    @property
    def success(self) -> bool:
        return self.outcome == OutcomeKind.SUCCESS

    @property
    def soundness(self) -> float:
        """How well the work went by its own steps, in [0, 1], whatever was said of it; the usual value where nothing is known."""
        value = self.digest.get(QUALITY, USUAL_QUALITY)
        return float(value) if isinstance(value, int | float) else USUAL_QUALITY


def imported_id(project: str, external_id: str) -> str:
    """Return the id of an imported episode, a UUIDv5: two machines that import the same session have one episode.

    >>> imported_id("shop", "session-1") == imported_id("shop", "session-1") != imported_id("ops", "session-1")
    True
    """
    return str(uuid.uuid5(_IMPORTED, f"{len(project)}:{project}{external_id}"))


def trace_of(episode: Episode, errors: Sequence[tuple[int, str]], digest: Mapping[str, Json] | None, seq: int) -> Trace:
    """Return the trace of *episode*, which has its outcome, reward and steps."""
    assert episode.outcome is not None
    context, reward = episode.context, episode.reward
    sound = {QUALITY: reward.components[QUALITY]} if reward and QUALITY in reward.components else {}
    return Trace(
        seq=seq,
        id=episode.id,
        project=episode.project,
        task=episode.task,
        task_type=str(episode.task_type),
        domain=context.domain,
        language=context.language,
        framework=context.framework,
        tags=context.tags,
        agent=episode.agent,
        outcome=str(episode.outcome.kind),
        reward=reward.score if reward else 0.0,
        started_at_ms=episode.started_at_ms,
        ended_at_ms=episode.ended_at_ms or episode.started_at_ms,
        step_keys=tuple(step.key for step in episode.steps),
        step_failed=bytes(step.failed for step in episode.steps),
        errors=tuple(errors),
        external_id=episode.external_id,
        follows=episode.follows,
        digest=dict(digest or {}) | sound,
        session=session_of(episode.metadata),
    )
