"""Seeded workloads: episodes and queries with the look of software work. The same seed gives the same bytes on every machine."""

import json
import random
from collections.abc import Iterator
from typing import Any

SEED = 20_26
EPISODES = 10_000
STEPS_PER_EPISODE = (4, 12)
COMPLETE_STEPS = 30
STARTED_AT_MS = 1_750_000_000_000

_VERBS = ("fix", "add", "refactor", "speed up", "document", "test", "migrate", "remove", "debug", "review", "port", "secure")
_THINGS = [
    "login form",
    "payment webhook",
    "search index",
    "image upload",
    "cron job",
    "rate limiter",
    "CSV export",
    "session cache",
    "audit trail",
    "feature flag",
    "email template",
    "retry logic",
    "pagination",
    "dark mode",
    "websocket client",
    "database migration",
    "PDF report",
    "password reset",
    "API client",
    "build pipeline",
    "date parser",
    "permission check",
    "shopping cart",
    "notification badge",
    "log rotation",
    "health check",
    "config loader",
    "GraphQL schema",
]
_PLACES = [
    "in the admin panel",
    "for mobile users",
    "under heavy load",
    "after the last upgrade",
    "on Windows",
    "in the staging cluster",
    "for new tenants",
    "when the network is slow",
    "with large files",
    "behind the proxy",
    "in the nightly run",
    "for read-only accounts",
    "across time zones",
    "without breaking old clients",
    "in the checkout flow",
    "on the settings page",
]
_DETAILS = [
    "it returns 500",
    "the test is flaky",
    "users see stale data",
    "memory grows",
    "the order is wrong",
    "a lock is held too long",
    "it times out",
    "unicode names break it",
    "the button does nothing",
    "duplicates appear",
    "the log is empty",
    "totals are off by one",
]
_TOOLS = ("bash", "edit", "read", "search", "pytest", "git", "http", "sql")
_ERRORS = (
    "ModuleNotFoundError: No module named 'requests'",
    "AssertionError: expected 3 got 4",
    "TimeoutError: 30 s",
    "KeyError: 'user_id'",
)
_DOMAINS = ("web", "data", "devops", "mobile", "security")
_LANGUAGES = ("python", "typescript", "go", "rust")


def task(source: random.Random) -> str:
    """Return one task sentence; there are some 60,000 different ones, with a number that makes them millions."""
    words = f"{source.choice(_VERBS)} the {source.choice(_THINGS)} {source.choice(_PLACES)}: {source.choice(_DETAILS)}"
    return f"{words} (ticket {source.randrange(100_000)})"


def step(source: random.Random, index: int) -> dict[str, Any]:
    """Return one step; every seventh or so fails."""
    failed = source.random() < 0.15
    made = {
        "tool": source.choice(_TOOLS),
        "arguments": {"path": f"src/{source.choice(_THINGS).replace(' ', '_')}.py", "line": source.randrange(500)},
        "observation": f"{source.choice(_DETAILS)}; looked at {source.choice(_THINGS)} {source.choice(_PLACES)}",
        "status": "error" if failed else "ok",
        "duration_ms": source.randrange(5_000),
    }
    return made | ({"error": source.choice(_ERRORS)} if failed else {})


def episode(source: random.Random, number: int) -> dict[str, Any]:
    """Return one completed episode in the interchange form."""
    started_at_ms = STARTED_AT_MS + number * 60_000
    steps = [step(source, index) for index in range(source.randint(*STEPS_PER_EPISODE))]
    for index, made in enumerate(steps):
        made["at_ms"] = started_at_ms + index * 1_000
    kind = source.choices(("success", "partial", "failure"), (6, 2, 2))[0]
    return {
        "external_id": f"bench/{number}",
        "task": task(source),
        "task_type": "debugging",
        "project": "bench",
        "context": {"domain": source.choice(_DOMAINS), "language": source.choice(_LANGUAGES), "tags": []},
        "started_at_ms": started_at_ms,
        "ended_at_ms": started_at_ms + 30_000,
        "steps": steps,
        "outcome": {
            "kind": kind,
            "summary": f"{source.choice(_DETAILS)}, {kind}",
            "lessons": [f"check the {source.choice(_THINGS)} first"],
        },
    }


def lines(count: int, seed: int = SEED) -> Iterator[str]:
    """Yield the interchange lines of *count* episodes."""
    source = random.Random(seed)
    for number in range(count):
        yield json.dumps(episode(source, number))


def queries(count: int, seed: int = SEED + 1) -> list[str]:
    """Return *count* different queries, worded like tasks but none of the imported ones."""
    source = random.Random(seed)
    return [f"{source.choice(_DETAILS)} while we {task(source)}" for _ in range(count)]


def steps(count: int, seed: int = SEED + 2) -> list[dict[str, Any]]:
    """Return *count* steps."""
    source = random.Random(seed)
    return [step(source, index) for index in range(count)]
