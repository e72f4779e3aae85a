"""Health: is it well, how fast is it, what is degraded and what to do about it; and the files work happens in."""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import anyio.to_thread

from mcp_memory.domain.activity import HookState
from mcp_memory.domain.status import Status
from mcp_memory.metrics import BOUNDS_MS, Histogram
from mcp_memory.pages.calls import Answer, Call, Page

NOTICED_MS = {"log_step": 20.0, "recall": 100.0, "complete_episode": 300.0}  # p95 above which a person notices
_BAR = 10  # units wide
_WHAT_TO_DO = {
    "unreachable": "Nothing is lost: what is written here waits and is sent. See that the server is up; `mcp-memory remote test` tries it.",
    "refused": "The server does not take the token or the client: `mcp-memory remote test` says why, `remote add` sets it anew.",
    "not configured here": "Its token is not in this process's environment: set the variable that `mcp-memory remote list` names.",
}


async def show(call: Call) -> Answer:
    """The page."""
    status = await call.dear("status", call.memory.memory_status)
    activity = await call.dear("activity", lambda: call.memory.recent_activity(project=call.session.project))
    histograms = call.memory.metrics.histograms()
    latency = sorted(status.latency_ms.items(), key=lambda item: -item[1]["count"])
    shown = [(name, values, drawn(histograms[name], values)) for name, values in latency if name in histograms]
    return Page(
        "health.html",
        {
            "status": status,
            "latency": shown,
            "noticed_ms": NOTICED_MS,
            "width": _BAR * (len(BOUNDS_MS) + 1),
            "bounds": (BOUNDS_MS[0], BOUNDS_MS[-1]),
            "troubles": troubles(status),
            "agents": activity.agents,
            "hooks": await anyio.to_thread.run_sync(call.hooks) if call.hooks is not None else HookState(),
            "unembedded": max(0, status.counts["completed"] - status.counts["vectors"]) if status.embedding.spaces else 0,
        },
    )


@dataclass(frozen=True, slots=True)
class Drawn:
    """A histogram as bars of a logarithmic axis: (x, height of 100, what it says); and where p50 and p95 stand on it."""

    bars: tuple[tuple[int, float, str], ...]
    p50: float
    p95: float


def drawn(histogram: Histogram, values: Mapping[str, float]) -> Drawn:
    """Return what is drawn of an operation's durations since the start; its percentiles are those of the latest.

    >>> drawn(Histogram([0] * 3 + [3, 4] + [4] * 12, 9.0), {"p50": 0.75, "p95": 2.5}).bars
    ((30, 100.0, '3 up to 1 ms'), (40, 33.3, '1 up to 2.5 ms'))
    """
    each = [now - before for before, now in zip([0, *histogram.at_most], histogram.at_most, strict=False)]
    most = max(each)
    bars = [
        (
            at * _BAR,
            round(count * 100 / most, 1),
            f"{count} {f'up to {BOUNDS_MS[at]:g}' if at < len(BOUNDS_MS) else 'longer than 10,000'} ms",
        )
        for at, count in enumerate(each)
        if count
    ]
    return Drawn(tuple(bars), _place(values["p50"]), _place(values["p95"]))


def _place(ms: float) -> float:
    """Return where a duration stands: within its bar, by its logarithm."""
    at = bisect_left(BOUNDS_MS, ms)
    if at == 0 or at == len(BOUNDS_MS):
        return _BAR * (at + 0.5)
    low, high = BOUNDS_MS[at - 1], BOUNDS_MS[at]
    return round(_BAR * (at + math.log(ms / low) / math.log(high / low)), 1)


def troubles(status: Status) -> Sequence[tuple[str, str]]:
    """Return what is degraded or to be warned of, each with what to do about it."""
    remotes, found = status.replication.remotes, []
    for text in status.degraded:
        remote = next((each for each in remotes if each.url in text), None)
        if remote is not None:
            todo = _WHAT_TO_DO.get(remote.state, "`mcp-memory remote test` tries it.")
        elif text in status.embedding.degraded:
            todo = "Answers go by words, or by a model that stands in. `mcp-memory doctor` tries the configured one and says why."
        elif "loading" in text:
            todo = "Nothing: it is read in behind the first answers."
        else:
            todo = "`mcp-memory doctor` checks everything and says how to mend it."
        found.append((text, todo))
    unset = [each for each in remotes if each.state == "not configured here" and not any(each.url in text for text, _ in found)]
    found += [(f"the shared log {each.url} is not configured here", _WHAT_TO_DO[each.state]) for each in unset]
    return found + [(text, "`mcp-memory doctor` says more.") for text in status.warnings]


async def files(call: Call) -> Answer:
    """The files that attempts changed."""
    files = await call.dear("files", lambda: call.memory.worked_files(project=call.session.project, limit=100))
    return Page("files.html", {"files": files})
