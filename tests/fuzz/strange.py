"""Strange values, and samples made strange: one value of a document replaced, moved or dropped, bytes flipped, cut or put in."""

import json
from typing import Any

from hypothesis import strategies as st

texts = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "",
            " ",
            "\x00",
            "\x1b[2J",
            "a\u202eb",
            "\ud800",
            "日本語",
            "{}",
            "[1",
            "null",
            "../../etc/passwd",
            "a" * 20_000,
            "=" * 500,
            "1e999",
        ]
    ),
)
numbers = st.one_of(st.integers(-(10**30), 10**30), st.floats(), st.sampled_from([10**400, -1, 0, 2**53 + 1, 1e308, -0.0]))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=6,
)


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values inside a document."""
    if isinstance(document, dict):
        inner = [(key, value) for key, value in document.items()]
    elif isinstance(document, list):
        inner = list(enumerate(document))
    else:
        return [path]
    return [path, *(found for key, value in inner for found in places(value, (*path, key)))]


def replaced(document: Any, path: tuple[Any, ...], value: Any, *, drop: bool) -> Any:
    """Return a document with another value at a path, or without it."""
    if not path:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    if len(path) == 1 and drop:
        del copy[path[0]]
    else:
        copy[path[0]] = replaced(copy[path[0]], path[1:], value, drop=drop)
    return copy


@st.composite
def documents(draw: st.DrawFn, samples: list[Any]) -> Any:
    """Draw a sample with up to three of its values made strange."""
    document = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(0, 3))):
        found = places(document)
        path = found[draw(st.integers(0, len(found) - 1))]
        document = replaced(document, path, draw(values), drop=draw(st.integers(0, 3)) == 0)
    return document


@st.composite
def damaged(draw: st.DrawFn, texts_of: st.SearchStrategy[bytes]) -> bytes:
    """Draw bytes, and flip, cut, repeat or put in some of them."""
    data = draw(texts_of)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        how = draw(st.integers(0, 4))
        if how == 0:
            data = data[:at]
        elif how == 1 and data:
            data = data[:at] + bytes([data[at] ^ (1 << draw(st.integers(0, 7)))]) + data[at + 1 :]
        elif how == 2:
            data = data[:at] + draw(st.binary(max_size=12)) + data[at:]
        elif how == 3:
            data = data[:at] + data[at : at + 40] * draw(st.integers(1, 60)) + data[at:]
        else:
            data = data[:at] + data[at + draw(st.integers(1, 40)) :]
    return data


def as_json(document: Any) -> bytes:
    """Return a document as JSON, half surrogates and infinities as they are written."""
    return json.dumps(document).encode()


def lines(samples: list[Any]) -> st.SearchStrategy[bytes]:
    """Draw up to six lines of JSON."""
    return st.lists(documents(samples), max_size=6).map(lambda found: b"\n".join(map(as_json, found)))
