"""A run as a table: numbered steps, a lane for each service, what happened, and where it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.report.style import Style, clip, columns, pad, wrap
from placet.report.words import clean, counted
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.report.report import Step, Story
    from placet.source import Span

MOST_STEPS = 40  # a longer run is told by its beginning, its end and what matters between
_LANE = 14
_ROOM = 36  # columns a phrase needs beside the lanes


class _Row(NamedTuple):
    """A step that is told, by its number in the telling; `skipped` steps are left out before it."""

    number: int
    step: Step
    repeats: bool
    turned: bool
    skipped: int


def render_run(story: Story, coordinator: str, style: Style) -> list[str]:
    """The lines of the run; empty where there is nothing to tell."""
    rows = _rows(story)
    if not rows:
        return []
    lanes = _lanes(rows)
    places = [_place(row.step.span) for row in rows]
    digits = len(str(rows[-1].number))
    taken = 2 + digits + 2
    heads = [clip(clean(lane) or clean(coordinator) or "workflow", _LANE) for lane in lanes]
    across = sum(columns(head) + 2 for head in heads)
    where = max(map(len, places))
    if len(lanes) < 2 or style.width - taken - across - where - 2 < _ROOM:
        heads, across = [], 0
    longest = max(columns(_words(row.step, lanes=bool(heads))) for row in rows)
    if (
        style.width - taken - across - where - 2 < longest
        and len({row.step.span.source for row in rows if row.step.span}) == 1
    ):
        places = [f"line {row.step.span.line}" if row.step.span else "" for row in rows]
        where = max(map(len, places))
    if not heads and style.width - taken - where - 2 < _ROOM:
        places, where = [""] * len(rows), 0
    room = max(16, style.width - taken - across - (where + 2 if where else 0))
    lines = []
    if heads:
        lines.append(style.paint(" " * taken + "  ".join(heads), "faint"))
    before = False
    margin = " " * (2 + digits + 2)
    for row, place in zip(rows, places, strict=True):
        if row.skipped:
            lines.append(margin + style.paint(f"... {counted(row.skipped, 'step')} ...", "faint"))
        if row.repeats and not before:
            lines.append(f"{margin}{style.paint('from here on, again and again:', 'unsure')}")
        before = row.repeats
        lines += _row_lines(row, lanes if heads else (), heads, digits, room, place, style)
    return lines


def _row_lines(
    row: _Row, lanes: tuple[str, ...], heads: list[str], digits: int, room: int, place: str, style: Style
) -> list[str]:
    step = row.step
    marks = "".join(
        pad(("!" if step.fault else "*") if lane == step.service else "|", columns(head) + 2)
        for lane, head in zip(lanes, heads, strict=bool(lanes))
    )
    quiet = "".join(pad("|", columns(head) + 2) for head in heads)
    lines = []
    for n, text in enumerate(wrap(_words(step, lanes=bool(lanes)), room)):
        number = f"{row.number:>{digits}}" if n == 0 else " " * digits
        shown = style.paint(text, "bad") if step.fault else style.paint(text, "strong") if row.turned else text
        line = f"  {number}  {marks if n == 0 else quiet}{shown}"
        if place and n == 0:
            line += " " * (room - columns(text)) + "  " + style.paint(place, "place")
        lines.append(line.rstrip())
    return lines


def _words(step: Step, *, lanes: bool) -> str:
    """What happened; where no lane shows it, also at which service, unless the phrase says so."""
    words = step.phrase or step.id
    if step.fault:
        return f"FAULT: {words}"
    return f"{step.service}: {words}" if step.service and not lanes and step.service not in words else words


def _rows(story: Story) -> list[_Row]:
    """The steps that are told. Numbers count told steps, so that the telling has no holes but the marked ones."""
    told = [(n, step) for n, step in enumerate(story.steps) if step.shown]
    if not told and story.steps:
        told = list(enumerate(story.steps))
    keep = _kept(story, told)
    rows: list[_Row] = []
    skipped = 0
    for number, (n, step) in enumerate(told, 1):
        if number - 1 not in keep:
            skipped += 1
            continue
        rows.append(_Row(number, step, story.loop is not None and n >= story.loop, n == story.turned, skipped))
        skipped = 0
    return rows


def _kept(story: Story, told: list[tuple[int, Step]]) -> set[int]:
    """Of a long run the first and last steps and, around each fault and the turning step, one step on either side."""
    count = len(told)
    if count <= MOST_STEPS:
        return set(range(count))
    matters = [at for at, (n, step) in enumerate(told) if step.fault or n in (story.turned, story.loop)]
    keep = {*range(MOST_STEPS // 4), *range(count - MOST_STEPS // 2, count)}
    for at in matters[: MOST_STEPS // 2]:
        keep |= {at - 1, at, at + 1}
    for at in range(1, count - 1):  # one step left out alone takes as much room as itself
        if at not in keep and at - 1 in keep and at + 1 in keep:
            keep.add(at)
    return keep


def _lanes(rows: list[_Row]) -> tuple[str, ...]:
    """The coordinator first, then the services in the order in which they come up."""
    return ("", *dict.fromkeys(row.step.service for row in rows if row.step.service))


def _place(span: Span | None) -> str:
    """`file:line`, the file without its folders: the title of the story names it whole."""
    if span is None:
        return ""
    name = clean(span.source.path.replace("\\", "/").rpartition("/")[2])
    return f"{clip(name, 32)}:{span.line}"
