"""The user's view of a net: what was written is a box, what the compiler made of it is folded away.

Transitions of one step and one direction share a box, and so do the outcomes of one task. A place inside a box is not
drawn; one that leads from anywhere to one box becomes arrows; what participants remember and messages on their way are
left out. Routing that the user did not write becomes an arrow where it joins two things only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.draw.drawing import Arc, Drawing, Element, Link, Shape, lanes_of, plural
from placet.draw.elements import of_place, of_transition
from placet.net.final import PlaceClass
from placet.net.roles import Kind

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.net.core import Marking

Links = dict[tuple[int, int, Arc], bool]  # (source, target, kind) -> emphasised

_FLOW = (PlaceClass.CONTROL, PlaceClass.RESOURCE)


def fold(compiled: Compiled, tokens: Marking, marked: frozenset[int]) -> Drawing:
    """The folded drawing; linear in the net."""
    folding = _Folding(compiled, tokens, marked)
    for p in range(len(compiled.net.places)):
        folding.place(p)
    return folding.drawing()


def alive(compiled: Compiled, tokens: Marking) -> frozenset[int]:
    """Transitions that flow can reach when tokens are never used up; the others are parts of a construct not needed here.

    Inside a step only places of control count: how a step fails is woven in later, and its undo is to be seen.
    """
    net = compiled.net
    waits: list[list[int]] = [[] for _ in net.places]
    missing = [0] * len(net.transitions)
    for t, arcs in enumerate(net.pre):
        inside = bool(compiled.roles.transitions[t].step)
        for p, _ in arcs:
            if not inside or compiled.final.classes[p] in _FLOW:
                waits[p].append(t)
                missing[t] += 1
    found = {t for t, count in enumerate(missing) if not count}
    filled = [p for p, count in enumerate(tokens) if count]
    seen = set(filled)
    fresh = list(found)
    while filled or fresh:
        for t in fresh:
            for p, _ in net.post[t]:
                if p not in seen:
                    seen.add(p)
                    filled.append(p)
        fresh = []
        while filled:
            for t in waits[filled.pop()]:
                missing[t] -= 1
                if not missing[t]:
                    found.add(t)
                    fresh.append(t)
    return frozenset(found)


class _Folding:
    """Boxes, places that stay, and the links between them. The first elements are the boxes."""

    def __init__(self, compiled: Compiled, tokens: Marking, marked: frozenset[int]) -> None:
        self.compiled = compiled
        self.tokens = tokens
        self.elements: list[Element] = []
        self.links: Links = {}
        self.passing: set[int] = set()  # elements that may become an arrow
        net, places = compiled.net, range(len(compiled.net.places))
        self.feeds: list[dict[int, bool]] = [{} for _ in places]  # by place: box -> emphasised
        self.takes: list[dict[int, bool]] = [{} for _ in places]
        self.looks: list[dict[tuple[int, Arc], bool]] = [{} for _ in places]
        for some in _groups(compiled, alive(compiled, tokens)):
            box = len(self.elements)
            self.elements.append(self._box(some, marked))
            for t in some:
                on = t in marked
                for p, _ in net.post[t]:
                    self.feeds[p][box] = self.feeds[p].get(box, False) or on
                for p, _ in net.pre[t]:
                    self.takes[p][box] = self.takes[p].get(box, False) or on
                for arc, side in ((Arc.READ, net.read[t]), (Arc.INHIBIT, net.inhibit[t])):
                    for p, _ in side:
                        self.looks[p][box, arc] = on
                for p in net.reset[t]:
                    self.looks[p][box, Arc.RESET] = on

    def _box(self, some: list[int], marked: frozenset[int]) -> Element:
        """The element of transitions that belong together."""
        compiled = self.compiled
        role = compiled.roles.transitions[some[0]]
        on = any(t in marked for t in some)
        if role.step:
            known = next((s for s in compiled.roles.steps if s.id == role.step), None)
            name = role.step.rpartition("/")[2]
            if role.direction == "undo":
                name = (known.undo if known is not None else "") or f"undo {name}"
            told = "; ".join(dict.fromkeys(compiled.origin.transitions[t].phrase.replace("`", "") for t in some))
            service = known.service if known is not None else role.service
            return Element(f"{role.step}#{role.direction}", name, Shape.STEP, told, service, marked=on)
        element = of_transition(compiled, some[0], marked=on)
        if role.kind is Kind.END or (role.kind is Kind.ROUTE and compiled.kind != "net"):
            written = any(some[0] in transitions for _, transitions in compiled.steps)
            if role.kind is Kind.END or not written:
                self.passing.add(len(self.elements))
            words = element.label.rpartition(" chooses: ")[2]
            return element._replace(shape=Shape.ROUTE, label=words if written else "")
        return element._replace(shape=Shape.TRANSITION if compiled.kind == "net" else Shape.STEP)

    def place(self, p: int) -> None:
        """Fold a place away, or add it."""
        feeds, takes, looks = self.feeds[p], self.takes[p], self.looks[p]
        compiled, tokens = self.compiled, self.tokens[p]
        end = p in compiled.final.ends
        around = {*feeds, *takes, *(box for box, _ in looks)}
        if compiled.final.classes[p] not in _FLOW or not around or (len(around) == 1 and not end and not tokens):
            return
        if len(takes) == 1 and feeds and not (end or tokens or looks):
            for box, on in feeds.items():
                for to, too in takes.items():
                    if box != to:
                        self._link(box, to, Arc.FLOW, marked=on and too)
            return
        here = len(self.elements)
        element = of_place(compiled, p, self.tokens)
        if not (end or tokens or looks) and len(takes) > 1:
            element = element._replace(shape=Shape.CHOICE, label="")
            self.passing.add(here)
        self.elements.append(element)
        for box, on in feeds.items():
            self._link(box, here, Arc.FLOW, marked=on)
        for box, on in takes.items():
            self._link(here, box, Arc.FLOW, marked=on)
        for (box, arc), on in looks.items():
            self._link(here, box, arc, marked=on)

    def _link(self, source: int, target: int, arc: Arc, *, marked: bool) -> None:
        self.links[source, target, arc] = self.links.get((source, target, arc), False) or marked

    def drawing(self) -> Drawing:
        """All that is left once what only passes on is an arrow."""
        kept = pass_through(len(self.elements), self.links, self.passing)
        number = {old: new for new, old in enumerate(kept)}
        elements = tuple(self.elements[old] for old in kept)
        links = tuple(Link(number[a], number[b], "", arc, on) for (a, b, arc), on in self.links.items())
        count = sum(e.shape in (Shape.STEP, Shape.TRANSITION) for e in elements)
        words = f"{plural(count, 'step')} and how they follow one another."
        return Drawing(self.compiled.subject, words, elements, links, lanes_of(elements))


def pass_through(count: int, links: Links, passing: set[int]) -> list[int]:
    """Replace elements that only lead from one to one other by a link, in `links`; gives the elements that are left."""
    into: list[set[int]] = [set() for _ in range(count)]
    out: list[set[int]] = [set() for _ in range(count)]
    fixed: set[int] = set()
    for a, b, arc in links:
        if arc is Arc.FLOW:
            out[a].add(b)
            into[b].add(a)
        else:
            fixed |= {a, b}
    gone: set[int] = set()
    todo = sorted(passing - fixed, reverse=True)
    while todo:
        v = todo.pop()
        if v in gone or len(into[v]) != 1 or len(out[v]) != 1:
            continue
        (a,), (b,) = into[v], out[v]
        if v in (a, b) or a == b:
            continue
        gone.add(v)
        on = links.pop((a, v, Arc.FLOW)) and links.pop((v, b, Arc.FLOW))
        links.pop((v, b, Arc.FLOW), None)
        links[a, b, Arc.FLOW] = links.get((a, b, Arc.FLOW), False) or on
        out[a].discard(v)
        into[b].discard(v)
        out[a].add(b)
        into[b].add(a)
        todo += [u for u in (a, b) if u in passing and u not in fixed]
    return [v for v in range(count) if v not in gone and (into[v] or out[v] or v in fixed or v not in passing)]


def _groups(compiled: Compiled, living: frozenset[int]) -> list[list[int]]:
    """Transitions that share a box, in order of the first."""
    members: dict[tuple[str, str], list[int]] = {}
    for t in sorted(living):
        role, identifier = compiled.roles.transitions[t], compiled.net.transitions[t]
        if role.step:
            key = (role.step, role.direction)
        else:
            key = (identifier.partition("#")[0] if role.kind is Kind.TASK else identifier, "alone")
        members.setdefault(key, []).append(t)
    return list(members.values())
