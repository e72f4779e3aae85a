"""Domain objects ⇄ the arrays they are stored as. No bytes here: `codec` packs them.

Records are arrays, not maps: a step costs its values and no field names. Fields are only ever added at the end, with a default for what
was stored before.
"""

import sys
from typing import Any, NamedTuple

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

Strings = tuple[str, ...]
StepRecord = tuple[str, str, Any, str, StepStatus, str | None, int | None, int | None, int]
OpeningRecord = tuple[Strings, Any]
_Indexes = bytes | tuple[int, ...]  # into distinct names; bytes when there are few of them
TraceRecord = tuple[
    str, str, str, str, str, str, str, Strings, str, str, float, int, int, Strings, _Indexes, bytes,
    tuple[tuple[int, str], ...], str | None, str | None, Any,
]  # fmt: skip
EpisodeRecord = tuple[
    str, str, str, TaskType, tuple[str, str, str, Complexity, Strings], str, int, int | None, EpisodeState, int, OutcomeKind | None,
    float | None, bytes | None, Any, str | None, str | None, str | None, int, list[StepRecord],
]  # fmt: skip
_BYTE = 256  # values of one


class ClosingRecord(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What completion adds to an episode, besides its columns."""

    summary: str
    lessons: Strings
    artifacts: Strings
    completed: Strings
    failed: Strings
    error: str | None
    components: dict[str, float]
    successes: Strings
    improvements: Strings
    insights: Strings
    key_steps: tuple[int, ...]
    files: tuple[tuple[str, Use], ...] | None = None


class Closing(NamedTuple):
    """The fields of an episode that completion sets."""

    outcome: Outcome | None = None
    reward: Reward | None = None
    reflection: Reflection | None = None
    key_steps: tuple[int, ...] = ()
    files: tuple[FileUse, ...] | None = None


def step_record(step: Step) -> StepRecord:
    """Return the record of a step, without its index, which is its key."""
    return (
        step.tool, step.action, step.arguments, step.observation, step.status, step.error, step.duration_ms, step.tokens, step.at_ms
    )  # fmt: skip


def step_of(v: StepRecord, index: int) -> Step:
    """Return the step of a record."""
    return Step(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], index)


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
    """Return the record of a trace, without its seq, which is its key. Its step keys are few names many times: names, then indexes."""
    names = {key: i for i, key in enumerate(dict.fromkeys(trace.step_keys))}
    indexes = [names[key] for key in trace.step_keys]
    return (
        trace.id, trace.project, trace.task, trace.task_type, trace.domain, trace.language, trace.framework, trace.tags, trace.agent,
        trace.outcome, trace.reward, trace.started_at_ms, trace.ended_at_ms, tuple(names),
        bytes(indexes) if len(names) <= _BYTE else tuple(indexes), trace.step_failed, trace.errors,
        trace.external_id, trace.follows, trace.digest,
    )  # fmt: skip


def trace_of(v: TraceRecord, seq: int) -> Trace:
    """Return the trace of a record. Names that recur are interned: a hundred thousand traces share a few hundred strings."""
    names = tuple(map(sys.intern, v[13]))
    return Trace(
        seq=seq,
        id=v[0],
        project=sys.intern(v[1]),
        task=v[2],
        task_type=sys.intern(v[3]),
        domain=sys.intern(v[4]),
        language=sys.intern(v[5]),
        framework=sys.intern(v[6]),
        tags=tuple(map(sys.intern, v[7])),
        agent=sys.intern(v[8]),
        outcome=sys.intern(v[9]),
        reward=v[10],
        started_at_ms=v[11],
        ended_at_ms=v[12],
        step_keys=tuple(map(names.__getitem__, v[14])),
        step_failed=v[15],
        errors=v[16],
        external_id=v[17],
        follows=v[18],
        digest=v[19],
    )


def episode_record(episode: Episode, closing: bytes | None) -> EpisodeRecord:
    """Return the record of a whole episode with its steps; *closing* is its packed `closing_record`."""
    context = episode.context
    return (
        episode.id, episode.project, episode.task, episode.task_type,
        (context.domain, context.language, context.framework, context.complexity, context.tags),
        episode.agent, episode.started_at_ms, episode.ended_at_ms, episode.state, episode.step_count,
        episode.outcome.kind if episode.outcome else None, episode.reward.score if episode.reward else None, closing, episode.metadata,
        episode.parent_id, episode.external_id, episode.follows, episode.change_seq, [step_record(s) for s in episode.steps],
    )  # fmt: skip


def episode_of(v: EpisodeRecord, closing: Closing) -> Episode:
    """Return the episode of a record."""
    domain, language, framework, complexity, tags = v[4]
    return Episode(
        id=v[0],
        project=v[1],
        task=v[2],
        task_type=v[3],
        context=Context(domain, language, framework, complexity, tags),
        agent=v[5],
        started_at_ms=v[6],
        ended_at_ms=v[7],
        state=v[8],
        steps=tuple(step_of(s, i) for i, s in enumerate(v[18])),
        step_count=v[9],
        metadata=v[13],
        parent_id=v[14],
        external_id=v[15],
        follows=v[16],
        change_seq=v[17],
        **closing._asdict(),
    )
