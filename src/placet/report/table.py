"""A run as a table: numbered steps, a lane for each service, what happened, and where it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from placet.report.style import Style, clip, columns, pad, wrap
from placet.report.words import clean, counted

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
    where = max((len(_place(row.step.span)) for row in rows), default=0)
    digits = len(str(rows[-1].number))
    taken = 2 + digits + 2 + (where + 2 if where else 0)
    heads = [clip(clean(lane) or clean(coordinator) or "workflow", _LANE) for lane in lanes]
    across = sum(columns(head) + 2 for head in heads)
    if len(lanes) < 2 or style.width - taken - across < _ROOM:
        heads, across = [], 0
    if not heads and style.width - taken < _ROOM:
        where = 0
    room = max(16, style.width - 2 - digits - 2 - across - (where + 2 if where else 0))
    lines = []
    if heads:
        lines.append(style.paint(" " * (2 + digits + 2) + "  ".join(heads), "faint"))
    before = False
    for row in rows:
        margin = " " * (2 + digits + 2)
        if row.skipped:
            lines.append(margin + style.paint(f"... {counted(row.skipped, 'step')} ...", "faint"))
        if row.repeats and not before:
            lines.append(f"{margin}{style.paint('from here on, again and again:', 'unsure')}")
        before = row.repeats
        lines += _row_lines(row, lanes if heads else (), heads, digits, room, where, style)
    return lines


def _row_lines(
    row: _Row, lanes: tuple[str, ...], heads: list[str], digits: int, room: int, where: int, style: Style
) -> list[str]:
    step = row.step
    marks = "".join(
        pad(("!" if step.fault else "*") if lane == step.service else "|", columns(head) + 2)
        for lane, head in zip(lanes, heads, strict=bool(lanes))
    )
    quiet = "".join(pad("|", columns(head) + 2) for head in heads)
    words = step.phrase or step.id
    if step.fault:
        words = f"FAULT: {words}"
    elif step.service and not lanes and step.service not in words:
        words = f"{step.service}: {words}"
    lines = []
    for n, text in enumerate(wrap(words, room)):
        number = f"{row.number:>{digits}}" if n == 0 else " " * digits
        shown = style.paint(text, "bad") if step.fault else style.paint(text, "strong") if row.turned else text
        line = f"  {number}  {marks if n == 0 else quiet}{shown}"
        place = _place(step.span) if n == 0 and where else ""
        if place:
            line += " " * (room - columns(text)) + "  " + style.paint(place, "place")
        lines.append(line.rstrip())
    return lines


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
