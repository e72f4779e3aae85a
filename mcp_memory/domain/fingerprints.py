"""A step as three small numbers: exactly these arguments, arguments of this shape, an answer of this kind."""

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache

from mcp_memory.domain.episode import Json, Step

_HEX_CHARS = 4  # each number has 16 bits: two steps of one tool meet by chance once in 65,536
_LONG = 80  # characters from which a value is "a text"
_SHAPE_CHARS = 12
_KIND_TOKENS, _KIND_WORDS, _KIND_CHARS = 12, 6, 160  # of an answer's first line; three words already tell as much on most tools
_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=str).encode  # made once: that is half the cost of a call
_FILE = re.compile(r"[\w./~-]*\.\w{1,4}\b")


def shape(arguments: Mapping[str, Json]) -> str:
    """Return what kind of arguments these are: names, and for each value files, numbers and words as letters.

    >>> shape({"path": "src/a.py", "line": 3})
    'line=N|path=P'
    """
    return "|".join(f"{name}={_value_shape(value)}" for name, value in sorted(arguments.items()))


def _value_shape(value: Json) -> str:
    text = value if isinstance(value, str) else _encode(value)
    return "T" if len(text) > _LONG or "\n" in text else _text_shape(text)


@lru_cache(maxsize=20_000)
def _text_shape(text: str) -> str:
    text = _FILE.sub("P", text)
    text = re.sub(r"\d+", "N", text)
    text = re.sub(r"[A-Za-z_]{2,}(?:[ _:-]+[A-Za-z_]{2,})*", "W", text)
    return " ".join(text.split())[:_SHAPE_CHARS]


def fingerprint(step: Step) -> tuple[int, int]:
    """Return the 16-bit numbers of the step's exact arguments and of their shape."""
    exact = repr(sorted(step.arguments.items()))  # cheaper than JSON; keys are unique, so values are never compared
    return zlib.crc32(_bytes(exact)) & 0xFFFF, zlib.crc32(_bytes(shape(step.arguments))) & 0xFFFF


def pack(steps: Sequence[Step]) -> str:
    """Return the fingerprints of *steps* as one string, eight characters each."""
    return "".join(f"{exact:04x}{like:04x}" for exact, like in map(fingerprint, steps))


def unpack(packed: str, count: int) -> tuple[list[int], list[int]]:
    """Return the exact and the shape numbers of *count* steps; -1 for steps that *packed* does not cover.

    >>> unpack("00010002", 2)
    ([1, -1], [2, -1])
    """
    width = 2 * _HEX_CHARS
    known = min(count, len(packed) // width)
    exact = [int(packed[i * width : i * width + _HEX_CHARS], 16) for i in range(known)]
    like = [int(packed[i * width + _HEX_CHARS : (i + 1) * width], 16) for i in range(known)]
    missing = [-1] * (count - known)
    return exact + missing, like + missing


def answer_kind(step: Step) -> int:
    """Return the 16-bit number of what kind of answer the step got; 0 when nothing came back.

    It stands for the first plain words of the answer's first line, so that it is the same whatever names, paths and numbers are in it:
    "No matches found for …" is another kind than "Found 193 matches for …", which is the same as "Found 2 matches for …".
    """
    text = (step.error or step.observation)[: 2 * _KIND_CHARS].lstrip()
    if not text:
        return 0
    line = text.split("\n", 1)[0][:_KIND_CHARS]
    plain = [word for word in line.split(None, _KIND_TOKENS)[:_KIND_TOKENS] if word.isalpha()]
    mark = "" if line[0].isalnum() else line[0]
    return zlib.crc32(_bytes(f"{mark}{' '.join(plain[:_KIND_WORDS])}")) & 0xFFFF or 1


def pack_answers(steps: Sequence[Step]) -> str:
    """Return the kinds of the answers of *steps* as one string, four characters each."""
    return "".join(f"{answer_kind(step):04x}" for step in steps)


def unpack_answers(packed: str, count: int) -> list[int]:
    """Return the kinds of the answers of *count* steps; 0 for steps that *packed* does not cover.

    >>> unpack_answers("0001", 2)
    [1, 0]
    """
    known = min(count, len(packed) // _HEX_CHARS)
    return [int(packed[i * _HEX_CHARS : (i + 1) * _HEX_CHARS], 16) for i in range(known)] + [0] * (count - known)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
