"""Cold start, whole process: `placet --help` and `placet verify` of the smallest shipped model.

    python benchmarks/startup.py [--exe .venv/bin/placet] [--runs 15]

Prints medians in milliseconds, and as multiples of a bare `python -c pass`, which is what a noisy machine leaves comparable.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def median(command: list[str], runs: int) -> float:
    """Median wall-clock milliseconds of a command, after one run that warms the file cache."""
    subprocess.run(command, capture_output=True, check=False)
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        subprocess.run(command, capture_output=True, check=False)
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1e3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exe", default=str(Path(sys.executable).parent / "placet"))
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    small = min((CHECKOUT / "models").rglob("*.placet"), key=lambda p: p.stat().st_size)
    bare = median([sys.executable, "-c", "pass"], options.runs)
    print(f"{'python -c pass':34} {bare:6.0f} ms")
    for title, command in (("placet --help", ["--help"]), (f"placet verify {small.name}", ["verify", str(small)])):
        took = median([options.exe, *command], options.runs)
        print(f"{title:34} {took:6.0f} ms  {took / bare:5.1f} x python")
    return 0


if __name__ == "__main__":
    sys.exit(main())
