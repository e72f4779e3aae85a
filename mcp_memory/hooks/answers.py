"""What a hook prints: a text for the agent in the form its host takes, and nothing else that an answer may hold.

A hook with a server reads and writes JSON here only. `json` would load `re`, which takes as long as the whole hook; its C half does not.
"""

from mcp_memory.hooks.field_maps import DEFAULT_HOST, field_map
from mcp_memory.hooks.kinds import EVENTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

try:
    from _json import encode_basestring_ascii, make_scanner
except ImportError:  # another Python than CPython
    make_scanner = None  # type: ignore[assignment, misc]

CONTEXT_CHARS = 9_500  # Claude Code moves a text over 10,000 to a file
_MAX_NAME_CHARS = 40


class _Plainly:
    """How numbers and objects are read, for the C half of `json`."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float


def context_in(answer: bytes) -> tuple[str, str]:
    """Return the host's name of the event and the text for the agent in a door's answer; ("", "") when there is none.

    Raises ValueError: it is no answer to a hook.
    """
    text = answer.decode("utf-8", "replace").strip()
    if not text:
        return "", ""
    told = loads(text)
    specific = told.get("hookSpecificOutput") if isinstance(told, dict) else None
    if not isinstance(specific, dict) or not isinstance(context := specific.get("additionalContext"), str):
        raise ValueError("what the door answered is no answer to a hook")
    name = specific.get("hookEventName")
    return name if isinstance(name, str) and name.isalnum() and len(name) <= _MAX_NAME_CHARS else "", context


def shown(event: str, name: str, text: str, host: str = "") -> str:
    """Return a hook's output in the form the host takes, "" when there is nothing to tell.

    Args:
        event: One of EVENTS.
        name: What the host calls it; its output must carry the same. "" stands for the usual name.
    """
    if not text:
        return ""
    context = text if len(text) <= CONTEXT_CHARS else text[: CONTEXT_CHARS - 1] + "…"
    parts = []
    for path in field_map(host or DEFAULT_HOST).answer:
        outer, _, inner = path.partition(".")
        quoted = _quoted(context)
        parts.append(f'"{outer}": ' + (f'{{"hookEventName": {_quoted(name or EVENTS[event])}, "{inner}": {quoted}}}' if inner else quoted))
    return "{" + ", ".join(parts) + "}"


def loads(text: str) -> "Any":
    """Return a JSON value. Raises ValueError."""
    if make_scanner is None:
        import json

        return json.loads(text)
    try:
        value, end = make_scanner(_Plainly)(text, 0)  # type: ignore[arg-type]
    except (StopIteration, RecursionError):
        raise ValueError("it is not JSON") from None
    if text[end:].strip():
        raise ValueError("it is more than one JSON value")
    return value


def _quoted(text: str) -> str:
    if make_scanner is None:
        import json

        return json.dumps(text)
    return encode_basestring_ascii(text)
