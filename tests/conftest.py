"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

CHECKOUT = Path(__file__).resolve().parent.parent

# The folder `coverage` beside this file is on the path, and is not the package of that name, which numba looks for.
sys.modules.setdefault("coverage", None)  # type: ignore[arg-type]

# One class of tests serves all engines: that it is run by several of its subclasses is meant.
_CALM = [HealthCheck.too_slow, HealthCheck.differing_executors]
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=_CALM)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def checkout() -> Path:
    return CHECKOUT


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real definitions beside the checkout; tests that need it are skipped, visibly, where it is absent."""
    folder = Path(os.environ.get("PLACET_CORPORA", CHECKOUT.parent / "shared" / "corpora"))
    if not folder.is_dir():
        pytest.skip("the corpora are not here (set PLACET_CORPORA)")
    return folder
