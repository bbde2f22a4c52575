"""What the structure of a net tells before any search: invariants, siphons and traps, and the theorems of its class.

Listings that can be exponentially long are cut off, and say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis import free_choice
from placet.analysis.invariant_basis import basis
from placet.analysis.invariants import semiflows
from placet.analysis.siphon_list import Sets, greatest_trap, minimal_siphons, minimal_traps
from placet.analysis.siphons import empty_siphon
from placet.net.classes import NetClass, classes
from placet.net.final import PlaceClass
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.analysis.invariants import Semiflows
    from placet.compiled import Compiled
    from placet.net.core import Marking, Net

MOST_WORK = 400_000  # of an elimination of invariants
MOST_SETS = 100_000  # sets of places looked at, of siphons and of traps


class Structure(NamedTuple):
    """What was found. None where it was not found out, or is no question of this net."""

    plain: bool  # no inhibitor, read or reset arcs, no capacities
    classes: frozenset[NetClass]
    arcs: int
    rank: int | None  # of the incidence matrix
    place_flows: Semiflows
    transition_flows: Semiflows
    place_invariants: tuple[tuple[tuple[int, int], ...], ...] | None  # a basis, negative weights too
    transition_invariants: tuple[tuple[tuple[int, int], ...], ...] | None
    siphons: Sets | None  # None where inhibitor or reset arcs make the definition say nothing
    traps: Sets | None
    clusters: int
    well_formed: bool | None  # free choice: some marking makes it live and bounded
    live_and_bounded: bool | None  # free choice
    commoner: bool | None  # free choice: live
    sound: bool | None  # a free-choice workflow net


def structure(compiled: Compiled) -> Structure:
    """Look at a net. Polynomial but for listings, whose work is bounded: a few seconds for the largest nets."""
    net, initial = compiled.net, compiled.initial
    listable = not (any(net.inhibit) or any(net.reset))
    transposed = free_choice.transposed(net)
    siphons = minimal_siphons(net, most_work=MOST_SETS) if listable else None
    free = free_choice.is_free_choice(net)
    formed = free_choice.well_formed(net) if free else None
    return Structure(
        net.is_plain,
        classes(net),
        sum(len(arcs) for side in (net.pre, net.post, net.read, net.inhibit, net.reset) for arcs in side),
        free_choice.rank(net),
        semiflows(net, most_work=MOST_WORK),
        semiflows(transposed, most_work=MOST_WORK),
        basis(net),
        basis(transposed),
        siphons,
        minimal_traps(net, most_work=MOST_SETS) if listable else None,
        len(free_choice.clusters(net)),
        formed,
        None if not free else False if empty_siphon(net, initial) else formed,
        _commoner(net, initial, siphons) if free else None,
        sound_by_theorem(compiled),
    )


def _commoner(net: Net, initial: Marking, siphons: Sets | None) -> bool | None:
    if siphons is None:
        return None
    if not free_choice.live(net, initial, siphons.found):
        return False
    return True if siphons.complete else None


def unmarked_trap(net: Net, initial: Marking, siphons: Sets) -> tuple[int, ...]:
    """The first siphon without a marked trap: it can lose all its tokens, and stays empty then. Empty where there is none."""
    for siphon in siphons.found:
        if not any(initial[p] for p in greatest_trap(net, siphon)):
            return siphon
    return ()


def workflow_shape(compiled: Compiled) -> int | None:
    """The start of a plain workflow net: one token, on a place that nothing gives to, and ends; nothing but control flow."""
    net, final = compiled.net, compiled.final
    marked = [p for p, tokens in enumerate(compiled.initial) if tokens]
    if len(marked) != 1 or compiled.initial[marked[0]] != 1 or not final.ends or final.any_sink or not net.is_ordinary:
        return None
    if any(kind is not PlaceClass.CONTROL for kind in final.classes):
        return None
    (start,) = marked
    if net.producers()[start] or start in final.ends or any(p in final.ends for arcs in net.pre for p, _ in arcs):
        return None
    return start


def sound_by_theorem(compiled: Compiled) -> bool | None:
    """Whether a free-choice workflow net is sound: short-circuited, it is live and bounded. None for other nets."""
    start = workflow_shape(compiled)
    if start is None:
        return None
    net = free_choice.short_circuited(compiled.net, start, compiled.final.ends)
    return free_choice.live_and_bounded(net, compiled.initial)
