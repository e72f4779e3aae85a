"""Short streams in which the world changes, in the form of a split's: some old episodes, some new ones, and a question about now."""

from typing import Any

NAMES = ("ash", "birch", "cedar", "elm", "fir", "hazel", "juniper", "larch", "maple", "oak", "pine", "rowan", "spruce", "willow", "yew")
CONTEXT = {"domain": "reports", "language": "en"}
OLD_AT_MS, DAY_MS = 1_700_000_000_000, 86_400_000
KINDS = ("others do otherwise", "fix fails now", "tool renamed", "arguments changed")
Step = dict[str, Any]


def stream(kind: str, old: int, new: int) -> dict[str, Any]:
    """Return a stream of *kind* whose answer is in `truth`: `want` is what works now, `bad` what worked before."""
    before, now, want, bad = WORLDS[kind]
    project = f"world/{KINDS.index(kind)}/{old}"
    episodes = [_episode(name, before) for name in NAMES[:old]]
    lines = [
        episode | {"external_id": f"{project}/{i}", "project": project, "outcome": {"kind": "success"}} | _at(OLD_AT_MS + i * DAY_MS)
        for i, episode in enumerate(episodes)
    ]
    known = 2 if kind in ("others do otherwise", "fix fails now") else 1  # the question comes where the ways part
    question = _episode(NAMES[-1], now)
    return {
        "qid": f"b10/{kind}/{old}",
        "kind": kind,
        "project": project,
        "old": lines,
        "new": [_episode(name, now) | {"outcome": "success"} for name in NAMES[old : old + new]],
        "question": {"task": question["task"], "context": CONTEXT, "steps": question["steps"][:known]},
        "bad": bad,
        "truth": {"want": want, "bad": bad},
    }


def follows_after(first: list[dict[str, Any]], want: dict[str, Any]) -> int | None:
    """Return after how many new episodes the first suggestion is the wanted one; None for never."""
    for count, suggestion in enumerate(first):
        if count and suggestion["key"] == want["key"] and want.get("argument", "") in ("", *suggestion["arguments"]):
            return count
    return None


def _episode(name: str, steps: tuple[tuple[str, dict[str, Any], str | None], ...]) -> dict[str, Any]:
    def step(tool: str, arguments: dict[str, Any], error: str | None) -> Step:
        given = {key: value.format(name) if isinstance(value, str) else value for key, value in arguments.items()}
        return {"tool": tool, "arguments": given} | (
            {"status": "error", "error": error} if error else {"status": "ok", "observation": "done"}
        )

    return {"task": f"Fetch the monthly report of the {name} office and print it", "context": CONTEXT, "steps": [step(*s) for s in steps]}


def _at(ms: int) -> dict[str, int]:
    return {"started_at_ms": ms, "ended_at_ms": ms + 60_000}


_LOOK: tuple[str, dict[str, Any], None] = ("list_offices", {}, None)
_PRINT = ("print_file", {"path": "{}.pdf"}, None)
_DENIED = ("fetch_report", {"office": "{}"}, "403: the report server denies access")
_MIRROR = ("copy_from_mirror", {"office": "{}"}, None)
_ARCHIVE = ("open_archive", {"office": "{}"}, None)
_FETCH = ("fetch_report", {"office": "{}"}, None)
WORLDS: dict[str, Any] = {  # what was done before, what is done now, what is wanted, what is bad
    "others do otherwise": (
        (_LOOK, _DENIED, _MIRROR, _PRINT),
        (_LOOK, _DENIED, _ARCHIVE, _PRINT),
        {"key": "open_archive"},
        {"key": "copy_from_mirror"},
    ),
    "fix fails now": (
        (_LOOK, _DENIED, _MIRROR, _PRINT),
        (_LOOK, _DENIED, ("copy_from_mirror", {"office": "{}"}, "the mirror was switched off"), _ARCHIVE, _PRINT),
        {"key": "open_archive"},
        {"key": "copy_from_mirror"},
    ),
    "tool renamed": (
        (_LOOK, _FETCH, _PRINT),
        (_LOOK, ("fetch_report", {"office": "{}"}, "Unknown tool: fetch_report"), ("fetch_report_v2", {"office": "{}"}, None), _PRINT),
        {"key": "fetch_report_v2"},
        {"key": "fetch_report"},
    ),
    "arguments changed": (
        (_LOOK, _FETCH, _PRINT),
        (
            _LOOK,
            ("fetch_report", {"office": "{}"}, "missing required parameter 'branch'"),
            ("fetch_report", {"branch": "{}", "api": 2}, None),
            _PRINT,
        ),
        {"key": "fetch_report", "argument": "branch"},
        {"key": "fetch_report", "without": "branch"},
    ),
}
