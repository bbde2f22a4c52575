"""Which definitions of a run are verified with a sidecar of the same run, and so not a second time by themselves."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic
from placet.project.reading import read
from placet.sidecar.opening import target

if TYPE_CHECKING:
    from collections.abc import Sequence

_ANNOTATE = re.compile(r'"(?:[^"\\\r\n]|\\.)*"|#[^\n]*|\bannotate\s+"((?:[^"\\\r\n]|\\.)*)"\s*([^\W\d]\w*(?:-\w+)*)?')


def claimed(files: Sequence[str]) -> dict[str, dict[str, str]]:
    """By normal path of a definition its machines (`""`: the only one) with the sidecar of each. Linear in the sidecars."""
    sidecars = [file for file in files if file.lower().endswith(".placet")]
    if len(sidecars) == len(files):
        return {}
    found: dict[str, dict[str, str]] = {}
    for sidecar in sidecars:
        source, _ = read(sidecar)
        if source is None or "annotate" not in source.text:
            continue
        for match in _ANNOTATE.finditer(source.text):
            if match.group(1) is not None:
                name = match.group(1).replace('\\"', '"').replace("\\\\", "\\")
                found.setdefault(target(sidecar, name), {}).setdefault(match.group(2) or "", sidecar)
    return found


def spoken_for(path: str, machines: dict[str, str]) -> Diagnostic:
    """What says that a definition is left to its sidecar."""
    sidecar = next(iter(machines.values()))
    name = os.path.basename(path)  # noqa: PTH119
    which = "" if "" in machines else ", ".join(f"`{machine}`" for machine in machines) + " of "
    return Diagnostic("P812", "note", f"{which}`{name}` is verified with its sidecar `{sidecar}`", path=path)
