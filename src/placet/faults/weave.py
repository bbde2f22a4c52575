"""Weaving faults into a net: a budget place, and transitions that take from it and spoil what should have happened.

Only roles and channels are looked at, so native and imported models are woven by the same code, and the net that comes
out does not depend on observers or queries. Places and transitions are appended: indices of the net that went in keep
their meaning (of observers, which follow the places in a state, they shift; queries are rewritten).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.faults.hypothesis import DEFAULT, LEVELS, Hypothesis, checked, level
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.evidence import Assumptions, Trace

__all__ = ["DEFAULT", "LEVELS", "Hypothesis", "Woven", "level", "weave"]

_UNWOVEN = {"cancel": "nobody stops it while it runs", "crash": "its coordinator does not crash"}
FOR_EVER = "what is retried for ever is answered in the end"


class Woven(NamedTuple):
    """A net with faults, and what tells them from what was there before."""

    compiled: Compiled
    places: int  # of the net before: the indices below stand for the same places
    transitions: int
    budget: int  # the place of faults still to be spent; -1 where none are woven
    causes: tuple[int, ...]  # transitions that take from it
    consequences: tuple[int, ...]  # what causes bring about for free

    def back(self, trace: Trace) -> Trace:
        """The part of a trace that the net before could show too: its own transitions."""
        return tuple(t for t in trace if t < self.transitions)


def weave(compiled: Compiled, hypothesis: Hypothesis) -> Woven:
    """The net with the faults of a hypothesis. Linear in channels and ports. Raises UsageError for a hypothesis without sense."""
    hypothesis = checked(hypothesis)
    places, transitions = len(compiled.net.places), len(compiled.net.transitions)
    deliveries = compiled.roles.deliveries
    if hypothesis.instances == 2 and compiled.roles.channels and not deliveries:  # without any fault too
        from placet.faults.instances import twice

        compiled = twice(compiled)
    if not hypothesis.faults or not hypothesis.budget or not (compiled.roles.channels or deliveries):
        assumptions = _assume(compiled, hypothesis, compiled.assumptions)
        return Woven(compiled._replace(assumptions=assumptions), places, transitions, -1, (), ())
    from placet.faults.loom import Loom
    from placet.faults.messages import Messages

    loom = Loom(compiled, hypothesis)
    messages = Messages(loom)
    ports = compiled.roles.ports
    for channel in compiled.roles.channels:
        messages.channel(channel)
    if messages.late or (ports and not loom.faults.isdisjoint(("cancel", "crash"))):
        from placet.faults.coordinator import Coordinators

        Coordinators(loom, messages).weave()
    if deliveries:
        from placet.faults.deliveries import Deliveries

        Deliveries(loom).weave()
    made = loom.compiled()._replace(assumptions=_assume(compiled, hypothesis, compiled.assumptions))
    if messages.late:  # a deadline passes in one way and turns back another: no way keeps to itself
        made = made._replace(roles=made.roles._replace(forks=()))
    return Woven(made, places, transitions, loom.budget, tuple(loom.causes), tuple(loom.consequences))


def _assume(compiled: Compiled, hypothesis: Hypothesis, assumptions: Assumptions) -> Assumptions:
    guarantees = assumptions.guarantees
    both = hypothesis.instances == 2 and (compiled.roles.common or any(s.shared for s in compiled.roles.steps))
    if both and compiled.roles.channels:
        guarantees = (*guarantees, "no more than two runs happen at once")
    if compiled.roles.channels and hypothesis.faults and hypothesis.budget:
        if any(c.again for c in compiled.roles.channels):
            guarantees = (*guarantees, FOR_EVER)
        if hypothesis.modes == "transient":
            guarantees = (*guarantees, "faults are transient")
        if not compiled.roles.ports:  # of an import: its coordinator is an engine of its own
            guarantees = (*guarantees, *(_UNWOVEN[fault] for fault in hypothesis.faults if fault in _UNWOVEN))
    return assumptions._replace(faults=hypothesis.faults, fault_budget=hypothesis.budget, guarantees=guarantees)
