"""Every small mistake in every shipped saga at 100 %: how many are noticed, by model and by kind.

    python benchmarks/coverage_mutants.py [MODEL ...]

Prints a table, what goes unnoticed and is not listed as equivalent, and the share of equivalent ones. Exit status 1 where something goes
unnoticed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "coverage"), str(ROOT / "tests")]

KINDS = ("undo", "guarantee", "catch", "join", "swap", "time-out")


def main() -> int:
    """Measure every mutant."""
    from model_mutants import measured, mutants, originals, same
    from test_model_mutants import EQUIVALENT, SAGAS, faults_of

    unnoticed: list[str] = []
    made: Counter[str] = Counter()
    equal = 0
    print(
        f"{'model':26}" + "".join(f"{kind:>11}" for kind in KINDS) + f"{'equivalent':>12}{'same net':>10}{'seconds':>9}"
    )
    for name in sys.argv[1:] or SAGAS:
        file, begun = ROOT / "models" / name / "model.placet", time.process_time()
        before = {c.subject: c for c in originals(file)}
        faults = faults_of(name, before.values())
        noticed: Counter[str] = Counter()
        tried: Counter[str] = Counter()
        nothing = listed = 0
        with tempfile.TemporaryDirectory() as folder:
            for mutant in mutants(file, Path(folder)):
                changed = [c for c in mutant.sagas if not same(c, before[c.subject])]
                if not changed:
                    nothing += 1
                    continue
                tried[mutant.kind] += 1
                if (name, mutant.name) in EQUIVALENT:
                    listed += 1
                    continue
                worse = [m for m in (measured(c, faults) for c in changed) if m.coverage.uncovered]
                if worse and worse[0].run(next(worse[0].coverage.missing())).trace:
                    noticed[mutant.kind] += 1
                else:
                    unnoticed.append(f"{name}: {mutant.name}")
        made.update(tried)
        equal += listed
        row = "".join(f"{f'{noticed[k]}/{tried[k]}' if tried[k] else '-':>11}" for k in KINDS)
        print(f"{name:26}{row}{listed:12}{nothing:10}{time.process_time() - begun:9.1f}", flush=True)
    total = sum(made.values())
    print(
        f"{total} mistakes, {equal} of them equivalent ({100 * equal / max(1, total):.1f} %), {len(unnoticed)} unnoticed"
    )
    print("\n".join(unnoticed))
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
