"""JSON and JSON5 with positions. One pass, no recursion, linear; the standard library's reader keeps no positions.

JSON5 is taken from every file, since people keep comments in what they call `.json`; `loose` says that it was needed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.formats.data_tree import Limits, Member, Node, through
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.formats.data_tree import BadData, Kind, Places

_SPACE = re.compile(r"[ \t\n\r\f\v\u00a0\ufeff\u2028\u2029]*")
_COMMENT = re.compile(r"//[^\n\r]*|/\*.*?\*/", re.DOTALL)
_STRING = {
    '"': re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"', re.DOTALL),
    "'": re.compile(r"'[^'\\\n]*(?:\\.[^'\\\n]*)*'", re.DOTALL),
}
_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|Infinity|NaN)")
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[^\W\d][\w$]*|\$[\w$]*")
_FILLED_IN = re.compile(r"\$\{(?:[^{}\n]|\{[^{}\n]*\})+\}")  # what a template puts a number in for
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|.))", re.DOTALL)
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_WORDS: dict[str, Kind] = {"true": "bool", "false": "bool", "null": "null"}


class Read(NamedTuple):
    """A text as a tree, and where it first needs JSON5 (-1: nowhere)."""

    root: Node
    loose: int


class _Open:
    """An object or array that is not closed yet."""

    def __init__(self, start: int, *, array: bool) -> None:
        self.start = start
        self.array = array
        self.items: list[Node] = []
        self.members: dict[str, Member] = {}
        self.key: tuple[str, int, int] | None = None


def read(text: str, limits: Limits, places: Places = None, depth: int = 0) -> Read:
    """The tree of a text. Raises BadData. Linear.

    `places` are the offsets in the file of a text that was taken out of it; `depth` is where that stood.
    """
    return _Reader(text, limits, places, depth).run()


class _Reader:
    def __init__(self, text: str, limits: Limits, places: Places, depth: int) -> None:
        self.text = text
        self.limits = limits
        self.places = places
        self.depth = depth
        self.loose = -1
        self.stack: list[_Open] = []

    def run(self) -> Read:
        at = self.skip(0)
        root: Node | None = None
        while root is None:
            node, at = self.value(at)
            at = self.skip(at)
            while node is not None:  # a whole value: into what it stands in, which it may complete
                if not self.stack:
                    root = node
                    break
                self.put(node)
                node, at = self.after(at)
        if at < len(self.text):
            raise self.fail("something stands behind the end of the data", at)
        return Read(root, self.loose)

    # -- pieces

    def fail(self, message: str, at: int, end: int = -1) -> BadData:
        last = max(at + 1, end)
        hint = "check quotes, commas and brackets just before this place"
        return self.limits.fail("P530", message, through(self.places, at), through(self.places, last - 1) + 1, hint)

    def is_loose(self, at: int) -> None:
        if self.loose < 0:
            self.loose = through(self.places, at)

    def skip(self, at: int) -> int:
        """The next place that is neither space nor comment."""
        text = self.text
        while True:
            at = _SPACE.match(text, at).end()  # type: ignore[union-attr] # it matches nothing at least
            if not text.startswith("/", at):
                return at
            found = _COMMENT.match(text, at)
            if found is None:
                raise self.fail("a comment that does not end", at)
            self.is_loose(at)
            at = found.end()

    def value(self, at: int) -> tuple[Node | None, int]:
        """The value that begins here; None for one that was only opened."""
        text = self.text
        if at >= len(text):
            raise self.fail("the text ends where a value should begin", max(0, at - 1))
        letter = text[at]
        if letter in "{[":
            self.limits.deeper(self.depth + len(self.stack) + 1, through(self.places, at))
            self.stack.append(_Open(at, array=letter == "["))
            return self.first(self.skip(at + 1))
        if letter in "\"'":
            end = self.string(at)
            return self.node("string", at, end, self.unescaped(at + 1, end - 1)), end
        return self.scalar(at)

    def scalar(self, at: int) -> tuple[Node, int]:
        text = self.text
        if found := _NUMBER.match(text, at):
            end, written = found.end(), found.group()
            if written[-1] in "yN":
                raise self.fail(f"`{written}` is no number that can be reckoned with", at, end)
            self.limits.number(written, through(self.places, at), through(self.places, end - 1) + 1)
            if not _PLAIN_NUMBER.fullmatch(written):
                self.is_loose(at)
            return self.node("number", at, end, written), end
        if found := _FILLED_IN.match(text, at):
            return self.node("string", at, found.end(), found.group()), found.end()
        if found := _WORD.match(text, at):
            word = found.group()
            if word in _WORDS:
                return self.node(_WORDS[word], at, found.end(), word), found.end()
            shown = word if len(word) <= 40 else f"{word[:40]}..."
            raise self.fail(f"`{shown}` is no value", at, found.end())
        raise self.fail(f"`{text[at]}` where a value should begin", at)

    def node(self, kind: Kind, at: int, end: int, text: str) -> Node:
        start = through(self.places, at)
        self.limits.count(1, start)
        return Node(kind, start, through(self.places, end - 1) + 1, text)

    def string(self, at: int) -> int:
        found = _STRING[self.text[at]].match(self.text, at)
        if found is None:
            raise self.fail("a string that does not end", at)
        if self.text[at] == "'":
            self.is_loose(at)
        return found.end()

    def unescaped(self, start: int, end: int) -> str:
        inner = self.text[start:end]
        if "\\" not in inner:
            return inner
        plain = _ESCAPE.sub(_unescape, inner)
        if any("\ud800" <= c <= "\udfff" for c in plain):
            plain = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return plain

    # -- objects and arrays

    def first(self, at: int) -> tuple[Node | None, int]:
        """Behind an opening bracket: the first key or value, or the end."""
        top = self.stack[-1]
        if self.text.startswith("]" if top.array else "}", at):
            return self.close(at)
        return (None, at) if top.array else (None, self.key(at))

    def after(self, at: int) -> tuple[Node | None, int]:
        """Behind a value: a comma and what follows it, or the end."""
        top, text = self.stack[-1], self.text
        closing = "]" if top.array else "}"
        if text.startswith(",", at):
            comma = at
            at = self.skip(at + 1)
            if text.startswith(closing, at):
                self.is_loose(comma)
                return self.close(at)
            return (None, at) if top.array else (None, self.key(at))
        if text.startswith(closing, at):
            return self.close(at)
        if at >= len(text):
            opened = "[" if top.array else "{"
            raise self.fail(f"this `{opened}` is not closed", top.start)
        raise self.fail(f"`{text[at]}` where a comma or `{closing}` should stand", at)

    def key(self, at: int) -> int:
        text, top = self.text, self.stack[-1]
        if at >= len(text):
            raise self.fail("this `{` is not closed", top.start)
        if text[at] in "\"'":
            end = self.string(at)
            name = self.unescaped(at + 1, end - 1)
        elif found := _WORD.match(text, at):
            name, end = found.group(), found.end()
            self.is_loose(at)
        else:
            raise self.fail(f"`{text[at]}` where a key in quotes should stand", at)
        start, stop = through(self.places, at), through(self.places, end - 1) + 1
        if name in top.members:
            raise self.limits.twice(name, start, stop, top.members[name])
        top.key = (name, start, stop)
        at = self.skip(end)
        if not text.startswith(":", at):
            raise self.fail("a `:` should follow the key", min(at, len(text) - 1))
        return self.skip(at + 1)

    def put(self, node: Node) -> None:
        top = self.stack[-1]
        if top.key is None:
            top.items.append(node)
        else:
            name, start, end = top.key
            top.members[name] = Member(start, end, node)
            top.key = None

    def close(self, at: int) -> tuple[Node, int]:
        top = self.stack.pop()
        start = through(self.places, top.start)
        self.limits.count(1, start)
        end = through(self.places, at) + 1
        whole = (
            Node("array", start, end, items=tuple(top.items))
            if top.array
            else Node("object", start, end, members=top.members)
        )
        return whole, self.skip(at + 1)


def _unescape(found: re.Match[str]) -> str:
    code = found.group(1) or found.group(2)
    if code:
        return chr(int(code, 16))
    letter = found.group(3)
    return "" if letter in "\n\r\u2028\u2029\r\n" else _SHORT.get(letter, letter)


def places_of_string(text: str, start: int, end: int) -> list[int]:
    """For each letter of the string that is written from `start` to `end` (its quotes included) where it stands. Linear."""
    found: list[int] = []
    at = start + 1
    for escape in _ESCAPE.finditer(text, start + 1, end - 1):
        found.extend(range(at, escape.start()))
        found.extend([escape.start()] * len(_unescape(escape)))
        at = escape.end()
    found.extend(range(at, end - 1))
    found.append(max(start, end - 1))
    return found
