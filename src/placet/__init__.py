"""placet: Petri nets for people who run workflows and sagas. Imports are lazy: `import placet` costs next to nothing."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "load": "placet.pipeline",
    "verify": "placet.pipeline",
    "run": "placet.pipeline",  # `simulate` and `draw` are rooms of the house: their names are taken
    "picture": "placet.pipeline",
    "Net": "placet.net.core",
    "NetBuilder": "placet.net.builder",
    "Compiled": "placet.compiled",
    "Holds": "placet.evidence",
    "Violated": "placet.evidence",
    "Inconclusive": "placet.evidence",
    "Budget": "placet.evidence",
    "Diagnostic": "placet.diagnostics",
    "ModelError": "placet.errors",
    "PlacetError": "placet.errors",
}

__all__ = [*_WHERE, "__version__"]  # noqa: PLE0604 - the keys are strings


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the public names
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module `placet` has no attribute `{name}`")


def __dir__() -> list[str]:
    return sorted(__all__)


if "IPython" in sys.modules:  # in a notebook, models and verdicts show themselves
    from placet.notebook import register

    register()
