"""YAML with positions, from the events of PyYAML: no objects are made, no tag runs anything, aliases are paid for.

What an alias names counts again each time it is named, so that a few lines cannot stand for millions of values. Scalars
are read as JSON does: `yes` is a word, since a state may be called so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from placet.formats.data_tree import Member, Node
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.formats.data_tree import Limits

_NUMBER = re.compile(r"[+-]?(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_STRANGE = re.compile(r"[+-]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_PROPERTIES = re.compile(r"(?:[!&]\S*\s+)*")  # a tag and an anchor before a scalar
_BOOL = {"true": "true", "True": "true", "TRUE": "true", "false": "false", "False": "false", "FALSE": "false"}
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_CORE = "tag:yaml.org,2002:"
MISSING = "`pip install 'placet[yaml]'` adds the reader of YAML"


class _Anchored(NamedTuple):
    """What a name stands for, and how many values it is."""

    node: Node
    values: int


class _Open:
    def __init__(self, start: int, tag: str, anchor: str, before: int, *, array: bool) -> None:
        self.start = start
        self.tag = tag
        self.anchor = anchor
        self.before = before  # values counted when it began
        self.array = array
        self.items: list[Node] = []
        self.members: dict[str, Member] = {}
        self.key: Node | None = None


def read(text: str, limits: Limits) -> Node:
    """The tree of a text; of several documents a list of theirs. Raises BadData, with P533 where PyYAML is not installed.

    Linear.
    """
    try:
        import yaml
    except ImportError as absent:
        raise limits.fail("P533", "this is YAML, and its reader is not installed", 0, 1, MISSING) from absent
    offset = _offsets(text, libyaml=hasattr(yaml, "CParser"))
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        reader = loader(_printable(text))
        try:
            return _built(iter(reader.get_event, None), yaml, limits, offset)
        finally:
            reader.dispose()
    except yaml.YAMLError as fault:
        raise _bad(fault, limits, offset) from fault


def _printable(text: str) -> str:
    """Tabs and letters that YAML refuses and people paste; the length stays."""
    return re.sub("[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]", "?", text)


def _offsets(text: str, *, libyaml: bool) -> Callable[[Any], int]:
    """From a mark to a letter of the text. The marks of libyaml count letters after a byte order mark."""
    shift = 1 if libyaml and text.startswith("\ufeff") else 0
    return lambda mark: int(mark.index) + shift


def _bad(fault: Any, limits: Limits, offset: Callable[[Any], int]) -> Exception:  # noqa: ANN401 # PyYAML has no types
    mark = getattr(fault, "problem_mark", None) or getattr(fault, "context_mark", None)
    at = offset(mark) if mark is not None else 0
    problem = (getattr(fault, "problem", None) or "it cannot be read").replace("'", "`")
    if "nesting depth" in problem:  # libyaml looks ahead, and has a limit of its own, as wide as ours or wider
        return limits.fail("P531", problem, at, at + 1)
    return limits.fail("P530", f"this is no YAML: {problem[:200]}", at, at + 1, "check indentation, quotes and colons")


def _built(events: Any, yaml: Any, limits: Limits, offset: Callable[[Any], int]) -> Node:  # noqa: ANN401
    stack: list[_Open] = []
    anchors: dict[str, _Anchored] = {}
    root: Node | None = None
    roots: list[Node] = []
    for event in events:
        kind = type(event)
        if kind is yaml.DocumentEndEvent and root is not None:
            roots.append(root)
            root, anchors = None, {}
        if kind in (yaml.MappingStartEvent, yaml.SequenceStartEvent):
            start = offset(event.start_mark)
            limits.deeper(len(stack) + 1, start)
            array = kind is yaml.SequenceStartEvent
            stack.append(_Open(start, _tag(event), event.anchor or "", limits.values, array=array))
            anchors.pop(event.anchor or "", None)  # while it is open, its own name stands for nothing
            continue
        if kind is yaml.ScalarEvent:
            before = limits.values
            node = _scalar(event, limits, offset)
            anchor = event.anchor or ""
        elif kind is yaml.AliasEvent:
            node, before, anchor = _alias(event, anchors, limits, offset), limits.values, ""
        elif kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
            top = stack.pop()
            node, before, anchor = _closed(top, limits, offset(event.end_mark)), top.before, top.anchor
        else:
            continue
        if anchor:
            anchors[anchor] = _Anchored(node, limits.values - before)
        if not stack:
            root = node
        else:
            _put(stack[-1], node, limits)
    if not roots:
        raise limits.fail("P530", "there is nothing in this file", 0, 1)
    return roots[0] if len(roots) == 1 else Node("array", roots[0].start, roots[-1].end, items=tuple(roots))


def _tag(event: Any) -> str:  # noqa: ANN401
    tag = event.tag or ""
    return "" if tag.startswith(_CORE) or tag == "!" else str(tag)


def _alias(event: Any, anchors: dict[str, _Anchored], limits: Limits, offset: Callable[[Any], int]) -> Node:  # noqa: ANN401
    start, end = offset(event.start_mark), offset(event.end_mark)
    known = anchors.get(event.anchor)
    if known is None:
        raise limits.fail("P530", "this alias names nothing that is complete before it", start, end)
    limits.count(known.values, start)
    return known.node


def _closed(top: _Open, limits: Limits, end: int) -> Node:
    limits.count(1, top.start)
    text = limits.source.text
    while end > top.start + 1 and text[end - 1 : end].isspace():  # a block ends where the next one begins
        end -= 1
    if top.array:
        return Node("array", top.start, end, items=tuple(top.items), tag=top.tag)
    return Node("object", top.start, end, members=top.members, tag=top.tag)


def _put(top: _Open, node: Node, limits: Limits) -> None:
    if top.array:
        top.items.append(node)
    elif top.key is None:
        if node.kind in ("object", "array"):
            raise limits.fail("P530", "a key that is no word", node.start, node.start + 1)
        top.key = node
    else:
        key, top.key = top.key, None
        name = key.text
        if name == "<<" and node.kind == "object":
            for word, member in node.members.items():
                top.members.setdefault(word, member)
            return
        if name in top.members:
            raise limits.twice(name, key.start, key.end, top.members[name])
        top.members[name] = Member(key.start, key.end, node)


def _scalar(event: Any, limits: Limits, offset: Callable[[Any], int]) -> Node:  # noqa: ANN401
    start, end, text = offset(event.start_mark), offset(event.end_mark), str(event.value)
    limits.count(1, start)
    tag = _tag(event)
    if event.style or tag or event.tag == f"{_CORE}str":
        return Node("string", start, end, text, tag=tag)
    if text in _NULL:
        return Node("null", start, end, "null")
    if text in _BOOL:
        return Node("bool", start, end, _BOOL[text])
    if _STRANGE.fullmatch(text):
        raise limits.fail("P530", f"`{text}` is no number that can be reckoned with", start, end)
    if _NUMBER.fullmatch(text):
        limits.number(text, start, end)
        return Node("number", start, end, text.replace("_", ""))
    return Node("string", start, end, text)


def places_of_scalar(text: str, node: Node) -> list[int]:
    """For each letter of a scalar where it stands: exact for plain, quoted without escapes, and literal scalars.

    Other spellings (folded lines, escapes) are followed as far as the letters agree, and keep to the line.
    """
    found: list[int] = []
    end = node.end
    at = _PROPERTIES.match(text, node.start).end()  # type: ignore[union-attr] # it matches nothing at least
    if text[at : at + 1] in ("|", ">"):
        at = text.find("\n", at) + 1 or at
    elif text[at : at + 1] in ('"', "'"):
        at += 1
    for letter in node.text:
        if letter == "\n":
            following = text.find("\n", at, end)
            found.append(following if following >= 0 else min(at, end - 1))
            at = following + 1 if following >= 0 else at
            continue
        while at < end and text[at] != letter and text[at] in " \t\n\r\\":
            at += 1
        found.append(min(at, max(node.start, end - 1)))
        if at < end and text[at] == letter:
            at += 1
    found.append(max(node.start, end - 1))
    return found
