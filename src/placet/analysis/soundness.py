"""Soundness: option to complete, proper completion, no dead step. Weak soundness leaves the dead steps out.

Classical soundness is van der Aalst 1998, generalised here to several named ends, resources that are given back, and
records that a run leaves behind (see `net/final.py`).

**Unbounded nets.** Let a net with weights and read arcs only have option to complete and proper completion, and let a
loop lead from a reachable marking m to m + D, D >= 0. Some sigma leads from m to a final f; firing is monotone, so it
leads from m + D to f + D, which marks an end and so, by proper completion, is final but for messages in flight. Final
markings differ in records and budgets only (and in which one end is marked, but their sum is 1), so D is zero but for
these and for channels. Hence a loop that pumps a place of control, a resource or an end refutes weak soundness, and
soundness with it: for workflow nets this is "sound implies bounded" (van der Aalst 1998, theorem 11). A channel that
fills up refutes nothing: all of it may be taken in after the end. With resets, inhibitors or capacities nothing is
claimed.

**Any sink.** With any sink as final marking soundness is: every place but the sinks is safe, and from everywhere a
marking of sinks only can be reached (the variant in which Fahland et al. 2011 check industrial models). Dead steps are
not part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.boundedness import SAFE, pumped
from placet.analysis.completion import NO_FINAL, OPTION_TO_COMPLETE, PROPER_COMPLETION
from placet.analysis.dead_steps import NO_DEAD_STEP
from placet.analysis.passes import Asks, Pass
from placet.evidence import Holds, Inconclusive, Reach, Verdict, Violated
from placet.net.final import PlaceClass

if TYPE_CHECKING:
    from placet.analysis.check import Check
    from placet.analysis.subject import Subject
    from placet.compiled import Query


class Sound:
    """All parts hold; the violation with the shortest run is the one that is shown."""

    existential = True
    cuts_sinks = True

    def __init__(self, *, weak: bool) -> None:
        self._weak = weak

    def _parts(self, subject: Subject) -> tuple[Check, ...]:
        if subject.compiled.final.any_sink:
            return (SAFE, OPTION_TO_COMPLETE)
        dead = () if self._weak else (NO_DEAD_STEP,)
        return (OPTION_TO_COMPLETE, PROPER_COMPLETION, *dead)

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """What the parts ask."""
        if not subject.has_final:
            return NO_FINAL
        wanted = [part.asks(subject, query) for part in self._parts(subject)]
        asked = [a for a in wanted if isinstance(a, Asks)]
        return Asks(
            tuple(goal for a in asked for goal in a.goals),
            final=True,
            transitions=subject.faults,
            bounded=frozenset().union(*(a.bounded for a in asked)),
        )

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by any part; proved by all of them; an unbounded net is not sound where that is a theorem."""
        verdicts = [part.judge(subject, query, seen) for part in self._parts(subject)]
        refuted = [v for v in verdicts if isinstance(v, Violated)]
        if refuted:
            return min(refuted, key=_length)
        if all(isinstance(v, Holds) for v in verdicts):
            note = next((v.note for v in verdicts if isinstance(v, Holds) and v.note), "")
            return Holds(seen.proof("each of its parts holds"), note=note)
        net = subject.compiled.net
        if subject.compiled.final.any_sink or net.capacity or any(net.inhibit) or any(net.reset) or subject.faults:
            return None
        counted = subject.places(PlaceClass.CONTROL, PlaceClass.RESOURCE)  # no channels: see above
        return pumped(subject, seen, counted | frozenset(subject.compiled.final.ends))


def _length(verdict: Violated) -> int:
    """Steps of the run a reader has to follow; a step that never happens has none and comes last."""
    witness = verdict.witness
    trace = getattr(witness, "trace", None)
    return len(trace) + (not isinstance(witness, Reach)) if trace is not None else 1 << 30


SOUND = Sound(weak=False)
WEAK_SOUND = Sound(weak=True)
