"""A formula on a net that is reduced as far as it allows: by what the formula asks for, and whether it speaks of next states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.reduction import BRANCHING, GRAPH, LINEAR, reduce
from placet.engines.frontier import asks_dead
from placet.logic.state import support
from placet.logic.temporal import Next, atoms, parts, with_atoms
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.analysis.contest.context import Context
    from placet.logic.temporal import Formula
    from placet.net.core import Marking, Net


class Smaller(NamedTuple):
    """A net, and a formula that holds of it initially iff the one that was given holds of the whole net."""

    net: Net
    initial: Marking
    formula: Formula


def smaller(context: Context, formula: Formula, *, linear: bool) -> Smaller | None:
    """The formula on a reduced net; None where that is hardly smaller."""
    net = context.net
    spelt = with_atoms(formula, context.spelt)
    predicates = atoms(spelt)
    if any(asks_dead(p) or support(p)[1] for p in predicates):
        return None
    places = {p for predicate in predicates for p in support(predicate)[0]}
    rules = GRAPH if any(isinstance(f, Next) for f in parts(spelt)) else LINEAR if linear else BRANCHING
    reduced = reduce(net, context.initial, visible_places=places, bounded_places=(), rules=rules)
    if 10 * (len(reduced.places) + len(reduced.transitions)) > 9 * (len(net.places) + len(net.transitions)):
        return None
    return Smaller(reduced.net, reduced.initial, with_atoms(spelt, reduced.predicate))
