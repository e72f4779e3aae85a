"""Tools that work no longer."""

import random
from collections.abc import Sequence
from dataclasses import replace

from mcp_memory.domain.episode import Trace
from mcp_memory.learning.history.gone_tools import LATEST_TRIES, GoneTools
from mcp_memory.views.experience import Experience

from .runs import episode, trace_of

TOOLS = ("edit", "deploy", "publish", "grep")


def simply(traces: Sequence[Trace], project: str) -> frozenset[str]:
    """The definition: of each tool that acts, the latest episodes that used it, and none of them with success."""
    gone = set()
    for tool in TOOLS[:3]:
        uses = [
            [not failed for key, failed in zip(t.step_keys, t.step_failed, strict=True) if key == tool]
            for t in sorted(traces, key=lambda t: t.ended_at_ms)
            if project in ("*", t.project) and tool in t.step_keys
        ]
        if len(uses) >= LATEST_TRIES and not any(map(any, uses[-LATEST_TRIES:])):
            gone.add(tool)
    return frozenset(gone)


def test_what_is_gone_is_the_same_however_the_episodes_come_and_go() -> None:
    rng = random.Random(7)
    runs = [[rng.choice(TOOLS) + rng.choice(["", "!bad", "!bad"]) for _ in range(rng.randint(0, 5))] for _ in range(80)]
    made = [episode(f"e{i}", run, project=rng.choice("pq")) for i, run in enumerate(runs)]
    traces = [trace_of(replace(e, ended_at_ms=at), i) for i, (e, at) in enumerate(zip(made, rng.sample(range(1000), 80), strict=True))]
    experience, told, known = Experience(), set[str](), list[Trace]()
    gone = experience.derived(GoneTools)
    while traces:
        fresh = [traces.pop() for _ in range(min(len(traces), rng.randint(1, 6)))]
        experience.add(fresh)
        known += fresh
        if rng.random() < 0.2:
            experience.remove([known.pop(rng.randrange(len(known))).id])
        for project in ("p", "q", "*", "unknown"):
            assert gone.of(project) == simply(known, project)
            told |= gone.of(project)
            but = rng.choice(known)
            assert gone.of(project, but.id) == simply([trace for trace in known if trace is not but], project)
    assert told == set(TOOLS[:3]), "a look is no tool that acts"
