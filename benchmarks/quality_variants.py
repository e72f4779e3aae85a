"""python -m benchmarks.quality_variants SPLIT_DIR [--variants plain,free,bare] [--only B3,B4] [--limit 40] [--data-dir DIR] [--out DIR]

Every figure that must be reached, in one table: makes the split's harder forms with the `variants.py` beside the scorer (actions as
sentences, questions without context, ten other episodes for every one, wrong outcomes), asks each what its goals need as
`benchmarks.quality` does, and writes each form's full table and predictions to --out. Memories that two forms share are filled once.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import circumstances
from benchmarks.quality import report, split
from benchmarks.quality.asking import KINDS, Asked, ask, kinds_of
from benchmarks.quality.goals import GOALS, PLAIN, VARIANTS
from benchmarks.quality.report import Scores


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality_variants", description=(__doc__ or "").splitlines()[2])
    parser.add_argument("split", type=Path)
    parser.add_argument("--variants", type=_variants, default=[PLAIN, *VARIANTS], help=f"comma-separated: {', '.join([PLAIN, *VARIANTS])}")
    parser.add_argument(
        "--only", type=kinds_of, default=list(KINDS), metavar="SETS", help="as of benchmarks.quality, of what a form has goals for"
    )
    parser.add_argument("--limit", type=int, default=0, help="at most so many questions a set, spread evenly over it")
    parser.add_argument("--jobs", type=int, default=2, help="servers and imports at a time")
    parser.add_argument("--data-dir", type=Path, help="keep the filled memories here")
    parser.add_argument("--out", type=Path, default=Path("quality-variants"), help="a folder")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    by_variant: dict[str, Scores] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for variant in args.variants:
            kinds = [kind for kind in goal_kinds(variant) if kind in args.only]
            folder = made(args.split, Path(scratch) / variant, variant)
            if args.limit:
                folder = split.cut(folder, Path(scratch) / f"{variant}-cut", args.limit)
            print(f"== {variant}: {', '.join(kinds)}", file=sys.stderr, flush=True)
            kept = args.data_dir or Path(scratch) / "memories"
            asked = asyncio.run(ask(folder, kinds, kept, args.jobs, limit=args.limit, baseline=False))
            by_variant[variant] = written(variant, folder, asked, args.out)
    print(report.goal_table(GOALS, by_variant, {}))
    print(circumstances())
    return 0


def _variants(names: str) -> list[str]:
    wanted = names.split(",")
    if unknown := set(wanted) - {PLAIN, *VARIANTS}:
        raise argparse.ArgumentTypeError(f"no variant is called {', '.join(sorted(unknown))}")
    return wanted


def goal_kinds(variant: str) -> list[str]:
    """Return the sets whose figures a variant's goals are about, or are compared with."""
    rows = {goal.row.split()[0].lower() for goal in GOALS if variant in (goal.variant, goal.than)}
    return kinds_of(",".join(rows))


def made(folder: Path, out: Path, variant: str) -> Path:
    """Return the folder of a form of the split; the split itself for the plain one."""
    if variant == PLAIN:
        return folder
    program = Path(str(report.scorer(folder).__file__)).with_name("variants.py")
    subprocess.run([sys.executable, str(program), str(folder), str(out), variant, *VARIANTS[variant]], check=True)
    return out


def written(variant: str, folder: Path, asked: Asked, out: Path) -> Scores:
    """Return a form's scores, written to *out* as well."""
    scores = report.score_all(folder, asked.predictions, out / f"{variant}.jsonl")
    (out / f"{variant}.txt").write_text(report.full_table(scores) + "\n")
    (out / f"{variant}.json").write_text(json.dumps(scores, indent=1))
    return scores


if __name__ == "__main__":
    sys.exit(main())
