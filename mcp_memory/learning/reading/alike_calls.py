"""What two calls of one tool have in common: a call with placeholders where they differ. Pure."""

import re
from collections.abc import Mapping
from difflib import SequenceMatcher

from mcp_memory.domain.episode import Json

OTHER = "<…>"  # in place of what differs
MAX_CHARS = 300  # of a text in which places are looked for
SHARED = 0.6  # of a text's letters, from which it is one text with other values in it
_PART = re.compile(r"\w+|\s+|[^\w\s]")
_GAPS = re.compile(r"<…>(?:[-_.]?<…>)+")


def in_common(a: Mapping[str, Json], b: Mapping[str, Json]) -> dict[str, Json] | None:
    """Return the arguments that two calls share, with placeholders for what differs; None where no value is shared, even in part.

    >>> in_common({"command": "kubectl logs cart-7d"}, {"command": "kubectl logs mail-5c"})
    {'command': 'kubectl logs <…>'}
    >>> in_common({"to": "ana@x.org", "subject": "Minutes"}, {"to": "bo@y.com", "subject": "Minutes"})
    {'to': '<to>', 'subject': 'Minutes'}
    >>> in_common({"q": "ships"}, {"q": "trees"}) is None
    True
    """
    if a.keys() != b.keys():
        return None
    shared = {name: _shared(name, a[name], b[name]) for name in a}
    return shared if any(value != f"<{name}>" for name, value in shared.items()) else None


def _shared(name: str, a: Json, b: Json) -> Json:
    if a == b:
        return a
    whole = f"<{name}>"
    if not isinstance(a, str) or not isinstance(b, str) or max(len(a), len(b)) > MAX_CHARS or "\n" in f"{a}{b}".strip():
        return whole
    parts, others = _PART.findall(a), _PART.findall(b)
    blocks = SequenceMatcher(None, parts, others, autojunk=False).get_opcodes()
    same = sum(len(part) for tag, i, j, _, _ in blocks if tag == "equal" for part in parts[i:j] if part[0].isalnum())
    if same < SHARED * max(sum(len(part) for part in text if part[0].isalnum()) for text in (parts, others)):
        return whole
    return _GAPS.sub(OTHER, "".join("".join(parts[i:j]) if tag == "equal" else OTHER for tag, i, j, _, _ in blocks))
