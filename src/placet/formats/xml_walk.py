"""Walking XML safely, with the place of every element: no entities, nothing external, bounded nesting, no recursion.

The parser is the one of defusedxml, whose refusals stay switched on; only its handlers for elements and text are ours,
so that no tree is built and each element knows where it stands. One pass, linear in the text.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Protocol

from placet.diagnostics import Diagnostic
from placet.source import Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.source import SourceFile

MOST_NESTING = 200


class Listener(Protocol):
    """What hears of elements: local names without namespaces, attributes likewise, offsets in characters."""

    def start(self, name: str, attributes: dict[str, str], at: int) -> None:
        """An element begins at that offset."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, data: str) -> None:
        """Text between tags; a stretch of it may come in several pieces."""


class _Refused(Exception):  # noqa: N818 - it never leaves this module
    """Parsing stops here, for a reason of ours."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


def walk(source: SourceFile, listener: Listener) -> Diagnostic | None:
    """Tell the listener of every element; gives the diagnostic that ended the walk early, or None.

    P501 where the text is not well-formed XML, P502 where it declares or uses entities, P503 where elements nest deeper
    than `MOST_NESTING`. What the listener raises goes through.
    """
    from xml.parsers.expat import ExpatError
    from xml.parsers.expat.errors import messages

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    parser = DefusedXMLParser(target=object()).parser
    offset = character_offsets(source.text)
    _listen(parser, listener, offset)
    try:
        parser.Parse(source.text, True)
    except ExpatError as fault:
        at = offset(parser.ErrorByteIndex)
        return _problem(source, at, "P501", f"this is not well-formed XML: {messages.get(fault.code, 'broken')}", "")
    except UnicodeEncodeError as fault:
        return _problem(source, fault.start, "P501", "this is not well-formed XML: half of a surrogate pair", "")
    except DefusedXmlException:
        hint = "write the characters themselves in place of the entity, and leave the declaration out"
        return _problem(source, offset(parser.CurrentByteIndex), "P502", "declarations of entities are refused", hint)
    except _Refused as refusal:
        return _problem(source, offset(parser.CurrentByteIndex), refusal.code, refusal.message, refusal.hint)
    return None


def _listen(parser, listener: Listener, offset: Callable[[int], int]) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - expat has no public type
    """Put our handlers in; those by which defusedxml refuses entities stay."""
    local: dict[str, str] = {}
    start, end = listener.start, listener.end
    depth = 0

    def name_of(name: str) -> str:
        short = local[name] = name.rpartition("}")[2]
        return short

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MOST_NESTING:
            raise _Refused("P503", f"elements are nested deeper than {MOST_NESTING}", "flatten the pages")
        start(local.get(name) or name_of(name), attributes, offset(parser.CurrentByteIndex))

    def on_end(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(local[name])

    def on_skipped(name: str, _parameter: bool) -> None:  # noqa: FBT001 - expat's signature
        raise _Refused("P502", f"the entity `{name}` is not declared here", "write the character itself")

    parser.DefaultHandlerExpand = None
    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    parser.CharacterDataHandler = listener.text
    parser.SkippedEntityHandler = on_skipped
    parser.ordered_attributes = False
    parser.buffer_text = True


def character_offsets(text: str) -> Callable[[int], int]:
    """A function from offsets in the UTF-8 form of `text` to offsets in `text`; O(log n) a call, O(1) for ASCII."""
    if text.isascii():
        return lambda at: at
    import re

    begins: list[int] = []  # byte offsets of the runs of characters that take several bytes
    runs: list[tuple[int, int, int]] = []  # where each begins and ends in the text, and how many bytes it has
    before = 0  # how many bytes more than characters up to here
    for run in re.finditer(r"[^\x00-\x7f]+", text):
        size = len(run.group().encode("utf-8", "surrogatepass"))
        begins.append(run.start() + before)
        runs.append((run.start(), run.end(), size))
        before += size - (run.end() - run.start())

    def offset(at: int) -> int:
        number = bisect_right(begins, at) - 1
        if number < 0:
            return at
        start, end, size = runs[number]
        beyond = at - begins[number]
        if beyond >= size:
            return end + beyond - size
        return start + len(text[start:end].encode("utf-8", "surrogatepass")[:beyond].decode("utf-8", "ignore"))

    return offset


def tag_span(source: SourceFile, at: int) -> Span:
    """The start tag that begins at that offset."""
    end = source.text.find(">", at)
    return Span(source, at, end + 1 if end >= 0 else len(source.text))


def attribute_span(source: SourceFile, at: int, attribute: str) -> Span:
    """The value of an attribute of the start tag at that offset, or the tag where it cannot be found."""
    import re

    tag = tag_span(source, at)
    found = re.search(rf"""[\s:]{re.escape(attribute)}\s*=\s*("[^"]*"|'[^']*')""", tag.text)
    return Span(source, at + found.start(1) + 1, at + found.end(1) - 1) if found else tag


def _problem(source: SourceFile, at: int, code: str, message: str, hint: str) -> Diagnostic:
    at = max(0, min(at, len(source.text)))
    end = min(at + 1, len(source.text))
    return Diagnostic(code, "error", message, Span(source, at, end), help=hint, path=source.path)
