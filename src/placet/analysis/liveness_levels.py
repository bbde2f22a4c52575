"""How alive each transition is: the levels L0 to L4 of Commoner, as T. Murata defines them (Proc. IEEE 77(4), 1989, IV.C).

L0 never fires; L1 can fire once; L2 as often as one likes; L3 for ever in some run; L4 from wherever the net gets to. Where
there are finitely many markings L2 and L3 are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.components import components, terminal

if TYPE_CHECKING:
    from placet.analysis.components import Rows

NAMES = (
    "dead",
    "can happen",
    "can happen as often as one likes",
    "can go on happening for ever",
    "can always happen again",
)


def levels(rows: Rows, transitions: int) -> tuple[int, ...]:
    """By transition its level, from the whole reachability graph; 2 is never given. O(states + edges)."""
    level = [0] * transitions
    number = [0] * rows.states
    for n, members in enumerate(components(rows, lambda _: True)):
        for state in members:
            number[state] = n
    for state in range(rows.expanded):
        for e in range(rows.offsets[state], rows.offsets[state + 1]):
            t = rows.labels[e]
            level[t] = max(level[t], 3 if number[state] == number[rows.targets[e]] else 1)
    always: set[int] | None = None
    for members in terminal(rows):
        fired = {t for s in members for t in rows.labels[rows.offsets[s] : rows.offsets[s + 1]]}
        always = fired if always is None else always & fired
    for t in always or ():
        level[t] = 4
    return tuple(level)
