"""python -m benchmarks.bench_holding SPLIT_DIR [--work DIR] [--json]

Do patterns hold? The split's probes (episodes that are not in its memory) are read for evidence, as a completion would: each piece is about
a pattern and says whether it held. For every learner: how many of these patterns the memory knew, and of those how often they held, by the
confidence the memory had in them. "told apart": the chance that of two pieces the one that held was about the more trusted pattern (AUC);
beside it the same for the bare success rate of the pattern's counts, and for the confidence without what held on later episodes. Within
one domain, because domains differ in how often anything succeeds; the mean over domains is weighted by their pairs.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.harness import circumstances, table, wins
from benchmarks.quality import split
from benchmarks.quality.in_process import PROJECT, InProcess, opened_here
from mcp_memory.domain.forming import episode_of_line
from mcp_memory.domain.pattern import Observation, PatternKind
from mcp_memory.domain.requests import EpisodeLine
from mcp_memory.learning.patterns.confidence import wilson
from mcp_memory.learning.patterns.extractors import observations_of
from mcp_memory.learning.reading.run import run_of_episode

BINS = (0.2, 0.4, 0.6, 0.8)


class Seen(NamedTuple):
    """One piece of a probe's evidence about a pattern of the memory."""

    kind: str
    domain: str
    held: bool
    confidence: float
    rate: float  # successes over all, one of each added
    unvalidated: float  # the confidence without the comparison with later episodes


def evidence_of(episode: Any) -> Sequence[Observation]:
    """Return what the completion of a recorded episode would say about patterns."""
    asked = EpisodeLine.read(split.episode_line(episode))
    probe = episode_of_line(asked, episode_id="probe", default_project=PROJECT, now_ms=0)
    return observations_of(run_of_episode(probe), [step.duration_ms for step in probe.steps])


async def looked_up(session: InProcess, probes: Sequence[Any]) -> tuple[list[Seen], dict[str, int]]:
    """Return the evidence about patterns that are known, and how many pieces there are by kind."""
    found, pieces = [], defaultdict[str, int](int)
    known: dict[str, dict[str, Any]] = {}
    cursor: dict[str, str] = {}
    while True:
        page = await session.call("search_patterns", limit=200, **cursor)
        known |= {row["pattern_id"]: row for row in page["patterns"]}
        if not page["next_cursor"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    for probe in probes:
        for piece in evidence_of(probe):
            pieces[piece.kind] += 1
            row = known.get(piece.pattern_id)
            if row is not None:
                tried = row["successes"] + row["failures"]
                rate, low = (row["successes"] + 1) / (tried + 2), round(wilson(row["successes"], tried)[0], 3)  # as confidence is rounded
                found.append(Seen(piece.kind, probe["context"]["domain"], piece.success, row["confidence"], rate, low))
    return found, pieces


def auc(seen: Sequence[Seen], score: Callable[[Seen], float]) -> float:
    """Return the area under the curve within each domain, weighted by its pairs."""
    right = pairs = 0.0
    domains: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for piece in seen:
        domains[piece.domain][piece.held].append(score(piece))
    for failed, held in domains.values():
        right += wins(held, failed)
        pairs += len(held) * len(failed)
    return right / pairs if pairs else float("nan")


def row(seen: Sequence[Seen], pieces: int) -> dict[str, Any]:
    """Return the figures of one learner."""
    bins: list[list[Seen]] = [[] for _ in range(len(BINS) + 1)]
    for piece in seen:
        bins[sum(piece.confidence >= edge for edge in BINS)].append(piece)
    edges = ("0", *map(str, BINS), "1")
    held = {f"{edges[i]}-{edges[i + 1]}": _share(members) for i, members in enumerate(bins)}
    return {
        "pieces": pieces,
        "known": len(seen) / pieces if pieces else None,
        **held,
        "told apart": auc(seen, lambda s: s.confidence),
        "by rate": auc(seen, lambda s: s.rate),
        "unvalidated": auc(seen, lambda s: s.unvalidated),
    }


def _share(members: Sequence[Seen]) -> str:
    return f"{sum(s.held for s in members) / len(members):.2f} of {len(members)}" if members else "-"


async def run(folder: Path, work: Path) -> dict[str, dict[str, Any]]:
    """Return the figures by learner, and over all."""
    async with opened_here(work, map(split.episode_line, split.memory(folder, "repeat"))) as session:
        seen, pieces = await looked_up(session, split.probes(folder))
    rows = {str(kind): row([s for s in seen if s.kind == kind], pieces[kind]) for kind in PatternKind}
    return rows | {"ALL": row(seen, sum(pieces.values()))}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_holding", description=(__doc__ or "").splitlines()[2])
    parser.add_argument("split", type=Path)
    parser.add_argument("--work", type=Path, help="keep the filled memory here")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        rows = asyncio.run(run(args.split, args.work or Path(scratch)))
    result = {"rows": rows, "circumstances": circumstances()}
    print(json.dumps(result) if args.json else table("patterns on probes", rows))
    if not args.json:
        print(result["circumstances"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
