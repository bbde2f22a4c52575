"""Which files a command line means: files as they are, folders with all models below them, glob patterns.

The order is the order given, and within a folder by name, so that every machine reports the same. What is named
outright is always taken; hidden folders, folders of other people's code, `exclude` patterns and links that lead out of
the folder matter only to what a walk finds. A placet.toml in a folder of the walk, or of the project above it, excludes
below its own folder.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic
from placet.project.exclusion import Exclusion, matcher
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Excluded = Callable[[str], bool]

VENDORED = frozenset(
    (
        *("node_modules", "bower_components", "vendor", "third_party", "site-packages", "dist-packages"),
        *("venv", "env", "__pycache__"),
    )
)
NOTHING = Exclusion()


class Found(NamedTuple):
    """The files to work on, each once, and what was wrong with the paths given."""

    files: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


def discover(paths: Sequence[str], exclusion: Exclusion = NOTHING) -> Found:
    """The model files that `paths` mean. A path below a given folder is that folder as given and the rest below it.

    A folder or pattern that means no model is an error (P601), a folder that cannot be read too (P603); a file that
    cannot be read is left to its reader, so that it is reported in its place.
    """
    from placet.formats.registry import suffixes as readable

    suffixes = readable()
    diagnostics: list[Diagnostic] = []
    files: dict[str, str] = {}  # by normal path: a file named twice is read once, under its first name
    excluded = matcher(exclusion)
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - pathlib costs 4 ms of every start
            some = list(walk(path, diagnostics, excluded, suffixes))
            empty = f"there is no model in the folder `{path}`"
        elif any(c in path for c in "*?[") and not os.path.lexists(path):
            some = list(_expand(path, diagnostics, excluded, suffixes))
            empty = f"no model matches `{path}`"
        else:
            some, empty = [path], ""
        if not some and not any(d.severity == "error" and d.path == path for d in diagnostics):
            known = " or ".join(f"`{s}`" for s in suffixes)
            diagnostics.append(
                Diagnostic("P601", "error", empty, path=path, help=f"the name of a model ends in {known}")
            )
        for file in some:
            files.setdefault(os.path.normpath(file), file)
    return Found(tuple(files.values()), tuple(diagnostics))


def walk(root: str, diagnostics: list[Diagnostic], excluded: Excluded, suffixes: tuple[str, ...]) -> Iterator[str]:
    """The model files below a folder, by name, depth first; O(entries), no recursion.

    Links to folders are followed as long as they stay inside, and no folder is seen twice.
    """
    inside = os.path.realpath(root)
    seen: set[str] = set()
    todo: list[tuple[str, bool, tuple[Excluded, ...]]] = [(root, True, (excluded, *_above(root)))]
    while todo:
        path, is_folder, tests = todo.pop()
        if not is_folder:
            yield path
            continue
        real = os.path.realpath(path)
        if real in seen:
            continue
        seen.add(real)
        entries = _entries(path, diagnostics)
        if any(e.name == "placet.toml" for e in entries):
            tests = (*tests, _nested(path))
        kept: list[tuple[str, bool, tuple[Excluded, ...]]] = []
        for entry in entries:
            below = os.path.join(path, entry.name)  # noqa: PTH118 - keeps the path as it was given
            kind = _kind(entry, suffixes)
            if kind is None or any(test(below) for test in tests):
                continue
            real = os.path.realpath(below) if entry.is_symlink() else ""
            if real and not (real == inside or real.startswith(inside.rstrip(os.sep) + os.sep)):
                diagnostics.append(_leads_out(below))
                continue
            kept.append((below, kind, tests))
        todo.extend(reversed(kept))


def _entries(path: str, diagnostics: list[Diagnostic]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return sorted(entries, key=lambda e: e.name)
    except OSError as fault:
        why = (fault.strerror or str(fault)).lower()
        diagnostics.append(Diagnostic("P603", "error", f"the folder `{path}` cannot be read: {why}", path=path))
        return []


def _kind(entry: os.DirEntry[str], suffixes: tuple[str, ...]) -> bool | None:
    """True for a folder to enter (neither hidden nor vendored), False for a model file, None for anything else."""
    if entry.name.startswith("."):
        return None
    try:
        if entry.is_dir():
            return None if entry.name in VENDORED else True
        return False if entry.name.lower().endswith(suffixes) and entry.is_file() else None
    except OSError:
        return None


def _above(root: str) -> list[Excluded]:
    """What the project excludes, by its folders above the one that is walked."""
    from placet.project.configuration import upwards

    return [_nested(f) for f in upwards(root)[1:] if os.path.isfile(os.path.join(f, "placet.toml"))]  # noqa: PTH113, PTH118


def _nested(folder: str) -> Excluded:
    """What the placet.toml of a folder excludes; a faulty one is told to whoever works in that folder."""
    from placet.project.configuration import load_file

    configuration, _ = load_file(os.path.join(folder, "placet.toml"))  # noqa: PTH118
    return matcher(configuration.exclusion)


def _leads_out(path: str) -> Diagnostic:
    message = f"the link `{path}` leads out of the folder and is not followed"
    return Diagnostic("P607", "note", message, path=path, help="name its target on the command line")


def _expand(
    pattern: str, diagnostics: list[Diagnostic], excluded: Excluded, suffixes: tuple[str, ...]
) -> Iterator[str]:
    from glob import iglob

    for path in sorted(iglob(pattern, recursive=True)):  # noqa: PTH207
        if excluded(path):
            continue
        if os.path.isdir(path):  # noqa: PTH112
            yield from walk(path, diagnostics, excluded, suffixes)
        elif path.lower().endswith(suffixes):
            yield path
