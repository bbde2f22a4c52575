"""`python -m placet`."""

from __future__ import annotations

import sys

from placet.cli.__main__ import process

if __name__ == "__main__":
    sys.exit(process())
