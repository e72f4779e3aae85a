"""python -m benchmarks.bench_learn [--episodes 10000] [--steps 1000]

What learning costs in process: extraction of a long episode, advice, outlook and relevant patterns over many episodes. CPU time of the
calling thread, so that other load on the machine does not count.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from benchmarks.harness import circumstances, summary, table
from mcp_memory.config import LearningConfig
from mcp_memory.domain.episode import Context, Episode, EpisodeState, Outcome, OutcomeKind, Reward, Step, StepStatus, Trace
from mcp_memory.domain.query import Filter, Query
from mcp_memory.learning.learner import Learner
from mcp_memory.learning.reading.file_uses import files_of, touches_in
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Situation
from mcp_memory.testing import InMemoryStore
from mcp_memory.views.vector_index import SignBitIndex
from mcp_memory.views.view import Updater, View

ROUNDS = 60
TOOLS = [f"tool_{i}" for i in range(40)]
DOMAINS = [Context(f"web/{i % 4}", "python", f"framework-{i}", tags=(f"repo-{i}",)) for i in range(12)]
ERRORS = ("No such file /tmp/{0}", "ModuleNotFoundError: No module named 'm{0}'", "command timed out after {0} s", "exit 1: bad value {0}")


def steps(random_: random.Random, count: int) -> Iterator[Step]:
    """Yield steps of a walk over the tools that mostly goes on to one of three; one in eight fails."""
    tool = random_.randrange(len(TOOLS))
    for index in range(count):
        tool = (tool * 3 + random_.choice((1, 1, 1, 2, 5))) % len(TOOLS)
        failed = random_.random() < 0.125
        error = random_.choice(ERRORS).format(random_.randrange(1_000)) if failed else None
        status = StepStatus.ERROR if failed else StepStatus.OK
        yield Step(TOOLS[tool], "", {"path": f"a/{random_.randrange(50)}.py"}, "output " * 20, status, error, index=index)


def episode(name: str, random_: random.Random, step_count: int) -> Episode:
    """Return a completed episode."""
    made = tuple(steps(random_, step_count))
    kind = OutcomeKind.SUCCESS if random_.random() < 0.4 else OutcomeKind.FAILURE
    return Episode(
        name,
        "bench",
        f"fix issue {random_.randrange(2_000)} of the login page and run its tests",
        context=random_.choice(DOMAINS),
        steps=made,
        step_count=step_count,
        state=EpisodeState.COMPLETED,
        outcome=Outcome(kind),
        reward=Reward(float(kind is OutcomeKind.SUCCESS)),
        ended_at_ms=1,
    )


def trace(learner: Learner, made: Episode, seq: int) -> Trace:
    """Return the trace a store would keep of *made*."""
    extraction = learner.extract(made, touches_in(made.steps))
    assert made.outcome is not None
    assert made.reward is not None
    return Trace(
        seq,
        made.id,
        made.project,
        made.task,
        made.task_type,
        made.context.domain,
        made.context.language,
        made.context.framework,
        made.context.tags,
        "",
        made.outcome.kind,
        made.reward.score,
        0,
        1,
        tuple(s.key for s in made.steps),
        bytes(s.failed for s in made.steps),
        extraction.errors,
        digest=extraction.digest,
    )


def cpu_ms(work: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Return how much CPU time each call took."""
    out = []
    for _ in range(rounds):
        started = time.thread_time()
        work()
        out.append((time.thread_time() - started) * 1000)
    return out


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_learn", description=(__doc__ or "").splitlines()[2])
    parser.add_argument("--episodes", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=1_000, help="of the long episode")
    args = parser.parse_args()
    random_ = random.Random(0)
    learner = Learner(InMemoryStore(), LearningConfig(), Metrics(), lambda: 2)
    traces = [trace(learner, episode(f"e{i}", random_, random_.randrange(4, 24)), i) for i in range(args.episodes)]
    started = time.thread_time()
    v = View()
    Updater(v, SignBitIndex).put(traces)
    print(f"view of {args.episodes} episodes built in {time.thread_time() - started:.2f} s CPU: {v.experience.stats()}\n")

    long = episode("long", random_, args.steps)
    ids = [t.id for t in traces]

    def neighbours() -> list[tuple[str, float]]:
        return [(key, 0.95 - 0.004 * i) for i, key in enumerate(random_.sample(ids, min(200, len(ids))))]

    def situation(failed: bool) -> Situation:
        made = list(steps(random_, 8))
        made[-1] = replace(made[-1], status=StepStatus.ERROR if failed else StepStatus.OK, error="No such file /x/y" if failed else None)
        return Situation(replace(episode("now", random_, 0), steps=tuple(made), state=EpisodeState.OPEN, outcome=None), neighbours())

    where = Query("fix the login page", Filter(project="bench", domain="web/1", framework="framework-1"))
    rows = {
        f"extract, {args.steps} steps": cpu_ms(lambda: learner.extract(long, touches_in(long.steps))),
        f"files, {args.steps} steps": cpu_ms(lambda: files_of(long)),
        f"judge, {args.steps} steps": cpu_ms(lambda: learner.judge(v, long, neighbours())),
        "suggest": cpu_ms(lambda: learner.suggest(v, situation(False), 5, None)),
        "suggest after an error": cpu_ms(lambda: learner.suggest(v, situation(True), 5, None)),
        "suggest with an intended step": cpu_ms(lambda: learner.suggest(v, situation(False), 5, Step("tool_3", "", {"path": "a/1.py"}))),
        "outlook": cpu_ms(lambda: learner.outlook(v, where, neighbours())),
        "relevant patterns, without the store": cpu_ms(lambda: learner.relevant_patterns(v, where, neighbours(), 5)),
    }
    print(table("CPU ms", {name: summary(values) for name, values in rows.items()}))
    print(circumstances())
    return 0


if __name__ == "__main__":
    sys.exit(main())
