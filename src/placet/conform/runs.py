"""Recorded runs of our own: one event on each line, for models written in the language (docs/conform.md).

    # case   step              what happened
    o-17     flight@flights    asked
    o-17     flight            done
    o-17     -                 ended completed

or the same as JSON lines: `{"case": "o-17", "step": "flight", "service": "flights", "outcome": "asked"}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placet.conform.record import Case, Event, LogError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from placet.conform.json_stream import Item

SOURCE = "runs"
MOST_LINE = 4096

# the word on a line -> kind, what; `undo_` in front of a word of a step speaks of its undo
OUTCOMES: dict[str, tuple[str, str]] = {
    "asked": ("step", "scheduled"),
    "started": ("step", "started"),
    "applied": ("step", "applied"),
    "done": ("step", "succeeded"),
    "refused": ("step", "refused"),
    "failed": ("step", "failed"),
    "timed_out": ("step", "timed_out"),
    "arrived": ("signal", "arrived"),
    "elapsed": ("timer", "succeeded"),
    "ended": ("execution", "ended"),
}
UNDO = {
    "undo_asked": "scheduled",
    "undo_applied": "applied",
    "undone": "succeeded",
    "undo_refused": "refused",
    "undo_timed_out": "timed_out",
}
_ENDS = "ended"


def words() -> str:
    """What may have happened, for a message."""
    return ", ".join(f"`{word}`" for word in (*OUTCOMES, *UNDO))


def is_event(value: dict[str, Any]) -> bool:
    """Whether an object is a line of such a file."""
    return "outcome" in value and ("case" in value or "step" in value)


def cases(path: str, items: Iterable[Item]) -> Iterator[Case]:
    """The runs in JSON lines."""
    runs = _Runs()
    for item in items:
        value = item.value
        fields = {k: v for k, v in value.items() if isinstance(v, (str, int)) and not isinstance(v, bool)}
        runs.add(
            item.line,
            str(fields.get("case", "")),
            str(fields.get("step", "")),
            str(fields.get("service", "")),
            str(fields.get("outcome", "")),
            str(fields.get("error", fields.get("end", ""))),
        )
    return runs.cases(path)


def text_cases(path: str, stream: TextIO) -> Iterator[Case]:
    """The runs in lines of words. Raises LogError for a line that is none."""
    runs = _Runs()
    number = 0
    while True:
        line = stream.readline(MOST_LINE + 1)
        if not line:
            return runs.cases(path)
        number += 1
        if len(line) > MOST_LINE:
            raise LogError(f"a line is longer than {MOST_LINE} characters", number)
        found = line.split("#", 1)[0].split() if line.lstrip()[:1] == "#" or " #" in line else line.split()
        if not found:
            continue
        if not 3 <= len(found) <= 4:
            raise LogError("a line says case, step, what happened, and perhaps an error or an end", number)
        step, _, service = found[1].partition("@")
        runs.add(number, found[0], "" if step == "-" else step, service, found[2], found[3] if len(found) == 4 else "")


class _Runs:
    """The events by case, in the order in which the cases begin."""

    def __init__(self) -> None:
        self._found: dict[str, list[Event]] = {}

    def add(self, line: int, case: str, step: str, service: str, outcome: str, more: str) -> None:
        """One line."""
        undo = UNDO.get(outcome)
        kind, what = ("undo", undo) if undo else OUTCOMES.get(outcome, ("", ""))
        if not kind:
            raise LogError(f"`{outcome[:40]}` is nothing that can happen; there are {words()}", line)
        if kind != "execution" and not step:
            raise LogError("a line has no step", line)
        events = self._found.setdefault(case, [])
        name = more if kind == "execution" and more else step
        error = more if what in ("refused", "failed", "timed_out") else ""
        events.append(
            Event(
                len(events) + 1,
                outcome,
                kind,
                what,
                name,
                error,
                len(events) + 1,
                len(events),
                (),
                -1,
                -1,
                service,
                line,
            )
        )

    def cases(self, path: str) -> Iterator[Case]:
        """What was found."""
        for name, events in self._found.items():
            yield Case(name, path, SOURCE, tuple(events), any(e.type == _ENDS for e in events))
