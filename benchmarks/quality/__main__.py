"""python -m benchmarks.quality SPLIT_DIR [--only B3,B9] [--limit 40] [--jobs 2] [--data-dir DIR] [--out FILE] [--form bare]

Imports the split's memories with `mcp-memory import`, asks all questions through an MCP client over stdio with default settings, writes
the predictions in the scorer's form, and prints the scorer's table and our own figures next to plain baselines run in this process.
B2 and B7 are scored from the answers to B1; `recall` asks B1's questions as an agent does, for what is shown and what reading it costs;
`calibration` asks after every failed step of the episodes that are not in memory.
Every set is asked of a fresh copy of its memory, so one set alone gives the same figures as all of them. With --data-dir the filled
memories are kept and used again, as long as neither their episodes nor the program change.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import circumstances, summary, table
from benchmarks.quality import report, split
from benchmarks.quality.asking import KINDS, NAMES, ask, kinds_of
from benchmarks.quality.goals import GOALS, PLAIN, VARIANTS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=(__doc__ or "").splitlines()[2])
    parser.add_argument("split", type=Path)
    parser.add_argument("--out", type=Path, default=Path("predictions.jsonl"))
    parser.add_argument(
        "--only", type=kinds_of, default=list(KINDS), metavar="SETS", help=f"comma-separated: {', '.join([*KINDS, *NAMES])}"
    )
    parser.add_argument("--limit", type=int, default=0, help="at most so many questions a set, spread evenly over it")
    parser.add_argument("--jobs", type=int, default=2, help="servers and imports at a time; latencies mean something with 1")
    parser.add_argument("--data-dir", type=Path, help="keep the filled memories here")
    parser.add_argument(
        "--form", choices=[PLAIN, *VARIANTS], default=PLAIN, help="which form of a split it is: the goals shown are this form's"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = split.cut(args.split, Path(scratch) / "split", args.limit) if args.limit else args.split
        asked = asyncio.run(ask(folder, args.only, args.data_dir or Path(scratch) / "memories", args.jobs, limit=args.limit))
        scores = report.score_all(folder, asked.predictions, args.out)
        baseline = report.score(folder, asked.baseline, args.out.with_suffix(".baseline.jsonl"))
        only_tools = split.tools_only(folder)
    print(report.full_table(scores), "\n")
    if only_tools:
        print("The split's answers name tools alone: B3 and B4 are scored on tools alone.\n")
    print(report.goal_table([goal for goal in GOALS if goal.variant == args.form], {args.form: scores}, baseline), "\n")
    print(table("call, ms", {tool: summary(durations) for tool, durations in sorted(asked.calls_ms.items())}))
    print(circumstances())
    return 0


if __name__ == "__main__":
    sys.exit(main())
