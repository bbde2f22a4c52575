"""The start of a project: which definitions a folder holds, and what is written beside them. Nothing is ever overwritten."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from placet.project.configuration import load
from placet.project.discovery import VENDORED, walk
from placet.project.exclusion import matcher
from placet.project.reading import read
from placet.sidecar.claimed import claimed
from placet.sidecar.draft import draft
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.diagnostics import Diagnostic

MOST_FILES = 20_000  # that are looked at
MOST_BYTES = 1 << 20  # of one that is looked into for a definition
_MAYBE = (".json", ".json5", ".yaml", ".yml", ".template")
_ELSEWHERE = frozenset(("package.json", "package-lock.json", "tsconfig.json", "composer.json", "pnpm-lock.yaml"))

CONFIGURATION = """\
# What `placet` does in this project. Every setting: docs/configuration.md, or `placet verify --help`.
exclude = []                     # folders and files that are not looked at, such as "*/examples"
# level = "L1"                   # faults that checks allow for where they name none: losses and time-outs too
# jobs = 2
"""

WORKFLOW = """\
name: placet
on:
  pull_request:
  push:
    branches: [main]
jobs:
  verify:
    runs-on: ubuntu-latest
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: python -m pip install "placet[yaml]"
      - run: placet verify . --format github
"""

MODEL = """\
# A first model, and not a good one yet: `placet verify first.placet` says what happens to it when a service answers with an
# error after it has done its work, and what to change.
service stock { idempotent; null_safe; rejects_after_cancel }
service payments { idempotent; null_safe; rejects_after_cancel }

saga order {
  step reserve on stock { undo release; timeout 10s }
  step charge on payments { undo refund; timeout 10s }
}

check option_to_complete(order), proper_completion(order)
check coverage(order) at L1 == 100%
"""


class Plan(NamedTuple):
    """What is to be written, by path, and why; what is there already; what could not be used."""

    files: tuple[tuple[str, str, str], ...]  # path, text, what it is
    kept: tuple[tuple[str, str], ...]  # path, what it is
    definitions: int
    models: int
    problems: tuple[Diagnostic, ...]


def plan(folder: str) -> Plan:
    """Look at a folder and say what a start there would write. Writes nothing."""
    from placet.formats.registry import suffixes

    problems: list[Diagnostic] = []
    configuration, _ = load(folder)
    found = list(walk(folder, problems, matcher(configuration.exclusion), suffixes()))
    models = [path for path in found if path.lower().endswith(".placet")]
    definitions = _definitions(folder, found)
    spoken = claimed([*models, *definitions])
    files: list[tuple[str, str, str]] = []
    kept: list[tuple[str, str]] = []
    for path in definitions:
        if os.path.normpath(path) in spoken:
            sidecar = os.path.normpath(next(iter(spoken[os.path.normpath(path)].values())))
            kept.append((sidecar, f"the sidecar of {os.path.normpath(path)}"))
            continue
        source, unread = read(path)
        problems += unread
        if source is None:
            continue
        made, wrong = draft(source, os.path.basename(path))  # noqa: PTH119
        if made is None:
            problems += [d for d in wrong if d.severity == "error"][:1]
            continue
        beside = _beside(path)
        guesses = f", {made.proposed} of its lines guessed" if made.proposed else ""
        _add(files, kept, beside, made.text, f"the sidecar of {os.path.basename(path)}{guesses}")  # noqa: PTH119
    if not definitions and not models:
        _add(files, kept, os.path.join(folder, "first.placet"), MODEL, "a first model to change")  # noqa: PTH118
    if configuration.path:
        kept.append((configuration.path, "the configuration"))
    else:
        _add(files, kept, os.path.join(folder, "placet.toml"), CONFIGURATION, "the configuration")  # noqa: PTH118
    workflow = os.path.join(folder, ".github", "workflows", "placet.yml")  # noqa: PTH118
    _add(files, kept, workflow, WORKFLOW, "the job that verifies each change, on GitHub")
    return Plan(tuple(files), tuple(kept), len(definitions), len(models), tuple(problems))


def write(made: Plan) -> list[tuple[str, str]]:
    """Write the files of a plan; gives those that could not be written, each with the reason. One that is there stays."""
    failed: list[tuple[str, str]] = []
    for path, text, _ in made.files:
        try:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)  # noqa: PTH103, PTH120
            with open(path, "x", encoding="utf-8", newline="\n") as file:  # noqa: PTH123
                file.write(text)
        except OSError as problem:
            failed.append((path, (problem.strerror or str(problem)).lower()))
    return failed


def _add(files: list[tuple[str, str, str]], kept: list[tuple[str, str]], path: str, text: str, what: str) -> None:
    path = os.path.normpath(path)
    if os.path.lexists(path):
        kept.append((path, what))
    elif all(path != other for other, _, _ in files):
        files.append((path, text, what))


def _beside(path: str) -> str:
    """The sidecar of a definition: its name without the suffixes."""
    folder, name = os.path.split(path)
    for suffix in (".asl.json5", ".asl.json", ".asl.yaml", ".asl.yml", *_MAYBE, ".asl"):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
            break
    return os.path.normpath(os.path.join(folder, f"{name}.placet"))  # noqa: PTH118


def _definitions(folder: str, known: list[str]) -> list[str]:
    """The definitions of Step Functions below a folder, by their content: also templates, and those named otherwise."""
    from placet.diagnostics import Diagnostic
    from placet.formats.registry import find

    candidates = [path for path in known if not path.lower().endswith((".placet", ".pnml"))]
    seen = {os.path.normpath(path) for path in known}
    count = 0
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in VENDORED)
        for name in sorted(names):
            path = os.path.normpath(os.path.join(at, name))  # noqa: PTH118
            count += 1
            if count > MOST_FILES:
                break
            if path in seen or name in _ELSEWHERE or not name.lower().endswith(_MAYBE) or os.path.islink(path):  # noqa: PTH114
                continue
            if os.path.getsize(path) <= MOST_BYTES:  # noqa: PTH202
                candidates.append(path)
    found: list[str] = []
    for path in candidates:
        source, _ = read(path)
        form = find(source) if source is not None else None
        if form is not None and not isinstance(form, Diagnostic) and form.name == "asl":
            found.append(path)
    return found
