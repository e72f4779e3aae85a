"""Health: is it well, how fast is it, what is degraded and what to do about it; and the files work happens in."""

from mcp_memory.pages.calls import Answer, Call, Page

NOTICED_MS = {"log_step": 20.0, "recall": 100.0, "complete_episode": 300.0}  # p95 above which a person notices


async def show(call: Call) -> Answer:
    """The page."""
    status = await call.dear("status", call.memory.memory_status)
    latency = sorted(status.latency_ms.items(), key=lambda item: -item[1]["count"])
    longest = max([values["p99"] for _, values in latency], default=1.0) or 1.0
    return Page("health.html", {"status": status, "latency": latency, "longest": longest, "noticed_ms": NOTICED_MS})


async def files(call: Call) -> Answer:
    """The files that attempts changed."""
    files = await call.dear("files", lambda: call.memory.worked_files(project=call.session.project, limit=100))
    return Page("files.html", {"files": files})
