"""A place/transition net out of the items of a PNML file: ids, references, arcs, weights, with every problem located."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic
from placet.formats.xml_walk import attribute_span, tag_span
from placet.net.builder import NetBuilder
from placet.source import Span
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.formats.pnml_tree import Item, RawNet
    from placet.net.core import Marking, Net
    from placet.source import SourceFile

MOST = 10**15  # tokens and weights: sums over a whole net stay within 64 bits
MOST_PROBLEMS = 100

_KINDS = {
    **dict.fromkeys(("", "normal", "ordinary", "default", "arc", "timed"), "normal"),
    **dict.fromkeys(("inhibitor", "tapninhibitor"), "inhibit"),
    **dict.fromkeys(("read", "readarc", "test", "testarc"), "read"),
    "reset": "reset",
}
_TIMELESS = ("[0,inf)", "<inf", "")


class Read(NamedTuple):
    """A net, its initial marking, and the items its places and transitions were written as."""

    net: Net
    initial: Marking
    places: tuple[Item, ...]
    transitions: tuple[Item, ...]


def item_id(item: Item) -> str:
    """The id in the net: the one of the file, or the one that `formats.pnml_write` could not write as such."""
    kept = item.own.get("id")
    if kept is None:
        return item.attributes["id"]
    from urllib.parse import unquote

    return unquote(kept, errors="surrogatepass")


def _shown(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:37] + "..."


def _kind(item: Item) -> str:
    return {"referencePlace": "reference to a place", "referenceTransition": "reference to a transition"}.get(
        item.kind, item.kind
    )


def _referred(item: Item) -> str:
    return "place" if item.kind == "referencePlace" else "transition"


class _Sides(NamedTuple):
    """The arcs of a transition while they are collected, by place."""

    pre: dict[int, int]
    post: dict[int, int]
    read: dict[int, int]
    inhibit: dict[int, int]
    reset: dict[int, int]


class NetReader:
    """Reads one net; problems are collected, and `broken` says whether one of them is an error."""

    def __init__(self, source: SourceFile, raw: RawNet, subject: str) -> None:
        self.source = source
        self.raw = raw
        self.subject = subject
        self.problems: list[Diagnostic] = []
        self.unlisted = 0  # problems beyond `MOST_PROBLEMS`: a file is not quoted back line by line
        self.broken = False
        self.items: dict[str, Item] = {}  # places, transitions and references by id
        self.resolved: dict[str, Item] = {}  # the same ids -> the place or transition each stands for

    def error(self, code: str, message: str, span: Span, hint: str = "") -> None:
        """Add an error."""
        self.broken = True
        self.add(Diagnostic(code, "error", message, span, help=hint, path=self.source.path))

    def add(self, problem: Diagnostic) -> None:
        """Add a problem, or only count it where there are many already."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
        else:
            self.unlisted += 1

    def read(self) -> Read | None:
        """The net, or None where it has errors."""
        if self._high_level():
            return None
        self.items = self._byitem_id()
        kept = set(map(id, self.items.values()))
        places = [i for i in self.raw.items if i.kind == "place" and id(i) in kept]
        transitions = [i for i in self.raw.items if i.kind == "transition" and id(i) in kept]
        self.resolved = self._references()
        builder = NetBuilder(self.subject)
        for item in places:
            tokens = self._number(item, "initialMarking", least=0, default=0)
            builder.place(item_id(item), tokens, self._capacity(item, tokens))
        sides = self._arcs({id(item): p for p, item in enumerate(places)}, transitions)
        for item, side in zip(transitions, sides, strict=True):
            pre, post, reads, inhibit, reset = side
            builder.transition(item_id(item), pre, post, read=reads, inhibit=inhibit, reset=tuple(reset))
        self._left_out()
        if self.broken:
            return None
        net, initial = builder.build()
        return Read(net, initial, tuple(places), tuple(transitions))

    # -- what kind of net --------------------------------------------------------------------------------------------

    def _high_level(self) -> bool:
        kind = self.raw.type.rpartition("/")[2].lower()
        named = any(word in kind for word in ("symmetric", "highlevel", "high-level", "hlpn", "hlnet", "colo"))
        if not named and self.raw.high_level < 0:
            return False
        span = attribute_span(self.source, self.raw.at, "type") if named else tag_span(self.source, self.raw.high_level)
        hint = "unfold it into a place/transition net first (the tool it comes from can do so)"
        self.error("P506", f"the net `{self.subject}` is a high-level net: its tokens carry values", span, hint)
        return True

    # -- ids and references ------------------------------------------------------------------------------------------

    def _byitem_id(self) -> dict[str, Item]:
        found: dict[str, Item] = {}
        for item in self.raw.items:
            if item.kind == "arc":
                continue
            name = item.attributes.get("id", "")
            if not name:
                self.error("P507", f"this {_kind(item)} has no id", tag_span(self.source, item.at))
            elif name in found:
                first = self.source.position(found[name].at)[0]
                message = f"the id `{name}` is taken: line {first} has it too"
                self.error("P508", message, attribute_span(self.source, item.at, "id"))
            else:
                found[name] = item
        ids: dict[tuple[str, str], Item] = {}
        for item in found.values():  # ids as `formats.pnml_write` kept them can clash only where someone edited them
            if ids.setdefault((item.kind, item_id(item)), item) is not item:
                message = f"the id `{item_id(item)}` is taken: line {self.source.position(ids[item.kind, item_id(item)].at)[0]} has it too"
                self.error("P508", message, tag_span(self.source, item.at))
                item.own.pop("id", None)
        return found

    def _references(self) -> dict[str, Item]:
        """Every id of the net -> the place or transition it stands for; each chain of references is walked once."""
        items = self.items
        done: dict[str, Item | None] = {n: i for n, i in items.items() if i.kind in ("place", "transition")}
        for name, item in items.items():
            chain: dict[str, None] = {}
            here = name
            while here not in done:
                done[here] = None  # so that a cycle is met again, and told once
                chain[here] = None
                target = items[here].attributes.get("ref", "")
                if target not in items:
                    span = attribute_span(self.source, items[here].at, "ref")
                    self.error("P511", f"`{here}` refers to `{target}`, which is not in the net", span)
                    break
                if target in chain:
                    span = attribute_span(self.source, items[here].at, "ref")
                    links = list(chain)
                    around = " to ".join(f"`{n}`" for n in [*links[links.index(target) :][:5], target])
                    self.error("P512", f"references go round in a circle: {around}", span)
                    break
                here = target
            end = done.get(here)
            if end is not None and chain and end.kind != _referred(item):
                span = attribute_span(self.source, item.at, "ref")
                self.error(
                    "P511", f"`{name}` must refer to a {_referred(item)}, and `{item_id(end)}` is a {end.kind}", span
                )
                end = None
            for link in chain:
                done[link] = end
        return {name: item for name, item in done.items() if item is not None}

    # -- arcs --------------------------------------------------------------------------------------------------------

    def _arcs(self, place_index: dict[int, int], transitions: list[Item]) -> list[_Sides]:
        sides = [_Sides({}, {}, {}, {}, {}) for _ in transitions]
        transition_index = {id(item): t for t, item in enumerate(transitions)}
        for arc in self.raw.items:
            if arc.kind != "arc":
                continue
            source, target = self._end(arc, "source"), self._end(arc, "target")
            if source is None or target is None:
                continue
            kind, weight = self._arc_kind(arc), self._weight(arc)
            if source.kind == target.kind:
                message = f"an arc joins two {source.kind}s: `{item_id(source)}` and `{item_id(target)}`"
                self.error("P510", message, tag_span(self.source, arc.at))
                continue
            outgoing = source.kind == "place"  # out of the place, into the transition
            place, transition = (source, target) if outgoing else (target, source)
            if id(place) not in place_index or id(transition) not in transition_index:
                continue  # one of two with the same id, which has been told
            p, side = place_index[id(place)], sides[transition_index[id(transition)]]
            if kind in ("inhibit", "reset") and not outgoing:
                word = "inhibitor" if kind == "inhibit" else "reset"
                message = f"an arc of kind `{word}` must go from a place to a transition"
                self.error("P515", message, tag_span(self.source, arc.at))
            elif kind == "inhibit":
                side.inhibit[p] = min(weight, side.inhibit.get(p, weight))
            elif kind == "read":
                side.read[p] = max(weight, side.read.get(p, 0))
            elif kind == "reset":
                side.reset[p] = 1
            elif kind == "normal":
                arcs = side.pre if outgoing else side.post
                arcs[p] = arcs.get(p, 0) + weight  # several arcs between the same two count together
        return sides

    def _end(self, arc: Item, end: str) -> Item | None:
        name = arc.attributes.get(end)
        if name is None:
            self.error("P507", f"this arc has no {end}", tag_span(self.source, arc.at))
            return None
        found = self.resolved.get(name)
        if name not in self.items:  # a reference that leads nowhere was told where it stands
            message = f"an arc has `{name}` as its {end}, which is not in the net"
            self.error("P509", message, attribute_span(self.source, arc.at, end), self._similar(name))
        return found

    def _similar(self, name: str) -> str:
        if len(self.resolved) > 2000 or len(self.problems) > 10:
            return ""
        from difflib import get_close_matches

        near = get_close_matches(name, self.resolved, 1, 0.8)
        return f"did you mean `{near[0]}`?" if near else ""

    def _arc_kind(self, arc: Item) -> str:
        text, at = arc.label("type", "arctype") or ("", arc.at)
        kind = _KINDS.get(text.lower())
        if kind is None:
            message = f"arcs of kind `{_shown(text)}` are not read"
            self.error("P514", message, tag_span(self.source, at), "kinds are normal, inhibitor, read and reset")
            return "unknown"
        return kind

    def _weight(self, arc: Item) -> int:
        label = arc.labels.get("inscription")
        interval = arc.attributes.get("inscription", "")
        if label is None and interval and not interval.isdigit():  # TAPAAL: the age that a token may have
            if interval.replace(" ", "") not in _TIMELESS:
                self.raw.drop("time", arc.at)
            return self._number(arc, "weight", least=1, default=1)
        return self._number(arc, "inscription", "weight", least=1, default=1)

    # -- numbers -----------------------------------------------------------------------------------------------------

    def _number(self, item: Item, *names: str, least: int, default: int) -> int:
        label = item.label(*names)
        if label is None or not label[0]:
            return default
        text, at = label
        digits = text.removeprefix("Default,").strip()
        what = "weight" if item.kind == "arc" else {"initialMarking": "initial marking"}.get(names[0], names[0])
        if not (digits.isascii() and digits.isdigit()):
            self.error("P513", f"the {what} `{_shown(text)}` is not a whole number", self._value_span(at, text))
            return default
        digits = digits.lstrip("0") or "0"
        if len(digits) > 16 or int(digits) > MOST:
            message = f"the {what} `{_shown(digits)}` is too large"
            self.error("P513", message, self._value_span(at, text), "at most 10^15 tokens are read")
            return default
        if int(digits) < least:
            message = f"the {what} is {digits}, and must be at least {least}"
            self.error("P513", message, self._value_span(at, text), "leave the arc out" if item.kind == "arc" else "")
            return default
        return int(digits)

    def _value_span(self, at: int, text: str) -> Span:
        """Where the text of a label stands, which is after its start tag; the tag where it is not found as such."""
        tag = tag_span(self.source, at)
        found = self.source.text.find(text, at, tag.end + len(text) + 200)
        return Span(self.source, found, found + len(text)) if found >= 0 else tag

    def _capacity(self, item: Item, tokens: int) -> int | None:
        if "capacity" in item.own:
            item.labels.setdefault("capacity", (item.own["capacity"], item.at))
            own = True
        else:
            own = False
        most = self._number(item, "capacity", least=0, default=0)
        if (most == 0 and not own) or "capacity" not in item.labels:
            return None  # PIPE writes 0 for "no capacity"
        if most < tokens:
            message = f"the initial marking {tokens} of `{item_id(item)}` is over its capacity {most}"
            self.error("P513", message, self._value_span(item.labels["capacity"][1], str(most)))
            return None
        return most

    # -- what becomes of it ------------------------------------------------------------------------------------------

    def _left_out(self) -> None:
        """One note for all that does not change what can happen, one warning for what may."""
        raw = self.raw
        priorities = {text for item in raw.items if (text := (item.label("priority") or ("", 0))[0])}
        for item in raw.items:
            bound = item.attributes.get("invariant", "").strip()
            if bound and bound not in _TIMELESS:
                raw.drop("time", item.at)
        if len(priorities) > 1:
            raw.drop("priorities", next(i.at for i in raw.items if i.label("priority")))
        notes = {what: count for what, count in raw.dropped.items() if what not in ("time", "priorities")}
        if notes:
            first = min(at for _, at in notes.values())
            told = tuple(f"{what} ({count} times)" if count > 1 else what for what, (count, _) in notes.items())
            message = f"the net `{self.subject}` was read without {told[0]}" + (" and more" if len(told) > 1 else "")
            span = tag_span(self.source, first)
            self.add(Diagnostic("P516", "note", message, span, notes=told[1:12], path=self.source.path))
        for what in ("time", "priorities"):
            if what in raw.dropped:
                message = f"{what} of the net `{self.subject}` was left out: more can happen than in the original"
                message = message.replace("priorities of", "the order by priorities of")
                span = tag_span(self.source, raw.dropped[what][1])
                self.add(Diagnostic("P518", "warning", message, span, path=self.source.path))
