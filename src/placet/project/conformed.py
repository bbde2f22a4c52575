"""When a hand-written model was last held against recorded runs: a small file beside the configuration.

`placet conform --record` writes it, `placet verify` reads it. It is meant to be kept with the models: whoever changes one
sees that it has not been held against anything since.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from placet.report.report import Conformed

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.project.configuration import Configuration

NAME = "placet.conformed.json"
SCHEMA = "placet.conformed/1"
MOST_BYTES = 4 << 20


def place(configuration: Configuration) -> str:
    """Where the file is: beside the configuration, without one in the working folder."""
    return os.path.join(os.path.dirname(configuration.path), NAME)  # noqa: PTH118, PTH120


def load(path: str) -> dict[str, Any] | None:
    """What is remembered, by model and subject; None where there is no such file, nothing where it cannot be understood."""
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            text = file.read(MOST_BYTES)
    except (OSError, UnicodeDecodeError):
        return None
    import json

    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    models = found.get("models") if isinstance(found, dict) and found.get("schema") == SCHEMA else None
    return models if isinstance(models, dict) else {}


def last(records: dict[str, Any], path: str, model: str, subject: str) -> Conformed:
    """When a model was last held against recorded runs; `path` is that of the file of records."""
    entry = records.get(_key(path, model, subject))
    if not isinstance(entry, dict):
        return Conformed()
    fits, fails, open_ = (entry.get(word) for word in ("conforms", "violates", "unknown"))
    on = entry.get("on")
    if not (isinstance(on, str) and isinstance(fits, int) and isinstance(fails, int) and isinstance(open_, int)):
        return Conformed()
    return Conformed(on[:40], fits, fails, open_, changed=entry.get("model") != digest(model))


def record(path: str, model: str, subject: str, counts: tuple[int, int, int], on: str) -> None:
    """Remember that a model was held against runs. Raises OSError where the file cannot be written."""
    import json

    models = load(path) or {}
    told = dict(zip(("conforms", "violates", "unknown"), counts, strict=True))
    models[_key(path, model, subject)] = {"on": on, **told, "model": digest(model)}
    document = {"schema": SCHEMA, "models": dict(sorted(models.items()))}
    with open(path, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123
        file.write(json.dumps(document, indent=2) + "\n")


def subject_file(compiled: Compiled | None, path: str) -> str:
    """The file that recorded runs are of: `path`, or the definition that a sidecar names, whichever of the two was held."""
    if compiled is None or compiled.called is None:
        return path
    return next((o.span.source.path for o in compiled.origin.transitions if o.span is not None), path)


def digest(model: str) -> str:
    """A check sum of the file of a model, whatever its line ends; empty where it cannot be read."""
    from hashlib import sha256

    try:
        with open(model, "rb") as file:  # noqa: PTH123
            return sha256(file.read(MOST_BYTES).replace(b"\r\n", b"\n")).hexdigest()[:32]
    except OSError:
        return ""


def _key(path: str, model: str, subject: str) -> str:
    """The model by its path from the file of records, with the subject."""
    try:
        relative = os.path.relpath(model, os.path.dirname(path) or ".")  # noqa: PTH120
    except ValueError:  # on another drive
        relative = os.path.abspath(model)  # noqa: PTH100
    return f"{relative.replace(os.sep, '/')}#{subject}"
