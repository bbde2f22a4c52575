"""Drawings as SVG: one self-contained file, with words for screen readers, without scripts, styles or outside parts.

Only text nodes hold what the user wrote, with all that means something to XML escaped, so no name can become markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

from placet.draw.drawing import Arc, Shape
from placet.draw.lettering import escaped, width_of, wrapped
from placet.draw.palette import FAINT, INK, MARK, PAPER, colours
from placet.errors import UsageError
from placet.layout.layered import layered
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.draw.drawing import Drawing, Element, Link
    from placet.layout.layered import Layout, Point

MOST_ELEMENTS = 5_000

_FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"
_ROUND = 15.0  # radius of a place
_INSIDE = (Shape.TRANSITION, Shape.STEP, Shape.STATE)  # their words stand inside
_MARGIN = 20.0


class _Box(NamedTuple):
    """The measures of an element: of all of it, of what its edges touch, and its words."""

    width: float
    height: float
    anchor: float  # from the left border to the middle of the shape
    shape_width: float
    shape_height: float
    lines: tuple[str, ...]
    shape: Shape

    def reach(self, beside: float) -> float:
        """How far above and below its middle the border is, so far beside the middle."""
        if self.shape in (Shape.PLACE, Shape.END):
            return float((_ROUND**2 - beside**2) ** 0.5)
        return self.shape_height / 2 - (abs(beside) if self.shape is Shape.CHOICE else 0.0)

    @property
    def spread(self) -> float:
        """How far apart the outermost edges may be."""
        if self.shape in (*_INSIDE, Shape.ROUTE):
            return self.shape_width * 0.6
        return 18.0 if self.shape in (Shape.PLACE, Shape.END) else 12.0


def svg(drawing: Drawing) -> str:
    """The picture. Raises UsageError beyond `MOST_ELEMENTS`; cost as `layout.layered`."""
    if len(drawing.elements) > MOST_ELEMENTS:
        message = f"{len(drawing.elements)} elements are too many to draw; the most is {MOST_ELEMENTS}"
        raise UsageError(f"{message} (the steps alone, or dot, may do)")
    boxes = [_box(e) for e in drawing.elements]
    labels = any(link.label for link in drawing.links)
    found = layered(
        [(b.width, b.height) for b in boxes],
        [(link.source, link.target) for link in drawing.links],
        gap=(48.0 if labels else 26.0, 52.0 if labels else 42.0),
        anchors=[b.anchor for b in boxes],
    )
    head, top, head_width = _head(drawing)
    room = max((p[0] for route in found.routes for p in route), default=0.0)
    width = max(found.width, room, head_width) + 2 * _MARGIN
    height = top + found.height + _MARGIN
    body = [*_links(drawing, boxes, found), *_elements(drawing, boxes, found)]
    key = f"placet{crc32(repr(drawing).encode('utf-8', 'replace')):08x}"
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{key}-title {key}-words"'
                f' viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" height="{_n(height)}"'
                f' font-family="{_FONT}" font-size="12" fill="{INK}">'
            ),
            f'<title id="{key}-title">{escaped(drawing.title)}</title>',
            f'<desc id="{key}-words">{escaped(_words(drawing))}</desc>',
            f'<rect width="100%" height="100%" fill="{PAPER}"/>',
            *head,
            f'<g transform="translate({_n(_MARGIN + (width - 2 * _MARGIN - found.width) / 2)} {_n(top)})">',
            *body,
            "</g>",
            "</svg>",
            "",
        ]
    )


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _words(drawing: Drawing) -> str:
    """The picture for those who cannot see it: what there is, and what leads where, up to a length one can listen to."""
    names = [e.label or e.id for e in drawing.elements]
    told = [f"{names[link.source]} leads to {names[link.target]}" for link in drawing.links[:60]]
    more = len(drawing.links) - len(told)
    rest = f"; and {more} more." if more else "." if told else ""
    return f"{drawing.description} {'; '.join(told)}{rest}"


# -- measures --------------------------------------------------------------------------------------------------------


def _box(element: Element) -> _Box:
    if element.shape in _INSIDE:
        lines = wrapped(element.label, 150.0, 12.0, 4)
        width = max(54.0, max(width_of(line, 12.0) for line in lines) + 22)
        height = 15.0 * len(lines) + 14
        return _Box(width, height, width / 2, width, height, lines, element.shape)
    if element.shape is Shape.CHOICE:
        return _Box(26.0, 26.0, 13.0, 26.0, 26.0, (), element.shape)
    shape = (44.0, 9.0) if element.shape is Shape.ROUTE else (2 * _ROUND, 2 * _ROUND)
    lines = wrapped(element.label, 120.0, 10.5, 3) if element.label else ()
    beside = max((width_of(line, 10.5) for line in lines), default=-5.0) + 5
    return _Box(shape[0] + beside, max(shape[1], 12.5 * len(lines)), shape[0] / 2, *shape, lines, element.shape)


def _head(drawing: Drawing) -> tuple[list[str], float, float]:
    """Title and legend, where the picture begins below them, and how wide they are."""
    title = wrapped(drawing.title or "-", 700.0, 15.0, 1)[0]
    lines = [f'<text x="{_n(_MARGIN)}" y="30" font-size="15" font-weight="600">{escaped(title)}</text>']
    if not drawing.lanes:
        return lines, 52.0, width_of(title, 15.0)
    x, y, widest = _MARGIN, 46.0, width_of(title, 15.0)
    for lane, (fill, border) in colours(drawing.lanes).items():
        name = wrapped(lane, 160.0, 11.0, 1)[0] if lane else "coordinator"
        if x > 620:
            x, y = _MARGIN, y + 19
        lines.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="13" height="13" rx="3" fill="{fill}" stroke="{border}"/>'
            f'<text x="{_n(x + 18)}" y="{_n(y + 10.5)}" font-size="11">{escaped(name)}</text>'
        )
        x += 18 + width_of(name, 11.0) + 20
        widest = max(widest, x - _MARGIN)
    return lines, y + 34, widest


# -- elements --------------------------------------------------------------------------------------------------------


def _elements(drawing: Drawing, boxes: list[_Box], found: Layout) -> list[str]:
    fills = colours(drawing.lanes)
    lines: list[str] = []
    for element, box, centre in zip(drawing.elements, boxes, found.centres, strict=True):
        lines.append(f"<g><title>{escaped(element.title or element.label or element.id)}</title>")
        lines.append(_shape(element, box, centre, fills[element.lane]))
        if element.shape in (Shape.PLACE, Shape.END):
            lines += _tokens(element.tokens, centre)
        lines += _label(element, box, centre)
        lines.append("</g>")
    return lines


def _shape(element: Element, box: _Box, centre: Point, colour: tuple[str, str]) -> str:
    x, y = centre
    fill, border = colour
    pen = f'stroke="{MARK}" stroke-width="3"' if element.marked else f'stroke="{border}" stroke-width="1.3"'
    if element.shape in (Shape.PLACE, Shape.END):
        ring = f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(_ROUND)}" fill="{PAPER}" {pen}/>'
        if element.shape is Shape.END:
            ring += f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(_ROUND - 3.5)}" fill="none" {pen}/>'
        return ring
    if element.shape is Shape.CHOICE:
        path = f"M {_n(x)} {_n(y - 13)} l 13 13 l -13 13 l -13 -13 Z"
        return f'<path d="{path}" fill="{PAPER}" {pen}/>'
    radius = {Shape.TRANSITION: 2, Shape.ROUTE: 2}.get(element.shape, 9)
    if element.shape is Shape.ROUTE:
        fill = border
    if element.shape is Shape.STATE and element.tokens:
        pen = f'stroke="{INK}" stroke-width="3"'
    left, top = x - box.shape_width / 2, y - box.shape_height / 2
    return (
        f'<rect x="{_n(left)}" y="{_n(top)}" width="{_n(box.shape_width)}" height="{_n(box.shape_height)}"'
        f' rx="{radius}" fill="{fill}" {pen}/>'
    )


def _tokens(count: int, centre: Point) -> list[str]:
    """Up to five tokens as dots, more as a number."""
    x, y = centre
    if count > 5:
        return [f'<text x="{_n(x)}" y="{_n(y + 4)}" text-anchor="middle" font-weight="600">{count}</text>']
    spots: dict[int, tuple[Point, ...]] = {
        1: ((0, 0),),
        2: ((-5, 0), (5, 0)),
        3: ((0, -5), (-5, 4), (5, 4)),
        4: ((-5, -5), (5, -5), (-5, 5), (5, 5)),
        5: ((-6, -6), (6, -6), (0, 0), (-6, 6), (6, 6)),
    }
    radius = 4.5 if count == 1 else 3.3
    return [f'<circle cx="{_n(x + dx)}" cy="{_n(y + dy)}" r="{radius}"/>' for dx, dy in spots.get(count, ())]


def _label(element: Element, box: _Box, centre: Point) -> list[str]:
    x, y = centre
    if not box.lines:
        return []
    if element.shape in _INSIDE:
        size, step, at, anchor, colour = 12.0, 15.0, x, "middle", INK
    else:
        size, step, at, anchor, colour = 10.5, 12.5, x + box.shape_width / 2 + 5, "start", FAINT
    first = y - step * (len(box.lines) - 1) / 2 + size * 0.35
    return [
        f'<text x="{_n(at)}" y="{_n(first + step * row)}" font-size="{_n(size)}" text-anchor="{anchor}"'
        f' fill="{colour}">{escaped(line)}</text>'
        for row, line in enumerate(box.lines)
    ]


# -- links -----------------------------------------------------------------------------------------------------------


def _links(drawing: Drawing, boxes: list[_Box], found: Layout) -> list[str]:
    ports = _ports(drawing, boxes, found)
    lines: list[str] = []
    words: list[str] = []
    for number, (link, route) in enumerate(zip(drawing.links, found.routes, strict=True)):
        points = _clipped(
            list(route), boxes[link.source], boxes[link.target], ports[number], loop=link.source == link.target
        )
        lines.append(_arrow(link, points))
        if link.label:
            middle = len(points) // 2
            (ax, ay), (bx, by) = points[middle - 1], points[middle]
            word = wrapped(link.label, 140.0, 10.5, 1)[0]
            x, y, wide = (ax + bx) / 2 + 3, (ay + by) / 2, width_of(word, 10.5)
            words.append(
                f'<rect x="{_n(x)}" y="{_n(y - 7)}" width="{_n(wide)}" height="14" fill="{PAPER}" fill-opacity="0.85"/>'
                f'<text x="{_n(x + 1)}" y="{_n(y + 4)}" font-size="10.5">{escaped(word)}</text>'
            )
    return lines + words


def _ports(drawing: Drawing, boxes: list[_Box], found: Layout) -> list[tuple[float, float]]:
    """How far beside the middle each link leaves and arrives: spread over wide shapes, in the order of where they go."""
    sides: dict[tuple[int, bool], list[tuple[float, int, int]]] = {}
    for number, (link, route) in enumerate(zip(drawing.links, found.routes, strict=True)):
        if link.source != link.target:
            up = number in found.turned
            sides.setdefault((link.source, up), []).append((route[2][0], number, 0))
            sides.setdefault((link.target, not up), []).append((route[-3][0], number, 1))
    shifts = [[0.0, 0.0] for _ in drawing.links]
    for (vertex, _), ends in sides.items():
        if len(ends) > 1:
            step = min(16.0, boxes[vertex].spread / (len(ends) - 1))
            for place, (_, number, end) in enumerate(sorted(ends)):
                shifts[number][end] = (place - (len(ends) - 1) / 2) * step
    return [(a, b) for a, b in shifts]


def _clipped(points: list[Point], source: _Box, target: _Box, port: tuple[float, float], *, loop: bool) -> list[Point]:
    """The route from border to border. Its first and last stretches are vertical."""
    if loop:
        (x, y), one, two, _ = points
        edge = x + source.shape_width / 2
        return [(edge, y - min(6.0, source.shape_height / 4)), one, two, (edge, y + min(6.0, source.shape_height / 4))]
    for end, box, shift in ((0, source, port[0]), (-1, target, port[1])):
        inner = 1 if end == 0 else -2
        (x, y), (_, outer) = points[end], points[inner]
        sign = 1 if outer > y else -1
        points[end] = (x + shift, y + sign * box.reach(shift))
        points[inner] = (x + shift, outer)
    return points


def _arrow(link: Link, points: list[Point]) -> str:
    """A smooth line through the points, and its head, which is drawn as what the arc means."""
    colour = MARK if link.marked else FAINT
    width = "2.4" if link.marked else "1.2"
    dashes = {Arc.READ: ' stroke-dasharray="4 3"', Arc.RESET: ' stroke-dasharray="1.5 3"'}.get(link.arc, "")
    x, y = points[-1]
    loop = link.source == link.target
    dx, dy = (-1.0, 0.0) if loop else (0.0, 1.0 if y >= points[0][1] else -1.0)
    room = 0.0 if link.arc is Arc.READ else 7.0
    tip = (x - dx * room, y - dy * room)
    path = [f"M {_n(points[0][0])} {_n(points[0][1])}"]
    here = points[0]
    stops = [*points[1:-1], tip]
    if loop:
        path.append("C " + ", ".join(f"{_n(a)} {_n(b)}" for a, b in stops))
    else:
        for to in stops:
            bend = (here[1] + to[1]) / 2
            path.append(
                f"L {_n(to[0])} {_n(to[1])}"
                if abs(here[0] - to[0]) < 0.05
                else f"C {_n(here[0])} {_n(bend)}, {_n(to[0])} {_n(bend)}, {_n(to[0])} {_n(to[1])}"
            )
            here = to
    line = f'<path d="{" ".join(path)}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes}/>'
    if link.arc is Arc.READ:
        return line
    if link.arc is Arc.INHIBIT:
        at = (x - dx * 3.5, y - dy * 3.5)
        return line + f'<circle cx="{_n(at[0])}" cy="{_n(at[1])}" r="3.5" fill="{PAPER}" stroke="{colour}"/>'
    heads = _head_at((x, y), (dx, dy))
    if link.arc is Arc.RESET:
        heads += " " + _head_at((x - dx * 6, y - dy * 6), (dx, dy))
    return line + f'<path d="{heads}" fill="{colour}"/>'


def _head_at(tip: Point, direction: Point) -> str:
    (x, y), (dx, dy) = tip, direction
    left = (x - 8 * dx - 3.6 * dy, y - 8 * dy + 3.6 * dx)
    right = (x - 8 * dx + 3.6 * dy, y - 8 * dy - 3.6 * dx)
    return f"M {_n(x)} {_n(y)} L {_n(left[0])} {_n(left[1])} L {_n(right[0])} {_n(right[1])} Z"
