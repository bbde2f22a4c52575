"""Services of sidecars are names like those of steps."""

from __future__ import annotations

from placet.lsp.names import index
from placet.source import SourceFile
from placet.syntax.parser import parse

TEXT = 'service cars\nannotate "trip.asl.json" {\n  ReserveCar on cars undone by CancelCar\n  Pay on cards\n  service cards\n}\n'


def test_services_of_a_sidecar_are_found():
    found = index(parse(SourceFile("trip.placet", TEXT))[0])
    told = [(o.symbol.text, o.declares) for o in found.occurrences if o.symbol.kind == "service"]
    assert told == [("cars", True), ("cars", False), ("cards", False), ("cards", True)]
