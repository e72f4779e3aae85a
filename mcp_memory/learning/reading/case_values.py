"""Values of another run's case in what is told of it: those its error named become this run's, other ids placeholders by kind. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Mapping

from mcp_memory.domain.episode import Step
from mcp_memory.domain.offers import EMAIL
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.reading.signatures import without_details

MAX_ERROR_CHARS = 4_000  # of an error in which values are looked for
MIN_VALUE_CHARS = 2
_IDS = (
    (EMAIL, "<email>"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.I), "<id>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,}\b"), "<id>"),
    (re.compile(r"\b[A-Za-z]+(?:_[A-Za-z]+)*_\d{3,}\b"), "<id>"),
    (re.compile(r"(?<![\w.])\d{6,}(?![\w.])"), "<number>"),
)
_VALUE = re.compile(r"\w+(?:-\w+)*")
_FILE = re.compile(r"(?<![\w-])[\w-]++\.[A-Za-z]\w{0,4}(?![\w.])")
_ID = re.compile(r"(?=[\w-]*\d)(?=[\w-]*[^\W\d_]|(?:[_-]*\d){4})[\w-]{3,}")


def without_ids(text: str, is_own: Callable[[str], bool]) -> str:
    """Return a text with the ids in it replaced by placeholders, but for those that are the reader's own.

    >>> without_ids("docker rm 9c1b22f3a04d", lambda value: False)
    'docker rm <id>'
    """
    for pattern, placeholder in _IDS:
        text = pattern.sub(lambda found, instead=placeholder: found[0] if is_own(found[0]) else instead, text)  # type: ignore[misc]
    return text


def carried_over(text: str, then: str, now: str) -> str:
    """Return a text with the values that the error *then* names replaced by what the error *now* says in the same places of the same lines.

    Only what has a digit is a value (a port, a process, the id of a lock); one that stands for two is left as it is.

    >>> carried_over("kill $(lsof -ti:3000)", "address already in use :::3000", "address already in use :::8080")
    'kill $(lsof -ti:8080)'
    """
    values = _values_now(then[:MAX_ERROR_CHARS], now[:MAX_ERROR_CHARS])
    if not values:
        return text
    return _VALUE.sub(lambda found: values.get(found[0], found[0]), text)


def renamed(text: str, then: str, now: str) -> str:
    """Return a text with the one file that the task *then* names and *now* does not called as the one that stands in its place there.

    >>> renamed("unzip -l secret.zip", "Open secret.zip", "Open backup.zip"), renamed("cat a.py", "Run a.py and b.py", "Run c.py")
    ('unzip -l backup.zip', 'cat a.py')
    >>> renamed("ffmpeg -i clip.mov clip.mp4", "Convert clip.mov", "Convert intro.mov")
    'ffmpeg -i intro.mov intro.mp4'
    """
    before, after = (dict.fromkeys(_FILE.findall(task)) for task in (then, now))
    gone, come = [name for name in before if name not in after], [name for name in after if name not in before]
    if len(gone) != 1 or len(come) != 1 or gone[0].rpartition(".")[2] != come[0].rpartition(".")[2]:
        return text
    stem, other = (name.rpartition(".")[0] for name in (gone[0], come[0]))  # what is made of it is called after it
    return re.sub(rf"(?<![\w.-]){re.escape(stem)}(?=\.\w)", lambda _: other, text)


def same_but_ids(failed: Step, own: Step) -> bool:
    """Return whether two failed calls met the very same error, each about its own case: one id in the error is the call's own argument.

    An id has letters and digits, or four digits and more: another exit code, status or line is another error or another place.

    >>> def late(order): return Step("cancel", arguments={"order_id": order}, status="error", error=f"Order {order} was shipped: return it")
    >>> same_but_ids(late("W1203"), late("W7788")), same_but_ids(late("W1203"), Step("cancel", status="error", error="Order W1 is unknown"))
    (True, False)
    """
    then, now = message_of(failed), message_of(own)
    if then == now or without_details(then) != without_details(now):
        return False
    before, after = _VALUE.findall(then), _VALUE.findall(now)
    others = [pair for pair in zip(before, after, strict=False) if pair[0] != pair[1]]
    if len(before) != len(after) or not others or not all(_ID.fullmatch(a) and _ID.fullmatch(b) for a, b in others):
        return False
    given, here = (frozenset(_VALUE.findall(" ".join(map(str, step.arguments.values())))) for step in (failed, own))
    return any(a in given and b in here for a, b in others)


def _values_now(then: str, now: str) -> Mapping[str, str]:
    lines, others = _by_shape(then), _by_shape(now)
    found: dict[str, set[str]] = {}
    for shape in lines.keys() & others.keys():
        before, after = _VALUE.findall(lines[shape]), _VALUE.findall(others[shape])
        for a, b in zip(before, after, strict=True) if len(before) == len(after) else ():
            if len(a) >= MIN_VALUE_CHARS and any(map(str.isdigit, a)):
                found.setdefault(a, set()).add(b)
    return {a: next(iter(values)) for a, values in found.items() if len(values) == 1}


def _by_shape(error: str) -> dict[str, str]:
    """Return the lines of an error by what they say without their values, of those that say it once."""
    shaped = [(without_details(line), line) for line in error.splitlines() if line.strip()]
    counts = Counter(shape for shape, _ in shaped)
    return {shape: line for shape, line in shaped if counts[shape] == 1}
