"""The project's configuration: `[tool.placet]` in pyproject.toml, or placet.toml, nearest to the working folder.

It is looked for from the working folder up to the root of the git repository (without one, in the working folder only).
A key that is not known, or a value that makes no sense, is a located diagnostic: a misspelt setting must not pass.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from placet.diagnostics import Diagnostic
from placet.project.exclusion import Exclusion
from placet.source import Span
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.source import SourceFile

FORMATS = ("text", "concise", "json", "github", "junit")
LEVELS = ("L0", "L1", "L2", "L3", "L4", "L5")


class Configuration(NamedTuple):
    """What the project wants where the command line says nothing; None and empty: no wish."""

    path: str = ""  # the file it comes from
    format: str | None = None
    checks: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    fault_budget: int | None = None
    transient: bool | None = None
    level: str | None = None
    final: str | None = None
    closed: bool | None = None
    strict: bool | None = None
    jobs: int | None = None
    budget_states: int | None = None
    budget_seconds: float | None = None
    budget_mb: int | None = None

    @property
    def exclusion(self) -> Exclusion:
        """The exclude patterns, relative to the folder of the file."""
        return Exclusion(self.exclude, os.path.dirname(self.path) or ".")  # noqa: PTH120


def load(folder: str = ".") -> tuple[Configuration, tuple[Diagnostic, ...]]:
    """The configuration that holds in `folder`. Costs a few file look-ups where there is none."""
    for above in upwards(folder):
        for name in ("placet.toml", "pyproject.toml"):
            path = os.path.join(above, name)  # noqa: PTH118
            if os.path.isfile(path):  # noqa: PTH113
                found, diagnostics = load_file(os.path.relpath(path))
                if found.path or diagnostics:
                    return found, diagnostics
    return Configuration(), ()


def load_file(path: str) -> tuple[Configuration, tuple[Diagnostic, ...]]:
    """The configuration of one file; the empty one where it is a pyproject.toml that does not speak of placet."""
    from placet.project.reading import read

    source, diagnostics = read(path)
    if source is None:
        return Configuration(), diagnostics
    if os.path.basename(path) == "pyproject.toml" and "tool.placet" not in source.text:  # noqa: PTH119
        return Configuration(), ()
    return parse(source)


def upwards(folder: str) -> list[str]:
    """The folder and those above it that belong to the project, nearest first.

    That is up to the root of the git repository; without one up to the working folder, where `folder` is below it.
    """
    found: list[str] = []
    here = folder = os.path.abspath(folder)  # noqa: PTH100
    while True:
        found.append(here)
        if os.path.exists(os.path.join(here, ".git")):  # noqa: PTH110, PTH118
            return found
        above = os.path.dirname(here)  # noqa: PTH120
        if above == here:
            working = os.getcwd()  # noqa: PTH109
            return found[: found.index(working) + 1] if working in found else [folder]
        here = above


def parse(source: SourceFile) -> tuple[Configuration, tuple[Diagnostic, ...]]:
    """The settings in a file: P610 where it is no TOML, P611 for each key not known, P612 for each wrong value."""
    import tomllib

    try:
        document = tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        return Configuration(source.path), (_not_toml(source, fault),)
    own = os.path.basename(source.path) != "pyproject.toml"  # noqa: PTH119
    prefix = "" if own else "tool.placet"
    table: Any = document
    for name in () if own else ("tool", "placet"):
        table = table.get(name, {})
        if not isinstance(table, dict):
            return Configuration(source.path), (_wrong(source, "", name, "a table"),)
    values: dict[str, Any] = {}
    diagnostics: list[Diagnostic] = []
    _settings(source, prefix, table, values, diagnostics)
    return Configuration(source.path, **values), tuple(diagnostics)


def _settings(
    source: SourceFile, prefix: str, table: dict[str, Any], values: dict[str, Any], diagnostics: list[Diagnostic]
) -> None:
    """Take the settings of a table into `values`, or say what is wrong with them."""
    for key, value in table.items():
        if key == "budget" and isinstance(value, dict):
            below = f"{prefix}.budget" if prefix else "budget"
            taken: dict[str, Any] = {}
            for name, amount in value.items():
                _setting(source, (below, name), amount, _BUDGETS, taken, diagnostics)
            values.update((f"budget_{name}", amount) for name, amount in taken.items())
        else:
            _setting(source, (prefix, key), value, _SETTINGS, values, diagnostics)


def _setting(
    source: SourceFile,
    where: tuple[str, str],
    value: object,
    known: dict[str, Any],
    values: dict[str, Any],
    diagnostics: list[Diagnostic],
) -> None:
    table, key = where
    if key not in known:
        diagnostics.append(_unknown(source, table, key, list(known)))
        return
    wanted, accept = known[key]
    taken = accept(value)
    if taken is None:
        diagnostics.append(_wrong(source, table, key, wanted))
    else:
        values[key] = taken


def _one_of(*names: str) -> Any:  # noqa: ANN401
    return " or ".join(f'"{n}"' for n in names), lambda v: v if isinstance(v, str) and v in names else None


def _texts(value: object) -> tuple[str, ...] | None:
    return tuple(value) if isinstance(value, list) and all(isinstance(v, str) for v in value) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _seconds(value: object) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0 else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


_TEXTS = ("a list of strings", _texts)
_COUNT = ("a whole number above 0", _count)
_FLAG = ("true or false", _flag)

_SETTINGS: dict[str, Any] = {
    "format": _one_of(*FORMATS),
    "checks": _TEXTS,
    "exclude": _TEXTS,
    "faults": _TEXTS,
    "fault_budget": _COUNT,
    "transient": _FLAG,
    "level": _one_of(*LEVELS),
    "final": _one_of("any-sink"),
    "closed": _FLAG,
    "strict": _FLAG,
    "jobs": _COUNT,
    "budget": ("a table", lambda _value: None),  # a table is read by its keys
}
_BUDGETS: dict[str, Any] = {"states": _COUNT, "seconds": ("a number above 0", _seconds), "mb": _COUNT}


def _unknown(source: SourceFile, table: str, key: str, names: list[str]) -> Diagnostic:
    from difflib import get_close_matches

    near = get_close_matches(key, names, 1)
    hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(f'`{n}`' for n in sorted(names))}"
    return Diagnostic("P611", "error", f"there is no setting `{key}`", _key_span(source, table, key), help=hint)


def _wrong(source: SourceFile, table: str, key: str, wanted: str) -> Diagnostic:
    return Diagnostic("P612", "error", f"`{key}` must be {wanted}", _key_span(source, table, key))


def _key_span(source: SourceFile, table: str, key: str) -> Span:
    """Where a key stands. TOML's reader keeps no places: look for it below the header of its table."""
    import re

    text, start = source.text, 0
    if table:
        header = re.search(rf"^[ \t]*\[[ \t]*{re.escape(table)}[ \t]*\]", text, re.MULTILINE)
        start = header.end() if header else 0
    found = re.compile(rf"""^[ \t]*["']?({re.escape(key)})["']?[ \t]*[=.\]]""", re.MULTILINE).search(text, start)
    if found is None:
        found = re.search(rf"\b({re.escape(key)})\b", text[start:] if not start else text)
    return Span(source, found.start(1), found.end(1)) if found else Span(source, start, start)


def _not_toml(source: SourceFile, fault: Exception) -> Diagnostic:
    import re

    message = str(fault).split(" (at ")[0]
    at = re.search(r"at line (\d+), column (\d+)", str(fault))
    offset = len(source.text)
    if at:
        offset = source.line_starts[int(at[1]) - 1] + int(at[2]) - 1
    text = f"this is no TOML: {message[:1].lower()}{message[1:]}"
    return Diagnostic("P610", "error", text, Span(source, offset, min(offset + 1, len(source.text))))
