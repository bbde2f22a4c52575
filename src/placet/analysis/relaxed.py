"""Relaxed soundness: each step takes part in some run that ends well (Dehnert and Rittgen 2001)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.completion import NO_FINAL
from placet.analysis.components import Rows, hopeless
from placet.analysis.dead_steps import behind, left_aside, steps_of
from placet.analysis.passes import Asks, Pass
from placet.engines.protocol import Needs
from placet.evidence import Certificate, Holds, Inconclusive, Never, NeverHolds, Verdict, Violated

if TYPE_CHECKING:
    from placet.analysis.subject import Subject
    from placet.compiled import Query


class RelaxedSound:
    """For each step some run fires it and reaches a final marking."""

    existential = True
    cuts_sinks = True

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """The final markings, with all edges of the net as it is: fusions forget which step a run went through."""
        if not subject.has_final:
            return NO_FINAL
        return Asks(((subject.goal, Needs.EDGES),), final=True, reducible=False)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by a step all of whose firings lead to where no final marking can be reached."""
        rows = Rows(seen.seen.states, *seen.seen.graph())  # a fault is part of a run as well as any step
        doomed = hopeless(rows, seen.goal_states(subject.goal))
        useful: set[int] = set()
        for label, target in zip(rows.labels, rows.targets, strict=True):
            if not doomed[target]:
                useful.add(label)
        missing = [step for step in steps_of(subject) if useful.isdisjoint(step)]
        if not seen.complete:
            return None
        unheard = subject.compiled.demanded - seen.alive()
        aside = behind(subject, unheard)
        missing = [step for step in missing if not aside.issuperset(step)]
        if not missing:
            note = left_aside(subject, unheard) if unheard else ""
            return Holds(seen.proof("each step lies on a run to an end"), note=note)
        transitions = tuple(t for step in missing for t in step)
        claim = NeverHolds(subject.final, after=transitions)
        return Violated(claim, Never(Certificate("closed set", states=rows.states)), seen.proof(), culprits=transitions)


RELAXED_SOUND = RelaxedSound()
