"""Domain objects ⇄ the arrays they are stored as. No bytes here: `codec` packs them.

Records are arrays, not maps: a step costs its values and no field names. How a record grows: a new field goes to the end, with a default
for what was stored before; readers of an earlier version pass it over. Only when a field gets another meaning, the record's VERSION goes
up, and `codec` is told how the earlier form is read. `tests/unit/storage/test_records.py` keeps the bytes of every form ever written.
"""

import sys
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple

import msgspec

from mcp_memory.domain.episode import (
    Complexity,
    Context,
    Episode,
    EpisodeState,
    FileUse,
    Outcome,
    OutcomeKind,
    Reflection,
    Reward,
    Step,
    StepStatus,
    TaskType,
    Trace,
    Use,
)
from mcp_memory.domain.facts import Said

Strings = tuple[str, ...]
_Indexes = bytes | tuple[int, ...]  # into distinct names; bytes when there are few of them
_BYTE = 256  # values of one


class Record(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An array whose fields have names and defaults."""

    VERSION: ClassVar[int] = 1


class StepRecord(Record, array_like=True, frozen=True, gc=False):
    """A step without its index, which is its key: the fields of `Step` in their order, so that a new one is written here and there only."""

    tool: str
    action: str = ""
    arguments: Any = {}
    observation: str = ""
    status: StepStatus = StepStatus.OK
    error: str | None = None
    duration_ms: int | None = None
    tokens: int | None = None
    at_ms: int = 0


_step_values = attrgetter(*StepRecord.__struct_fields__)


class OpeningRecord(Record, array_like=True, frozen=True, gc=False):
    """What an episode starts with, besides its columns."""

    tags: Strings = ()
    metadata: Any = {}


class ContextRecord(Record, array_like=True, frozen=True, gc=False):
    """What a task is about."""

    domain: str = ""
    language: str = ""
    framework: str = ""
    complexity: Complexity = Complexity.MODERATE
    tags: Strings = ()


class TraceRecord(Record, array_like=True, frozen=True, gc=False):
    """A trace without its seq, which is its key. Its step keys are few names many times: names, then indexes."""

    id: str
    project: str
    task: str
    task_type: str
    domain: str
    language: str
    framework: str
    tags: Strings
    agent: str
    outcome: str
    reward: float
    started_at_ms: int
    ended_at_ms: int
    step_names: Strings = ()
    step_indexes: _Indexes = b""
    step_failed: bytes = b""
    errors: tuple[tuple[int, str], ...] = ()
    external_id: str | None = None
    follows: str | None = None
    digest: Any = {}
    session: str = ""


class EpisodeRecord(Record, array_like=True, frozen=True, gc=False):
    """A whole episode, as the hot tier keeps it; `closing` is its packed `ClosingRecord`."""

    id: str
    project: str
    task: str
    task_type: TaskType
    context: ContextRecord
    agent: str
    started_at_ms: int
    ended_at_ms: int | None
    state: EpisodeState
    step_count: int
    outcome: OutcomeKind | None = None
    reward: float | None = None
    closing: bytes | None = None
    metadata: Any = {}
    parent_id: str | None = None
    external_id: str | None = None
    follows: str | None = None
    change_seq: int = 0
    steps: list[StepRecord] = []


class ClosingRecord(Record, array_like=True, frozen=True, gc=False):
    """What completion adds to an episode, besides its columns."""

    summary: str = ""
    lessons: Strings = ()
    artifacts: Strings = ()
    completed: Strings = ()
    failed: Strings = ()
    error: str | None = None
    components: dict[str, float] = {}
    successes: tuple[Said, ...] = ()  # facts; plain strings of a closing from before there were facts
    improvements: tuple[Said, ...] = ()
    insights: tuple[Said, ...] = ()
    key_steps: tuple[int, ...] = ()
    files: tuple[tuple[str, Use], ...] | None = None  # None: completed before files were kept


class Closing(NamedTuple):
    """The fields of an episode that completion sets."""

    outcome: Outcome | None = None
    reward: Reward | None = None
    reflection: Reflection | None = None
    key_steps: tuple[int, ...] = ()
    files: tuple[FileUse, ...] | None = None


def step_record(step: Step) -> StepRecord:
    """Return the record of a step, without its index, which is its key."""
    return StepRecord(*_step_values(step))


def step_of(v: StepRecord, index: int) -> Step:
    """Return the step of a record."""
    return Step(*(*msgspec.structs.astuple(v), index))


def closing_record(episode: Episode) -> ClosingRecord:
    """Return the record of a completed episode's closing."""
    assert episode.outcome is not None
    outcome, reward, reflection = episode.outcome, episode.reward or Reward(0.0), episode.reflection or Reflection()
    files = None if episode.files is None else tuple((file.path, file.use) for file in episode.files)
    return ClosingRecord(
        outcome.summary, outcome.lessons, outcome.artifacts, outcome.completed, outcome.failed, outcome.error, dict(reward.components),
        reflection.successes, reflection.improvements, reflection.insights, episode.key_steps, files,
    )  # fmt: skip


def closing_of(v: ClosingRecord, kind: str, score: float) -> Closing:
    """Return the closing of a record; *kind* and *score* are columns of the episode."""
    return Closing(
        Outcome(OutcomeKind(kind), v.summary, v.lessons, v.artifacts, v.completed, v.failed, v.error),
        Reward(score, v.components),
        Reflection(v.successes, v.improvements, v.insights),
        v.key_steps,
        None if v.files is None else tuple(FileUse(path, use) for path, use in v.files),
    )


def trace_record(trace: Trace) -> TraceRecord:
    """Return the record of a trace."""
    names = {key: i for i, key in enumerate(dict.fromkeys(trace.step_keys))}
    indexes = [names[key] for key in trace.step_keys]
    return TraceRecord(
        trace.id, trace.project, trace.task, trace.task_type, trace.domain, trace.language, trace.framework, trace.tags, trace.agent,
        trace.outcome, trace.reward, trace.started_at_ms, trace.ended_at_ms, tuple(names),
        bytes(indexes) if len(names) <= _BYTE else tuple(indexes), trace.step_failed, trace.errors,
        trace.external_id, trace.follows, trace.digest, trace.session,
    )  # fmt: skip


def trace_of(v: TraceRecord, seq: int) -> Trace:
    """Return the trace of a record. Names that recur are interned: a hundred thousand traces share a few hundred strings."""
    names = tuple(map(sys.intern, v.step_names))
    return Trace(
        seq=seq,
        id=v.id,
        project=sys.intern(v.project),
        task=v.task,
        task_type=sys.intern(v.task_type),
        domain=sys.intern(v.domain),
        language=sys.intern(v.language),
        framework=sys.intern(v.framework),
        tags=tuple(map(sys.intern, v.tags)),
        agent=sys.intern(v.agent),
        outcome=sys.intern(v.outcome),
        reward=v.reward,
        started_at_ms=v.started_at_ms,
        ended_at_ms=v.ended_at_ms,
        step_keys=tuple(map(names.__getitem__, v.step_indexes)),
        step_failed=v.step_failed,
        errors=v.errors,
        external_id=v.external_id,
        follows=v.follows,
        digest=v.digest,
        session=v.session,
    )


def episode_record(episode: Episode, closing: bytes | None) -> EpisodeRecord:
    """Return the record of a whole episode with its steps; *closing* is its packed `closing_record`."""
    context = episode.context
    return EpisodeRecord(
        episode.id, episode.project, episode.task, episode.task_type,
        ContextRecord(context.domain, context.language, context.framework, context.complexity, context.tags),
        episode.agent, episode.started_at_ms, episode.ended_at_ms, episode.state, episode.step_count,
        episode.outcome.kind if episode.outcome else None, episode.reward.score if episode.reward else None, closing, episode.metadata,
        episode.parent_id, episode.external_id, episode.follows, episode.change_seq, [step_record(s) for s in episode.steps],
    )  # fmt: skip


def episode_of(v: EpisodeRecord, closing: Closing) -> Episode:
    """Return the episode of a record."""
    c = v.context
    return Episode(
        id=v.id,
        project=v.project,
        task=v.task,
        task_type=v.task_type,
        context=Context(c.domain, c.language, c.framework, c.complexity, c.tags),
        agent=v.agent,
        started_at_ms=v.started_at_ms,
        ended_at_ms=v.ended_at_ms,
        state=v.state,
        steps=tuple(step_of(s, i) for i, s in enumerate(v.steps)),
        step_count=v.step_count,
        metadata=v.metadata,
        parent_id=v.parent_id,
        external_id=v.external_id,
        follows=v.follows,
        change_seq=v.change_seq,
        **closing._asdict(),
    )
