"""JSON documents read one value at a time, with bounds on everything: size of a value, depth, digits, repeated keys.

A log is one object that holds an array of events, an array of events, or one object on each line. Whichever it is, no
more than one event is held at a time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from placet.conform.record import LogError
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

MOST_CHARACTERS = 16 << 20  # of one event
MOST_DEPTH = 200
MOST_DIGITS = 400
CHUNK = 1 << 16

ARRAYS = ("events", "history")  # the keys under which a document keeps its events, or the object that has them
_BLANK = re.compile(r"[ \t\r\n,\ufeff]*")
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+("?)|[\[\]{}]', re.DOTALL)
_SCALAR = re.compile(r"[^\s,\[\]{}\"]+")


class Item(NamedTuple):
    """A value: of which document of the file (from 0), on which line it begins, and what it says."""

    document: int
    line: int
    value: dict[str, Any]


class _Window:
    """The part of a text that is looked at."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.text = ""
        self.at = 0
        self.line = 1
        self.ended = False

    def more(self) -> bool:
        """Read on; false at the end of the file. What was passed is let go."""
        if self.ended:
            return False
        if self.at:
            self.line += self.text.count("\n", 0, self.at)
            self.text = self.text[self.at :]
            self.at = 0
        if len(self.text) > MOST_CHARACTERS:
            raise LogError(f"one event is longer than {MOST_CHARACTERS >> 20} million characters", self.line)
        found = self.stream.read(max(CHUNK, len(self.text)))
        self.ended = not found
        self.text += found
        return bool(found)

    def here(self) -> int:
        """The line of what comes next."""
        return self.line + self.text.count("\n", 0, self.at)

    def peek(self) -> str:
        """The next character that means something; empty at the end."""
        while True:
            found = _BLANK.match(self.text, self.at)
            assert found is not None
            self.at = found.end()
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""

    def value(self) -> str:
        """The text of the value that comes next."""
        first = self.peek()
        if not first:
            raise LogError("the file ends in the middle", self.here())
        while True:
            end = self._end(first)
            if end >= 0:
                text = self.text[self.at : end]
                self.at = end
                return text
            if not self.more():
                raise LogError("the file ends in the middle", self.here())

    def _end(self, first: str) -> int:
        """Where the value here ends, or -1 where more must be read to know."""
        text = self.text
        if first not in '"[{':
            found = _SCALAR.match(text, self.at)
            if found is None:
                raise LogError(f"`{first}` is not expected here", self.here())
            return found.end() if found.end() < len(text) or self.ended else -1
        depth, at = 0, self.at
        while True:
            found = _TOKEN.search(text, at)
            if found is None:
                return -1
            mark, at = found.group(), found.end()
            if mark[0] == '"':
                if not found.group(1):
                    return -1
            elif mark in "[{":
                depth += 1
                if depth > MOST_DEPTH:
                    raise LogError(f"it is nested more than {MOST_DEPTH} levels deep", self.here())
                continue
            else:
                depth -= 1
            if depth <= 0:
                return at


def items(stream: TextIO) -> Iterator[Item]:
    """The events of all documents of a file, in order. Raises LogError where it cannot go on."""
    window = _Window(stream)
    document = 0
    while True:
        first = window.peek()
        if not first:
            return
        if first == "[":
            window.at += 1
            yield from _array(window, document)
        elif first == "{":
            line = window.here()
            window.at += 1
            rest: dict[str, Any] = {}
            found = False
            for item in _object(window, document, rest):
                found = True
                yield item
            if not found:
                yield Item(document, line, rest)
        else:
            raise LogError(f"`{first}` is not expected here", window.here())
        document += 1


def _array(window: _Window, document: int) -> Iterator[Item]:
    while True:
        first = window.peek()
        if first == "]":
            window.at += 1
            return
        line = window.here()
        value = parse(window.value(), line)
        if not isinstance(value, dict):
            raise LogError("an event is no object", line)
        yield Item(document, line, value)


def _object(window: _Window, document: int, rest: dict[str, Any]) -> Iterator[Item]:
    """The events in an object whose brace was passed; what else it has goes into `rest`."""
    open_ = 1
    while open_:
        first = window.peek()
        if first == "}":
            window.at += 1
            open_ -= 1
            continue
        line = window.here()
        key = parse(window.value(), line)
        if not isinstance(key, str):
            raise LogError("a key is no text", line)
        if window.peek() != ":":
            raise LogError("a `:` is missing", window.here())
        window.at += 1
        begins = window.peek()
        if key in ARRAYS and begins == "[":
            window.at += 1
            yield from _array(window, document)
        elif key in ARRAYS and begins == "{" and open_ == 1:
            window.at += 1
            open_ += 1
        else:
            if key in rest and open_ == 1:
                raise LogError(f"the key `{key[:80]}` is there twice", line)
            rest[key] = parse(window.value(), line)


def parse(text: str, line: int) -> Any:  # noqa: ANN401 - any value of JSON
    """One value. Raises LogError for what is no JSON, for repeated keys and for endless numbers."""
    import json

    try:
        return json.loads(text, object_pairs_hook=_once, parse_int=_whole, strict=False)
    except json.JSONDecodeError as problem:
        raise LogError(
            f"it is no JSON: {problem.msg[:1].lower()}{problem.msg[1:]}", line + problem.lineno - 1
        ) from None
    except RecursionError:
        raise LogError(f"it is nested more than {MOST_DEPTH} levels deep", line) from None
    except LogError as problem:
        raise LogError(problem.message, line) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise LogError(f"the key `{key[:80]}` is there twice")
            seen.add(key)
    return made


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise LogError(f"a number has more than {MOST_DIGITS} digits")
    return int(text)


def text(details: dict[str, Any], *keys: str) -> str:
    """The text under the first of these keys that has one."""
    for key in keys:
        found = details.get(key)
        if isinstance(found, str):
            return found
    return ""


def number(value: Any, missing: int = 0) -> int:  # noqa: ANN401 - any value of JSON
    """A whole number, also one that is written as text."""
    if isinstance(value, bool):
        return missing
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return missing
