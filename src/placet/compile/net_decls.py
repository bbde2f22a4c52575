"""Plain nets as the language writes them: names of places resolved, arcs added up, absurd figures refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.findings import figure, figures, listed
from placet.diagnostics import Label
from placet.ir import model as ir

if TYPE_CHECKING:
    from placet.compile.findings import Findings
    from placet.source import Span
    from placet.syntax import ast

MOST_TOKENS = 1_000_000_000


def resolve_net(net: ast.NetDecl, findings: Findings) -> ir.PlainNet:
    """One net. What cannot be used is reported and left out."""
    return _Net(net, findings).build()


class _Net:
    def __init__(self, net: ast.NetDecl, findings: Findings) -> None:
        self._net = net
        self._name = net.name.text
        self._findings = findings
        self._places: dict[str, str] = {}  # name -> id
        self._names: dict[str, Span] = {}

    def build(self) -> ir.PlainNet:
        places = [p for p in map(self._place, self._net.places) if p is not None]
        transitions = [t for t in map(self._transition, self._net.transitions) if t is not None]
        finals = [self._known(name, "P223") for name in self._net.finals]
        ids = tuple(dict.fromkeys(f for f in finals if f))
        net = ir.PlainNet(self._name, tuple(places), tuple(transitions), ids, self._net.span)
        return self._in_turn(net) if any(t.priority != transitions[0].priority for t in transitions) else net

    def _in_turn(self, net: ir.PlainNet) -> ir.PlainNet:
        """The net with what its priorities come to; where that explodes, or keeps something from ever happening, it is said."""
        from placet.compile.turns import TooManyWaysError, turns

        spans = {f"{self._name}/{t.name.text}": t.name.span for t in reversed(self._net.transitions)}
        help_ = "let fewer things come first, or let them wait for less"
        try:
            ways = turns(net)
        except TooManyWaysError as problem:
            late = problem.transition
            if late is None:
                message = f"too much in `{self._name}` waits for what comes before it"
                self._findings.add("P224", message, self._net.name.span, help=help_)
                return net
            product = figures([count for _, count in problem.factors])
            first = listed([u.id.rpartition("/")[2] for u, _ in problem.factors], 4)
            message = f"it can be the turn of `{late.id.rpartition('/')[2]}` in {product} ways: {first} come before it"
            self._findings.add("P224", message, spans[late.id], help=help_)
            return net
        for t, some in zip(net.transitions, ways, strict=True):
            if not some:
                message = f"`{t.id.rpartition('/')[2]}` never happens: whenever it could, something else comes first"
                help_ = "raise its priority, or let what comes first wait for something more"
                self._findings.add("P324", message, spans[t.id], severity="warning", help=help_)
        return net._replace(turns=ways)

    def _declare(self, name: ast.Name) -> bool:
        first = self._names.setdefault(name.text, name.span)
        if first is name.span:
            return True
        message = f"`{name.text}` is declared twice in `{self._name}`"
        labels = (Label(first, "first declared here"),)
        help_ = "places and transitions of a net have names of their own"
        self._findings.add("P221", message, name.span, labels=labels, help=help_)
        return False

    def _figure(self, number: ast.Number | None, default: int, what: str) -> int:
        if number is None:
            return default
        if number.value > MOST_TOKENS:
            message = f"{what} of {figure(number.value)} is more than can be looked at"
            self._findings.add("P217", message, number.span, help="a few tokens show what many show")
            return default
        return number.value

    def _place(self, place: ast.PlaceDecl) -> ir.Place | None:
        if not self._declare(place.name):
            return None
        identifier = self._places[place.name.text] = f"{self._name}/{place.name.text}"
        tokens = self._figure(place.tokens, 0, "a number of tokens")
        capacity = self._figure(place.capacity, 1, "a capacity") if place.capacity is not None else None
        if capacity is not None and capacity < max(tokens, 1):
            message = (
                f"`{place.name.text}` cannot hold its {tokens} tokens" if tokens else "a place of capacity 0 is none"
            )
            self._findings.add("P222", message, place.span, help="raise the capacity")
            capacity = None
        return ir.Place(identifier, tokens, capacity, place.span)

    def _known(self, name: ast.Name, code: str = "P220") -> str:
        identifier = self._places.get(name.text)
        if identifier is None:
            help_ = self._findings.meant(name.text, self._places, f"declare it: `place {name.text}`")
            self._findings.add(code, f"`{self._name}` has no place `{name.text}`", name.span, help=help_)
            return ""
        return identifier

    def _transition(self, transition: ast.TransitionDecl) -> ir.Transition | None:
        fresh = self._declare(transition.name)
        sides: dict[str, dict[str, int]] = {"pre": {}, "post": {}, "read": {}, "without": {}, "reset": {}}
        for arc in transition.inputs:
            self._arc(arc, arc.kind or "pre", sides)
        for arc in transition.outputs:
            if arc.kind:
                message = f"`{arc.kind}` belongs to the left side of a transition"
                self._findings.add("P222", message, arc.span, help="write it before the `->`")
            else:
                self._arc(arc, "post", sides)
        if not fresh:
            return None
        return ir.Transition(
            f"{self._name}/{transition.name.text}",
            tuple(sides["pre"].items()),
            tuple(sides["post"].items()),
            tuple(sides["read"].items()),
            tuple(sides["without"].items()),
            tuple(sides["reset"]),
            transition.span,
            transition.priority.value if transition.priority is not None else 0,
        )

    def _arc(self, arc: ast.Arc, side: str, sides: dict[str, dict[str, int]]) -> None:
        place = self._known(arc.place)
        weight = self._figure(arc.weight, 1, "a weight")
        if weight < 1:
            self._findings.add("P222", "an arc of weight 0 is none", arc.span, help="remove it, or give a weight")
            return
        if not place:
            return
        arcs = sides[side]
        if side in ("pre", "post"):
            arcs[place] = arcs.get(place, 0) + weight
        elif side == "read":
            arcs[place] = max(arcs.get(place, 0), weight)
        elif side == "without":
            arcs[place] = min(arcs.get(place, weight), weight)
        else:
            arcs[place] = 1
