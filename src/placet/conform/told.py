"""What came out, as text: a line for each run, and for one that does not fit what happened and what could have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.report.style import wrap
from placet.report.words import clean, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placet.conform.conform import Conformance
    from placet.conform.hold import Held
    from placet.conform.record import Event
    from placet.report.style import Style

_LOOKS = {"conforms": "good", "violates": "bad", "unknown": "unsure"}
_UNDER = " " * 12


def lines(found: Conformance, style: Style) -> Iterator[str]:
    """Every run, grouped by its log; those that conform only where `verbose` or where they are few."""
    path = None
    many = found.count("conforms") > 20 and not style.verbose
    for held in found.held:
        if many and held.verdict == "conforms" and not held.notes:
            continue
        if held.case.path != path:
            path = held.case.path
            yield style.paint(clean(path), "strong")
        yield from _run(held, style)


def _run(held: Held, style: Style) -> Iterator[str]:
    events = counted(len(held.case.events), "event")
    head = style.paint(f"{held.verdict:<8}", _LOOKS[held.verdict])
    name = clean(held.case.name) or "the run"
    if held.verdict == "conforms":
        yield f"  {head}  {name}, {events}"
    elif held.event is None:
        yield from wrap(f"{name}, {events}: {held.reason}", style.width, f"  {head}  ", _UNDER)
    else:
        yield f"  {head}  {name}, at event {position(held.event)} of {len(held.case.events)}"
        yield from wrap(f"{story(held.event)}: {held.reason}", style.width, _UNDER)
        if held.last is not None:
            yield from wrap(f"the last that fitted is {position(held.last)}: {story(held.last)}", style.width, _UNDER)
        if held.allowed:
            among = "among others, " if held.among else ""
            yield from wrap(f"the model would have allowed: {among}{'; '.join(held.allowed)}", style.width, _UNDER)
        elif held.verdict == "violates":
            yield f"{_UNDER}the model would have allowed nothing more here"
    for note in held.notes:
        yield from wrap(f"note: {note}", style.width, _UNDER)


def position(event: Event) -> str:
    """Where an event stands: its own number, where the log gives one, and its line."""
    number = str(event.id or event.number)
    return f"{number} (line {event.line})" if event.line > 1 else number


def story(event: Event) -> str:
    """An event in words."""
    name = f" `{clean(event.name)}`" if event.name else ""
    items = f" (item {'.'.join(str(i + 1) for i in event.copies)})" if event.copies else ""
    error = f": {clean(event.error)}" if event.error else ""
    if event.type.islower() and event.what != "ended":  # runs of our own
        return f"{name} {clean(event.type)}{error}".lstrip()
    return f"{clean(event.type)}{name}{items}{error}"


def last_line(found: Conformance, style: Style) -> str:
    """`placet` or `non placet`, with counts."""
    counts = [
        f"{counted(found.count(verdict), 'run')} {word}"
        for verdict, word in (("conforms", "conforming"), ("violates", "violating"), ("unknown", "unknown"))
        if found.count(verdict)
    ]
    broken = sum(1 for d in found.diagnostics if d.severity == "error")
    counts += [counted(broken, "log that cannot be read", "logs that cannot be read")] if broken else []
    verdict = found.verdict
    look = {"placet": "good", "non placet": "bad"}.get(verdict, "unsure")
    return f"{style.paint(verdict, look)}: {', '.join(counts) or 'no run'}"
