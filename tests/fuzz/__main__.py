"""The long form: `python -m tests.fuzz TARGET --minutes 60`; without a target all of them, one after the other."""

import argparse
import random
import sys
import time
import traceback

from tests.fuzz.running import run
from tests.fuzz.targets import TARGETS

EXAMPLES = 400  # of one seed: a fresh memory for each


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--minutes", type=float, default=60.0, help="for each target")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the first inputs")
    args = parser.parse_args()
    failed = 0
    for name in args.targets or TARGETS:
        until, number, taken = time.monotonic() + 60 * args.minutes, args.seed, 0
        try:
            while time.monotonic() < until:
                taken += run(name, EXAMPLES, number, until)
                number += 1
        except Exception:
            traceback.print_exc()
            failed += 1
            print(f"{name}: FAILED at seed {number} after {taken} inputs", flush=True)
        else:
            print(f"{name}: {taken} inputs in {args.minutes:g} minutes, seeds {args.seed} to {number - 1}", flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
