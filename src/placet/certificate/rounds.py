"""Event loops: what can be repeated for ever in which messages lead, by who handles them and what he sends, back to themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.certificate.circles import goes_round
from placet.certificate.closed import RefusedError, components, fired_along, grows

if TYPE_CHECKING:
    from placet.certificate.closed import Graph
    from placet.compiled import Compiled
    from placet.evidence import State, Trace


def never(compiled: Compiled, graph: Graph) -> None:
    """Accept a closed set in which nothing that can be repeated goes round. Raises RefusedError for another one."""
    steps = [list(zip(graph.fired(i), graph.next(i), strict=True)) for i in range(len(graph.states))]
    for own in components(steps, set(range(len(steps)))):
        if goes_round(compiled.roles, {t for i in own for t, j in steps[i] if j in own}):
            raise RefusedError("in its set messages go round without end")


def repeated(compiled: Compiled, before: State, loop: Trace) -> None:
    """Accept a loop that can be repeated for ever and goes round. Raises RefusedError for another one."""
    width = len(compiled.net.places)
    if fired_along(compiled, before, loop)[:width] != before[:width]:
        grows(compiled, before, loop)
    if not goes_round(compiled.roles, frozenset(loop)):
        raise RefusedError("in its loop no message leads back to itself")
