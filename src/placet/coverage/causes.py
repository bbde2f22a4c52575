"""The causes of a woven net: which transitions spend the budget of faults, and which of them are the same cause."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.coverage.obligations import Cause
from placet.net.final import PlaceClass
from placet.net.roles import Kind
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compiled import Compiled

_LASTING = ":lasting"
_ANSWERS = ("reject", "partial", "undo-fail")  # which error is answered tells such causes apart
_ATTEMPT = re.compile(r", attempt \d+$")


class Causes(NamedTuple):
    """The causes of a net, and by transition that spends the budget the number of its cause."""

    causes: tuple[Cause, ...]
    of: dict[int, int]


def causes(compiled: Compiled) -> Causes:
    """The causes, in the order of the net. Linear in transitions.

    The same fault of the same attempt of the same message is one cause, whatever the participant remembers then and
    whichever reply it was.
    """
    budget = {
        p
        for p, kind in enumerate(compiled.final.classes)
        if kind is PlaceClass.BUDGET and "#faults" in compiled.net.places[p]
    }
    parts = {c.place: c.part for c in compiled.roles.channels}
    numbers: dict[Cause, int] = {}
    found: list[Cause] = []
    of: dict[int, int] = {}
    for t, role in enumerate(compiled.roles.transitions):
        pre = compiled.net.pre[t]
        if role.kind is not Kind.FAULT or not any(p in budget for p, _ in pre):
            continue
        part = next((parts[p] for p, _ in pre if p in parts), "")
        name = compiled.net.transitions[t]
        key = name.removesuffix(_LASTING).rpartition(":")[2]
        detail = key.partition(".")[2] if role.fault in _ANSWERS else ""
        cause = Cause(role.fault, role.step, role.direction, part, role.attempt, name.endswith(_LASTING), detail, "")
        number = numbers.setdefault(cause, len(found))
        if number == len(found):
            found.append(cause._replace(words=compiled.origin.transitions[t].phrase))
        of[t] = number
    return Causes(tuple(found), of)
