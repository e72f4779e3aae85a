"""Domain objects ⇄ bytes: msgpack behind one header byte that holds the format's version and whether zstd was used.

Records are arrays, not maps: a step costs its values and no field names. Values that msgpack cannot hold (whole numbers beyond
64 bits inside arguments) travel as JSON text.
"""

import json
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import zstandard

from mcp_memory.domain.episode import (
    Complexity,
    Context,
    Episode,
    EpisodeState,
    Json,
    Outcome,
    OutcomeKind,
    Reflection,
    Reward,
    Step,
    StepStatus,
    TaskType,
    Trace,
)
from mcp_memory.errors import CorruptRecord

T = TypeVar("T")
VERSION = 1
_COMPRESSED = 0x80
_BYTE = 256  # values of one
_JSON_TEXT = 1  # msgpack extension type
_ZSTD_LEVEL = 3  # level 9 saves 3 % more on steps and takes four times as long
_MAX_RECORD_BYTES = 1 << 30  # a damaged header must not make us allocate more

_Step = tuple[str, str, Any, str, StepStatus, str | None, int | None, int | None, int]
_Strings = tuple[str, ...]
_Closing = tuple[str, _Strings, _Strings, _Strings, _Strings, str | None, dict[str, float], _Strings, _Strings, _Strings, tuple[int, ...]]
_Indexes = bytes | tuple[int, ...]  # into distinct names; bytes when there are few of them
_Trace = tuple[
    str, str, str, str, str, str, str, _Strings, str, str, float, int, int, _Strings, _Indexes, bytes,
    tuple[tuple[int, str], ...], str | None, str | None, Any,
]  # fmt: skip
_Episode = tuple[
    str, str, str, TaskType, tuple[str, str, str, Complexity, _Strings], str, int, int | None, EpisodeState, int, OutcomeKind | None,
    float | None, bytes | None, Any, str | None, str | None, str | None, int, list[_Step],
]  # fmt: skip


def _extension(code: int, data: memoryview) -> Any:
    if code != _JSON_TEXT:
        raise CorruptRecord(f"unknown extension {code} in a stored record")
    return json.loads(bytes(data))


_encode = msgspec.msgpack.Encoder().encode
_decode_any = msgspec.msgpack.Decoder(ext_hook=_extension).decode
_decode_step = msgspec.msgpack.Decoder(_Step, ext_hook=_extension).decode
_decode_opening = msgspec.msgpack.Decoder(tuple[_Strings, Any], ext_hook=_extension).decode
_decode_closing = msgspec.msgpack.Decoder(_Closing).decode
_decode_trace = msgspec.msgpack.Decoder(_Trace, ext_hook=_extension).decode
_decode_episode = msgspec.msgpack.Decoder(_Episode, ext_hook=_extension).decode
_zstd = threading.local()  # a (de)compressor is not safe for two threads


class Codec:
    """Encodes for one store. Thread-safe; the byte counts are statistics."""

    def __init__(self, compress_over_bytes: int) -> None:
        self._compress_over_bytes = compress_over_bytes
        self.raw_bytes = 0
        self.stored_bytes = 0

    def json(self, value: Json) -> bytes:
        """Encode any JSON value."""
        try:
            return self._seal(_encode(value))
        except OverflowError:
            return self._seal(_encode(_as_text(value)))

    def step(self, step: Step) -> bytes:
        """Encode a step without its index, which is its key."""
        record = (
            step.tool,
            step.action,
            step.arguments,
            step.observation,
            step.status,
            step.error,
            step.duration_ms,
            step.tokens,
            step.at_ms,
        )
        try:
            return self._seal(_encode(record))
        except OverflowError:
            return self._seal(_encode((*record[:2], _as_text(step.arguments), *record[3:])))

    def opening(self, episode: Episode) -> bytes:
        """Encode what an episode starts with besides its columns: tags and metadata."""
        try:
            return self._seal(_encode((episode.context.tags, episode.metadata)))
        except OverflowError:
            return self._seal(_encode((episode.context.tags, _as_text(episode.metadata))))

    def closing(self, episode: Episode) -> bytes:
        """Encode what completion adds besides its columns."""
        return self._seal(_encode(_closing_record(episode)))

    def trace(self, trace: Trace) -> bytes:
        """Encode a trace without its seq, which is its key. Its step keys are few names many times: names, then indexes into them."""
        names = {key: i for i, key in enumerate(dict.fromkeys(trace.step_keys))}
        indexes = [names[key] for key in trace.step_keys]
        record = (
            trace.id, trace.project, trace.task, trace.task_type, trace.domain, trace.language, trace.framework, trace.tags, trace.agent,
            trace.outcome, trace.reward, trace.started_at_ms, trace.ended_at_ms, tuple(names),
            bytes(indexes) if len(names) <= _BYTE else indexes, trace.step_failed, trace.errors,
            trace.external_id, trace.follows,
        )  # fmt: skip
        try:
            return self._seal(_encode((*record, trace.digest)))
        except OverflowError:
            return self._seal(_encode((*record, _as_text(trace.digest))))

    def episode(self, episode: Episode) -> bytes:
        """Encode a whole episode with its steps, as the hot tier keeps it."""
        context = episode.context
        closing = _encode(_closing_record(episode)) if episode.outcome else None
        steps = [(s.tool, s.action, s.arguments, s.observation, s.status, s.error, s.duration_ms, s.tokens, s.at_ms) for s in episode.steps]
        record = (
            episode.id, episode.project, episode.task, episode.task_type,
            (context.domain, context.language, context.framework, context.complexity, context.tags),
            episode.agent, episode.started_at_ms, episode.ended_at_ms, episode.state, episode.step_count,
            episode.outcome.kind if episode.outcome else None, episode.reward.score if episode.reward else None, closing, episode.metadata,
            episode.parent_id, episode.external_id, episode.follows, episode.change_seq,
        )  # fmt: skip
        try:
            return self._seal(_encode((*record, steps)))
        except OverflowError:
            texts = [(*s[:2], _as_text(s[2]), *s[3:]) for s in steps]
            return self._seal(_encode((*record[:13], _as_text(episode.metadata), *record[14:], texts)))

    def _seal(self, body: bytes) -> bytes:
        self.raw_bytes += len(body)
        header = VERSION
        if len(body) > self._compress_over_bytes:
            squeezed = _compressor().compress(body)
            if len(squeezed) < len(body):
                header, body = VERSION | _COMPRESSED, squeezed
        self.stored_bytes += len(body) + 1
        return bytes((header,)) + body


def load_json(data: bytes) -> Json:
    """Decode `Codec.json`. Raises CorruptRecord, as every function here does on bytes that do not decode."""
    return _load(data, _decode_any)


def load_step(data: bytes, index: int) -> Step:
    """Decode `Codec.step`."""
    return _step(_load(data, _decode_step), index)


def load_opening(data: bytes) -> tuple[_Strings, dict[str, Json]]:
    """Decode `Codec.opening`: tags, metadata."""
    return _load(data, _decode_opening)


def load_closing(data: bytes, kind: str, score: float) -> tuple[Outcome, Reward, Reflection, tuple[int, ...]]:
    """Decode `Codec.closing`: outcome, reward, reflection, key steps."""
    return _closing(_load(data, _decode_closing), kind, score)


def load_trace(data: bytes, seq: int) -> Trace:
    """Decode `Codec.trace`. Names that recur are interned: a hundred thousand traces share a few hundred strings."""
    return _load(data, lambda body: _trace(_decode_trace(body), seq))


def load_episode(data: bytes) -> Episode:
    """Decode `Codec.episode`."""
    return _load(data, lambda body: _episode(_decode_episode(body)))


def _trace(v: _Trace, seq: int) -> Trace:
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


def _episode(v: _Episode) -> Episode:
    outcome: Outcome | None = None
    reward: Reward | None = None
    reflection: Reflection | None = None
    key_steps: tuple[int, ...] = ()
    if v[10] is not None and v[12] is not None:
        outcome, reward, reflection, key_steps = _closing(_decode_closing(v[12]), v[10], v[11] or 0.0)
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
        steps=tuple(_step(s, i) for i, s in enumerate(v[18])),
        step_count=v[9],
        outcome=outcome,
        reward=reward,
        reflection=reflection,
        metadata=v[13],
        parent_id=v[14],
        external_id=v[15],
        follows=v[16],
        key_steps=key_steps,
        change_seq=v[17],
    )


def _closing_record(episode: Episode) -> tuple[Any, ...]:
    assert episode.outcome is not None
    outcome, reward, reflection = episode.outcome, episode.reward or Reward(0.0), episode.reflection or Reflection()
    return (
        outcome.summary, outcome.lessons, outcome.artifacts, outcome.completed, outcome.failed, outcome.error, reward.components,
        reflection.successes, reflection.improvements, reflection.insights, episode.key_steps,
    )  # fmt: skip


def _closing(v: _Closing, kind: str, score: float) -> tuple[Outcome, Reward, Reflection, tuple[int, ...]]:
    return Outcome(OutcomeKind(kind), v[0], v[1], v[2], v[3], v[4], v[5]), Reward(score, v[6]), Reflection(v[7], v[8], v[9]), v[10]


def _step(v: _Step, index: int) -> Step:
    return Step(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], index)


def _as_text(value: Json) -> msgspec.msgpack.Ext:
    return msgspec.msgpack.Ext(_JSON_TEXT, json.dumps(value).encode())


def _load(data: bytes, decode: Callable[[bytes], T]) -> T:
    try:
        header = data[0]
        if header & ~_COMPRESSED != VERSION:
            raise CorruptRecord(f"a stored record has format {header & ~_COMPRESSED}, not {VERSION}")
        body = data[1:]
        if header & _COMPRESSED:
            body = _decompressor().decompress(body, max_output_size=_MAX_RECORD_BYTES)
        return decode(body)
    except (msgspec.MsgspecError, zstandard.ZstdError, IndexError, ValueError, RecursionError, MemoryError) as error:
        raise CorruptRecord(f"a stored record does not decode: {error}") from error


def _compressor() -> zstandard.ZstdCompressor:
    found: zstandard.ZstdCompressor | None = getattr(_zstd, "compressor", None)
    if found is None:
        found = _zstd.compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL)
    return found


def _decompressor() -> zstandard.ZstdDecompressor:
    found: zstandard.ZstdDecompressor | None = getattr(_zstd, "decompressor", None)
    if found is None:
        found = _zstd.decompressor = zstandard.ZstdDecompressor()
    return found
