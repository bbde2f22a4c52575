"""The file that a sidecar speaks of: found beside it, never outside the project, read as any model is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic
from placet.project.configuration import upwards
from placet.project.reading import read

if TYPE_CHECKING:
    from placet.source import SourceFile
    from placet.syntax import ast


def target(sidecar: str, name: str) -> str:
    """The path that `name` means in the file `sidecar`, as it is shown: relative where that one is."""
    return os.path.normpath(os.path.join(os.path.dirname(sidecar), *name.split("/")))  # noqa: PTH118, PTH120


def refused(sidecar: str, name: str) -> str:
    """Why a file may not be named in the file `sidecar`, as the end of a sentence; nothing where it may."""
    problem = _unfit(name)
    if not problem:
        root = os.path.realpath(upwards(os.path.dirname(sidecar) or ".")[-1])  # noqa: PTH120
        real = os.path.realpath(target(sidecar, name))
        if real != root and not real.startswith(root.rstrip(os.sep) + os.sep):
            problem = "leads out of the project"
    return problem


def opened(path: ast.Text) -> tuple[SourceFile | None, tuple[Diagnostic, ...]]:
    """The definition, or why it is not read: P801 where it lies outside the project, P802 where it cannot be read.

    A path is relative to the sidecar and stays inside the project, wherever links lead: whoever writes a model must not
    choose which files of the machine are looked at.
    """
    sidecar = path.span.source.path
    problem = refused(sidecar, path.text)
    if problem:
        hint = "write the path from this file, with `/`, to a definition of the same project"
        return None, (Diagnostic("P801", "error", f"`{path.text[:200]}` {problem}", path.span, help=hint),)
    source, problems = read(target(sidecar, path.text))
    if source is None:
        why = problems[0].message
        return None, (Diagnostic("P802", "error", f"there is nothing to annotate: {why}", path.span),)
    return source, problems


def _unfit(name: str) -> str:
    if not name.strip():
        return "names no file"
    if name.startswith(("/", "~")) or "\\" in name or ":" in name or "\0" in name:
        return "is no path relative to this file"
    return ""
