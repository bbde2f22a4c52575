"""Structured nets of any size: exact counts by decision diagrams, in one process, no compiled code.

    python benchmarks/structured.py

Prints states, edges, dead ends and processor time of `analysis.counting.count`, without reading a file.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from families import branches, philosophers
from placet.analysis.counting import count
from placet.evidence import Budget

FAMILIES = (
    *(("fork and join", (n, k), branches(n, k)) for n, k in ((13, 10), (50, 10), (100, 10))),
    *(("philosophers", (n,), philosophers(n)) for n in (25, 100, 300, 1000)),
)


def size(number: int) -> str:
    """The number, or how many digits it has."""
    return str(number) if number < 10**15 else f"10^{len(str(number)) - 1}"


def main() -> None:
    """One line for each net."""
    for name, sizes, (net, initial) in FAMILIES:
        begun = process_time()
        found = count(net, initial, Budget())
        spent = process_time() - begun
        label = f"{name} {' x '.join(map(str, sizes))}"
        print(
            f"{label:24} {len(net.places):6} places {size(found.states):>8} states {size(found.edges):>8} edges "
            f"{found.deadlocks:3} dead {found.engine:10} {spent:6.2f} s"
        )


if __name__ == "__main__":
    main()
