"""python -m benchmarks.learning_curve SPLIT_DIR [--out DIR] [--work DIR]

Shows that the memory gets better with use: B1 to B7 with 0, 1, 2, 3 and 4 attempts at every task in memory. The questions are asked of
the facade in this process, with default settings. Writes `curve.json`, `curve.md`, and with matplotlib (`--group bench`) `curve.png`.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.harness import circumstances
from benchmarks.quality import split
from benchmarks.quality.figures import ATTEMPTS, EPISODES_OF, KINDS, Row, figures, first_attempts, pyplot


async def curve(folder: Path, work: Path, out: Path, kinds: Sequence[str] = KINDS) -> dict[str, Row]:
    """Return the metrics by how many attempts at every task are in memory at most; the fullest memory is filled first.

    How many episodes that makes is the first row: where tasks have fewer attempts, the next column adds little.
    """
    rows = {str(count): await figures(folder, work, kinds, out, count) for count in range(ATTEMPTS, -1, -1)}
    known = split.memory(folder, "repeat")
    return {key: {EPISODES_OF: float(len(first_attempts(known, int(key))))} | rows[key] for key in sorted(rows)}


def table(rows: Mapping[str, Row]) -> str:
    """Return the rows as a Markdown table, a column a row: there are more metrics than settings on a page."""
    columns = list(rows)
    lines = ["| metric | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for metric in dict.fromkeys(name for row in rows.values() for name in row):
        digits = 0 if metric == EPISODES_OF else 3
        cells = [f"{rows[c][metric]:.{digits}f}" if metric in rows[c] else "" for c in columns]
        lines.append(f"| {metric} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(rows: Mapping[str, Row], out: Path) -> None:
    """Write curve.png; where matplotlib is not installed, say so."""
    if (plotting := pyplot()) is None:
        return
    figure, axes = plotting.subplots(figsize=(10, 6))
    axes.set_prop_cycle(color=plotting.get_cmap("tab20").colors)
    for metric in next(iter(rows.values())):
        if metric != EPISODES_OF:
            axes.plot([int(k) for k in rows], [row[metric] for row in rows.values()], marker="o", label=metric)
    axes.set(xlabel="attempts at every task in memory", ylabel="score", ylim=(0, 1), xticks=range(ATTEMPTS + 1))
    axes.legend(fontsize=6, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(out / "curve.png", dpi=150, bbox_inches="tight")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning_curve", description=(__doc__ or "").splitlines()[2])
    parser.add_argument("split", type=Path)
    parser.add_argument("--out", type=Path, default=Path("learning-curve"))
    parser.add_argument("--work", type=Path, help="keep the filled memories here")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        rows = asyncio.run(curve(args.split, args.work or Path(scratch), args.out))
    (args.out / "curve.json").write_text(json.dumps(rows, indent=1))
    (args.out / "curve.md").write_text(table(rows) + "\n")
    print(table(rows), "\n")
    plot(rows, args.out)
    print(circumstances())
    return 0


if __name__ == "__main__":
    sys.exit(main())
