"""PNML, the interchange format of the field: place/transition nets of ISO/IEC 15909-2:2011, read into `Compiled`.

Read: pages (nested), references to places and transitions, initial markings, weights, final markings, and inhibitor,
read and reset arcs and capacities as tools add them. Ids are the ids of the file. Refused: high-level nets, and kinds
of arcs that we do not know. Left out, with a note: positions on the page, rates, what is specific to other tools.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from placet.compiled import Compiled, Origin, OriginMap
from placet.diagnostics import Diagnostic
from placet.errors import UsageError
from placet.evidence import Assumptions
from placet.formats.pnml_net import NetReader, item_id
from placet.formats.pnml_tree import parse
from placet.formats.xml_walk import attribute_span, tag_span
from placet.net.final import Final, PlaceClass
from placet.net.roles import PLAIN, Roles
from placet.net.workflow_net import workflow_net

if TYPE_CHECKING:
    from placet.formats.pnml_net import Read
    from placet.formats.pnml_tree import Item
    from placet.net.core import Marking, Net
    from placet.source import SourceFile, Span

VARIANTS = ("", "any-sink")

_CLASSES = {c.value: c for c in PlaceClass}


def read(source: SourceFile, *, final: str = "") -> tuple[Compiled | None, tuple[Diagnostic, ...]]:
    """The first net of a file, as `read_all`; a note names the nets that were not taken."""
    nets, diagnostics = read_all(source, final=final)
    if len(nets) > 1:
        rest = ", ".join(f"`{c.subject}`" for c in nets[1:])
        diagnostics += (Diagnostic("P516", "note", f"of several nets one was read, not {rest}", path=source.path),)
    return (nets[0] if nets else None), diagnostics


def read_all(source: SourceFile, *, final: str = "") -> tuple[tuple[Compiled, ...], tuple[Diagnostic, ...]]:
    """Every net of a file that has no error, and all that is wrong or was left out.

    `final` chooses the final markings: "" takes those of the file, else one token on the sink of a workflow net, else
    none; "any-sink" takes every place without consumers as an end, of which at least one is marked.

    Linear in the text. Raises UsageError for another `final`, and nothing else on any text.
    """
    if final not in VARIANTS:
        raise UsageError(f"there are no final markings `{final}`; there is `any-sink`")
    if not source.text.strip():
        return (), (Diagnostic("P505", "error", "this file has no net: it is empty", path=source.path),)
    found, stopped = parse(source)
    if stopped is not None:
        return (), (stopped,)
    root = tag_span(source, max(0, source.text.find("<" + found.root)))
    if found.root != "pnml":
        message = f"this is no PNML document: its root element is `{found.root}`, not `pnml`"
        return (), (Diagnostic("P504", "error", message, root, path=source.path),)
    if not found.nets:
        return (), (Diagnostic("P505", "error", "this document has no net", root, path=source.path),)
    nets: list[Compiled] = []
    problems: list[Diagnostic] = []
    seen: set[str] = set()
    for number, raw in enumerate(found.nets, 1):
        reader = NetReader(source, raw, raw.id or (f"net{number}" if len(found.nets) > 1 else "net"))
        read = reader.read()
        if reader.subject in seen:
            reader.error("P508", f"two nets have the id `{reader.subject}`", attribute_span(source, raw.at, "id"))
        seen.add(reader.subject)
        if read is not None and not reader.broken:
            nets.append(_compiled(reader, read, final))
        problems += reader.problems
        if reader.unlisted:
            message = f"{reader.unlisted} further problems of the net `{reader.subject}` are not listed"
            problems.append(Diagnostic("P516", "note", message, path=source.path))
    return tuple(nets), tuple(problems)


def write(compiled: Compiled) -> str:
    """The net as a PNML document, which `read` gives back as the same net; see `formats.pnml_write`."""
    from placet.formats import pnml_write

    return pnml_write.write(compiled)


def losses(compiled: Compiled) -> tuple[Diagnostic, ...]:
    """A note for each thing of the model that PNML has no room for."""
    from placet.formats import pnml_write

    return pnml_write.losses(compiled)


def _compiled(reader: NetReader, read: Read, variant: str) -> Compiled:
    net, initial, places, transitions = read
    ends, any_sink = _ends(reader, net, initial, variant)
    told = _told(transitions)
    return Compiled(
        subject=reader.subject,
        kind="net",
        net=net,
        initial=initial,
        final=Final(
            ends,
            tuple(_CLASSES.get(p.own.get("class", ""), PlaceClass.CONTROL) for p in places),
            any_sink,
            not variant and (reader.raw.own_final or {}).get("quiet") == "true",
        ),
        roles=Roles((PLAIN,) * len(net.transitions)),
        origin=OriginMap(
            _origins(reader, places, net.places, [f"{name} holds a token" for name in _told(places)]),
            _origins(reader, transitions, net.transitions, [f"{name} happens" for name in told]),
        ),
        assumptions=Assumptions(final=variant),
        steps=tuple((t, (number,)) for number, t in enumerate(net.transitions)),
    )


def _told(items: tuple[Item, ...]) -> list[str]:
    """The items' names in backticks, with the id where the name alone does not tell them apart."""
    names = [" ".join(label[0].split()) if (label := item.label("name")) else "" for item in items]
    often = Counter(names)
    ids = [item_id(item) for item in items]
    return [
        f"`{name or identifier}`" if not name or often[name] == 1 else f"`{name}` (`{identifier}`)"
        for name, identifier in zip(names, ids, strict=True)
    ]


def _origins(
    reader: NetReader, items: tuple[Item, ...], ids: tuple[str, ...], phrases: list[str]
) -> tuple[Origin, ...]:
    actor = reader.subject
    return tuple(
        Origin(identifier, phrase, tag_span(reader.source, item.at), actor=actor)
        for item, identifier, phrase in zip(items, ids, phrases, strict=True)
    )


# -- final markings --------------------------------------------------------------------------------------------------


def _ends(reader: NetReader, net: Net, initial: Marking, variant: str) -> tuple[tuple[int, ...], bool]:
    """The ends, and whether any of them will do."""
    if variant == "any-sink":
        return tuple(p for p, users in enumerate(net.consumers()) if not users), True
    index = {name: p for p, name in enumerate(net.places)}
    own = reader.raw.own_final
    if own is not None:
        found = [_place(reader, index, name) for name, _ in reader.raw.own_ends]
        return tuple(dict.fromkeys(p for p in found if p >= 0)), own.get("any-sink") == "true"
    stated = [marking for marking in reader.raw.finals if marking]
    if stated:
        return _stated(reader, index, stated), False
    sink = _workflow_sink(net, initial)
    return ((sink,) if sink >= 0 else ()), False


def _place(reader: NetReader, index: dict[str, int], name: str) -> int:
    """The place that an id of the file stands for, or -1."""
    item = reader.resolved.get(name)
    return index.get(item_id(item), -1) if item is not None and item.kind == "place" else -1


def _stated(reader: NetReader, index: dict[str, int], markings: list[list[tuple[str, str, int]]]) -> tuple[int, ...]:
    """The ends that the file's final markings name, each being one token on one place; else none, and a warning."""
    ends: list[int] = []
    for marking in markings:
        marked = [(name, text, at) for name, text, at in marking if text.strip("0 ")]
        end = _place(reader, index, marked[0][0]) if len(marked) == 1 and marked[0][1] == "1" else -1
        if end < 0:
            span: Span = tag_span(reader.source, (marked or marking)[0][2])
            message = "a final marking that is not one token on one place of the net is not used"
            reader.add(Diagnostic("P517", "warning", message, span, path=reader.source.path))
            return ()
        ends.append(end)
    return tuple(dict.fromkeys(ends))


def _workflow_sink(net: Net, initial: Marking) -> int:
    """The sink of a workflow net with its one token on the source, or -1."""
    found = workflow_net(net)
    return found.sink if found is not None and sum(initial) == 1 and initial[found.source] == 1 else -1
