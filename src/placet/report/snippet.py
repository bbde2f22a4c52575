"""A diagnostic with its source line, a caret under the smallest span, labels, notes and help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.report.style import PLAIN, Style, columns, wrap
from placet.report.words import clean

if TYPE_CHECKING:
    from placet.diagnostics import Diagnostic
    from placet.source import Span

_LOOKS = {"error": "bad", "warning": "unsure", "note": "place"}


def render_diagnostic(diagnostic: Diagnostic, style: Style = PLAIN) -> list[str]:
    """The lines of a diagnostic, compiler style."""
    look = _LOOKS[diagnostic.severity]
    head = style.paint(f"{diagnostic.severity}[{diagnostic.code}]", look)
    lines = [f"{head}: {style.paint(clean(diagnostic.message), 'strong')}"]
    marks = [(diagnostic.span, "^", "")] if diagnostic.span else []
    marks += [(label.span, "-", label.text) for label in diagnostic.labels]
    gutter = max((len(str(span.line)) for span, _, _ in marks), default=1)
    if diagnostic.span:
        lines.append(f"{' ' * gutter}{style.paint('-->', 'faint')} {style.paint(_where(diagnostic.span), 'place')}")
        lines += _excerpt(marks, gutter, style, look)
    elif diagnostic.path:
        lines.append(f" {style.paint('-->', 'faint')} {style.paint(clean(diagnostic.path), 'place')}")
    for word, texts in (("note", diagnostic.notes), ("help", (diagnostic.help,) if diagnostic.help else ())):
        for text in texts:
            lead = f"{' ' * gutter} = {word}: "
            lines += wrap(text, style.width, lead, " " * len(lead))
    return lines


def _where(span: Span) -> str:
    return clean(str(span))


def _excerpt(marks: list[tuple[Span, str, str]], gutter: int, style: Style, look: str) -> list[str]:
    """The marked lines from top to bottom, each once, its carets below it; then those of other files, which are named.

    Of a line that is too long to be shown each mark has the part around it.
    """
    lines = [style.paint(f"{' ' * gutter} |", "faint")]
    source, at = marks[0][0].source, (0, "")
    marks = sorted(marks, key=lambda mark: (mark[0].source is not source, mark[0].source.path, mark[0].start))
    for span, sign, text in marks:
        number = span.line
        if span.source is not source:
            source, at = span.source, (0, "")
            lines.append(f"{' ' * gutter}{style.paint(':::', 'faint')} {style.paint(_where(span), 'place')}")
        shown, lead, length = _window(span, max(20, style.width - gutter - 3))
        if (number, shown) != at:
            lines.append(f"{style.paint(f'{number:>{gutter}} |', 'faint')} {shown}")
            at = number, shown
        caret = style.paint(sign * length, look if sign == "^" else "place")
        words = f" {clean(text)}" if text else ""
        lines.append(f"{style.paint(' ' * gutter + ' |', 'faint')} {' ' * lead}{caret}{words}")
    return lines


def _window(span: Span, width: int) -> tuple[str, int, int]:
    """The part of the line around the span that fits, the blanks before the caret, and the carets.

    A line may be a megabyte long: only a window of it is ever looked at.
    """
    line, column = span.source.position(span.start)
    starts = span.source.line_starts
    end = starts[line] - 1 if line < len(starts) else len(span.source.text)
    text, begin = span.source.text, starts[line - 1]
    at = min(begin + column - 1, end)
    left = begin if at - begin < width * 2 // 3 else at - width // 3
    before = ("..." if left > begin else "") + _flat(text[left:at])
    marked = _flat(text[at : min(max(span.end, at + 1), end, at + width)])
    after = _flat(text[at + len(marked) : min(end, at + width)].rstrip("\r"))
    room = max(0, width - columns(before))
    length = max(1, min(columns(marked), room))
    shown = (before + marked + after).rstrip()
    return _cut(shown, width), columns(before), length


def _cut(text: str, width: int) -> str:
    if len(text) <= width and columns(text) <= width:
        return text
    while text and columns(text) > width - 3:
        text = text[: min(len(text) - 1, width)]
    return text + "..."


def _flat(text: str) -> str:
    """One column or more for each character, none that acts: a tab is a blank, what is not printable a `?`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if c == "\t" else c if clean(c) == c else "?" for c in text)
