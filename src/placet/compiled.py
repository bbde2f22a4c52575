"""Compiled: what every room above receives. It knows nets, ids and spans, and no language.

The OriginMap is total: every place and every transition, woven ones too, has an IR id, a span where there is a source,
and a phrase in the user's words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.evidence import Assumptions
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placet.logic.state import Predicate
    from placet.logic.temporal import Formula
    from placet.net.core import Marking, Net
    from placet.net.delays import Delay
    from placet.net.final import Final
    from placet.net.observer import Observer
    from placet.net.roles import Roles
    from placet.source import Span


class Event(NamedTuple):
    """What a transition is in a recorded run of the original system; the words of `kind` are those of the format.

    `scope` names the branches and items around it, outermost first. `errors` are the names that an error may have here;
    with `*` every name that is not in `but`.
    """

    kind: str
    element: str = ""  # the name of the step or state, as the user wrote it
    scope: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    target: str = ""  # the step that it leads to, where it chooses one
    via: str = ""  # how: `Choices[0]`, `Default`, `Catch[1]`
    copies: int = -1  # how many of them are started


class Origin(NamedTuple):
    """Where a net element comes from.

    `phrase` is a clause without a full stop: for a transition what happens ("`flight` is applied at `flights`"), for a
    place what a token there means ("waiting for the reply of `flight`").
    """

    id: str  # IR id: the path of the user's names
    phrase: str
    span: Span | None = None
    service: str = ""  # the lane it is drawn in; empty for the coordinator
    actor: str = ""  # the workflow, saga or net it belongs to
    event: Event | None = None  # of a transition: what recorded runs call it, where such runs can be read


class OriginMap(NamedTuple):
    """Origins by place and by transition; as long as the net is wide."""

    places: tuple[Origin, ...]
    transitions: tuple[Origin, ...]


class Query(NamedTuple):
    """A question to a net: a check id and its operands, all as indices."""

    check: str  # a check id of VERIFY, such as "sound" or "never"
    label: str  # as the user wrote it: `never(charge.done and purchase.rejected)`
    predicate: Predicate | None = None
    place: int = -1
    transition: int = -1
    bound: int = 1
    sentence: str = ""  # printed when it fails
    span: Span | None = None
    atoms: tuple[tuple[Predicate, str], ...] = ()  # the conjuncts as written, to say which one failed
    faults: tuple[str, ...] | None = None  # `under { lost, slow }`; None: the default of the subject's kind
    fault_budget: int | None = None  # `at_most 2`; None: the default
    demand: int = 100  # per cent that `coverage` must reach
    level: str = ""  # of faults, `at L2`: instead of `faults`
    formula: Formula | None = None  # of `ctl` and `ltl`
    fairness: str = ""  # of `ctl` and `ltl`, as `assuming` names it: "edges" (so also ""), "weak", "strong", "nothing"
    given: Predicate | None = None  # from when on the formula is asked: its variables have a value
    premise: tuple[Predicate, str] | None = None  # without which the formula says nothing, with its text


class Compiled(NamedTuple):
    """A net with all that is known about it."""

    subject: str
    kind: str  # workflow, saga, net
    net: Net
    initial: Marking
    final: Final
    roles: Roles
    origin: OriginMap
    observers: tuple[Observer, ...] = ()
    queries: tuple[Query, ...] = ()
    assumptions: Assumptions = Assumptions()
    timing: tuple[tuple[int, Delay], ...] = ()  # how long transitions take: simulation only
    limits: tuple[tuple[tuple[int, ...], int], ...] = ()  # transitions of which so many run at once: simulation only
    quiet: frozenset[int] = frozenset()  # transitions a run need never show: absorbing, skipping; never "dead steps"
    steps: tuple[
        tuple[str, tuple[int, ...]], ...
    ] = ()  # what the user wrote -> the transitions of which one must be able to fire
    split: tuple[
        tuple[int, ...], ...
    ] = ()  # transitions that are one and the same, of which at most one is enabled at a time
    ranks: tuple[
        tuple[int, int], ...
    ] = ()  # transitions and their priorities, which the arcs of the net keep to already
    demanded: frozenset[int] = (
        frozenset()
    )  # how handlers begin that the language asks for, whether or not their end comes about
    called: Compiled | None = None  # of an import with roles: the same with its calls, which faults are woven into
    waived: tuple[tuple[str, str], ...] = ()  # checks that somebody lives with -> until when, and why

    @property
    def start(self) -> tuple[int, ...]:
        """The initial state: the initial marking and the observers' initial values."""
        return self.initial + tuple(o.initial for o in self.observers)

    def same(self, transition: int) -> tuple[int, ...]:
        """The transitions that are one with this one, itself among them. O(split)."""
        return next((some for some in self.split if transition in some), (transition,))

    def apart(self, transitions: Iterable[int]) -> tuple[tuple[int, ...], ...]:
        """What is left of transitions where those that are one are taken together, each group once. O(transitions + split)."""
        if not self.split:
            return tuple([(t,) for t in transitions])
        group = {t: some for some in self.split for t in some}
        return tuple(dict.fromkeys([group.get(t, (t,)) for t in transitions]))


def plain(net: Net, initial: Marking) -> Compiled:
    """A net of which nothing else is known: no ends, no roles; places and transitions are told by their ids."""
    from placet.net.final import Final, PlaceClass
    from placet.net.roles import PLAIN, Roles

    subject = net.name or "net"
    places = tuple(Origin(p, f"`{p}` holds a token", actor=subject) for p in net.places)
    transitions = tuple(Origin(t, f"`{t}` happens", actor=subject) for t in net.transitions)
    return Compiled(
        subject,
        "net",
        net,
        initial,
        Final((), (PlaceClass.CONTROL,) * len(net.places)),
        Roles((PLAIN,) * len(net.transitions)),
        OriginMap(places, transitions),
        steps=tuple((t, (number,)) for number, t in enumerate(net.transitions)),
    )
