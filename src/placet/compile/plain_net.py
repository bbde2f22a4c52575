"""A net given as such, compiled: the same places and transitions, with origins and final markings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compiled import Compiled, Origin, OriginMap
from placet.ir.model import Turn
from placet.net.builder import NetBuilder
from placet.net.final import Final, PlaceClass
from placet.net.roles import Kind, Role, Roles
from placet.net.workflow_net import workflow_net

if TYPE_CHECKING:
    from placet.ir.model import PlainNet
    from placet.net.core import Marking, Net


def net_to_compiled(net: PlainNet) -> Compiled:
    """A plain net without queries. Its ends are its `final` places, or the sink of a workflow net that starts in its source.

    Of a net with priorities a transition is there once for each of the ways in which it is its turn (`turns`).
    """
    builder = NetBuilder(net.id)
    index = {p.id: builder.place(p.id, p.tokens, p.capacity) for p in net.places}
    origins = [Origin(p.id, f"a token is on `{_name(p.id)}`", p.span, actor=net.id) for p in net.places]
    steps: list[tuple[str, tuple[int, ...]]] = []
    happens: list[Origin] = []
    for n, t in enumerate(net.transitions):
        ways = net.turns[n] if net.turns else (Turn(),)
        if not ways:  # never its turn
            place = f"{t.id}#turn"
            index[place] = builder.place(place, 0)
            origins.append(Origin(t.id, f"nothing comes before `{_name(t.id)}`", t.span, actor=net.id))
            ways = (Turn(((place, 1),)),)
        first = len(happens)
        for number, way in enumerate(ways, 1):
            builder.transition(
                t.id if len(ways) == 1 else f"{t.id}#turn[{number}]",
                {index[p]: w for p, w in t.pre},
                {index[p]: w for p, w in t.post},
                read={index[p]: w for p, w in (*t.read, *way.read)},
                inhibit={index[p]: w for p, w in (*t.inhibit, *way.inhibit)},
                reset=tuple(index[p] for p in t.reset),
            )
            happens.append(Origin(t.id, f"`{_name(t.id)}` happens", t.span, actor=net.id))
        steps.append((t.id, tuple(range(first, len(happens)))))
    built, initial = builder.build()
    shape = built
    if net.turns and not net.finals:  # the arcs that keep to priorities are none that lead anywhere
        shape = net_to_compiled(net._replace(turns=())).net
    ends = tuple(index[p] for p in net.finals) or _sink(shape, initial)
    return Compiled(
        subject=net.id,
        kind="net",
        net=built,
        initial=initial,
        final=Final(ends, (PlaceClass.CONTROL,) * len(built.places)),
        roles=Roles((Role(Kind.TASK),) * len(happens)),
        origin=OriginMap(tuple(origins), tuple(happens)),
        steps=tuple(steps),
        split=tuple(some for _, some in steps if len(some) > 1),
        ranks=tuple((n, t.priority) for t, (_, some) in zip(net.transitions, steps, strict=True) for n in some)
        if net.turns
        else (),
    )


def _name(identifier: str) -> str:
    return identifier.rpartition("/")[2]


def _sink(net: Net, initial: Marking) -> tuple[int, ...]:
    """The end of a workflow net, where the net is one and starts with one token on its source."""
    shape = workflow_net(net)
    if shape is None or sum(initial) != 1 or not initial[shape.source]:
        return ()
    return (shape.sink,)
