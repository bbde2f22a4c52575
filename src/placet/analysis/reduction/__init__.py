"""Reductions, one rule a file: smaller nets that answer the same questions, with the way back."""

from __future__ import annotations

from placet.analysis.reduction.reduce import (
    ALL,
    BRANCHING,
    GRAPH,
    KITS,
    LINEAR,
    REACH,
    FinalPlaces,
    final_places,
    reduce,
)
from placet.analysis.reduction.reduced import Bound, Reduced

__all__ = [
    "ALL",
    "BRANCHING",
    "GRAPH",
    "KITS",
    "LINEAR",
    "REACH",
    "Bound",
    "FinalPlaces",
    "Reduced",
    "final_places",
    "reduce",
]
