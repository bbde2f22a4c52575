"""The plain-Python engine against the contract of every engine."""

from __future__ import annotations

from engines.engine_contract import EngineContract
from placet.engines.reference import Reference


class TestReference(EngineContract):
    engine = Reference()
