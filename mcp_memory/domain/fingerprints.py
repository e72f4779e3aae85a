"""A step as three small numbers: exactly these arguments, arguments of this shape, an answer of this kind."""

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache

from mcp_memory.domain.command_forms import given_otherwise
from mcp_memory.domain.commands import command_in, hides_exit, is_preparing, program_of, simple_commands
from mcp_memory.domain.edit_arguments import FILES
from mcp_memory.domain.episode import Json, Step
from mcp_memory.domain.step_keys import SHELL
from mcp_memory.domain.step_roles import Role, role_of

_HEX_CHARS = 4  # each number has 16 bits: two steps of one tool meet by chance once in 65,536
_LONG = 80  # characters from which a value is "a text"
_SHAPE_CHARS = 12
_KIND_TOKENS, _KIND_WORDS, _KIND_CHARS = 12, 6, 160  # of an answer's first line; three words already tell as much on most tools
_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=str).encode  # made once: that is half the cost of a call
_IDS = ("_id", "Id", "_ids")  # how the names of arguments with ids end
_TARGET_CHARS = 500
_OPERAND = re.compile(r"[\w)]\.\w|/|::")  # a word of a command that names something: a file, a module, an address, a test
_FILE = re.compile(r"[\w./~-]*\.\w{1,4}\b")
MAX_UNTIL_FIXED = 20  # steps within which a failed call must have worked to count as fixed
_ERROR_CHARS = 2_000


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
    return exact_number(step), shape_number(step.arguments)


def shape_number(arguments: Mapping[str, Json]) -> int:
    """Return the 16-bit number of the arguments' shape."""
    return _number(shape(arguments))


def exact_number(step: Step) -> int:
    """Return the 16-bit number of the step's exact arguments, or of the sentence that stands for them."""
    if said := step.description:
        return _number(repr(said))
    return _number(repr(sorted(step.arguments.items())))  # cheaper than JSON; keys are unique, so values are never compared


def pack(steps: Sequence[Step], exact: Sequence[int]) -> str:
    """Return the fingerprints of *steps* as one string, eight characters each; *exact* is their exact numbers."""
    return "".join([f"{number:04x}{shape_number(step.arguments):04x}" for number, step in zip(exact, steps, strict=True)])


def hidden_exits(steps: Sequence[Step]) -> tuple[int, ...]:
    """Return the positions of commands that did not fail and would not have: how their work went nobody knows."""
    return tuple(i for i, step in enumerate(steps) if not step.failed and hides_exit(command_in(step.arguments)))


def given_again(steps: Sequence[Step]) -> dict[int, tuple[int, ...]]:
    """Return for each failed command the steps after it that are the same one given otherwise, as with `sudo` or in another folder."""
    found: dict[int, tuple[int, ...]] = {}
    for i, step in enumerate(steps):
        if step.failed and (command := command_in(step.arguments)):
            error = f"{(step.error or '')[:_ERROR_CHARS]}\n{step.observation[:_ERROR_CHARS]}"
            later = range(i + 1, min(len(steps), i + 1 + MAX_UNTIL_FIXED))
            again = tuple(k for k in later if given_otherwise(command, command_in(steps[k].arguments), error))
            found |= {i: again} if again else {}
    return found


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


def target(step: Step) -> int:
    """Return the 16-bit number of what the step is about; -1 where that cannot be told apart from its arguments as a whole.

    A file for a tool that takes a path; the files, modules and addresses a command names, with every part of it that does something; the
    record for a tool that takes ids.

    >>> def about(command): return target(Step("bash", arguments={"command": command}))
    >>> about("pytest -q tests/a.py") == about("pytest tests/a.py")
    True
    >>> about("python3 jobs/a.py") == about("python3 -m jobs.a")
    True
    >>> about("python3 a.py") == about("python3 b.py")
    False
    >>> about("mkdir -p /app && pip install torch") == about("mkdir -p /app")
    False
    """
    arguments = step.arguments
    if command := command_in(arguments):
        about = _command_target(command.strip())
        return _number(about) if about else -1
    for name in FILES:
        if name in arguments and _is_named(arguments[name]):
            return _number(str(arguments[name]).removeprefix("./"))
    ids = sorted((name, str(arguments[name])) for name in arguments if (name == "id" or name.endswith(_IDS)) and _is_named(arguments[name]))
    return _number(repr(ids)) if ids else -1


def _is_named(value: Json) -> bool:
    return isinstance(value, str | int) and value != ""


def pack_targets(targets: Sequence[int]) -> str:
    """Return the targets of some steps as one string, four characters each; what cannot be told is `----`."""
    return "".join(["----" if number < 0 else f"{number:04x}" for number in targets])


def unpack_targets(packed: str, count: int) -> list[int]:
    """Return the targets of *count* steps; -1 where there is none or *packed* does not cover the step.

    >>> unpack_targets("0001----", 3)
    [1, -1, -1]
    """
    parts = [packed[i : i + _HEX_CHARS] for i in range(0, min(len(packed), count * _HEX_CHARS), _HEX_CHARS)]
    return [-1 if part == "----" else int(part, 16) for part in parts] + [-1] * (count - len(parts))


def _command_target(command: str) -> str:
    """Return what a command is about; "" where that cannot be told."""
    if "\n" in command or len(command) > _TARGET_CHARS:
        return ""
    parts = [(_program(part), _plain_words(part)) for part in simple_commands(command)]
    named = [(program, [_named(word) for word in words if _OPERAND.search(word)]) for program, words in parts]
    if not any(names for _, names in named):
        return ""
    telling = [(program, names or words) for (program, names), (_, words) in zip(named, parts, strict=True) if names or program]
    if len(telling) == 1:
        return " ".join(telling[0][1])
    return "; ".join(" ".join([program, *words]) for program, words in telling)


def _program(part: str) -> str:
    """Return the program of a part of a command that does something, the same for a script and its module; "" for a look."""
    program = program_of(part).partition(" -m ")[0]
    return "" if is_preparing(program) or role_of(f"{SHELL}:{program}") is not Role.ACTS else program


def _plain_words(part: str) -> list[str]:
    return [word for word in part.split() if not word.startswith("-")]


def _named(word: str) -> str:
    """Return what a word of a command names, the same for a script and for its module: `jobs/a.py` and `jobs.a`."""
    return word.strip("'\"").removeprefix("./").removesuffix(".py").replace("/", ".")


def _number(text: str) -> int:
    return zlib.crc32(_bytes(text)) & 0xFFFF


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
