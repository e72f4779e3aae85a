"""python -m benchmarks.ablation SPLIT_DIR [--only WORD] [--skip-speed] [--out DIR] [--work DIR]

What each part brings: every ranking term, every part of the learners and every measure for speed is switched off in turn, by a setting or
by a parameter of the part, and what that moves is measured again. Quality is asked of the facade in this process, with default settings
otherwise; speed is measured with and without, in turn, on generated episodes. Of a harder form of a split (benchmarks/quality_variants.py)
it says what a part brings there. Writes `ablation.json`, `ablation.md`, and with matplotlib (`--group bench`) `ablation.png`.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import ablation_speed
from benchmarks.ablation_terms import PARTS, Part
from benchmarks.harness import circumstances
from benchmarks.quality.figures import Row, better, figures, pyplot

LEAST = 0.001  # smaller changes are none


async def ablation(folder: Path, work: Path, out: Path, parts: Sequence[Part] = PARTS) -> dict[str, Row]:
    """Return how far each metric moves when a part is off. Memories are kept in *work* and used again."""
    kinds = tuple(dict.fromkeys(kind for part in parts for kind in part.kinds))
    full = await figures(folder, work, kinds, out)
    rows = {}
    for part in parts:
        with part.off() as settings:
            off = await figures(folder, work, part.kinds, out, **settings)
        rows[part.name] = {metric: value - full[metric] for metric, value in off.items()}
        print(f"{part.name}: {moved(rows[part.name])}", file=sys.stderr, flush=True)
    return rows


def moved(row: Row) -> str:
    """Return what a part moves, in words."""
    return "; ".join(f"{metric} {change:+.3f}" for metric, change in row.items() if abs(change) >= LEAST) or "nothing"


def table(rows: Mapping[str, Row]) -> str:
    """Return the ablation as a Markdown table: a part a row, and what it moves."""
    return "\n".join(["| off | moves |", "|---|---|", *(f"| {part} | {moved(row)} |" for part, row in rows.items())])


def plot(rows: Mapping[str, Row], out: Path) -> None:
    """Write ablation.png; where matplotlib is not installed, say so."""
    if (plotting := pyplot()) is None:
        return
    figure, axes = plotting.subplots(figsize=(8, 10))
    total = {part: sum(map(better, row, row.values())) for part, row in rows.items()}
    axes.barh(list(total), list(total.values()))
    axes.set(xlabel="sum of the changes of all metrics when it is off (negated where lower is better)")
    axes.invert_yaxis()
    figure.savefig(out / "ablation.png", dpi=150, bbox_inches="tight")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=(__doc__ or "").splitlines()[2])
    parser.add_argument("split", type=Path)
    parser.add_argument("--only", default="", metavar="WORD", help="parts with this in their name")
    parser.add_argument("--skip-speed", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("ablation"))
    parser.add_argument("--work", type=Path, help="keep the filled memories here")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    parts = [part for part in PARTS if args.only in part.name]
    with tempfile.TemporaryDirectory() as scratch:
        rows = asyncio.run(ablation(args.split, args.work or Path(scratch), args.out, parts)) if parts else {}
        speed = {} if args.skip_speed else asyncio.run(ablation_speed.speed(Path(scratch) / "speed"))
    text = "\n\n".join([table(rows)] * bool(rows) + [ablation_speed.table(speed)] * bool(speed))
    (args.out / "ablation.json").write_text(json.dumps({"quality": rows, "speed": speed}, indent=1))
    (args.out / "ablation.md").write_text(text + "\n")
    print(text, "\n")
    if rows:
        plot(rows, args.out)
    print(circumstances())
    return 0


if __name__ == "__main__":
    sys.exit(main())
