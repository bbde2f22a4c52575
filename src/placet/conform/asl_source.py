"""A definition of AWS Step Functions, made into the net that one recorded execution asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.conform.asl import Asl, Facts, Needs, needs

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.conform.record import Case
    from placet.source import SourceFile

MOST_ITEMS = 20_000  # of all Maps together


class Definition:
    """One machine of a file. Nets are made when a case asks for them, and kept while the cases ask for the same."""

    def __init__(self, source: SourceFile, subject: str) -> None:
        self.source = source
        self.subject = subject
        self.facts = facts(source, subject)
        self._made: dict[Needs, Asl] = {}

    def vocabulary(self, case: Case) -> Asl | None:
        """The machine as this case asks for it; None where it asks for too much."""
        wanted = needs(case, self.facts.distributed)
        if sum(max(counts, default=0) for _, counts in wanted.items) > MOST_ITEMS:
            return None
        made = self._made.get(wanted)
        if made is None:
            compiled = self._compiled(wanted)
            if compiled is None:
                return None
            if len(self._made) > 100:
                self._made.clear()
            made = self._made[wanted] = Asl(compiled, wanted, self.facts)
        return made

    def _compiled(self, wanted: Needs) -> Compiled | None:
        from placet.formats.asl.bounds import Bounds
        from placet.formats.asl.reader import read_all

        found, _ = read_all(self.source, bounds=Bounds((0, 1), wanted.retries, wanted.items, unforeseen=True))
        return next((c for c in found if c.subject == self.subject), None)


def facts(source: SourceFile, subject: str) -> Facts:
    """What the definition says that is not in the net."""
    from placet.formats.asl import documents
    from placet.formats.asl.machine import every
    from placet.formats.asl.schema import Reader
    from placet.formats.data_tree import Limits

    distributed, serial = set(), set()
    for definition in documents.read(source).definitions:
        machine = Reader(definition, Limits(source)).machine() if definition.name == subject else None
        for state, _ in every(machine) if machine is not None else ():
            if state.kind == "Map":
                width = state.node.get("MaxConcurrency")
                if state.distributed:
                    distributed.add(state.name)
                if width is not None and width.text == "1":
                    serial.add(state.name)
    return Facts(frozenset(distributed), frozenset(serial))
