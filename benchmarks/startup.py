"""Cold start, whole process: `placet --help` and `placet verify` of the smallest shipped model.

    python benchmarks/startup.py [--exe .venv/bin/placet] [--runs 15]

Prints the least processor time (user and system) and the least wall-clock time of all runs in milliseconds, and the former as a
multiple of a bare `python -c pass`, which is what a noisy machine leaves comparable. Measure an installed copy, not an
editable one, and without PYTHONDONTWRITEBYTECODE: else every run compiles the modules anew.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def least(command: list[str], runs: int) -> tuple[float, float]:
    """Least processor and least wall-clock milliseconds of a command, after one run that warms the file cache."""
    subprocess.run(command, capture_output=True, check=False)
    used, taken = [], []
    for _ in range(runs):
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, capture_output=True, check=False)
        taken.append(time.perf_counter() - begun)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(used) * 1e3, min(taken) * 1e3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exe", default=str(Path(sys.executable).parent / "placet"))
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    small = min((CHECKOUT / "models").rglob("*.placet"), key=lambda p: p.stat().st_size)
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "placet --help": [options.exe, "--help"],
        f"placet verify {small.name}": [options.exe, "verify", str(small)],
    }
    bare = 0.0
    for title, command in commands.items():
        used, taken = least(command, options.runs)
        bare = bare or used
        print(f"{title:34} processor {used:5.0f} ms  wall clock {taken:5.0f} ms  {used / bare:5.1f} x python")
    return 0


if __name__ == "__main__":
    sys.exit(main())
