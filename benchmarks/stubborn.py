"""What stubborn sets leave out of a search, beside the search of all states by the reference engine.

    python benchmarks/stubborn.py

Prints states, processor time, and which share of what can happen was fired.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from families import branches, philosophers
from placet.engines.protocol import Visitor
from placet.engines.reference import Reference
from placet.engines.stubborn import Stubborn
from placet.evidence import Budget
from placet.logic.state import Dead, at_least
from placet.net.builder import NetBuilder

MOST = Budget(states=300_000)


def workers(clients: int, free: int):
    """Clients that each ask once for one of the workers they share."""
    builder = NetBuilder("workers")
    pool = builder.place("free", free)
    for i in range(clients):
        at = [builder.place(f"c{i}.{j}", int(j == 0)) for j in range(4)]
        builder.transition(f"begin{i}", {at[0]: 1}, {at[1]: 1})
        builder.transition(f"take{i}", {at[1]: 1, pool: 1}, {at[2]: 1})
        builder.transition(f"give{i}", {at[2]: 1}, {at[3]: 1, pool: 1})
    return builder.build()


CASES = (
    ("fork/join 8 x 6, stuck", branches(8, 6), Dead()),
    ("8 clients of 3 workers, stuck", workers(8, 3), Dead()),
    ("8 clients of 3 workers, 4 served at once", workers(8, 3), at_least(0, 4)),
    ("10 philosophers, stuck", philosophers(10), Dead()),
    ("10 philosophers, a fork twice", philosophers(10), at_least(0, 2)),
)


def main() -> None:
    """One line for each question."""
    for name, (net, initial), goal in CASES:
        begun = process_time()
        found = Stubborn().explore(net, initial, (), [Visitor(goal)], MOST)
        spent = process_time() - begun
        begun = process_time()
        whole = Reference().explore(net, initial, (), [Visitor(goal)], MOST)
        all_of = process_time() - begun
        share = 100 * found.taken // max(1, found.able)
        print(f"{name:42} {found.states:7} {spent:6.2f} s {share:3} %   all {whole.states:7} {all_of:6.2f} s")


if __name__ == "__main__":
    main()
