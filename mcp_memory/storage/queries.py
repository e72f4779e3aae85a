"""The statements of `sql/queries.sql` by name: the whole database traffic is on that one page."""

import re
from importlib import resources

from mcp_memory.storage.row_sums import sound, sum_of

IN_LIST = "IN (SELECT value FROM json_each(?))"  # of a statement that is built for the occasion
_MACRO = re.compile(r"\{(sum|sound) (\w+) ?(\w*)\}")
_HEADING = re.compile(r"^-- (\w+) --$", re.MULTILINE)


def _load() -> dict[str, str]:
    text = (resources.files("mcp_memory.storage") / "sql" / "queries.sql").read_text(encoding="utf-8")
    parts = _HEADING.split(text)[1:]
    found = dict(zip(parts[::2], map(_statement, parts[1::2]), strict=True))
    if len(found) * 2 != len(parts):
        raise ValueError("two statements of queries.sql have one name")
    return found


def _statement(part: str) -> str:
    text = "\n".join(line for line in part.splitlines() if line.strip() and not line.startswith("--")).rstrip(";")
    return _MACRO.sub(lambda m: (sum_of if m[1] == "sum" else sound)(m[2], m[3]), text)


QUERIES = _load()
