"""How long compensation coverage takes as sagas grow.

    python benchmarks/coverage.py [--large]

Steps in sequence under reject, lost, slow and undo-fail, two faults in a run, and steps in parallel under reject, lost and
slow, one fault (ten are measured two at a time); faults are transient. Prints processor time, situations, obligations and the most memory. With `--large` also 60
steps in sequence, which take two gigabytes.
"""

from __future__ import annotations

import argparse
import gc
import resource
import time

from placet.coverage.sliced import measure
from placet.evidence import Budget
from placet.faults.hypothesis import Hypothesis
from placet.faults.weave import weave
from placet.pipeline import as_loaded

ONE = Hypothesis(("reject", "lost", "slow"), 1, "transient")
TWO = Hypothesis(("reject", "lost", "slow", "undo-fail"), 2, "transient")


def saga(steps: int, *, parallel: bool) -> str:
    """A saga of equal steps at one service with a barrier."""
    lines = "".join(f"  step a{i} on s {{ undo u{i}; timeout 10s }}\n" for i in range(steps))
    body = f"  parallel {{\n{lines}  }}\n" if parallel else lines
    return f"service s {{ idempotent; null_safe; rejects_after_cancel }}\nsaga big {{\n{body}}}\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true")
    large = parser.parse_args().large
    gc.disable()  # as the command does
    cases = [(n, False, TWO) for n in (5, 10, 20, 40, *((60,) if large else ()))] + [
        (n, True, ONE) for n in (3, 4, 5, 10)
    ]
    for steps, parallel, hypothesis in cases:
        (compiled,) = as_loaded(saga(steps, parallel=parallel)).compiled
        begun = time.process_time()
        woven = weave(compiled._replace(queries=(), observers=()), hypothesis).compiled
        found = measure(woven, hypothesis.budget, Budget(None, None)).coverage
        seconds = time.process_time() - begun
        assert found.size.complete
        assert found.covered == found.feasible
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        shape = "in parallel" if parallel else "in sequence"
        print(
            f"{steps:3} steps {shape}  {seconds:6.2f} s  {found.size.states:9} situations  {found.feasible:8} obligations"
            f"  {memory:5} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()
