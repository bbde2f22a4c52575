"""What the checks that are measured ask: that nothing a saga owes under faults is broken, or that so much of it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.certificate.meaning import FREE, NOT_SAID
from placet.certificate.memory import COUNTED, Memory
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compiled import Compiled, Query

BLAMED = "UNDO-FAIL"
ANOMALIES = {
    "anomaly_A2": ("not undone",), "anomaly_A3": ("undo of nothing",), "anomaly_A4": ("LATE",), "anomaly_A5": ("ONCE",),
    "anomaly_A6": ("undo twice",), "anomaly_A7": ("ORDER",), "anomaly_A8": (BLAMED,), "anomaly_A9": ("INPUT",),
    "anomaly_A10": ("undone after completion",), "anomaly_A11": ("PIVOT",), "anomaly_A12": ("not undone", "LATE"),
    "anomaly_A13": ("not undone",), "anomaly_A14": ("stuck",), "anomaly_A15": ("livelock",),
    "anomaly_A16": ("acts after its end",), "anomaly_A17": ("wrong scope",), "anomaly_A18": ("says compensated",),
    "anomaly_A19": ("isolation",), "anomaly_A21": ("retries used up",), "anomaly_A25": ("not complete",),
}  # fmt: skip


class Owes(NamedTuple):
    """What is asked: that no run breaks any of these; or that so much of them is covered, in runs with a fault or that give up."""

    families: tuple[str, ...]
    where: str = ""  # "unknown", "beside", "cancelled": in the scenarios that A2, A12, A13 speak of; "counted"
    demand: int = 100


class Owed(NamedTuple):
    """A net with faults, whose states hold what is remembered, and what is asked of it."""

    compiled: Compiled
    obligations: tuple[Owes, ...]  # one


def owed(compiled: Compiled, query: Query) -> Owed | str:
    """What a measured check asks, of the net with its faults; or why no certificate can say so. O(net x steps)."""
    if compiled.assumptions.free_guards and query.check in ("coverage", "anomaly_A15"):
        return FREE  # what ends, and how much there is to be covered, rests on conditions that may never come true
    watched = Memory(compiled).watched()
    if query.check == "coverage":
        return Owed(watched, (Owes(COUNTED, "counted", query.demand),))
    if query.check not in ANOMALIES:
        return NOT_SAID
    where = {"anomaly_A2": "unknown", "anomaly_A12": "beside", "anomaly_A13": "cancelled"}.get(query.check, "")
    return Owed(watched, (Owes(ANOMALIES[query.check], where),))
