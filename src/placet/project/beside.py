"""Another file that a file names, by a path relative to it: only files of the project are opened, links followed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.source import SourceFile


class Refused(NamedTuple):
    """Why a file is not opened, and what to do about it."""

    message: str
    help: str


def root_of(path: str) -> str:
    """The folder of the project that a file belongs to, links followed."""
    from placet.project.configuration import upwards

    folder = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120
    return os.path.realpath(upwards(folder)[-1])


def located(root: str, by: str, written: str) -> tuple[str, str] | Refused:
    """Where a path leads that stands in the file `by`: relative as that file is, and in truth. It must stay below `root`."""
    if os.path.isabs(written) or "\\" in written or ":" in written or "\0" in written:  # noqa: PTH117
        return Refused(f"`{written}` is no path within the project", "write it relative to this file, with `/`")
    path = os.path.join(os.path.dirname(by), written)  # noqa: PTH118, PTH120
    real = os.path.realpath(path)
    if os.path.commonpath((root, real)) != root:
        return Refused(f"`{written}` leads out of the project", f"only files below `{root}` are read")
    return path, real


def opened(by: str, written: str) -> SourceFile | Refused:
    """The file that a path in the file `by` leads to."""
    from placet.project.reading import read

    where = located(root_of(by), by, written)
    if isinstance(where, Refused):
        return where
    source, problems = read(where[0])
    if source is None:
        reason = problems[0].message if problems else "it cannot be read"
        return Refused(f"`{written}` is not read: {reason}", "look at the path, which is relative to this file")
    return source
