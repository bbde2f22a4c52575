"""What stands in a PNML file, before its names are resolved: nets, items and their labels, each with its offset.

Pages are flattened, since ids are unique in the whole file. Labels are taken as the standard and the tools write them:
`<x><text>1</text></x>` (ISO/IEC 15909-2), `<x><value>Default,1</value></x>` (PIPE), and attributes (TAPAAL).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.formats.xml_walk import walk

if TYPE_CHECKING:
    from placet.diagnostics import Diagnostic
    from placet.source import SourceFile

OWN = "placet"  # our name in tool-specific parts

_ITEMS = frozenset(("place", "transition", "arc", "referencePlace", "referenceTransition"))
_CONTAINERS = frozenset(("net", "page", "module"))
_LABELS = frozenset(("name", "initialMarking", "inscription", "capacity", "type", "arctype", "priority"))
_HIGH_LEVEL = frozenset(("hlinitialMarking", "hlinscription", "hltype", "declaration", "declarations", "structure"))
_SILENT = frozenset(
    ("ports", "token", "labels")
)  # empty parts, and colours of tokens for the screen, as tools add them


class Item:
    """A place, a transition, an arc or a reference, as written."""

    __slots__ = ("at", "attributes", "kind", "labels", "own")

    def __init__(self, kind: str, at: int, attributes: dict[str, str]) -> None:
        self.kind = kind
        self.at = at
        self.attributes = attributes
        self.labels: dict[str, tuple[str, int]] = {}  # name of the label -> its text, and where it begins
        self.own: dict[str, str] = {}  # what `formats.pnml_write` put into a tool-specific part

    def label(self, *names: str) -> tuple[str, int] | None:
        """The first of these labels that is there, given as element or as attribute."""
        for name in names:
            found = self.labels.get(name)
            if found is not None:
                return found
            if name in self.attributes:
                return self.attributes[name], self.at
        return None


class RawNet:
    """A net, as written."""

    __slots__ = ("at", "dropped", "finals", "high_level", "id", "items", "name", "own_ends", "own_final", "type")

    def __init__(self, at: int, attributes: dict[str, str]) -> None:
        self.at = at
        self.id = attributes.get("id", "")
        self.type = attributes.get("type", "")
        self.name = ""
        self.items: list[Item] = []
        self.dropped: dict[str, tuple[int, int]] = {}  # what was left out -> how often, and where first
        self.high_level = -1  # offset of the first element that only a high-level net has
        self.finals: list[list[tuple[str, str, int]]] = []  # final markings: (place, tokens as text, offset)
        self.own_final: dict[str, str] | None = None
        self.own_ends: list[tuple[str, int]] = []

    def drop(self, what: str, at: int) -> None:
        """Remember that something was left out."""
        count, first = self.dropped.get(what, (0, at))
        self.dropped[what] = count + 1, first


class RawFile:
    """All nets of a file, and its root element."""

    __slots__ = ("nets", "root")

    def __init__(self) -> None:
        self.root = ""
        self.nets: list[RawNet] = []


def parse(source: SourceFile) -> tuple[RawFile, Diagnostic | None]:
    """What stands in the file, as far as it could be read, and what ended the reading early. Linear."""
    found = RawFile()
    stopped = walk(source, _Listener(found))
    return found, stopped


class _Listener:
    """Builds the raw nets from elements.

    One of five situations holds: outside of any item; in an item; in a label of an item (or of a net); in a part of our
    own; or in something that is skipped, counted by `skipping`.
    """

    def __init__(self, found: RawFile) -> None:
        self.found = found
        self.net: RawNet | None = None
        self.item: Item | None = None
        self.label = ""
        self.label_at = 0
        self.pieces: list[str] | None = None
        self.own = False
        self.final: tuple[str, int] | None = None  # the place of a final marking that is being read
        self.skipping = 0

    def text(self, data: str) -> None:
        """Text is of interest only in a label."""
        if self.pieces is not None and not self.skipping:
            self.pieces.append(data)

    def start(self, name: str, attributes: dict[str, str], at: int) -> None:
        """Enter an element, or begin to skip one."""
        if self.skipping:
            self.skipping += 1
        elif self.own:
            self._own(name, attributes, at)
            self.skipping = 1
        elif self.label or self.final is not None:
            self._in_label(name, at)
        elif self.item is not None:
            self._in_item(name, attributes, at)
        else:
            self._outside(name, attributes, at)

    def end(self, name: str) -> None:
        """Leave an element."""
        if self.skipping:
            self.skipping -= 1
        elif self.own:
            self.own = False  # only the end of the tool-specific part itself comes here
        elif self.final is not None:
            if name == "place":
                self._end_final(*self.final)
        elif self.label:
            if name == self.label:
                self._end_label()
        elif self.item is not None:
            self.item = None

    # -- by situation ------------------------------------------------------------------------------------------------

    def _outside(self, name: str, attributes: dict[str, str], at: int) -> None:
        if not self.found.root:
            self.found.root = name
            return
        if name == "net":
            self.net = RawNet(at, attributes)
            self.found.nets.append(self.net)
        elif self.net is None:
            if name not in _CONTAINERS:
                self.skipping = 1
        elif name in _ITEMS:
            if name == "place" and "idref" in attributes and self.net.finals:
                self.final = attributes["idref"], at
                self.pieces = []
                return
            self.item = Item(name, at, attributes)
            self.net.items.append(self.item)
        elif name == "marking":
            self.net.finals.append([])
        elif name == "name":
            self._begin_label(name, at, attributes)
        elif name not in _CONTAINERS and name != "finalmarkings":
            self._skip(name, attributes, at)

    def _in_item(self, name: str, attributes: dict[str, str], at: int) -> None:
        if name in _LABELS:
            self._begin_label(name, at, attributes)
        else:
            self._skip(name, attributes, at)

    def _in_label(self, name: str, at: int) -> None:
        if name == "structure" and self.net is not None and self.net.high_level < 0:
            self.net.high_level = at
        if name not in ("text", "value"):
            self.skipping = 1

    def _skip(self, name: str, attributes: dict[str, str], at: int) -> None:
        """Leave an element out, remembering it; our own parts are read."""
        net = self.net
        if net is None:
            self.skipping = 1
            return
        if name == "toolspecific":
            tool = attributes.get("tool", "")
            if tool == OWN:
                self.own = True
                return
            net.drop(f"what is specific to the tool `{tool}`", at)
        elif name in _HIGH_LEVEL:
            if net.high_level < 0:
                net.high_level = at
        elif name == "graphics":
            net.drop("positions on the page", at)
        elif name not in _SILENT:
            net.drop(f"`{name}`", at)
        self.skipping = 1

    def _own(self, name: str, attributes: dict[str, str], at: int) -> None:
        if self.item is not None:
            self.item.own.update(attributes)
        elif self.net is not None and name == "final":
            self.net.own_final = attributes
        elif self.net is not None and name == "end":
            self.net.own_ends.append((attributes.get("idref", ""), at))

    # -- labels ------------------------------------------------------------------------------------------------------

    def _begin_label(self, name: str, at: int, attributes: dict[str, str]) -> None:
        self.label = name
        self.label_at = at
        self.pieces = [attributes["value"]] if "value" in attributes else []

    def _end_label(self) -> None:
        text = "".join(self.pieces or ()).strip()
        if self.item is not None:
            self.item.labels.setdefault(self.label, (text, self.label_at))
        elif self.net is not None:
            self.net.name = self.net.name or text
        self.label = ""
        self.pieces = None

    def _end_final(self, place: str, at: int) -> None:
        if self.net is not None:
            self.net.finals[-1].append((place, "".join(self.pieces or ()).strip() or "1", at))
        self.final = None
        self.pieces = None
