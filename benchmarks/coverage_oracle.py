"""Coverage of thousands of random small sagas, held against the enumeration of all their runs.

    python benchmarks/coverage_oracle.py --seeds 3000 [--first 0] [--most 20000] [--nets | --limited | --stacked]

Prints each disagreement as its smallest saga, and how many sagas were compared. Exit status 1 where there is one.
"""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "tests" / "coverage")]


def main() -> int:
    """Compare the sagas of so many numbers."""
    from agreement import difference, smallest
    from random_nets import random_net
    from random_sagas import case, stacked

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--most", type=int, default=20_000, help="situations of one saga; larger ones are passed over")
    parser.add_argument("--show", type=int, default=5, help="disagreements after which it stops")
    parser.add_argument("--nets", action="store_true", help="random nets with random roles instead of sagas")
    parser.add_argument("--limited", action="store_true", help="services hold calls back, keys are forgotten")
    parser.add_argument("--stacked", action="store_true", help="undos are in an order that holds across parallel ways")
    given = parser.parse_args()
    make = stacked if given.stacked else random_net if given.nets else case
    if given.limited:
        make = partial(case, limited=True)
    compared = passed = wrong = 0
    begin = time.perf_counter()
    for seed in range(given.first, given.first + given.seeds):
        found = difference(make(seed), given.most)
        if found is None:
            passed += 1
            continue
        compared += 1
        if found.measured:
            wrong += 1
            least = smallest(make(seed), given.most)
            print(f"seed {seed} disagrees; smallest:\n{least}\n{difference(least, given.most)}\n", flush=True)
            if wrong >= given.show:
                break
    seconds = time.perf_counter() - begin
    print(f"{compared} compared, {wrong} disagree, {passed} passed over (refused or too large), {seconds:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
