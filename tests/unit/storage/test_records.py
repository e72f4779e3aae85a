"""Records of every form that was ever written are read, and today's are written byte for byte as before.

Run as a script, with the version that wrote a form first on the path, it prints the bytes of that form.
"""

import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

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
from mcp_memory.storage import codec, records
from mcp_memory.storage.codec import Codec

STEP = Step("bash", "run", {"n": 10**30, "l": [1, None]}, "o", StepStatus.ERROR, "E: 🦀", 7, 9, 5, 0)
PLAIN = Step("edit", "edit", {"path": "a.py"}, "ok", at_ms=6, index=1)
EPISODE = Episode(
    "e1", "p", "fix it", TaskType.DEBUGGING, Context("web", "python", "django", Complexity.COMPLEX, ("a", "b")), "coder", 1000, 2000,
    EpisodeState.COMPLETED, (STEP, PLAIN), 2,
    Outcome(OutcomeKind.PARTIAL, "half", ("learn",), ("a.py",), ("x",), ("y",), "late"), Reward(0.75, {"outcome": 1.0}),
    Reflection(("s",), ("i",), ("n",)), {"k": [1, 2.5]}, "e0", "x/1", "e9", (1,), (FileUse("a.py", Use.CHANGED),), 12,
)  # fmt: skip
TRACE = Trace(
    7, "e1", "p", "fix it", "debugging", "web", "python", "django", ("a",), "coder", "partial", 0.75, 1000, 2000, ("bash:run", "edit"),
    b"\x01\x00", ((0, "E"),), "x/1", "e9", {"v": 1},
)  # fmt: skip
CODEC = Codec(10**9)
WRITERS: dict[str, Callable[[], bytes]] = {
    "step": lambda: CODEC.step(STEP),
    "plain step": lambda: CODEC.step(PLAIN),
    "opening": lambda: CODEC.opening(EPISODE),
    "closing": lambda: CODEC.closing(EPISODE),
    "trace": lambda: CODEC.trace(TRACE),
    "episode": lambda: CODEC.episode(EPISODE),
}
FIRST_FORM = {
    "step": (
        "0199a462617368a372756ec736017b226e223a20313030303030303030303030303030303030303030303030303030303030302c20226c223a205b31"
        "2c206e756c6c5d7da16fa56572726f72a7453a20f09fa680070905"
    ),
    "plain step": ("0199a465646974a46564697481a470617468a4612e7079a26f6ba26f6bc0c0c006"),
    "opening": ("019292a161a16281a16b9201cb4004000000000000"),
    "closing": (
        "019ca468616c6691a56c6561726e91a4612e707991a17891a179a46c61746581a76f7574636f6d65cb3ff000000000000091a17391a16991a16e9101"
        "9192a4612e7079a76368616e676564"
    ),
    "trace": (
        "01dc0014a26531a170a6666978206974a9646562756767696e67a3776562a6707974686f6ea6646a616e676f91a161a5636f646572a7706172746961"
        "6ccb3fe8000000000000cd03e8cd07d092a8626173683a72756ea465646974c4020001c4020100919200a145a3782f31a2653981a17601"
    ),
    "episode": (
        "01dc0013a26531a170a6666978206974a9646562756767696e6795a3776562a6707974686f6ea6646a616e676fa7636f6d706c657892a161a162a563"
        "6f646572cd03e8cd07d0a9636f6d706c6574656402a77061727469616ccb3fe8000000000000c44a9ca468616c6691a56c6561726e91a4612e707991"
        "a17891a179a46c61746581a76f7574636f6d65cb3ff000000000000091a17391a16991a16e91019192a4612e7079a76368616e676564c70f017b226b"
        "223a205b312c20322e355d7da26530a3782f31a265390c9299a462617368a372756ec736017b226e223a203130303030303030303030303030303030"
        "30303030303030303030303030302c20226c223a205b312c206e756c6c5d7da16fa56572726f72a7453a20f09fa68007090599a465646974a4656469"
        "74d8017b2270617468223a2022612e7079227da26f6ba26f6bc0c0c006"
    ),
}
GROWN = {"trace": FIRST_FORM["trace"].replace("01dc0014", "01dc0015", 1) + "a0"}  # a session, at its end
READERS: dict[str, Callable[[bytes], Any]] = {
    "step": lambda data: codec.load_step(data, 0),
    "plain step": lambda data: codec.load_step(data, 1),
    "opening": codec.load_opening,
    "closing": lambda data: codec.load_closing(data, "partial", 0.75),
    "trace": lambda data: codec.load_trace(data, 7),
    "episode": codec.load_episode,
}
READ: dict[str, Any] = {
    "step": STEP,
    "plain step": PLAIN,
    "opening": (EPISODE.context.tags, EPISODE.metadata),
    "closing": (EPISODE.outcome, EPISODE.reward, EPISODE.reflection, EPISODE.key_steps, EPISODE.files),
    "trace": TRACE,
    "episode": EPISODE,
}


@pytest.mark.parametrize("name", WRITERS)
def test_todays_records_are_written_as_they_were_first_or_grown_at_their_end(name: str) -> None:
    assert WRITERS[name]().hex() == GROWN.get(name, FIRST_FORM[name])


@pytest.mark.parametrize("name", READERS)
def test_the_first_form_of_a_record_is_read(name: str) -> None:
    assert READERS[name](bytes.fromhex(FIRST_FORM[name])) == READ[name]


def test_a_closing_from_before_files_were_kept_is_read_without_them() -> None:
    fields = msgspec.msgpack.decode(bytes.fromhex(FIRST_FORM["closing"])[1:])
    found = codec.load_closing(b"\x01" + msgspec.msgpack.encode(fields[:-1]), "partial", 0.75)
    assert found == (*READ["closing"][:-1], None)


@pytest.mark.parametrize("name", ["plain step", "opening", "closing", "trace"])
def test_a_record_written_with_a_field_fewer_or_more_is_read(name: str) -> None:
    fields = msgspec.msgpack.decode(bytes.fromhex(FIRST_FORM[name])[1:])
    for array in (fields[:-1], [*fields, "of a later version"]):
        assert READERS[name](b"\x01" + msgspec.msgpack.encode(array)) is not None


def test_every_field_that_may_be_missing_is_at_the_end_of_its_record() -> None:
    for record in records.Record.__subclasses__():
        optional = [not f.required for f in msgspec.structs.fields(record)]
        assert optional == sorted(optional), record
        assert optional[-1], record


if __name__ == "__main__":
    for name, write in WRITERS.items():
        sys.stdout.write(f"    {name!r}: {write().hex()!r},\n")
