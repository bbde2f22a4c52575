"""A net given as such, compiled: the same places and transitions, with origins and final markings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compiled import Compiled, Origin, OriginMap
from placet.net.builder import NetBuilder
from placet.net.final import Final, PlaceClass
from placet.net.roles import Kind, Role, Roles
from placet.net.workflow_net import workflow_net

if TYPE_CHECKING:
    from placet.ir.model import PlainNet
    from placet.net.core import Marking, Net


def net_to_compiled(net: PlainNet) -> Compiled:
    """A plain net without queries. Its ends are its `final` places, or the sink of a workflow net that starts in its source."""
    builder = NetBuilder(net.id)
    index = {p.id: builder.place(p.id, p.tokens, p.capacity) for p in net.places}
    for t in net.transitions:
        builder.transition(
            t.id,
            {index[p]: w for p, w in t.pre},
            {index[p]: w for p, w in t.post},
            read={index[p]: w for p, w in t.read},
            inhibit={index[p]: w for p, w in t.inhibit},
            reset=tuple(index[p] for p in t.reset),
        )
    built, initial = builder.build()
    ends = tuple(index[p] for p in net.finals) or _sink(built, initial)
    return Compiled(
        subject=net.id,
        kind="net",
        net=built,
        initial=initial,
        final=Final(ends, (PlaceClass.CONTROL,) * len(net.places)),
        roles=Roles((Role(Kind.TASK),) * len(net.transitions)),
        origin=OriginMap(
            tuple(Origin(p.id, f"a token is on `{_name(p.id)}`", p.span, actor=net.id) for p in net.places),
            tuple(Origin(t.id, f"`{_name(t.id)}` happens", t.span, actor=net.id) for t in net.transitions),
        ),
        steps=tuple((t.id, (n,)) for n, t in enumerate(net.transitions)),
    )


def _name(identifier: str) -> str:
    return identifier.rpartition("/")[2]


def _sink(net: Net, initial: Marking) -> tuple[int, ...]:
    """The end of a workflow net, where the net is one and starts with one token on its source."""
    shape = workflow_net(net)
    if shape is None or sum(initial) != 1 or not initial[shape.source]:
        return ()
    return (shape.sink,)
