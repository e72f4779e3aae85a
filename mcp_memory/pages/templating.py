"""Records to HTML: Jinja2 with autoescape on for everything, and the few words and shapes that pages share."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp_memory.domain.text import shorten
from mcp_memory.phrases.words import cut_id
from mcp_memory.rendering.neutralise import neutral

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
CLOCKS_DIFFER_S = 120  # what is a little ahead of this machine's clock is taken for now
_AGO = ((60, "second"), (3600, "minute"), (86_400, "hour"), (30 * 86_400, "day"), (365 * 86_400, "month"), (float("inf"), "year"))


def rendered(template: str, values: Mapping[str, Any]) -> str:
    """Return a page. Every value is escaped; characters that act on a display are made visible."""
    return environment().get_template(template).render(values)


@cache
def environment() -> "Environment":
    """Return the environment, made at the first page: whoever never looks does not load the library."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=lambda value: neutral(value) if type(value) is str else value,
    )
    made.filters |= {each.__name__: each for each in (ago, when, shorten, cut_id, percent, points, size)} | {"ms": milliseconds}
    made.globals["static"] = static_url
    made.globals["csrf_field"] = made.get_template("shared.html").module.__dict__["csrf_field"]
    return made


@cache
def static_url(name: str) -> str:
    """Return the address of a file of ours, which changes with its content."""
    return f"/ui/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def when(at_ms: int | None) -> str:
    """Return a time as a person reads it, UTC."""
    if at_ms is None:
        return "not yet"
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return str(at_ms)


def ago(at_ms: int | None) -> str:
    """Return how long ago a time is, in its largest unit; of one to come (another machine's clock, a wrong import), the time itself."""
    if at_ms is None:
        return "not yet"
    passed = datetime.now(UTC).timestamp() - at_ms / 1000
    if passed < -CLOCKS_DIFFER_S:
        return when(at_ms)
    unit_s = 1.0
    for limit_s, unit in _AGO:
        if passed < limit_s:
            number = int(passed / unit_s)
            return "just now" if unit == "second" else f"{number} {unit}{'' if number == 1 else 's'} ago"
        unit_s = limit_s
    raise AssertionError("the last unit has no limit")


def percent(share: float) -> str:
    """Return a share as a whole percentage.

    >>> percent(0.666)
    '67 %'
    """
    return f"{share:.0%}".replace("%", " %")


def points(difference: float) -> str:
    """Return a difference of two shares in percentage points, with its sign.

    >>> points(0.25), points(-0.043), points(0)
    ('+25', '−4', '0')
    """
    rounded = round(difference * 100)
    return f"+{rounded}" if rounded > 0 else f"−{-rounded}" if rounded < 0 else "0"


def milliseconds(ms: float | None) -> str:
    """Return a duration in the unit a person would use.

    >>> milliseconds(250), milliseconds(61_000), milliseconds(None)
    ('250 ms', '61 s', '')
    """
    if ms is None:
        return ""
    if ms < 1000:
        return f"{ms:.0f} ms" if ms >= 10 else f"{ms:.1f} ms"
    return f"{ms / 1000:.0f} s" if ms < 120_000 else f"{ms / 60_000:.0f} min"


def size(number: float) -> str:
    """Return a number of bytes in words.

    >>> size(2_621_440)
    '2.5 MB'
    """
    for unit in ("B", "kB", "MB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} GB"
