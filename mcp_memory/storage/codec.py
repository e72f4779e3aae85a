"""Records ⇄ bytes: msgpack behind one header byte that holds the version of the record's form and whether zstd was used.

Values that msgpack cannot hold (whole numbers beyond 64 bits inside arguments) travel as JSON text.
"""

import json
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import zstandard
from msgspec.structs import replace

from mcp_memory.domain.episode import Episode, Json, Step, Trace
from mcp_memory.errors import CorruptRecord
from mcp_memory.storage import records
from mcp_memory.storage.records import Closing, Strings

T = TypeVar("T")
_COMPRESSED = 0x80
_JSON_TEXT = 1  # msgpack extension type
_ZSTD_LEVEL = 3  # level 9 saves 3 % more on steps and takes four times as long
_MAX_RECORD_BYTES = 1 << 30  # a damaged header must not make us allocate more


def _extension(code: int, data: memoryview) -> Any:
    if code != _JSON_TEXT:
        raise CorruptRecord(f"unknown extension {code} in a stored record")
    return json.loads(bytes(data))


_encode = msgspec.msgpack.Encoder().encode
_decode_any = msgspec.msgpack.Decoder(ext_hook=_extension).decode
_decode_step = msgspec.msgpack.Decoder(records.StepRecord, ext_hook=_extension).decode
_decode_opening = msgspec.msgpack.Decoder(records.OpeningRecord, ext_hook=_extension).decode
_decode_closing = msgspec.msgpack.Decoder(records.ClosingRecord).decode
_decode_trace = msgspec.msgpack.Decoder(records.TraceRecord, ext_hook=_extension).decode
_decode_episode = msgspec.msgpack.Decoder(records.EpisodeRecord, ext_hook=_extension).decode
_zstd = threading.local()  # a (de)compressor is not safe for two threads


class Codec:
    """Encodes for one store. Thread-safe; the byte counts are statistics."""

    def __init__(self, compress_over_bytes: int) -> None:
        self._compress_over_bytes = compress_over_bytes
        self.raw_bytes = 0
        self.stored_bytes = 0

    def json(self, value: Json) -> bytes:
        """Encode any JSON value, or a record of such values as an object."""
        return self._pack(value, records.Record.VERSION, lambda: _as_text(value))

    def step(self, step: Step) -> bytes:
        """Encode a step without its index, which is its key."""
        record = records.step_record(step)
        return self._pack(record, record.VERSION, lambda: replace(record, arguments=_as_text(record.arguments)))

    def opening(self, episode: Episode) -> bytes:
        """Encode what an episode starts with besides its columns: tags and metadata."""
        record = records.OpeningRecord(episode.context.tags, episode.metadata)
        return self._pack(record, record.VERSION, lambda: replace(record, metadata=_as_text(record.metadata)))

    def closing(self, episode: Episode) -> bytes:
        """Encode what completion adds besides its columns."""
        return self._seal(_encode(records.closing_record(episode)), records.ClosingRecord.VERSION)

    def trace(self, trace: Trace) -> bytes:
        """Encode a trace without its seq, which is its key."""
        record = records.trace_record(trace)
        return self._pack(record, record.VERSION, lambda: replace(record, digest=_as_text(record.digest)))

    def episode(self, episode: Episode) -> bytes:
        """Encode a whole episode with its steps, as the hot tier keeps it."""
        record = records.episode_record(episode, _encode(records.closing_record(episode)) if episode.outcome else None)

        def as_text() -> records.EpisodeRecord:
            steps = [replace(step, arguments=_as_text(step.arguments)) for step in record.steps]
            return replace(record, metadata=_as_text(record.metadata), steps=steps)

        return self._pack(record, record.VERSION, as_text)

    def _pack(self, record: Any, version: int, as_text: Callable[[], Any]) -> bytes:
        try:
            return self._seal(_encode(record), version)
        except OverflowError:
            return self._seal(_encode(as_text()), version)

    def _seal(self, body: bytes, version: int) -> bytes:
        self.raw_bytes += len(body)
        header = version
        if len(body) > self._compress_over_bytes:
            squeezed = _compressor().compress(body)
            if len(squeezed) < len(body):
                header, body = version | _COMPRESSED, squeezed
        self.stored_bytes += len(body) + 1
        return bytes((header,)) + body


def load_json(data: bytes) -> Json:
    """Decode `Codec.json`. Raises CorruptRecord, as every function here does on bytes that do not decode."""
    return _load(data, _decode_any)


def load_as(data: bytes, kind: type[T]) -> T:
    """Decode a record that `Codec.json` encoded; fields of a later version are passed over."""
    return _load(data, lambda body: msgspec.convert(_decode_any(body), kind))


def load_step(data: bytes, index: int) -> Step:
    """Decode `Codec.step`."""
    return _load(data, lambda body: records.step_of(_decode_step(body), index))


def load_opening(data: bytes) -> tuple[Strings, dict[str, Json]]:
    """Decode `Codec.opening`: tags, metadata."""
    return _load(data, lambda body: _opening(_decode_opening(body)))


def load_closing(data: bytes, kind: str, score: float) -> Closing:
    """Decode `Codec.closing`. *kind* and *score* are columns of the episode."""
    return _load(data, lambda body: records.closing_of(_decode_closing(body), kind, score))


def load_trace(data: bytes, seq: int) -> Trace:
    """Decode `Codec.trace`."""
    return _load(data, lambda body: records.trace_of(_decode_trace(body), seq))


def load_episode(data: bytes) -> Episode:
    """Decode `Codec.episode`."""
    return _load(data, lambda body: _episode(_decode_episode(body)))


def _opening(v: records.OpeningRecord) -> tuple[Strings, dict[str, Json]]:
    return v.tags, v.metadata


def _episode(v: records.EpisodeRecord) -> Episode:
    if v.outcome is None or v.closing is None:
        return records.episode_of(v, Closing())
    return records.episode_of(v, records.closing_of(_decode_closing(v.closing), v.outcome, v.reward or 0.0))


def _as_text(value: Json) -> msgspec.msgpack.Ext:
    return msgspec.msgpack.Ext(_JSON_TEXT, json.dumps(value).encode())


def _load(data: bytes, decode: Callable[[bytes], T]) -> T:
    try:
        header = data[0]
        if header & ~_COMPRESSED != records.Record.VERSION:  # no record has a second form yet
            raise CorruptRecord(
                f"a stored record has form {header & ~_COMPRESSED}; this program knows forms up to {records.Record.VERSION}"
            )
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
