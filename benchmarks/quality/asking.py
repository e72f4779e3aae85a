"""All questions of a split, asked: a memory filled once, then a fresh copy and a server of its own for every set of questions."""

import asyncio
import sys
from argparse import ArgumentTypeError
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.quality import answers, baselines, drift, failures, memories, split
from benchmarks.quality.session import Session, opened

Question = dict[str, Any]
Prediction = dict[str, Any]
ASKERS: dict[str, Callable[[Session, Question], Awaitable[Prediction]]] = {
    "b1": answers.same_task,
    "b3": answers.next_tool,
    "b4": answers.recovery,
    "b5": answers.right_file,
    "b6": answers.outcome,
    "b8": answers.new_bug,
    "b9": answers.default_recall,
    "b10": drift.stream,
    "b11": answers.same_task,
    "recall": answers.default_recall,
    "calibration": failures.after_failures,
}
KINDS = (*ASKERS, *split.SETS)
NAMES = {"r": split.SETS, "b2": ("b1",), "b7": ("b1",)}  # names that stand for other sets


@dataclass(slots=True)
class Asked:
    """What came back."""

    predictions: dict[str, list[Prediction]] = field(default_factory=lambda: defaultdict(list))  # by set
    baseline: list[Prediction] = field(default_factory=list)
    calls_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # by tool


def kinds_of(names: str) -> list[str]:
    """Return the sets that a comma-separated list of names means. Raises ArgumentTypeError: there is no such set."""
    wanted = [kind for name in names.lower().split(",") for kind in NAMES.get(name.strip(), (name.strip(),))]
    if unknown := set(wanted) - set(KINDS):
        raise ArgumentTypeError(f"no set is called {', '.join(sorted(unknown))}; there are {', '.join([*KINDS, *NAMES])}")
    return [kind for kind in KINDS if kind in wanted]


async def ask(folder: Path, kinds: Collection[str], kept: Path, jobs: int, *, limit: int = 0, baseline: bool = True) -> Asked:
    """Ask the questions of *kinds*, *jobs* servers or imports at a time, at most *limit* of each (0: all), and return the answers.

    Filled memories are kept in *kept*, for the next time.
    """
    asked, turn = Asked(), asyncio.Semaphore(jobs)
    by_memory: dict[str, dict[str, list[Question]]] = defaultdict(lambda: defaultdict(list))
    for kind in kinds:
        for question in _questions(folder, kind, limit):
            by_memory[kind if kind in split.SETS else split.memory_of(kind, question)][kind].append(question)
    async with asyncio.TaskGroup() as tasks:
        for name, wanted in by_memory.items():
            tasks.create_task(_ask_memory(name, split.memory_lines(folder, name), wanted, kept, turn, asked, baseline))
    return asked


def _questions(folder: Path, kind: str, limit: int) -> list[Question]:
    if kind == "calibration":
        found = failures.questions(folder)
    else:
        found = split.set_questions(folder, kind) if kind in split.SETS else split.questions(folder, kind)
    return split.spread(found, limit) if limit else found


async def _ask_memory(
    name: str, lines: list[Any], wanted: dict[str, list[Question]], kept: Path, turn: asyncio.Semaphore, asked: Asked, baseline: bool
) -> None:
    async with turn:
        memory, report = await asyncio.to_thread(memories.filled, kept, name, lines)
        counts = ", ".join(f"{len(questions)} {kind}" for kind, questions in wanted.items())
        print(f"{name}: {report['added']} episodes imported in {report['seconds']} s; {counts}", file=sys.stderr, flush=True)
        if baseline:
            asked.baseline += await asyncio.to_thread(baselines.predictions, lines, wanted)
    async with asyncio.TaskGroup() as tasks:
        for kind, questions in wanted.items():
            tasks.create_task(_ask_set(memory, kind, questions, turn, asked))


async def _ask_set(memory: Path, kind: str, questions: list[Question], turn: asyncio.Semaphore, asked: Asked) -> None:
    async with turn:
        with memories.copied(memory) as data_dir:
            async with opened(data_dir) as session:
                for question in questions:
                    if kind in split.SETS:
                        asked.predictions[kind].append(await answers.document(session, kind, question))
                    else:
                        asked.predictions[kind].append(await ASKERS[kind](session, question))
                for tool, durations in session.durations_ms.items():
                    asked.calls_ms[tool] += durations
