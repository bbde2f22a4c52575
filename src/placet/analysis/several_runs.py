"""Generalised soundness: any number of runs, started side by side in one net, can always all end.

A workflow net is k-sound where from k tokens on its start, whatever happens, k tokens on its end and nothing else can be
reached; generalised sound where that is so for every k (K. van Hee, N. Sidorova, M. Voorhoeve, "Soundness and separability of
workflow nets in the stepwise refinement approach", ICATPN 2003; decidable, "Generalised soundness of workflow nets is
decidable", ICATPN 2004). Runs that share places may take each other's tokens, so one sound run says nothing of two.

A sound free-choice net is generalised sound (L. Ping, H. Hao, L. Jian, "On 1-soundness and soundness of workflow nets",
MOCA 2004). For other nets k runs are looked at, up to a bound: more runs start one after the other, as faults do, so that no
run relies on another one that might come and free it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.home import Home
from placet.analysis.structure import sound_by_theorem, workflow_shape
from placet.compiled import Origin, OriginMap
from placet.evidence import Holds, Inconclusive, Proof
from placet.logic.state import And, Linear
from placet.net.final import PlaceClass
from placet.net.roles import Kind, Role

if TYPE_CHECKING:
    from placet.analysis.passes import Asks, Pass
    from placet.analysis.subject import Subject
    from placet.compiled import Compiled, Query
    from placet.evidence import Verdict

RUNS = 3  # side by side, where the check does not say
NO_SHAPE = Inconclusive(
    "it is asked of workflows and nets with one start, ends, and nothing but places of control flow", "theory"
)


def several(compiled: Compiled, runs: int) -> Compiled | Holds | Inconclusive:
    """The net with up to `runs` runs in it, and its queries about them; or a proof, or why there is no answer.

    O(net), but for the theorem on free-choice nets, which is polynomial.
    """
    start = workflow_shape(compiled)
    if start is None:
        return NO_SHAPE
    if not compiled.assumptions.free_guards and sound_by_theorem(compiled):  # a proof leans on runs that must exist
        return Holds(Proof("structure", argument="free choice: one sound run, so any number of them"))
    runs = runs if runs > 1 else RUNS
    net = compiled.net
    more, begun = len(net.places), len(net.places) + 1
    subject = compiled.subject
    origin = compiled.origin.places[start]
    woven = net._replace(
        places=(*net.places, f"{subject}#more", f"{subject}#begun"),
        transitions=(*net.transitions, f"{subject}#another"),
        pre=(*net.pre, ((more, 1),)),
        post=(*net.post, ((start, 1), (begun, 1))),
        read=(*net.read, ()),
        inhibit=(*net.inhibit, ()),
        reset=(*net.reset, ()),
    )
    ends = tuple((p, 1) for p in compiled.final.ends)
    rest = tuple((p, 1) for p in range(more) if p not in compiled.final.ends)
    goal = And((Linear((*ends, (begun, -1)), "==", 1), Linear(rest, "==", 0)))
    places = (
        Origin(f"{subject}#more", f"another run of `{subject}` may start", origin.span, actor=subject),
        Origin(f"{subject}#begun", f"another run of `{subject}` has started", origin.span, actor=subject),
    )
    starts = Origin(f"{subject}#another", f"another run of `{subject}` starts", origin.span, actor=subject)
    return compiled._replace(
        net=woven,
        initial=(*compiled.initial, runs - 1, 0),
        final=compiled.final._replace(classes=(*compiled.final.classes, PlaceClass.BUDGET, PlaceClass.RECORD)),
        roles=compiled.roles._replace(transitions=(*compiled.roles.transitions, Role(Kind.FAULT))),
        origin=OriginMap((*compiled.origin.places, *places), (*compiled.origin.transitions, starts)),
        observers=(),
        queries=tuple(query._replace(predicate=goal, bound=runs) for query in compiled.queries),
    )


class GeneralisedSound:
    """From wherever several runs get to, all of them can end. A question about the net that `several` makes."""

    existential = True
    cuts_sinks = False
    _home = Home()

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """As a way home."""
        return NO_SHAPE if query.predicate is None else self._home.asks(subject, query)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the shortest run; nothing is proved of more runs than were looked at."""
        verdict = self._home.judge(subject, query, seen)
        if not isinstance(verdict, Holds):
            return verdict
        reason = f"up to {query.bound} runs side by side always end; whether any number of them does was not decided"
        return Inconclusive(reason, "theory", proof=verdict.proof)


GENERALISED_SOUND = GeneralisedSound()
