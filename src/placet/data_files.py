"""Where the shipped data is: in the installed package, or, for an editable install, at the top of the checkout."""

from __future__ import annotations

from pathlib import Path

from placet.errors import PlacetError

_CHECKOUT = {"explain": "docs/explain"}


def data_folder(name: str) -> Path:
    """The folder of shipped data of that name: `grammars`, `models` or `explain`."""
    here = Path(__file__).resolve().parent
    checkout = here.parent.parent / _CHECKOUT.get(name, name)
    for folder in (here / "data" / name, checkout):
        if folder.is_dir():
            return folder
    raise PlacetError(f"the installation is incomplete: the folder `{name}` is missing")
