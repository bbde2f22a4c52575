"""The loop that applies reduction rules, and the contract that all of them keep.

**Classes of places.** What the predicates ask decides what may be fused (the class is `work.Asked`):

- EXACT (`visible_places`): any count may be asked at any time; never removed, never a target of a fusion.
- ZERO (`zero_places`) and CHANNEL (`channel_places`): asked only through "all ZERO and CHANNEL places are empty" (Z = 0) and
  "all ZERO places are empty" (C = 0), each only in predicates as below.
- RESOURCE (`resource_places`), END (`end_places`): likewise.
- FREE: all others, never asked.

**What may be exchanged.** Fusions exchange a token on one place for tokens on others, silently: on a ZERO place for any
but EXACT ones, one of them ZERO or END; on a CHANNEL place for the same, or for CHANNEL and FREE ones, one of them CHANNEL;
on a FREE place for FREE ones. A predicate may be asked if no exchange turns it from true to false. (One that an exchange
turns from false to true may: the marking can make the exchange itself, so that EF of it is the same.)

**Which predicates that admits.** With E the ends, R the resources, psi any predicate over EXACT places and observers:

- `final = (sum E = 1) and Z = 0 and R = R0`, also with `sum E >= 1`, and `final and psi`, even if psi also asks single
  ends or resources: a marking with a token to exchange on a ZERO or CHANNEL place satisfies none of them, and no other
  exchange touches what they ask.
- `early = ended and not (sum E = 1 and C = 0 and R = R0)`, `ended = (sum E >= 1)` (proper completion with messages on their
  way), and the same with Z for C: let m satisfy it and a token be exchanged. If END gets one, the sum is at least 2 then,
  as an end was marked. Else, if ZERO gets one, C = 0 fails then. Else the token was on a CHANNEL place and went to CHANNEL
  and FREE ones: C, E and R are as they were, and Z = 0 fails then. With `sum E >= 1` in place of the exact count this is
  wrong (the pending token may arrive at a marked end), so that there the ends must be EXACT; for option to complete they
  may be END.
- `e >= 1 and psi` for an end e, and any positive combination of those above.
- `Dead` and any predicate above, also `Dead and p` for any p over END, RESOURCE, EXACT places, `C = 0` and `Z = 0`: nothing is
  pending in a dead marking. Transitions that `Dead` leaves out of account must be visible.

So merging places of one class does not change whether they are empty, and a ZERO place merged into an end leaves EF final
and AG EF final alone, since what is pending there fires without anybody's help and a final marking has nothing pending.
`Fireable(t)` may be asked if `t` is visible and its input, read and inhibitor places
are; for "t can fire from everywhere" (liveness) it is enough that `t` is visible.

**What every rule keeps, exactly:** EF phi and AG EF phi of those predicates; whether a dead marking is reachable, with
what the classes say of it; "can reach neither phi nor a dead marking" (livelock), and more generally the terminal
strongly connected components up to what is silent; which transitions can fire (through `Reduced.alive`), or fire in a
terminal component (`Reduced.recurring`); the greatest bound of `bounded_places`, finite or not. Each rule's own file says
why, and how its traces are lifted. Not kept: exact counts of FREE and ZERO places, the number of states, next-time
properties, shortest traces (a lifted trace can be fired, but need not be a shortest one), returning to one marking.

**Fewer promises, smaller nets.** `REACH` has further rules, which keep EF phi alone, for phi over EXACT places and observers,
without `Dead` and `Fireable` (so all values and sums of these places that can be reached, too); lifted traces can be fired
and show phi. With these rules nothing of the above is promised but that.

**Runs.** Some rules keep more, where the predicates ask for EXACT places alone. `GRAPH` leaves the reachability graph as it was but
for places nobody asks for, and names of edges: all formulas of CTL and LTL. `BRANCHING` keeps those of CTL without next (and so
LTL without next): besides, `series` leaves out steps that nothing can prevent, that prevent nothing, that no predicate sees, and
that come to an end; putting such steps first gives a graph that is branching bisimilar, with no run that goes on for ever or ends
more or fewer (J. F. Groote and J. van de Pol 2000, "State space reduction using partial tau-confluence", MFCS). `LINEAR` keeps those
of LTL without next, on runs whose last state repeats for ever where they end: the agglomerations move, in any run, steps that no
predicate sees, so that what the others see is the same but for repetitions; a step that is left out was a preparation that
nobody used, only finitely many come in a row, and none is left over where a run ends (D. Poitrenaud and J.-F. Pradat-Peyre 2004,
"Pre- and post-agglomerations for LTL model checking", Petri nets). An idle transition or a shortcut is not left out: going on for ever
by the one, or past what the other avoids, is seen.

Under fairness, with faults fixed and the bounds of all places kept (so that a finite graph stays finite, and an infinite one infinite):

- `NAMED`, which is GRAPH with every transition kept apart, gives the same graph, so the same runs are fair, of whichever fairness.
- Two transitions with the same arcs are enabled together: a run that is fair to one can take both in turn, through the same
  states. So GRAPH keeps which formulas hold under each fairness; but the run that is lifted takes one of them only.
- BRANCHING, fairness on edges. Let `h` be as in `series`, and B a terminal component of the edges without faults. B is closed, so that
  `h(m)` is in B for each m in B, and every edge from `h(m)` is an edge of B: `h(B)` is a terminal component of the reduced graph and the image
  of a run that takes every edge of B takes every edge of `h(B)`. So what holds of all fair runs of the reduced net holds of all fair runs. In CTL
  a fair run matters by the terminal component that it ends in, and by the way there: by induction, `m` and `h(m)` satisfy the same formulas. The opposite
  for LTL fails: a run that takes each edge of `h(B)` need not be the image of one that takes each edge of B.
- BRANCHING under weak or strong fairness is wrong even so: the image of a fair run may enable for ever again what the run itself never did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.reduction.cone import CONE
from placet.analysis.reduction.constant_place import CONSTANT_PLACE
from placet.analysis.reduction.dominated_transition import DOMINATED_TRANSITION
from placet.analysis.reduction.free_agglomeration import FREE_AGGLOMERATION
from placet.analysis.reduction.idle_transition import IDLE_TRANSITION
from placet.analysis.reduction.parallel_places import PARALLEL_PLACES
from placet.analysis.reduction.parallel_transitions import PARALLEL_TRANSITIONS
from placet.analysis.reduction.post_agglomeration import POST_AGGLOMERATION
from placet.analysis.reduction.pre_agglomeration import PRE_AGGLOMERATION
from placet.analysis.reduction.reduced import Reduced
from placet.analysis.reduction.redundant_place import REDUNDANT_PLACE
from placet.analysis.reduction.series import SERIES
from placet.analysis.reduction.shortcut_transition import SHORTCUT_TRANSITION
from placet.analysis.reduction.unmarkable import UNMARKABLE
from placet.analysis.reduction.work import Asked, Work
from placet.net.core import Net
from placet.net.final import PlaceClass
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from placet.analysis.reduction.rule import Rule
    from placet.net.core import Arcs, Marking
    from placet.net.final import Final

ALL: tuple[Rule, ...] = (
    SERIES,
    UNMARKABLE,
    CONSTANT_PLACE,
    PARALLEL_TRANSITIONS,
    IDLE_TRANSITION,
    PARALLEL_PLACES,
    REDUNDANT_PLACE,
    POST_AGGLOMERATION,
    PRE_AGGLOMERATION,
    SHORTCUT_TRANSITION,
)

GRAPH: tuple[Rule, ...] = (UNMARKABLE, CONSTANT_PLACE, PARALLEL_TRANSITIONS, PARALLEL_PLACES, REDUNDANT_PLACE)
BRANCHING: tuple[Rule, ...] = (SERIES, *GRAPH)
LINEAR: tuple[Rule, ...] = (*BRANCHING, POST_AGGLOMERATION, PRE_AGGLOMERATION)
REACH: tuple[Rule, ...] = (*ALL, DOMINATED_TRANSITION, FREE_AGGLOMERATION, CONE)
NAMED: tuple[Rule, ...] = tuple(rule for rule in GRAPH if rule is not PARALLEL_TRANSITIONS)

KITS: dict[str, tuple[Rule, ...]] = {
    "all": ALL, "reach": REACH, "linear": LINEAR, "branching": BRANCHING, "graph": GRAPH, "named": NAMED,
}  # fmt: skip

NONE: frozenset[int] = frozenset()


class FinalPlaces(NamedTuple):
    """The places that `Final.predicate` and `Final.early` ask for, by class; pass them on to `reduce`, all four."""

    zero: frozenset[int]
    resource: frozenset[int]
    end: frozenset[int]
    channel: frozenset[int] = frozenset()


def final_places(final: Final, initial: Marking) -> FinalPlaces:
    """The classes of places under the predicates of `final`.

    Where proper completion is asked of a net with any sink, its ends must be visible instead.
    """
    ends = frozenset(final.ends)
    zero: set[int] = set()
    resource: set[int] = set()
    channel: set[int] = set()
    for p, kind in enumerate(final.classes):
        if p in ends or kind is PlaceClass.RECORD or kind is PlaceClass.BUDGET:
            continue
        held = kind is PlaceClass.RESOURCE and initial[p]
        (resource if held else channel if kind is PlaceClass.CHANNEL else zero).add(p)
    return FinalPlaces(frozenset(zero), frozenset(resource), ends, frozenset(channel))


def reduce(
    net: Net,
    initial: Marking,
    *,
    visible_places: Collection[int] = NONE,
    visible_transitions: Collection[int] = NONE,
    observed: Collection[int] = NONE,
    zero_places: Collection[int] = NONE,
    channel_places: Collection[int] = NONE,
    resource_places: Collection[int] = NONE,
    end_places: Collection[int] = NONE,
    bounded_places: Collection[int] | None = None,
    rules: tuple[Rule, ...] = ALL,
) -> Reduced:
    """Reduce a net as far as the rules go; the contract is this module's.

    Visible places and visible or observed transitions survive, the latter as one reduced transition each. A place named
    in several classes has the most demanding of them. `bounded_places` are those whose greatest bound is asked; None
    stands for all, and an empty collection lets more be reduced. Cost: linear in the arcs for series and blocks, a few
    microseconds an element.
    """
    work = _prepare(
        net, initial,
        asked=((channel_places, Asked.CHANNEL), (zero_places, Asked.ZERO), (resource_places, Asked.RESOURCE), (end_places, Asked.END),
               (visible_places, Asked.EXACT)),
        fixed=((observed, 1), (visible_transitions, 2)),
        bounded=bounded_places,
    )  # fmt: skip
    _run(work, rules)
    return _result(net, initial, work)


def _prepare(
    net: Net,
    initial: Marking,
    asked: tuple[tuple[Collection[int], Asked], ...],
    fixed: tuple[tuple[Collection[int], int], ...],
    bounded: Collection[int] | None,
) -> Work:
    of_place = bytearray(len(net.places))
    for members, kind in asked:
        for p in members:
            of_place[p] = kind
    of_transition = bytearray(len(net.transitions))
    for transitions, level in fixed:
        for t in transitions:
            of_transition[t] = level
    if bounded is None:
        of_bound = bytearray(b"\1") * len(net.places)
    else:
        of_bound = bytearray(len(net.places))
        for p in bounded:
            of_bound[p] = 1
    return Work(net, initial, of_place, of_transition, of_bound)


class _Stage(NamedTuple):
    """Rules that look at the same things in turn, and what they are to look at."""

    apply: list[Callable[[Work, int], bool]]
    gone: bytearray
    agenda: list[int]  # filled by `Work.touch_place` or `Work.touch_transition` for the first stage of its subject
    listed: bytearray  # for that one: who is on the agenda
    following: list[int] | None  # the agenda of the next stage of the subject, which looks at what stays


def _stages(work: Work, rules: tuple[Rule, ...]) -> list[_Stage]:
    stages: dict[tuple[int, str], _Stage] = {}
    for subject in ("place", "transition"):
        of_place = subject == "place"
        agenda = work.dirty_places if of_place else work.dirty_transitions
        listed = work.place_listed if of_place else work.transition_listed
        agenda.extend(range(len(listed)))
        listed[:] = b"\1" * len(listed)
        numbers = sorted({rule.stage for rule in rules if rule.subject == subject})
        for number in numbers:
            apply = [rule.apply for rule in rules if rule.stage == number and rule.subject == subject]
            following: list[int] | None = None if number == numbers[-1] else []
            gone = work.place_gone if of_place else work.transition_gone
            stages[number, subject] = _Stage(apply, gone, agenda, listed, following)
            agenda, listed = [] if following is None else following, bytearray()
    return [stages[key] for key in sorted(stages)]


def _run(work: Work, rules: tuple[Rule, ...]) -> None:
    """Stage by stage: what a stage was given is worked off whole, then the first stage with something to do goes on."""
    stages = _stages(work, rules)
    on_all = [rule.apply for rule in rules if rule.subject == "net"]
    while True:
        _run_dry(work, stages)
        if not sum(rule(work, 0) for rule in on_all):  # each of them
            return


def _run_dry(work: Work, stages: list[_Stage]) -> None:
    while stage := next((stage for stage in stages if stage.agenda), None):
        apply, gone, agenda, listed, following = stage
        batch = agenda[::-1] if listed else sorted(set(agenda), reverse=True)
        agenda.clear()
        for x in batch:
            if listed:
                listed[x] = 0
            if not gone[x]:
                for rule in apply:
                    if rule(work, x):
                        break
                else:
                    if following is not None:
                        following.append(x)


def _result(net: Net, initial: Marking, work: Work) -> Reduced:
    places = [p for p in range(len(net.places)) if not work.place_gone[p]]
    transitions = [t for t in range(len(work.pre)) if not work.transition_gone[t]]
    index = {p: i for i, p in enumerate(places)}

    def arcs(side: dict[int, int]) -> Arcs:
        return tuple(sorted((index[p], w) for p, w in side.items()))

    def special(column: tuple[Arcs, ...], t: int) -> Arcs:
        return tuple((index[p], w) for p, w in column[t]) if work.odd_transition[t] else ()

    reduced = Net(
        tuple(net.places[p] for p in places),
        tuple(_names(net, work, transitions)),
        tuple(arcs(work.pre[t]) for t in transitions),
        tuple(arcs(work.post[t]) for t in transitions),
        tuple(special(net.read, t) for t in transitions),
        tuple(special(net.inhibit, t) for t in transitions),
        tuple(tuple(index[p] for p in net.reset[t]) if work.odd_transition[t] else () for t in transitions),
        tuple((index[p], most) for p, most in net.capacity),
        net.name,
    )
    return Reduced(
        reduced,
        tuple(work.tokens[p] for p in places),
        tuple(places),
        tuple(work.label[t] for t in transitions),
        tuple(sorted(work.counts.items())),
        tuple(initial),
        work.leaves,
        tuple(work.parts),
        tuple(work.stands_for[t] for t in transitions),
        tuple(work.prefix),
        work.also,
        tuple(work.bound_log),
        frozenset(p for p in range(len(net.places)) if work.place_gone[p] and 0 < work.asked[p] <= Asked.ZERO),
    )


def _names(net: Net, work: Work, transitions: list[int]) -> list[str]:
    """The label's id; a second bearer of the same label gets the number of its copy."""
    copies: dict[int, int] = {}
    names = []
    for t in transitions:
        label = work.label[t]
        copies[label] = copies.get(label, 0) + 1
        names.append(net.transitions[label] + (f"#{copies[label]}" if copies[label] > 1 else ""))
    return names
