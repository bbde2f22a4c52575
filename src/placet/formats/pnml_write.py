"""PNML out: what `formats.pnml.read` gives back as the same net.

Ordinary arcs are plain ISO/IEC 15909-2; inhibitor, read and reset arcs are written as `<type value="..."/>`, the way
other tools read them. What the standard has no element for (capacities, classes of places, ends, ids that XML cannot
hold) goes into tool-specific parts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic
from placet.formats.pnml_tree import OWN
from placet.net.final import PlaceClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from placet.compiled import Compiled

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]")
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PHRASE = re.compile(r"`([^`]+)` (?:happens|holds a token)")


def write(compiled: Compiled) -> str:
    """The net as a PNML document of one page; linear. `losses` says what it does not carry."""
    return "".join(_lines(compiled))


def losses(compiled: Compiled) -> tuple[Diagnostic, ...]:
    """A note for each thing of the model that PNML has no room for."""
    what = [
        ("the checks", bool(compiled.queries)),
        ("the counters that checks ask about", bool(compiled.observers)),
        ("the saga steps and their services", bool(compiled.roles.steps)),
        ("the times", bool(compiled.timing)),
    ]
    message = "PNML does not hold {} of `" + compiled.subject + "`"
    return tuple(Diagnostic("P516", "note", message.format(name)) for name, there in what if there)


def _lines(compiled: Compiled) -> Iterator[str]:
    net = compiled.net
    taken: dict[str, int] = {}
    subject = _xml_id(compiled.subject, "net", taken)
    places = [_xml_id(p, "p", taken) for p in net.places]
    transitions = [_xml_id(t, "t", taken) for t in net.transitions]
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<pnml xmlns="http://www.pnml.org/version-2009/grammar/pnml">\n'
    yield f'  <net id="{subject}" type="http://www.pnml.org/version-2009/grammar/ptnet">\n'
    yield f"    <name><text>{_text(net.name or compiled.subject)}</text></name>\n"
    yield from _final(compiled, places)
    yield '    <page id="' + _xml_id("page", "page", taken) + '">\n'
    yield from _places(compiled, places)
    for t, identifier in enumerate(transitions):
        yield f'      <transition id="{identifier}">\n'
        yield _name(compiled.origin.transitions[t].phrase, net.transitions[t])
        yield _own("transition", [("id", _quoted(net.transitions[t]))] if identifier != net.transitions[t] else [])
        yield "      </transition>\n"
    yield from _arcs(compiled, places, transitions, taken)
    yield "    </page>\n  </net>\n</pnml>\n"


def _places(compiled: Compiled, ids: list[str]) -> Iterator[str]:
    capacity = dict(compiled.net.capacity)
    for p, identifier in enumerate(ids):
        place = compiled.net.places[p]
        own = [("id", _quoted(place))] if identifier != place else []
        if p in capacity:
            own.append(("capacity", str(capacity[p])))
        if compiled.final.classes[p] is not PlaceClass.CONTROL:
            own.append(("class", compiled.final.classes[p].value))
        yield f'      <place id="{identifier}">\n'
        yield _name(compiled.origin.places[p].phrase, place)
        if compiled.initial[p]:
            yield f"        <initialMarking><text>{compiled.initial[p]}</text></initialMarking>\n"
        yield _own("place", own)
        yield "      </place>\n"


def _arcs(compiled: Compiled, places: list[str], transitions: list[str], taken: dict[str, int]) -> Iterator[str]:
    net = compiled.net
    number = 0
    for t, transition in enumerate(transitions):
        sides: tuple[tuple[str, bool, Iterable[tuple[int, int]]], ...] = (
            ("", True, net.pre[t]),
            ("", False, net.post[t]),
            ("read", True, net.read[t]),
            ("inhibitor", True, net.inhibit[t]),
            ("reset", True, ((p, 1) for p in net.reset[t])),
        )
        for kind, outgoing, arcs in sides:
            for p, weight in arcs:
                number += 1
                ends = (places[p], transition) if outgoing else (transition, places[p])
                parts = f'<type value="{kind}"/>' if kind else ""
                if weight != 1:
                    parts += f"<inscription><text>{weight}</text></inscription>"
                tag = f'      <arc id="{_xml_id(f"arc{number}", "arc", taken)}" source="{ends[0]}" target="{ends[1]}"'
                yield f"{tag}>{parts}</arc>\n" if parts else f"{tag}/>\n"


def _final(compiled: Compiled, places: list[str]) -> Iterator[str]:
    yield f'    <toolspecific tool="{OWN}" version="1">\n'
    quiet = ' quiet="true"' if compiled.final.quiet else ""
    yield f'      <final any-sink="{"true" if compiled.final.any_sink else "false"}"{quiet}/>\n'
    for p in compiled.final.ends:
        yield f'      <end idref="{places[p]}"/>\n'
    yield "    </toolspecific>\n"


def _own(element: str, attributes: list[tuple[str, str]]) -> str:
    if not attributes:
        return ""
    inner = " ".join(f'{key}="{value}"' for key, value in attributes)
    return f'        <toolspecific tool="{OWN}" version="1"><{element} {inner}/></toolspecific>\n'


def _name(phrase: str, identifier: str) -> str:
    """The name a reader knows: the one the element had where it came from, else its id."""
    found = _PHRASE.fullmatch(phrase)
    return f"        <name><text>{_text(found.group(1) if found else identifier)}</text></name>\n"


def _xml_id(identifier: str, prefix: str, taken: dict[str, int]) -> str:
    """An id that XML allows and that is new: the id itself where possible. `taken` counts who asked for each."""
    fit = identifier if _NAME.fullmatch(identifier) else f"{prefix}.{_UNFIT.sub('_', identifier)}"
    unique, count = fit, taken.get(fit, 0)
    while unique in taken:
        count += 1
        unique = f"{fit}.{count}"
    taken[fit] = count
    taken.setdefault(unique, 0)
    return unique


def _quoted(identifier: str) -> str:
    from urllib.parse import quote

    return quote(identifier, safe="/ #[]:.,()@+*=;", errors="surrogatepass")


def _text(text: str) -> str:
    text = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
