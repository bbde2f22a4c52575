"""The exceptions placet raises: misuse, bad input, missing extras, and bugs. Verdicts are values, never exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.diagnostics import Diagnostic


class PlacetError(Exception):
    """Root of every exception that placet raises on purpose."""


class UsageError(PlacetError, ValueError):
    """An argument, an option or a configuration value makes no sense."""


class ModelError(PlacetError, ValueError):
    """A model cannot be used; `diagnostics` says where and why (at least one of severity error)."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        first = self.diagnostics[0] if self.diagnostics else None
        super().__init__(f"{first.code}: {first.message}" if first else "the model cannot be used")


class MissingExtraError(PlacetError, ImportError):
    """A feature needs an optional dependency; the message names the extra to install."""


class EvidenceError(PlacetError, RuntimeError):
    """A counterexample or certificate did not survive its re-check: a fault of the tool, exit status 70."""
