"""The site that a step's call is about: the host of the address in it. Pure."""

import re
from collections.abc import Iterator

from mcp_memory.domain.episode import Json, Step

_HOST = re.compile(r"\bhttps?://(?:[^\s/@'\"]*@)?((?:[a-z0-9-]+\.)+[a-z]{2,})\b", re.I)  # no number and no single word: these are machines
_PREFIX = "www."


def site_of(step: Step) -> str:
    """Return the host of the first address in the arguments of a step, in lower case, "" where there is none.

    >>> site_of(Step("fetch", arguments={"url": "https://www.Example.org/a?b=c", "timeout": 5}))
    'example.org'
    >>> site_of(Step("bash", arguments={"command": "curl http://localhost:8000/health"}))
    ''
    """
    found = (match for text in _texts(step.arguments) if (match := _HOST.search(text)))
    host = next((match[1].lower() for match in found), "")
    return host.removeprefix(_PREFIX)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
