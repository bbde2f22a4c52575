"""Easy soundness: some run ends well.

The weakest of the notions of soundness: whatever is sound, weakly sound or relaxed sound is easily sound. A fault may be
part of that run, as of any. (W. M. P. van der Aalst et al., "Soundness of workflow nets: classification, decidability,
and analysis", Formal Aspects of Computing 23(3), 2011.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.completion import NO_FINAL
from placet.analysis.passes import Asks, Pass
from placet.engines.protocol import Needs
from placet.evidence import Certificate, Holds, Inconclusive, Never, NeverHolds, Verdict, Violated

if TYPE_CHECKING:
    from placet.analysis.subject import Subject
    from placet.compiled import Query


class EasySound:
    """A final marking is reachable: EF final."""

    existential = True
    cuts_sinks = True

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """The first final marking."""
        if not subject.has_final:
            return NO_FINAL
        return Asks(((subject.goal, Needs.FIRST),), final=True)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the whole state space, in which no state is final."""
        if seen.first(subject.goal) >= 0:
            return Holds(seen.proof("a run ends well"))
        if not seen.complete:
            return None
        certificate = Certificate("closed set", states=seen.seen.states)
        return Violated(NeverHolds(subject.final), Never(certificate), seen.proof())


EASY_SOUND = EasySound()
