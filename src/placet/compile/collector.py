"""Compiling without the garbage collector, which would walk all that was built again and again.

What compiling builds is trees and tables without cycles: nothing could be collected. For a megabyte of source the
collector takes half of the time and more.
"""

from __future__ import annotations

import gc


class Paused:
    """The collector is off while this is entered, unless it was off already."""

    def __enter__(self) -> None:
        """Switch it off."""
        self._was = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        """Switch it on again, where it was on."""
        if self._was:
            gc.enable()
